/**
 * The feed for other people's code: `connect` gives quotes to listeners and to `for await`, whichever way they come.
 * Feeds with the same terms share one connection. Nothing waits here without bound: of each asset only the newest.
 */

import { FeedError, Line } from "./line.js";

/** @typedef {import("./line.js").Ear} Ear */
/** @typedef {import("./types.d.ts").Events} Events */
/** @typedef {import("./types.d.ts").Feed} PublicFeed */
/** @typedef {import("./types.d.ts").FeedState} FeedState */
/** @typedef {import("./types.d.ts").Options} Options */
/** @typedef {import("./types.d.ts").Quote} Quote */
/** @typedef {import("./types.d.ts").Values} Values */

export { FeedError };

const EVERY = "*";

/** @type {Map<string, Line>} */
const lines = new Map();

/** @param {string | readonly string[]} assets */
const listed = (assets) => (typeof assets === "string" ? assets.split(",") : [...assets]).filter(Boolean);

/** @param {string} home @param {Options} options */
const lineTo = (home, options) => {
  const { currency, interval, fields, deadband, key, WebSocket: given } = options;
  const terms = new URLSearchParams();
  for (const [name, value] of Object.entries({ currency, interval, fields, deadband, key }))
    if (value !== undefined) terms.set(name, `${value}`);
  const Socket = given ?? globalThis.WebSocket;
  const own = options.assets?.includes(EVERY) || given;
  const address = `${home} ${terms}`;
  const shared = own ? undefined : lines.get(address);
  if (shared) return shared;
  const line = new Line(home, terms, Socket, () => lines.get(address) === line && lines.delete(address));
  if (!own) lines.set(address, line);
  return line;
};

/** @implements {PublicFeed} */
class Feed {
  /** @type {Map<string, Quote>} */
  quotes = new Map();
  /** @type {FeedState} */
  state = "connecting";
  #line;
  /** @type {Map<string, () => void>} */
  #stops = new Map();
  /** @type {Map<string, Set<(value: any) => void>>} */
  #listeners = new Map();
  /** @type {Set<{ waiting: Map<string, Quote>, wake: () => void }>} */
  #readers = new Set();
  /** @type {FeedError | undefined} */
  #refusal;
  #ended = false;
  #every;
  #ears = {
    hear: /** @type {Ear} */ ((message, quotes) => this.#hear(message, quotes)),
    refuse: (/** @type {FeedError} */ error) => this.#refuse(error),
    look: () => this.#look(),
  };

  /** @param {Line} line @param {string | readonly string[]} assets */
  constructor(line, assets) {
    this.#line = line;
    this.#every = assets.includes(EVERY);
    this.state = line.state;
    line.ears.add(this.#ears);
    if (this.#every) this.#begin(EVERY);
    else this.subscribe(assets);
  }

  now() {
    return this.#line.now();
  }

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(value: Events[Name]) => void} listener
   */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** @param {string | readonly string[]} assets */
  subscribe(assets) {
    if (this.#ended) throw new FeedError("closed", "this feed was closed; connect anew");
    if (this.#every) return;
    if (assets.includes(EVERY)) throw new TypeError("ask for * when you connect");
    for (const asset of listed(assets)) if (!this.#stops.has(asset)) this.#begin(asset);
  }

  /** @param {string | readonly string[]} assets */
  unsubscribe(assets) {
    if (this.#every) return;
    for (const asset of listed(assets)) {
      this.#stops.get(asset)?.();
      this.#stops.delete(asset);
      this.quotes.delete(asset);
    }
  }

  close() {
    if (this.#ended) return;
    this.#ended = true;
    this.#stops.forEach((stop) => stop());
    this.#line.leave(this.#ears);
    this.#look();
    for (const reader of this.#readers) reader.wake();
  }

  async *[Symbol.asyncIterator]() {
    const reader = { waiting: new Map(this.quotes), wake: () => {} };
    this.#readers.add(reader);
    try {
      for (;;) {
        for (const [asset, quote] of reader.waiting) {
          reader.waiting.delete(asset);
          yield quote;
          if (this.#ended) return;
        }
        if (this.#refusal) throw this.#refusal;
        if (this.#ended) return;
        await new Promise((wake) => (reader.wake = () => wake(undefined)));
      }
    } finally {
      this.#readers.delete(reader);
    }
  }

  /** From the next turn on, so that who connects can listen first. @param {string} asset */
  #begin(asset) {
    const nothing = () => {};
    this.#refusal = undefined;
    this.#stops.set(asset, nothing);
    queueMicrotask(() => {
      if (this.#ended || this.#stops.get(asset) !== nothing) return;
      const stop = this.#line.watch(asset, (quote) => quote && !this.#every && this.#take(asset, quote));
      this.#stops.set(asset, stop);
    });
  }

  /** @type {Ear} */
  #hear(message, quotes) {
    if (message.quotes && this.#every) this.#takeAll(message, quotes);
    if (message.type === "goodbye") this.#emit("goodbye", message);
    if (message.type === "status") this.#emit("status", message.sources);
    if (message.type === "error") this.#emit("error", new FeedError(message.code, message.message));
    const rejected = Object.keys(message.rejected ?? {}).filter((asset) => this.#stops.has(asset));
    if (rejected[0])
      this.#emit("error", new FeedError(message.rejected[rejected[0]], `no such asset: ${rejected}`, rejected));
  }

  /** @type {Ear} */
  #takeAll(message, quotes) {
    // With this the connection knows that what it asked for has come, and resumes.
    if (message.epoch) quotes.set(EVERY, /** @type {any} */ ({}));
    for (const asset in message.quotes) {
      const quote = quotes.get(asset);
      if (quote) this.#take(asset, quote);
    }
  }

  /** @param {string} asset @param {Values} values */
  #take(asset, values) {
    const quote = { asset, ...values };
    const same = JSON.stringify(this.quotes.get(asset)) === JSON.stringify(quote);
    if (this.#ended || same) return;
    this.quotes.set(asset, quote);
    for (const reader of this.#readers) {
      reader.waiting.set(asset, quote);
      reader.wake();
    }
    this.#emit("quote", quote);
  }

  /** @param {FeedError} error */
  #refuse(error) {
    this.#refusal = error;
    this.#emit("error", error);
    for (const reader of this.#readers) reader.wake();
  }

  #look() {
    const state = this.#ended ? "closed" : this.#line.state;
    if (state === this.state) return;
    this.state = state;
    this.#emit("state", state);
  }

  /**
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {Events[Name]} value
   */
  #emit(name, value) {
    for (const listener of [...(this.#listeners.get(name) ?? [])])
      try {
        listener(value);
      } catch (error) {
        // Theirs to see, and nothing of ours stops for it.
        queueMicrotask(() => {
          throw error;
        });
      }
  }
}

/**
 * @param {string | Options} [server]
 * @param {Options} [options]
 * @returns {PublicFeed}
 */
export const connect = (server, options = {}) => {
  if (typeof server === "object") return connect(undefined, server);
  const { href, protocol } = new URL(server ?? import.meta.url.replace(/\/feed\.js.*$/, ""));
  if (!/^https?:$/.test(protocol)) throw new TypeError(`connect: ${href} is no address of a service; give one`);
  return new Feed(lineTo(href.replace(/\/+$/, ""), options), options.assets ?? []);
};
