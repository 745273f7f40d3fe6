// This browser's microphone to the server, in pieces of 20 ms or so. Its sound is not played: it would echo.

export class Microphone {
  #stream = null;
  #node = null;
  #context = null;

  constructor(button, connection, notice) {
    Object.assign(this, { button, connection, notice });
    button.onclick = () => (this.#stream ? this.stop() : this.start());
    connection.addEventListener("refused", ({ detail }) => { if (detail.id === this.number) this.#close(); });
  }

  async start() {
    if (!navigator.mediaDevices) { this.notice("Browsers give the microphone to local or https pages alone."); return; }
    try {
      const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: true };
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      this.notice(error.name === "NotAllowedError" ? "The browser may not use the microphone." : "There is no microphone here.");
      return;
    }
    this.#context = new AudioContext();
    await this.#context.audioWorklet.addModule("microphone_worklet.js");
    this.#node = new AudioWorkletNode(this.#context, "microphone", { numberOfOutputs: 0 });
    const rateHz = this.#context.sampleRate;
    this.#node.port.onmessage = ({ data }) => this.connection.sendAudio(data, rateHz);
    this.number = this.connection.send("microphone", { on: true });
    this.#context.createMediaStreamSource(this.#stream).connect(this.#node);
    this.button.setAttribute("aria-pressed", "true");
  }

  stop() {
    this.connection.send("microphone", { on: false });
    this.#close();
  }

  /** Another stream has begun: this microphone is no longer listened to. */
  ended() { if (this.#stream) this.#close(); }

  #close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#node) this.#node.port.onmessage = null;
    this.#node?.disconnect();
    this.#context?.close();
    this.#stream = this.#node = this.#context = null;
    this.button.setAttribute("aria-pressed", "false");
  }
}
