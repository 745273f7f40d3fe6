// Expression, way of speaking, motion and seed: the controls of the settings, built from what the server tells.

import { choice, element, number, slider, toggle } from "./controls.js";

const $ = (id) => document.getElementById(id);
const MOTION = [
  ["articulation", "articulation", 2], ["gain_lower", "mouth", 2], ["gain_upper", "eyes, brows", 2], ["smoothing_ms", "smoothing", 0],
  ["live_time_constant_s", "live follows in", 1], ["blink_rate_hz", "blinks", 2], ["stillness", "stillness", 2],
];
const SWITCHES = [["blink", "Blinking"], ["idle", "Idle movement"]];
const ARTICULATES_NOT = "This model knows one articulation alone: use the mouth's gain.";
const LATER = { seed: "The network's noise takes a new seed with the next sound." };

export class Panel {
  #widgets = {};
  #mix = {};

  constructor(settings, about) {
    this.settings = settings;
    this.model = about.model;
    this.specs = Object.fromEntries(about.specs.map((spec) => [spec.name, spec]));
    this.#emotion();
    this.#identity();
    this.#motion();
    this.#steps();
    $("defaults").onclick = () => settings.set(Object.fromEntries(about.specs.map((spec) => [spec.name, spec.default])));
  }

  /** Show the settings that are in force. */
  show(values) {
    const mode = ["mix", "live"].includes(values.emotion) ? values.emotion : "named";
    this.mode.set(mode);
    this.named.set(values.emotion);
    $("emotion-named").hidden = mode !== "named";
    $("emotion-mix").hidden = mode !== "mix";
    $("emotion-live").hidden = mode !== "live";
    this.#widgets.live_share.input.parentElement.hidden = mode === "live" || !this.model.live;
    this.steps.set(String(values.steps || this.model.steps));
    for (const [name, widget] of Object.entries(this.#mix)) widget.set(values.emotion_weights[name] ?? 0);
    this.identityMode.set(values.identity === "live" ? "live" : "named");
    $("identity").disabled = values.identity === "live";
    if (values.identity !== "live") $("identity").value = values.identity;
    for (const [name, widget] of Object.entries(this.#widgets)) widget.set(values[name]);
  }

  #emotion() {
    this.mode = choice($("emotion-mode"), [["named", "Fixed"], ["mix", "Mix"], ["live", "Live"]], (mode) => this.#setMode(mode));
    this.mode.enable("live", this.model.live);
    this.named = choice($("emotion-named"), this.model.emotions.map((name) => [name, name]), (emotion) => this.settings.set({ emotion }));
    $("emotion-mix").replaceChildren();
    for (const name of this.model.emotions.filter((emotion) => emotion !== "neutral")) {
      this.#mix[name] = slider($("emotion-mix"), { id: `mix-${name}`, label: name, range: [0, 1] }, () => this.#setMix());
    }
    $("emotion-strength").replaceChildren();
    this.#slider($("emotion-strength"), "intensity", "intensity", 2);
    this.#slider($("emotion-strength"), "live_share", "from the voice", 2);
  }

  #setMode(mode) {
    const { emotion } = this.settings.values;
    if (mode === "mix") {
      const from = this.model.emotions.includes(emotion) && emotion !== "neutral" ? { [emotion]: 1 } : {};
      const known = Object.keys(this.settings.values.emotion_weights).length > 0;
      this.settings.set({ emotion: "mix", ...(known ? {} : { emotion_weights: from }) });
    } else this.settings.set({ emotion: mode === "live" ? "live" : "neutral" });
  }

  #setMix() {
    const entries = Object.entries(this.#mix).map(([name, { input }]) => [name, Number(input.value)]);
    this.settings.set({ emotion: "mix", emotion_weights: Object.fromEntries(entries.filter(([, weight]) => weight > 0)) });
  }

  #identity() {
    const select = $("identity");
    select.replaceChildren(...this.model.identities.map((name) => element("option", { value: name, textContent: name })));
    select.onchange = () => this.settings.set({ identity: select.value });
    this.identityMode = choice($("identity-mode"), [["named", "Fixed"], ["live", "Live"]], (mode) =>
      this.settings.set({ identity: mode === "live" ? "live" : select.value || this.model.identities[0] }));
    this.identityMode.enable("live", this.model.live);
  }

  #motion() {
    for (const id of ["motion", "switches", "seed-row"]) $(id).replaceChildren();
    for (const [name, label, digits] of MOTION) this.#slider($("motion"), name, label, digits);
    this.#widgets.articulation.enable(this.model.articulates, ARTICULATES_NOT);
    for (const [name, label] of SWITCHES) {
      this.#widgets[name] = toggle($("switches"), { label, title: this.specs[name].doc }, (on) => this.settings.set({ [name]: on }));
    }
    const { range, doc } = this.specs.seed;
    this.#widgets.seed = number($("seed-row"), { id: "seed", label: "seed", range, title: `${doc} ${LATER.seed}` }, (seed) => this.settings.set({ seed }));
  }

  #steps() {
    const title = `${this.specs.steps.doc} Here that is ${this.model.steps}.`;
    const entries = this.model.step_counts.map((count) => [String(count), String(count), title]);
    this.steps = choice($("steps"), entries, (count) => this.settings.set({ steps: Number(count) }));
  }

  #slider(parent, name, label, digits) {
    const { range, unit, doc } = this.specs[name];
    const step = digits === 0 ? 1 : 10 ** -digits;
    this.#widgets[name] = slider(parent, { id: name, label, range, unit, digits, step, title: doc }, (value) => this.settings.set({ [name]: value }));
  }
}
