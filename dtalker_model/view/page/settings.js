// The settings as the engine has them, and changes on their way to it: gathered for a moment, sent together.

const GATHER_MS = 20;

export class Settings extends EventTarget {
  #waiting = null;
  #sent = new Map(); // number of a request -> when it was made
  values = null;
  reachMs = null;

  constructor(connection) {
    super();
    this.connection = connection;
    connection.addEventListener("settings", ({ detail }) => {
      this.values = detail.settings;
      this.dispatchEvent(new CustomEvent("change", { detail }));
    });
    connection.addEventListener("applied", ({ detail }) => this.#answered(detail));
    connection.addEventListener("refused", ({ detail }) => this.#answered(detail));
  }

  /** Ask for changes, {name: value}. */
  set(changes) {
    if (this.#waiting) {
      Object.assign(this.#waiting.changes, changes);
      return;
    }
    this.#waiting = { changes: { ...changes }, ms: performance.now() };
    setTimeout(() => this.#send(), GATHER_MS);
  }

  /** The value that is asked for, or else in force. */
  wanted(name) { return this.#waiting?.changes[name] ?? this.values?.[name]; }

  #send() {
    const { changes, ms } = this.#waiting;
    this.#waiting = null;
    this.#sent.set(this.connection.send("set", { changes }), ms);
  }

  #answered({ id }) {
    const ms = this.#sent.get(id);
    if (ms === undefined) return;
    this.#sent.delete(id);
    this.reachMs = performance.now() - ms;
    this.dispatchEvent(new CustomEvent("reached", { detail: this.reachMs }));
  }
}
