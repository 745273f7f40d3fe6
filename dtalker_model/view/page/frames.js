// The frames that have arrived, by their time in the stream, and the face between two of them.

export const COUNT = 52;
export const VALUES = COUNT + 5; // the head behind the weights: yaw, pitch, roll, and the eyes, in rad
const KEEP_S = 12;
const BLEND_MS = 160;

export class Frames {
  #times = [];
  #weights = [];
  #before = null;
  #rests = false;
  #changedMs = -Infinity;
  #shown = new Float32Array(VALUES);
  stream = -1;
  received = 0;
  missed = 0;
  #last = -1;

  get newest() { return this.#times.length ? this.#times.at(-1) : -Infinity; }
  get oldest() { return this.#times.length ? this.#times[0] : Infinity; }

  /** A new stream begins: its times have nothing to do with the old ones. The face goes over to it smoothly. */
  begin(stream) {
    if (stream === this.stream) return;
    this.stream = stream;
    this.#times = [];
    this.#weights = [];
    this.#before = this.#shown.slice();
    this.#changedMs = performance.now();
  }

  /** Nothing comes any more: the face goes over to rest smoothly. */
  rest() {
    this.#times = [0];
    this.#weights = [new Float32Array(VALUES)];
    this.#before = this.#shown.slice();
    this.#changedMs = performance.now();
    this.#rests = true;
  }

  add({ stream, number, time, weights }) {
    if (stream < this.stream && !this.#rests) return;
    if (this.#rests) this.stream = -1; // a server that was started anew counts from the beginning
    this.#rests = false;
    this.begin(stream);
    if (this.#last >= 0 && number > this.#last + 1) this.missed += number - this.#last - 1;
    this.#last = number;
    this.received += 1;
    if (time <= this.newest) return;
    this.#times.push(time);
    this.#weights.push(weights);
    if (time - this.#times[0] > KEEP_S) {
      this.#times.splice(0, 50);
      this.#weights.splice(0, 50);
    }
  }

  /** Write the face at `time` into `out`; returns the time that it really shows, which differs where frames lack. */
  at(time, out) {
    const times = this.#times;
    if (!times.length) {
      out.set(this.#shown);
      return NaN;
    }
    let high = times.length - 1;
    while (high > 0 && times[high - 1] > time) high -= 1;
    const low = Math.max(high - 1, 0);
    const span = times[high] - times[low];
    const part = span > 0 ? Math.min(Math.max((time - times[low]) / span, 0), 1) : 0;
    const a = this.#weights[low], b = this.#weights[high];
    for (let k = 0; k < VALUES; k++) out[k] = a[k] + (b[k] - a[k]) * part;
    this.#blend(out);
    this.#shown.set(out);
    return times[low] + span * part;
  }

  #blend(out) {
    const part = (performance.now() - this.#changedMs) / BLEND_MS;
    if (part >= 1 || !this.#before) return;
    const eased = part * part * (3 - 2 * part);
    for (let k = 0; k < VALUES; k++) out[k] = this.#before[k] + (out[k] - this.#before[k]) * eased;
  }
}
