// The settings as ROS parameters, to copy.

import { choice } from "./controls.js";

const SAID_MS = 1500;

export class RosText {
  #texts = { yaml: "", commands: "" };
  #form = "yaml";

  constructor(forms, pre, button) {
    this.pre = pre;
    choice(forms, [["yaml", "YAML"], ["commands", "Commands"]], (form) => { this.#form = form; this.#show(); }).set("yaml");
    button.onclick = async () => {
      await navigator.clipboard?.writeText(pre.textContent);
      button.textContent = navigator.clipboard ? "Copied" : "Select and copy";
      setTimeout(() => { button.textContent = "Copy"; }, SAID_MS);
    };
  }

  take({ yaml, commands }) { this.#texts = { yaml, commands }; this.#show(); }

  #show() { this.pre.textContent = this.#texts[this.#form]; }
}
