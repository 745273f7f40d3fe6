// Which moment of the stream the face should show. Where a sound leads, its output time; elsewhere the frames' arrival.

const WINDOW_MS = 1500;
const LARGEST_SPREAD_S = 0.4;
const MARGIN_S = 0.01;
const RESYNC_S = 0.15;

export class Clock {
  #lags = []; // [arrival in ms, arrival minus time in s] of live frames
  #offsets = []; // face to sound, s
  #server = null; // {stream, position, ms}
  #kind = "rest";
  stream = -1;

  constructor(sound, frames) {
    this.sound = sound;
    this.frames = frames;
  }

  get kind() { return this.#kind; }

  /** The server has begun a stream, or says where it is. */
  begin({ stream, kind, position_s }) {
    if (kind) this.#kind = kind;
    if (stream !== this.stream) {
      this.stream = stream;
      this.#lags = [];
      this.#offsets = [];
      this.frames.begin(stream);
      this.sound.stop();
    }
    this.#server = { stream, position: position_s, ms: performance.now() };
    if (this.#kind === "clip") this.#lead();
  }

  arrived(frame) {
    if (frame.stream !== this.stream || this.#kind === "clip") return;
    const now = performance.now();
    this.#lags.push([now, now / 1000 - frame.time]);
    while (this.#lags[0][0] < now - WINDOW_MS) this.#lags.shift();
  }

  /** Where the server believes the stream to be at `ms`. */
  serverPosition(ms) { return this.#server.position + (ms - this.#server.ms) / 1000; }

  /** Seconds of the stream to show at `ms`; null before anything is known. */
  at(ms) {
    if (this.#server === null) return null;
    const heard = this.sound.position(this.stream, ms);
    if (heard !== null) return heard;
    if (this.#kind === "clip") return this.serverPosition(ms);
    if (!this.#lags.length) return null;
    const lags = this.#lags.map(([, lag]) => lag);
    const least = Math.min(...lags);
    return ms / 1000 - Math.min(Math.max(...lags), least + LARGEST_SPREAD_S) - MARGIN_S;
  }

  /** Remember that the face of `time` is on the screen at `ms`; compared with what is heard then. */
  shown(time, ms) {
    const heard = this.sound.position(this.stream, ms);
    if (heard === null || Number.isNaN(time) || heard < 0) return null;
    const offset = time - heard;
    this.#offsets.push(offset);
    if (this.#offsets.length > 60) this.#offsets.shift();
    return offset;
  }

  /** Mean of the last second or so of face minus sound in ms; null where no sound leads. */
  get offsetMs() {
    if (!this.#offsets.length || this.sound.position(this.stream, 0) === null) return null;
    return (1000 * this.#offsets.reduce((sum, value) => sum + value, 0)) / this.#offsets.length;
  }

  /** Start the sound where the server is, or bring it back there: a tab may have slept. */
  #lead() {
    const now = performance.now();
    const heard = this.sound.position(this.stream, now);
    const expected = this.serverPosition(now);
    if (heard === null || Math.abs(heard - expected) > RESYNC_S) this.sound.start(this.stream, expected);
  }
}
