/** The types of /feed.js, served beside it as /feed.d.ts. Decimals are strings in plain notation; times are ms UTC. */

/** What the price of an asset is, as the feed says it. With the option `fields` the rest is missing. */
export interface Values {
  symbol: string;
  name: string;
  currency: string;
  price: string | null;
  /** Percent; null until the window is covered. */
  change_1h: string | null;
  change_24h: string | null;
  change_7d: string | null;
  change_24h_basis: "rolling" | "utc_day" | "unknown" | null;
  high_24h: string | null;
  low_24h: string | null;
  volume_24h: string | null;
  market_cap: string | null;
  /** The venue's time. */
  as_of: number | null;
  state: "live" | "delayed" | "stale" | "held" | "disputed" | "unavailable";
  confidence: string;
  sources: number;
  seq: number;
  demo?: true;
  conversion?: "assumed";
  rate_date?: string;
  change_currency?: string;
}

export interface Quote extends Values {
  /** The asset's id. */
  asset: string;
}

export type FeedState = "connecting" | "live" | "stale" | "closed";

/** A part of what WebSocket and the `ws` package's class have. */
export type WebSocketClass = new (address: string) => Pick<WebSocket, "readyState" | "send" | "close"> & {
  onopen: any;
  onmessage: any;
  onclose: any;
};

export interface Options {
  /** Ids, or `*` for every asset. */
  assets?: string | readonly string[];
  /** An ISO code, BTC or ETH; USD unless said. */
  currency?: string;
  /** Milliseconds between two updates: 250, 1000, 5000 or 15000. */
  interval?: number;
  /** The keys that a quote shall have. */
  fields?: string | readonly string[];
  /** Percent that a price must move by to be told. */
  deadband?: number | string;
  key?: string;
  /** For where there is none: Node before version 22. */
  WebSocket?: WebSocketClass;
}

export interface Goodbye {
  reason: string;
  reconnect_in_ms: number;
  resume: string;
}

export interface Events {
  quote: Quote;
  state: FeedState;
  error: FeedError;
  goodbye: Goodbye;
  /** Sources whose health has changed. */
  status: Record<string, string>;
}

/** `code` is the feed's error code, such as `unknown_asset` or `unauthorized`. */
export class FeedError extends Error {
  readonly code: string;
  /** The assets that it is about, when it is about some. */
  readonly assets: readonly string[];
}

/**
 * A subscription that goes on until it is closed or refused for good. Iterating yields each quote that changed, the
 * newest of each asset; it ends after `close` and throws FeedError after a refusal.
 */
export interface Feed extends AsyncIterable<Quote> {
  /** The last quote of each asset. */
  readonly quotes: ReadonlyMap<string, Quote>;
  readonly state: FeedState;
  /** The server's clock. */
  now(): number;
  /** Returns what takes the listener away again. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void;
  subscribe(assets: string | readonly string[]): void;
  unsubscribe(assets: string | readonly string[]): void;
  close(): void;
}

/** `server` is the service's address; unless said, where this module came from. */
export function connect(server: string | undefined, options?: Options): Feed;
export function connect(options?: Options): Feed;
