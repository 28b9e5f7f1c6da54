/**
 * The feed of one server, shared by everything on a page that shows a price.
 * One websocket while somebody watches, none otherwise; it comes back by itself and says when it is silent.
 */

/**
 * @typedef {object} Quote
 * @property {string} currency
 * @property {string | null} price
 * @property {string | null} change_1h
 * @property {string | null} change_24h
 * @property {string | null} change_7d
 * @property {string} [change_24h_basis]
 * @property {string | null} high_24h
 * @property {string | null} low_24h
 * @property {string | null} volume_24h
 * @property {string | null} market_cap
 * @property {number | null} as_of
 * @property {string} state
 * @property {number} seq
 * @property {boolean} [demo]
 * @property {string} [conversion]
 */

/** @typedef {(quote: Quote | undefined, now: number, silent: boolean) => void} Watcher */

const SECOND = 1000;

/** Full jitter, from one second doubling to thirty. @param {number} tries */
export const backoff = (tries) => Math.random() * SECOND * Math.min(30, 2 ** tries);

export class Feed {
  /** @type {Map<string, Set<Watcher>>} */
  #watched = new Map();
  /** @type {Map<string, Quote>} */
  #quotes = new Map();
  /** @type {Set<string>} */
  #asked = new Set();
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #soon;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #clock;
  #address;
  #tries = 0;
  #heard = 0;
  #opened = 0;
  #ahead = 0;
  #heartbeat = 15 * SECOND;
  #epoch = "";
  #seq = -1;
  #since = "";

  /** @param {string} server the address the service is reached at, with no slash at its end */
  constructor(server) {
    this.#address = `${server.replace(/^http/, "ws")}/v1/feed?assets=`;
  }

  /**
   * Calls back with each new quote of an asset, and every second while it is not live.
   * @param {string} asset
   * @param {Watcher} watcher
   * @returns {() => void} ends it
   */
  watch(asset, watcher) {
    const watchers = this.#watched.get(asset) ?? new Set();
    this.#watched.set(asset, watchers.add(watcher));
    this.#clock ??= setInterval(() => this.#tick(), SECOND);
    this.#change();
    const quote = this.#quotes.get(asset);
    if (quote) watcher(quote, this.#now(), this.#silent());
    return () => {
      watchers.delete(watcher);
      if (!watchers.size && this.#watched.get(asset) === watchers) this.#watched.delete(asset);
      this.#change();
    };
  }

  /** The server's clock, as far as it has told us. */
  #now() {
    return Date.now() + this.#ahead;
  }

  #silent() {
    const patience = this.#socket?.readyState === WebSocket.OPEN ? 2 * this.#heartbeat : 3 * SECOND;
    return performance.now() - this.#heard > patience;
  }

  /** Many elements come and go at once; the server hears of it once, and at most once a second. */
  #change() {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#settle();
    }, this.#socket ? SECOND : 20);
  }

  #settle() {
    if (!this.#watched.size) return this.#end();
    if (!this.#socket) return this.#retry ? undefined : this.#open();
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const added = [...this.#watched.keys()].filter((asset) => !this.#asked.has(asset));
    const gone = [...this.#asked].filter((asset) => !this.#watched.has(asset));
    for (const [op, assets] of /** @type {const} */ ([["subscribe", added], ["unsubscribe", gone]]))
      if (assets.length) this.#socket.send(JSON.stringify({ op, assets }));
    gone.forEach((asset) => this.#quotes.delete(asset));
    this.#asked = new Set(this.#watched.keys());
  }

  #open() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const assets = [...this.#watched.keys()];
    // What was never asked for is not in a resumed snapshot: with something new, ask for all of it again.
    const since = this.#seq < 0 || assets.some((asset) => !this.#asked.has(asset)) ? "" : this.#since;
    this.#asked = new Set(assets);
    const socket = new WebSocket(`${this.#address}${assets.map(encodeURIComponent)}${since}`);
    this.#socket = socket;
    this.#opened = performance.now();
    this.#heard ||= this.#opened;
    socket.onopen = () => this.#change();
    socket.onmessage = (event) => this.#take(JSON.parse(event.data));
    // 4000–4005 say that this very request will never be answered.
    socket.onclose = ({ code }) => this.#lost(code > 3999 && code < 4006 ? Infinity : backoff(this.#tries++));
  }

  /** @param {number} wait milliseconds; Infinity: only a change of what is watched asks again */
  #lost(wait) {
    this.#drop();
    if (wait < Infinity) this.#retry = setTimeout(() => this.#open(), wait);
  }

  #drop() {
    const socket = this.#socket;
    if (socket) socket.onopen = socket.onclose = socket.onmessage = null;
    socket?.close();
    this.#socket = undefined;
  }

  #end() {
    this.#drop();
    clearInterval(this.#clock);
    clearTimeout(this.#retry);
    this.#clock = this.#retry = undefined;
    this.#quotes.clear();
    this.#heard = this.#tries = 0;
    this.#seq = -1;
  }

  /** @param {any} message */
  #take(message) {
    const { type, epoch, seq, time, quotes } = message;
    this.#heard = performance.now();
    if (time) this.#ahead = time - Date.now();
    if (type === "hello") this.#heartbeat = message.heartbeat_ms;
    if (type === "goodbye") this.#lost(message.reconnect_in_ms);
    if (message.retry_after_ms) this.#repeat(message.retry_after_ms);
    if (!quotes) return;
    if (type === "snapshot" && epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#seq = -1;
      this.#quotes.clear();
    }
    const gap = type === "update" && message.prev > this.#seq;
    for (const asset in quotes) this.#store(asset, quotes[asset]);
    if (gap) return this.#lost(backoff(this.#tries++));
    this.#tries = 0;
    this.#seq = Math.max(this.#seq, seq);
    this.#since = `&since=${this.#epoch}:${this.#seq}`;
    if (type === "snapshot") this.#tell(true);
  }

  /** A command was refused for now; subscribing again is harmless. @param {number} wait milliseconds */
  #repeat(wait) {
    this.#asked.clear();
    setTimeout(() => this.#change(), wait);
  }

  /**
   * Values are absolute, so an old one is simply dropped.
   * @param {string} asset
   * @param {Quote} quote
   */
  #store(asset, quote) {
    if (quote.seq <= (this.#quotes.get(asset)?.seq ?? -1)) return;
    this.#quotes.set(asset, quote);
    this.#watched.get(asset)?.forEach((watcher) => watcher(quote, this.#now(), false));
  }

  #tick() {
    // A connection that is open and says nothing, or never opens, is as good as gone.
    const quiet = performance.now() - Math.max(this.#heard, this.#opened);
    if (this.#socket && quiet > 2 * this.#heartbeat) this.#lost(backoff(this.#tries++));
    this.#tell(false);
  }

  /** @param {boolean} everyone also those whose price is live: they may have been told that it was not */
  #tell(everyone) {
    const silent = this.#silent();
    for (const [asset, watchers] of this.#watched) {
      const quote = this.#quotes.get(asset);
      if (everyone || silent || quote?.state !== "live")
        watchers.forEach((watcher) => watcher(quote, this.#now(), silent));
    }
  }
}
