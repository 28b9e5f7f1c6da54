/**
 * One connection to a feed, shared by everything that shows a price: it asks for what is watched, resumes after a loss,
 * and ends when nobody watches. It knows the protocol and when to wait; it knows no transport: `dial` opens one.
 */

/** @typedef {import("./types.d.ts").Values} Quote */
/** @typedef {(quote: Quote | undefined, now: number, silent: boolean) => void} Watcher */
/** @typedef {{ code: number, reason?: string }} Closed */
/**
 * What is asked of a transport: a part of WebSocket. It calls `onclose` with a Closed, `onmessage` with `data`.
 * @typedef {{ readyState: number, send: (text: string) => void, close: () => void, onopen: any, onmessage: any,
 *   onclose: any }} Wire
 */

/** Full jitter, from one second doubling to thirty. @param {number} tries */
export const backoff = (tries) => Math.random() * 1000 * Math.min(30, 2 ** tries);

/**
 * @param {(query: string) => Wire} dial takes `assets=…` and, to resume, `&since=…`
 * @param {(message: any, quotes: Map<string, Quote>) => void} [heard] gets each message once it was taken
 */
export const connection = (dial, heard) => {
  /** @type {Map<string, Set<Watcher>>} */
  const watched = new Map();
  /** @type {Map<string, Quote>} */
  const quotes = new Map();
  /** @type {Set<string>} what the server knows that we want */
  let asked = new Set();
  /** @type {Wire | undefined} */
  let socket;
  let [retry, soon, clock] = [0, 0, 0];
  let [tries, ahead, heartbeat] = [0, 0, 15000];
  // `due` is when a goodbye told us to be back.
  let [last, opened, due] = [0, 0, 0];
  let [epoch, seq] = ["", -1];

  /** The server's clock, as far as it has told us. */
  const now = () => Date.now() + ahead;

  const isOpen = () => socket?.readyState === 1;

  const isSilent = () => performance.now() - last > (isOpen() ? 2 * heartbeat : 3000);

  const drop = () => {
    if (socket) socket.onclose = socket.onmessage = null;
    socket?.close();
    socket = undefined;
  };

  /** @type {(event: Closed) => void} */
  const lost = ({ code }) => {
    const at = performance.now();
    const kind = (code / 100) | 0;
    drop();
    // A server that takes us only to send us away is not asked faster for having taken us.
    if (kind === 42 || at - opened > 30000) tries = 0;
    // 40xx: this very request will never be answered; only a change of what is watched asks again.
    if (kind !== 40) retry = setTimeout(open, due ? due - at : backoff(tries++));
    due = 0;
  };

  const open = () => {
    const assets = [...watched.keys()];
    // What has not come yet is not in a resumed snapshot.
    const resume = assets.every((asset) => quotes.has(asset)) ? `&since=${epoch}:${seq}` : "";
    retry = 0;
    asked = new Set(assets);
    opened = performance.now();
    last ||= opened;
    socket = dial(`assets=${assets.map(encodeURIComponent)}${resume}`);
    socket.onopen = change;
    socket.onmessage = (/** @type {{ data: string }} */ event) => take(JSON.parse(event.data));
    socket.onclose = lost;
  };

  const end = () => {
    drop();
    clearTimeout(clock);
    clearTimeout(retry);
    quotes.clear();
    asked.clear();
    clock = retry = last = tries = due = 0;
    seq = -1;
  };

  /** Many come and go at once; the server hears of it once, and at most once a second. */
  const change = () => {
    soon ||= setTimeout(settle, socket ? 1000 : 20);
  };

  /** @type {(op: string, assets?: string[]) => void} */
  const send = (op, assets) => socket?.send(JSON.stringify({ op, assets }));

  const settle = () => {
    soon = 0;
    if (!watched.size) return end();
    const added = [...watched.keys()].filter((asset) => !asked.has(asset));
    const gone = [...asked].filter((asset) => !watched.has(asset));
    if (!socket && !retry && (added[0] || gone[0])) open();
    gone.forEach((asset) => quotes.delete(asset));
    if (!isOpen()) return;
    if (added[0]) send("subscribe", added);
    if (gone[0]) send("unsubscribe", gone);
    asked = new Set(watched.keys());
  };

  /** @param {boolean} [everyone] also those whose price is live: they may have been told that it was not */
  const tick = (everyone) => {
    // A connection that is open and says nothing, or never opens, is as good as gone.
    if (socket && performance.now() - Math.max(last, opened) > 2 * heartbeat) lost({ code: 1006 });
    const silent = isSilent();
    for (const [asset, watchers] of watched) {
      const quote = quotes.get(asset);
      if (everyone || silent || quote?.state !== "live") watchers.forEach((watcher) => watcher(quote, now(), silent));
    }
  };

  /** @param {any} message */
  const take = (message) => {
    const { time, heartbeat_ms, reconnect_in_ms, retry_after_ms: pause } = message;
    last = performance.now();
    heartbeat = heartbeat_ms ?? heartbeat;
    if (time) ahead = time - Date.now();
    // A goodbye: the connection is good until the server closes it.
    if (reconnect_in_ms >= 0) due = last + reconnect_in_ms;
    if (pause) {
      // A command was refused for now; subscribing again is harmless.
      asked.clear();
      setTimeout(change, pause);
    }
    if (message.quotes) store(message);
    heard?.(message, quotes);
  };

  /** Values are absolute, so what is old is simply dropped. @param {any} message */
  const store = (message) => {
    // Of what carries quotes only a snapshot names the book.
    const { epoch: book } = message;
    if (book && book !== epoch) {
      epoch = book;
      seq = -1;
      quotes.clear();
    }
    if (!book && message.seq <= seq) return;
    for (const asset in message.quotes) {
      const quote = message.quotes[asset];
      // Another node may be behind the one we came from.
      if (quote.seq < (quotes.get(asset)?.seq ?? 0)) continue;
      quotes.set(asset, quote);
      watched.get(asset)?.forEach((watcher) => watcher(quote, now(), false));
    }
    if (message.prev > seq) return send("resync");
    seq = Math.max(seq, message.seq);
    if (book) tick(true);
  };

  /**
   * Calls back with each new quote of an asset, and every second while it is not live.
   * @param {string} asset
   * @param {Watcher} watcher
   * @returns {() => void} ends it
   */
  return (asset, watcher) => {
    const watchers = watched.get(asset) ?? new Set();
    watched.set(asset, watchers.add(watcher));
    clock ||= setInterval(tick, 1000);
    change();
    const quote = quotes.get(asset);
    if (quote) watcher(quote, now(), isSilent());
    return () => {
      watchers.delete(watcher);
      if (!watchers.size && watched.get(asset) === watchers) watched.delete(asset);
      change();
    };
  };
};
