// Play and stop, the picture of the sound, repeat, and sounds that are dropped or opened.

import { colour } from "./theme.js";

const $ = (id) => document.getElementById(id);
const LARGEST_BYTES = 50_000_000;
const time = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;

export class Transport {
  #clip = null;
  #drawn = "";

  constructor(connection, sound, clock, notice) {
    Object.assign(this, { connection, sound, clock, notice });
    $("play").onclick = () => this.#toggle();
    $("loop").onclick = () => connection.send("loop", { on: $("loop").getAttribute("aria-pressed") !== "true" });
    $("seek").onchange = () => this.#play(Number($("seek").value));
    $("file").onchange = ({ target }) => { if (target.files[0]) this.upload(target.files[0]); target.value = ""; };
    this.#drop();
  }

  /** The server has a sound. */
  async take(clip) {
    const same = this.#clip?.url === clip.url;
    this.#clip = clip;
    $("sound-name").textContent = clip.name;
    $("play").disabled = $("seek").disabled = false;
    $("seek").max = clip.duration_s;
    $("loop").setAttribute("aria-pressed", String(clip.loop));
    this.themed();
    if (!same) await this.sound.load(clip.url);
  }

  /** What this server offers. */
  offer(can) {
    document.querySelector(".file").hidden = !can.includes("upload");
    for (const id of ["play", "loop"]) $(id).hidden = !can.includes("play");
    if (!can.includes("play")) $("sound-name").textContent = "the robot's voice";
    this.uploads = can.includes("upload");
  }

  themed() { this.#drawn = ""; this.tick(); }

  /** Show where the sound is. */
  tick() {
    const playing = this.clock.kind === "clip";
    $("play").classList.toggle("on", playing);
    $("play").setAttribute("aria-label", playing ? "Stop" : "Play");
    if (!this.#clip) return;
    const at = playing ? Math.min(Math.max(this.clock.at(performance.now()) ?? 0, 0), this.#clip.duration_s) : 0;
    $("sound-time").textContent = playing ? `${time(at)} / ${time(this.#clip.duration_s)}` : time(this.#clip.duration_s);
    if (document.activeElement !== $("seek")) $("seek").value = at;
    this.#wave(at / this.#clip.duration_s);
  }

  async upload(file) {
    if (file.size > LARGEST_BYTES) { this.notice(`${file.name} is larger than 50 MB`); return; }
    this.sound.unlock();
    this.notice(`reading ${file.name}`);
    const answer = await fetch(`/sound?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
    this.notice(answer.ok ? "" : (await answer.text()).replace(/^refused: /, ""));
  }

  async #toggle() {
    if (this.clock.kind === "clip") this.connection.send("stop");
    else this.#play(0);
  }

  async #play(from_s) {
    await this.sound.unlock();
    if (this.#clip) await this.sound.load(this.#clip.url);
    this.connection.send("play", { from_s });
  }

  #drop() {
    const stage = document.body;
    let depth = 0;
    const carries = (event) => this.uploads && event.dataTransfer?.types.includes("Files");
    stage.addEventListener("dragenter", (event) => { if (carries(event)) { depth += 1; stage.classList.add("dropping"); } });
    stage.addEventListener("dragleave", () => { depth = Math.max(depth - 1, 0); if (!depth) stage.classList.remove("dropping"); });
    stage.addEventListener("dragover", (event) => event.preventDefault());
    stage.addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      stage.classList.remove("dropping");
      if (carries(event) && event.dataTransfer.files[0]) this.upload(event.dataTransfer.files[0]);
    });
  }

  #wave(part) {
    const canvas = $("wave"), { clientWidth: width, clientHeight: height } = canvas;
    const bars = Math.floor(width / 4), ratio = Math.min(devicePixelRatio, 2);
    const drawn = `${bars} ${Math.floor(part * bars * 4)}`;
    if (drawn === this.#drawn || !width) return;
    this.#drawn = drawn;
    Object.assign(canvas, { width: width * ratio, height: height * ratio });
    const context = canvas.getContext("2d"), { peaks } = this.#clip;
    context.scale(ratio, ratio);
    const played = colour("--accent"), rest = colour("--edge-strong");
    for (let k = 0; k < bars; k++) {
      const size = Math.max(2, peaks[Math.floor((k / bars) * peaks.length)] * height * 0.95);
      context.fillStyle = k / bars < part ? played : rest;
      context.beginPath();
      context.roundRect(k * 4, (height - size) / 2, 2.4, size, 1.2);
      context.fill();
    }
  }
}
