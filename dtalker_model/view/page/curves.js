// Live curves of chosen blendshapes over the last seconds, in the theme's colours.

import { element } from "./controls.js";
import { COUNT } from "./frames.js";
import { colour } from "./theme.js";

const SPAN_S = 4;
const COLOURS = 6;
const EVERY_MS = 30;
const KEY = "dtalker-curves";
const FIRST = ["jawOpen", "mouthSmileLeft", "browInnerUp", "eyeBlinkLeft"];

export class Curves {
  #points = []; // [ms, weights]
  #chosen = []; // [name, index, number of its colour]
  #drawnMs = 0;

  constructor(canvas, keys, select, names) {
    Object.assign(this, { canvas, keys, select, names });
    select.replaceChildren(element("option", { value: "", textContent: "Add a curve" }), ...names.map((name) => element("option", { value: name, textContent: name })));
    select.onchange = () => { this.#add(select.value); select.value = ""; };
    const stored = JSON.parse(localStorage.getItem(KEY) ?? "null");
    this.#chosen = [];
    for (const name of Array.isArray(stored) ? stored : FIRST) this.#add(name);
    this.themed();
  }

  /** Take the theme's colours. */
  themed() {
    this.colours = Array.from({ length: COLOURS }, (_, k) => colour(`--curve-${k + 1}`));
    this.edge = colour("--edge-strong");
    this.#list();
  }

  /** Remember the face shown at `ms`, and draw now and then. */
  add(weights, ms) {
    if (ms - this.#drawnMs < EVERY_MS) return;
    this.#drawnMs = ms;
    const reuse = this.#points.length > 240 ? this.#points.shift()[1] : new Float32Array(COUNT);
    reuse.set(weights);
    this.#points.push([ms, reuse]);
    this.#draw(ms);
  }

  #add(name) {
    const index = this.names.indexOf(name);
    if (index < 0 || this.#chosen.some(([chosen]) => chosen === name)) return;
    if (this.#chosen.length === COLOURS) this.#chosen.shift();
    const taken = new Set(this.#chosen.map(([, , number]) => number));
    const number = Array.from({ length: COLOURS }, (_, k) => k).find((k) => !taken.has(k));
    this.#chosen.push([name, index, number]);
    this.#list();
  }

  #list() {
    localStorage.setItem(KEY, JSON.stringify(this.#chosen.map(([name]) => name)));
    this.keys.replaceChildren(...this.#chosen.map(([name, , number]) => {
      const dot = element("b");
      dot.style.background = this.colours?.[number] ?? "";
      const key = element("button", { type: "button", title: `Remove ${name}` }, [dot, name]);
      key.setAttribute("aria-label", `Remove the curve ${name}`);
      key.onclick = () => { this.#chosen = this.#chosen.filter(([chosen]) => chosen !== name); this.#list(); };
      return key;
    }));
  }

  #draw(ms) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = Math.min(devicePixelRatio, 2);
    if (!width) return;
    if (this.canvas.width !== Math.round(width * ratio)) Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const y = (value) => height - 4 - value * (height - 10);
    context.strokeStyle = this.edge;
    context.lineWidth = 1;
    context.setLineDash([2, 5]);
    for (const level of [0, 0.5, 1]) { context.beginPath(); context.moveTo(0, y(level)); context.lineTo(width, y(level)); context.stroke(); }
    context.setLineDash([]);
    context.lineWidth = 1.9;
    context.lineJoin = "round";
    const recent = this.#points.filter(([when]) => when > ms - 1000 * SPAN_S - 100);
    for (const [, index, number] of this.#chosen) {
      context.strokeStyle = this.colours[number];
      context.beginPath();
      for (const [when, weights] of recent) context.lineTo(width * (1 - (ms - when) / (1000 * SPAN_S)), y(weights[index]));
      context.stroke();
    }
  }
}
