// How a head turns: its bone where the avatar has one, else all of it about a point in the neck.

import * as THREE from "three";

const NECK = 0.3; // of the height, from below: where the skull sits on the neck of our own head

export class Neck {
  #turned = [0, 0, 0];
  #rotation = new THREE.Quaternion();
  #angles = new THREE.Euler(0, 0, 0, "YXZ"); // yaw, then pitch, then roll, each about the axes turned before

  constructor(scene, box) {
    this.bone = null;
    scene.traverse((node) => { if (node.isBone && /head$/i.test(node.name)) this.bone ??= node; });
    this.node = this.bone ?? scene;
    this.rest = this.node.quaternion.clone();
    this.place = this.node.position.clone();
    this.pivot = box.getCenter(new THREE.Vector3());
    this.pivot.y = box.min.y + NECK * (box.max.y - box.min.y);
    this.parent = this.node.parent.getWorldQuaternion(new THREE.Quaternion());
  }

  /** Turn by `head` (yaw to its own left, pitch down, roll to its own right; rad); returns the largest change. */
  turn(head) {
    const change = Math.max(...this.#turned.map((angle, k) => Math.abs(angle - head[k])));
    this.#turned = [head[0], head[1], head[2]];
    this.#rotation.setFromEuler(this.#angles.set(head[1], head[0], head[2], "YXZ"));
    this.node.quaternion.copy(this.parent).invert().multiply(this.#rotation).multiply(this.parent).multiply(this.rest);
    if (!this.bone) this.node.position.copy(this.place).sub(this.pivot).applyQuaternion(this.#rotation).add(this.pivot);
    return change;
  }
}
