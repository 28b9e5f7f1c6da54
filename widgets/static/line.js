/**
 * One line to a server on the best way that gets through: websockets, else Server-Sent Events, else polling. Two
 * connections that were never greeted, and the next way is taken; websockets are tried again later.
 */

import { connection } from "./feed.js";
import { POLL, fallbacks } from "./transports.js";

/** @typedef {import("./feed.js").Closed} Closed */
/** @typedef {import("./feed.js").Wire} Wire */
/** @typedef {import("./types.d.ts").FeedError} PublicError */
/** @typedef {import("./types.d.ts").FeedState} FeedState */
/** @typedef {import("./types.d.ts").Values} Values */
/** @typedef {import("./types.d.ts").WebSocketClass} WebSocketClass */
/** @typedef {(message: any, quotes: Map<string, Values>) => void} Ear */
/** What a feed wants to know of its line. @typedef {{ hear: Ear, refuse: (error: FeedError) => void, look: () => void }} Ears */

/** @type {Record<number, string>} */
const CODES = { 4001: "unauthorized", 4003: "forbidden", 4004: "quota", 4005: "unsupported_version" };
/** Milliseconds until websockets are tried again: sooner where they are known to work. It doubles up to a limit. */
const [KNOWN, UNKNOWN, LONGEST] = [5000, 60000, 960000];

/** @implements {PublicError} */
export class FeedError extends Error {
  /**
   * @param {string} code
   * @param {string} [message]
   * @param {readonly string[]} [assets]
   */
  constructor(code, message, assets = []) {
    super(message || code);
    this.name = "FeedError";
    this.code = code;
    this.assets = assets;
  }
}

export class Line {
  /** @type {Set<Ears>} */
  ears = new Set();
  /** @type {Wire | undefined} */
  #wire;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #probing;
  #clock = setInterval(() => this.#look(), 500);
  #patience = UNKNOWN;
  #sockets;
  #rung = 0;
  #failures = 0;
  #greeted = true;
  #whole = false;
  #seen = false;
  #refused = false;
  #ahead = 0;
  #heartbeat = 15000;
  #last = performance.now();

  /**
   * @param {string} home
   * @param {URLSearchParams} terms
   * @param {WebSocketClass | undefined} Socket
   * @param {() => void} ended
   */
  constructor(home, terms, Socket, ended) {
    const more = `${terms}` && `&${terms}`;
    this.ended = ended;
    /** @type {((query: string) => Wire)[]} */
    this.ways = fallbacks(home, more, Math.max(POLL, +(terms.get("interval") ?? 0)));
    // A close follows each error; but with the `ws` package an error that nobody hears ends the program.
    const socket = (/** @type {WebSocketClass} */ Socket, /** @type {string} */ query) =>
      Object.assign(new Socket(`${home.replace(/^http/, "ws")}/v1/feed?${query}${more}`), { onerror() {} });
    if (Socket) this.ways.unshift((query) => socket(Socket, query));
    this.#sockets = Boolean(Socket);
    this.watch = connection(
      (query) => this.#dial(query),
      (message, quotes) => this.#hear(message, quotes),
    );
  }

  now() {
    return Date.now() + this.#ahead;
  }

  /** @returns {FeedState} */
  get state() {
    const open = this.#wire?.readyState === 1;
    const silent = performance.now() - this.#last > (open ? 2 * this.#heartbeat : 3000);
    if (this.#refused) return "closed";
    if (silent) return this.#seen ? "stale" : "connecting";
    return open && this.#whole ? "live" : "connecting";
  }

  /** @param {Ears} ears */
  leave(ears) {
    this.ears.delete(ears);
    if (this.ears.size) return;
    clearInterval(this.#clock);
    clearTimeout(this.#probing);
    this.#probing = undefined;
    this.ended();
  }

  /** @param {string} query */
  #dial(query) {
    if (!this.#greeted && ++this.#failures > 1) {
      this.#failures = 0;
      this.#rung = (this.#rung + 1) % this.ways.length;
    }
    this.#greeted = this.#whole = this.#refused = false;
    const wire = this.ways[this.#rung](query);
    this.#wire = wire;
    // The connection takes `onclose` for itself as soon as it has the wire.
    queueMicrotask(() => this.#tap(wire));
    return wire;
  }

  /** Learns of a closing once the connection has. @param {Wire} wire */
  #tap(wire) {
    const closed = wire.onclose;
    if (!closed) return;
    wire.onclose = (/** @type {Closed} */ event) => {
      closed(event);
      if (wire === this.#wire) this.#closed(event);
    };
  }

  /** @type {(event: Closed) => void} */
  #closed({ code, reason }) {
    if (code > 3999 && code < 4100) {
      const error = new FeedError(CODES[code] ?? "bad_request", reason);
      this.#refused = true;
      this.ended();
      for (const ears of [...this.ears]) ears.refuse(error);
    }
    this.#look();
  }

  /** @type {Ear} */
  #hear(message, quotes) {
    const { type, time, heartbeat_ms } = message;
    this.#last = performance.now();
    this.#failures = 0;
    this.#greeted = true;
    this.#heartbeat = heartbeat_ms ?? this.#heartbeat;
    if (time) this.#ahead = time - Date.now();
    if (type === "snapshot") this.#seen = this.#whole = true;
    if (this.#rung) this.#tryLater();
    else this.#patience = KNOWN;
    this.#look();
    for (const ears of [...this.ears]) ears.hear(message, quotes);
  }

  #look() {
    for (const ears of [...this.ears]) ears.look();
  }

  #tryLater() {
    if (this.#sockets && this.ears.size) this.#probing ??= setTimeout(() => this.#probe(), this.#patience);
  }

  /** Whether websockets get through again: one that asks for nothing and is let go of. */
  #probe() {
    const probe = this.ways[0]("");
    probe.onopen = () => {
      probe.onclose = null;
      probe.close();
      if (!this.#probing) return;
      this.#probing = undefined;
      this.#patience = UNKNOWN;
      this.#rung = this.#failures = 0;
      this.#wire?.onclose?.({ code: 4200 });
    };
    probe.onclose = () => {
      this.#probing = undefined;
      this.#patience = Math.min(2 * this.#patience, LONGEST);
      if (this.#rung) this.#tryLater();
    };
  }
}

