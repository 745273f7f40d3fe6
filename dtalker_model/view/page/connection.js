// The WebSocket: binary frames and audio in, JSON both ways; comes back by itself when the server does.

const FRAME = 1, AUDIO = 2, MICROPHONE = 3;
const HEADER_BYTES = 24;
const RETRY_MS = [300, 800, 1500, 3000];

export class Connection extends EventTarget {
  #socket = null;
  #tries = 0;
  #number = 0;

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => { this.#tries = 0; this.#tell("state", { state: "live" }); };
    socket.onmessage = (event) => (typeof event.data === "string" ? this.#onText(event.data) : this.#onBinary(event.data));
    socket.onclose = () => this.#retry();
    this.#socket = socket;
  }

  /** Send a request; returns its number, which the answer repeats. */
  send(type, fields = {}) {
    this.#number += 1;
    if (this.ready) this.#socket.send(JSON.stringify({ type, id: this.#number, ...fields }));
    return this.#number;
  }

  /** Send mono int16 samples of this page's microphone. */
  sendAudio(samples, rateHz) {
    if (!this.ready || this.#socket.bufferedAmount > 200_000) return;
    const data = new ArrayBuffer(HEADER_BYTES + samples.byteLength);
    const view = new DataView(data);
    view.setUint32(0, MICROPHONE, true);
    view.setUint32(8, rateHz, true);
    new Int16Array(data, HEADER_BYTES).set(samples);
    this.#socket.send(data);
  }

  get ready() { return this.#socket?.readyState === WebSocket.OPEN; }

  #onText(text) {
    const message = JSON.parse(text);
    this.#tell(message.type, message);
  }

  #onBinary(data) {
    const view = new DataView(data);
    const detail = { stream: view.getUint32(4, true), number: view.getUint32(8, true), time: view.getFloat64(16, true) };
    const kind = view.getUint32(0, true);
    if (kind === FRAME) this.#tell("frame", { ...detail, weights: new Float32Array(data, HEADER_BYTES) });
    if (kind === AUDIO) this.#tell("audio", { ...detail, samples: new Int16Array(data, HEADER_BYTES) });
  }

  #retry() {
    this.#tell("state", { state: "lost" });
    setTimeout(() => this.open(), RETRY_MS[Math.min(this.#tries++, RETRY_MS.length - 1)]);
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}
