// Sound through WebAudio: whole clips, or pieces as they come. Its clock says which sample is heard now.

const PIECES_AHEAD_S = 0.12;
const PIECES_HZ = 48000;
const JUMP_S = 0.05;
const SOONEST_S = 0.1; // a start that comes too late for the audio thread would be late for the whole clip

export class Sound {
  #context = null;
  #output = null;
  #buffer = null;
  #source = null;
  #url = null;
  #anchor = null; // {stream, context, time}: sample `time` of the stream is put out at `context`
  #heard = null; // smoothed context time minus performance time, in seconds

  get context() {
    this.#context ??= new AudioContext({ latencyHint: "interactive", sampleRate: PIECES_HZ });
    return this.#context;
  }

  /** Where everything goes; a measurement may listen in. */
  get output() {
    if (!this.#output) {
      this.#output = new GainNode(this.context);
      this.#output.connect(this.context.destination);
    }
    return this.#output;
  }

  get running() { return this.#context?.state === "running"; }

  /** To be called from a click or a key: browsers stay silent before. */
  async unlock() {
    if (this.context.state === "suspended") await this.context.resume();
  }

  /** Fetch and decode a clip, so that it can start at once. */
  async load(url) {
    if (url === this.#url) return;
    this.#url = url;
    this.#buffer = null;
    const answer = await fetch(url);
    if (!answer.ok) return;
    // An offline context decodes before the first click without a complaint of the browser.
    const buffer = await new OfflineAudioContext(1, 1, PIECES_HZ).decodeAudioData(await answer.arrayBuffer());
    if (url === this.#url) this.#buffer = buffer;
  }

  /** Play the clip so that `position` seconds of it are heard now (negative: it begins later). */
  start(stream, position) {
    this.stop();
    if (!this.running || !this.#buffer) return;
    const heard = this.#heardContextTime();
    const time = Math.max(position + this.context.currentTime + SOONEST_S - heard, 0);
    if (time >= this.#buffer.duration) return;
    const when = heard + time - position;
    this.#source = new AudioBufferSourceNode(this.context, { buffer: this.#buffer });
    this.#source.connect(this.output);
    this.#source.start(when, time);
    this.#anchor = { stream, context: when, time };
  }

  stop() {
    this.#source?.stop();
    this.#source?.disconnect();
    this.#source = null;
    this.#anchor = null;
  }

  /** Play a piece of a live sound: {stream, number: sample rate, time, samples: int16}. */
  piece({ stream, number, time, samples }) {
    if (!this.running) return;
    const now = this.context.currentTime;
    let when = this.#anchor?.stream === stream ? this.#anchor.context + time - this.#anchor.time : -1;
    if (when < now || when > now + 1) {
      when = now + PIECES_AHEAD_S;
      this.#anchor = { stream, context: when, time };
    }
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: number });
    buffer.copyToChannel(Float32Array.from(samples, (s) => s / 32768), 0);
    const source = new AudioBufferSourceNode(this.context, { buffer });
    source.connect(this.output);
    source.start(when);
  }

  /** Seconds of `stream` that are heard at `performanceMs`, or null where this sound does not lead. */
  position(stream, performanceMs) {
    if (!this.running || this.#anchor?.stream !== stream) return null;
    this.#follow();
    return this.#heard + performanceMs / 1000 - this.#anchor.context + this.#anchor.time;
  }

  get anchor() { return this.#anchor; }

  #heardContextTime() {
    this.#follow();
    return this.#heard + performance.now() / 1000;
  }

  #follow() {
    const stamp = this.context.getOutputTimestamp?.();
    const usable = stamp && stamp.contextTime > 0;
    const latency = this.context.outputLatency || this.context.baseLatency || 0;
    const now = usable
      ? stamp.contextTime - stamp.performanceTime / 1000
      : this.context.currentTime - latency - performance.now() / 1000;
    // The stamps move in steps of the device's buffer; the mean does not.
    this.#heard = this.#heard === null || Math.abs(now - this.#heard) > JUMP_S ? now : this.#heard + 0.05 * (now - this.#heard);
  }
}
