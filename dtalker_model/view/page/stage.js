// The head in three.js: loads a .glb, lights it, and sets its morph targets.

import * as THREE from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { COUNT } from "./frames.js";
import { Neck } from "./neck.js";

const FIELD_OF_VIEW = 24;
const TRANSPORT_PX = 112; // of the bar at the bottom, with its margin
const FILLED = 0.9; // of the height above it
const SMALLEST_CHANGE = 2e-4;
const SLOW_MS = 34, FAST_MS = 20;
const COARSEST = 0.5;
const ALWAYS_FINE = new URLSearchParams(location.search).has("fine"); // for pictures

/** Without a GPU four samples a pixel would cost four times as much. */
function drawnInSoftware() {
  const probe = document.createElement("canvas").getContext("webgl2");
  const info = probe?.getExtension("WEBGL_debug_renderer_info");
  const name = info ? probe.getParameter(info.UNMASKED_RENDERER_WEBGL) : "";
  probe?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|software/i.test(name);
}

export class Stage {
  #morphs = []; // {influences, pairs: [[place in influences, ARKit index], ...]}
  #shown = new Float32Array(COUNT).fill(-1);
  #dirty = true;
  #box = null;
  neck = null;
  #ratio = Math.min(devicePixelRatio, 2);
  #slowest = null;
  #size = "";

  constructor(canvas) {
    this.canvas = canvas;
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: ALWAYS_FINE || !drawnInSoftware(), alpha: true, preserveDrawingBuffer: false });
    this.renderer.toneMapping = THREE.ACESFilmicToneMapping;
    this.scene = new THREE.Scene();
    this.camera = new THREE.PerspectiveCamera(FIELD_OF_VIEW, 1, 0.01, 100);
    this.controls = new OrbitControls(this.camera, canvas);
    Object.assign(this.controls, { enablePan: false, enableDamping: true, minPolarAngle: 0.9, maxPolarAngle: 1.95, minAzimuthAngle: -1.4, maxAzimuthAngle: 1.4 });
    this.controls.addEventListener("change", () => { this.#dirty = true; });
    this.#light();
    new ResizeObserver(() => this.#resize()).observe(canvas);
  }

  async load(url, names) {
    const { scene } = await new GLTFLoader().loadAsync(url);
    scene.traverse((mesh) => {
      if (!mesh.morphTargetDictionary) return;
      mesh.frustumCulled = false;
      const pairs = Object.entries(mesh.morphTargetDictionary).filter(([name]) => name in names);
      this.#morphs.push({ influences: mesh.morphTargetInfluences, pairs: pairs.map(([name, place]) => [place, names[name]]) });
    });
    this.scene.add(scene);
    this.#box = new THREE.Box3().setFromObject(scene);
    this.neck = new Neck(scene, this.#box);
    this.recentre();
    await this.renderer.compileAsync(this.scene, this.camera);
    this.canvas.classList.add("shown");
  }

  /** Look at the head from the front, as large as fits above the transport. */
  recentre() {
    if (!this.#box) return;
    const size = this.#box.getSize(new THREE.Vector3());
    const centre = this.#box.getCenter(new THREE.Vector3());
    const half = Math.tan((FIELD_OF_VIEW / 2) * (Math.PI / 180));
    const covered = Math.min(TRANSPORT_PX / this.canvas.clientHeight, 0.4);
    const tall = (size.y * 0.5) / (half * FILLED * (1 - covered));
    const distance = Math.max(tall, (size.x * 0.58) / (half * this.camera.aspect)) + size.z / 2;
    this.controls.target.copy(centre).add(new THREE.Vector3(0, -covered * half * (distance - size.z / 2), 0));
    this.camera.position.copy(this.controls.target).add(new THREE.Vector3(0, 0.03 * size.y, distance));
    Object.assign(this.controls, { minDistance: distance * 0.45, maxDistance: distance * 1.8 });
    Object.assign(this.camera, { near: distance / 50, far: distance * 10 });
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.#dirty = true;
  }

  setDark(dark) {
    this.renderer.toneMappingExposure = dark ? 0.86 : 0.95;
    this.scene.environmentIntensity = dark ? 0.45 : 0.75;
    this.key.intensity = dark ? 2.0 : 2.1;
    this.rim.intensity = dark ? 2.4 : 0.9;
    this.#dirty = true;
  }

  /** Draw more coarsely where the refreshes are slow (no GPU, an old phone): lip sync matters more than sharp edges. */
  pace(refreshMs) {
    if (ALWAYS_FINE) return;
    const finest = Math.min(devicePixelRatio, 2);
    const wanted = refreshMs > SLOW_MS ? this.#ratio * 0.8 : refreshMs < FAST_MS ? this.#ratio * 1.1 : this.#ratio;
    const ratio = Math.min(Math.max(wanted, COARSEST), this.#slowest ?? finest, finest);
    if (refreshMs > SLOW_MS) this.#slowest = ratio; // no way back: it would only be slow again
    if (Math.abs(ratio - this.#ratio) < 0.01) return;
    this.#ratio = ratio;
    this.#resize();
  }

  /** Give the head `weights` (52, 0..1), turn it by `head` (yaw, pitch, roll in rad) and draw, if anything has changed. */
  draw(weights, head) {
    this.controls.update();
    let largest = this.neck ? this.neck.turn(head) : 0;
    for (let k = 0; k < COUNT; k++) largest = Math.max(largest, Math.abs(weights[k] - this.#shown[k]));
    if (largest < SMALLEST_CHANGE && !this.#dirty) return;
    for (const { influences, pairs } of this.#morphs) for (const [place, index] of pairs) influences[place] = weights[index];
    this.#shown.set(weights);
    this.#dirty = false;
    this.renderer.render(this.scene, this.camera);
  }

  #light() {
    const room = new THREE.PMREMGenerator(this.renderer);
    this.scene.environment = room.fromScene(new RoomEnvironment(), 0.04).texture;
    room.dispose();
    this.key = new THREE.DirectionalLight(0xfff3e4, 2.1);
    this.key.position.set(-1.2, 1.6, 2.2);
    this.rim = new THREE.DirectionalLight(0xbfe6ff, 1);
    this.rim.position.set(1.8, 1.2, -1.8);
    this.scene.add(this.key, this.rim);
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const changed = this.#size !== `${width} ${height}`;
    this.#size = `${width} ${height}`;
    this.renderer.setPixelRatio(this.#ratio);
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    if (changed) this.recentre();
    this.#dirty = true;
  }
}
