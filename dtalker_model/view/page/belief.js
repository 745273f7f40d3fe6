// What is believed about the voice: bars for identity and emotion, the most probable one stressed.

import { element } from "./controls.js";

const MOST = 6;

export class Belief {
  /** Whether identity or emotion is live; the belief stands still otherwise. */
  followed = false;
  #bars = { emotions: new Map(), identities: new Map() };

  constructor(parent, badge) {
    this.badge = badge;
    this.quiet = element("p", { className: "quiet", textContent: "Nothing was heard yet." });
    this.groups = { emotions: element("div", { className: "bars" }), identities: element("div", { className: "bars" }) };
    parent.replaceChildren(this.quiet, ...Object.values(this.groups));
  }

  show({ emotions, identities, speaking, speech_s }) {
    this.badge.textContent = speaking ? "speaking" : "silence";
    this.badge.classList.toggle("on", speaking);
    const able = Object.keys(emotions).length + Object.keys(identities).length > 0;
    const why = able ? "With Live above, the voice tells who speaks, and how." : "This model does not tell who speaks, or how.";
    this.quiet.hidden = able && this.followed;
    this.quiet.textContent = `${speech_s.toFixed(1)} s of speech. ${why}`;
    this.#group("emotions", this.followed ? emotions : {});
    this.#group("identities", this.followed ? identities : {});
  }

  #group(kind, probabilities) {
    const entries = Object.entries(probabilities).sort((a, b) => b[1] - a[1]);
    const top = entries.slice(0, kind === "emotions" ? entries.length : MOST);
    const bars = this.#bars[kind], parent = this.groups[kind];
    parent.hidden = !entries.length;
    for (const [name] of top) if (!bars.has(name)) bars.set(name, this.#bar(parent, name));
    for (const [name, bar] of bars) {
      const value = probabilities[name] ?? 0;
      bar.hidden = !top.some(([shown]) => shown === name);
      bar.classList.toggle("top", entries.length > 0 && entries[0][0] === name);
      bar.querySelector("b").style.transform = `scaleX(${value})`;
      bar.lastChild.textContent = `${Math.round(100 * value)}%`;
    }
  }

  #bar(parent, name) {
    const bar = element("div", { className: "bar" }, [
      element("span", { textContent: name }), element("i", {}, [element("b")]), element("span"),
    ]);
    parent.append(bar);
    return bar;
  }
}
