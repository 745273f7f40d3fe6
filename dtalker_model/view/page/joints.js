// A robot's joints: a bar for each between its limits, filled from where it rests to where it is.

import { element } from "./controls.js";

const DIGITS = { rad: 2, m: 4 };
const AT_END = 0.005;

export class Joints {
  #bars = [];

  constructor(section, parent) {
    this.section = section;
    this.parent = parent;
  }

  /** What joints there are: [{name, low, high, neutral, unit}]. */
  offer({ joints }) {
    this.#bars = joints.map((joint) => ({ joint, bar: bar(joint) }));
    this.parent.replaceChildren(...this.#bars.map(({ bar }) => bar));
    this.section.hidden = !joints.length;
  }

  /** Where they are, in the same order; null where that is not known. */
  move({ positions }) {
    this.#bars.forEach(({ joint, bar }, k) => show(bar, joint, positions[k] ?? null));
  }
}

const share = ({ low, high }, position) => Math.min(1, Math.max(0, (position - low) / (high - low)));

function bar({ name, low, high, unit }) {
  const text = (value) => value.toFixed(DIGITS[unit] ?? 3);
  const row = element("div", { className: "bar joint", title: `${text(low)} to ${text(high)} ${unit}` }, [
    element("span", { textContent: name }), element("i", {}, [element("b")]), element("span", { textContent: "–" }),
  ]);
  row.setAttribute("role", "meter");
  row.setAttribute("aria-label", name);
  row.setAttribute("aria-valuemin", low);
  row.setAttribute("aria-valuemax", high);
  return row;
}

function show(row, joint, position) {
  const [from, to] = [joint.neutral, position ?? joint.neutral].map((value) => share(joint, value));
  row.querySelector("b").style.transform = `translateX(${100 * Math.min(from, to)}%) scaleX(${Math.abs(to - from)})`;
  row.classList.toggle("top", position !== null && (to < AT_END || to > 1 - AT_END));
  row.lastChild.textContent = position === null ? "–" : position.toFixed(DIGITS[joint.unit] ?? 3);
  if (position === null) row.removeAttribute("aria-valuenow");
  else row.setAttribute("aria-valuenow", position);
}
