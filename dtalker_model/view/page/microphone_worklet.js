// In the audio thread: gathers the microphone's first channel into pieces of int16 and hands them over.

const PIECE_S = 0.02;

class Microphone extends AudioWorkletProcessor {
  #piece = new Int16Array(Math.round(sampleRate * PIECE_S));
  #filled = 0;

  process([input]) {
    for (const sample of input[0] ?? []) {
      this.#piece[this.#filled++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.#filled === this.#piece.length) {
        this.port.postMessage(this.#piece.slice());
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("microphone", Microphone);
