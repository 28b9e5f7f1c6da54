/**
 * Two ways to the feed where websockets are blocked: Server-Sent Events, and asking again and again. Each has a
 * websocket's shape and carries the same messages, so the connection knows no difference.
 */

/** @typedef {import("./feed.js").Wire} Wire */

// An event named after its message's type would not reach `onmessage`.
const NAMES = ["message", "hello", "snapshot", "update", "heartbeat", "status", "goodbye", "error"];
const REFUSALS = new Map([[401, 4001], [403, 4003]]);
const COME_AGAIN = [408, 425, 429];

/** Milliseconds between two questions. */
export const POLL = 5000;
/** Milliseconds between two looks whether websockets get through again. */
const AGAIN = 60000;

/** @implements {Wire} */
export class Fallback {
  readyState = 0;
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: { data: string }) => void) | null} */
  onmessage = null;
  /** @type {((event: import("./feed.js").Closed) => void) | null} */
  onclose = null;
  #end = () => {};

  /** @param {() => void} end lets go of the connection */
  endsWith(end) {
    this.#end = end;
  }

  opened() {
    this.readyState = 1;
    this.onopen?.();
  }

  /** The server can't be told anything on this way: what has changed is asked for on coming back. */
  send() {
    this.lost(4200);
  }

  /** @param {number} code @param {string} [reason] */
  lost(code, reason = "") {
    if (this.readyState > 1) return;
    this.close();
    this.onclose?.({ code, reason });
  }

  close() {
    this.readyState = 3;
    this.#end();
  }
}

/** Server-Sent Events. It comes back by itself, which is the connection's to decide: so one loss ends it. */
export class Stream extends Fallback {
  /** @param {string} address */
  constructor(address) {
    super();
    const source = new EventSource(address);
    this.endsWith(() => source.close());
    source.onopen = () => this.opened();
    for (const name of NAMES)
      source.addEventListener(name, (event) => {
        const { data } = /** @type {MessageEvent} */ (event);
        if (data) this.onmessage?.({ data });
        else if (name === "error") this.lost(1006);
      });
  }
}

/** Quotes asked for every few seconds. The ETag is the browser's to send, out of its cache; elsewhere it is ours. */
export class Polling extends Fallback {
  #address;
  #epoch = "";
  #seq = -1;
  #tag = "";
  #body = "";
  #ended = new AbortController();

  /**
   * @param {string} address
   * @param {number} every milliseconds
   */
  constructor(address, every) {
    super();
    this.#address = new URL(address);
    /** @type {ReturnType<typeof setTimeout>} */
    let next;
    const ask = async () => {
      await this.#ask();
      if (this.readyState < 2) next = setTimeout(ask, every);
    };
    this.endsWith(() => {
      clearTimeout(next);
      this.#ended.abort();
    });
    ask();
  }

  async #ask() {
    try {
      const answer = await fetch(this.#address, {
        cache: "no-cache",
        headers: this.#tag ? { "If-None-Match": this.#tag } : {},
        signal: AbortSignal.any?.([this.#ended.signal, AbortSignal.timeout(10000)]) ?? this.#ended.signal,
      });
      if (answer.status === 304) this.#say({ type: "heartbeat" });
      else if (answer.ok) this.#take(await answer.text(), answer.headers.get("etag"));
      else this.#refused(answer.status, answer.headers.get("retry-after"), await answer.text());
    } catch {
      this.lost(1006);
    }
  }

  /**
   * @param {string} body
   * @param {string | null} tag
   */
  #take(body, tag) {
    if (this.readyState === 0) this.opened();
    if (body === this.#body) return this.#say({ type: "heartbeat" });
    const { epoch, seq, quotes } = JSON.parse(body);
    const named = Object.fromEntries(quotes.map((/** @type {{ asset: string }} */ quote) => [quote.asset, quote]));
    this.#body = body;
    this.#seq = epoch === this.#epoch ? Math.max(seq, this.#seq) : seq;
    this.#epoch = epoch;
    this.#address.searchParams.set("since", `${epoch}:${this.#seq}`);
    // Asked with our own header, a browser would first have to ask whether it may.
    if (typeof location === "undefined") this.#tag = tag ?? "";
    this.#say({ type: "snapshot", epoch, seq, quotes: named });
  }

  /**
   * @param {number} status
   * @param {string | null} after seconds
   * @param {string} body
   */
  #refused(status, after, body) {
    const said = (/^{/.test(body) && JSON.parse(body).error) || {};
    if (after && +after >= 0) this.#say({ type: "goodbye", reason: said.code, reconnect_in_ms: +after * 1000 });
    // A refusal in other words than ours is of something before the service: of a proxy that finds it away. Like a
    // refused websocket it isn't a message: what says that nobody is there would count as a sign of life.
    if (!said.code || status > 499 || COME_AGAIN.includes(status)) return this.lost(4103);
    this.#say({ type: "error", ...said });
    this.lost(REFUSALS.get(status) ?? 4000, said.message);
  }

  /** @param {object} message */
  #say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

/**
 * The ways that are left to a server, the best first.
 * @param {string} home
 * @param {string} [more] terms, each with an ampersand before it
 * @param {number} [every] milliseconds between two questions
 * @returns {((query: string) => Fallback)[]}
 */
export const fallbacks = (home, more = "", every = POLL) => [
  ...("EventSource" in globalThis
    ? [(/** @type {string} */ query) => new Stream(`${home}/v1/stream?${query}${more}`)]
    : []),
  (query) => new Polling(`${home}/v1/quotes?${query}${more}`, every),
];

/**
 * The same for the widgets, whose own line is too small to know how to come back: each of these looks whether
 * websockets get through again, and ends when they do.
 * @param {string} home
 * @returns {((query: string) => Wire)[]}
 */
export const ways = (home) =>
  fallbacks(home).map((fallback) => (query) => {
    const wire = fallback(query);
    const looking = setInterval(() => {
      if (wire.readyState > 1) return clearInterval(looking);
      const probe = new WebSocket(`${home.replace(/^http/, "ws")}/v1/feed`);
      probe.onopen = () => {
        probe.close();
        wire.lost(4200);
      };
    }, AGAIN);
    return wire;
  });
