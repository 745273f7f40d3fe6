// In the audio thread, for measurements alone (scripts/view_sync.py): hands over a piece of what is put out, on demand.

const PIECE = 8192;

class Tap extends AudioWorkletProcessor {
  #taken = null;
  #from = 0;

  constructor() {
    super();
    this.port.onmessage = () => { this.#taken = []; this.#from = currentFrame; };
  }

  process([input]) {
    if (!this.#taken) return true;
    if (!this.#taken.length) this.#from = currentFrame;
    this.#taken.push(...(input[0] ?? new Float32Array(128)));
    if (this.#taken.length < PIECE) return true;
    this.port.postMessage({ frame: this.#from, samples: this.#taken });
    this.#taken = null;
    return true;
  }
}

registerProcessor("tap", Tap);
