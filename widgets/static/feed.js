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

/** Full jitter, from one second doubling to thirty. @param {number} tries */
export const backoff = (tries) => Math.random() * 1000 * Math.min(30, 2 ** tries);

/**
 * @param {string} server the address the service is reached at, with no slash at its end
 */
export const connect = (server) => {
  /** @type {Map<string, Set<Watcher>>} */
  const watched = new Map();
  /** @type {Map<string, Quote>} */
  const quotes = new Map();
  /** @type {Set<string>} what the server knows that we want */
  let asked = new Set();
  /** @type {WebSocket | undefined} */
  let socket;
  let [retry, soon, clock] = [0, 0, 0];
  let [tries, ahead, heartbeat] = [0, 0, 15000];
  let [heard, opened, seq] = [0, 0, -1];
  let [epoch, since] = ["", ""];

  /** The server's clock, as far as it has told us. */
  const now = () => Date.now() + ahead;

  const isOpen = () => socket?.readyState === 1;

  const isSilent = () => performance.now() - heard > (isOpen() ? 2 * heartbeat : 3000);

  /** @param {boolean} everyone also those whose price is live: they may have been told that it was not */
  const tell = (everyone) => {
    const silent = isSilent();
    for (const [asset, watchers] of watched) {
      const quote = quotes.get(asset);
      if (everyone || silent || quote?.state !== "live") watchers.forEach((watcher) => watcher(quote, now(), silent));
    }
  };

  const drop = () => {
    if (socket) socket.onopen = socket.onclose = socket.onmessage = null;
    socket?.close();
    socket = undefined;
  };

  /** @param {number} wait milliseconds; Infinity: only a change of what is watched asks again */
  const lost = (wait) => {
    drop();
    if (wait < Infinity) retry = setTimeout(open, wait);
  };

  const again = () => lost(backoff(tries++));

  const open = () => {
    clearTimeout(retry);
    retry = 0;
    const assets = [...watched.keys()];
    // What was never asked for is not in a resumed snapshot: with something new, ask for all of it again.
    const resume = seq < 0 || assets.some((asset) => !asked.has(asset)) ? "" : since;
    asked = new Set(assets);
    opened = performance.now();
    heard ||= opened;
    socket = new WebSocket(`${server.replace(/^http/, "ws")}/v1/feed?assets=${assets.map(encodeURIComponent)}${resume}`);
    socket.onopen = change;
    socket.onmessage = (event) => take(JSON.parse(event.data));
    // 4000–4005 say that this very request will never be answered.
    socket.onclose = ({ code }) => (code > 3999 && code < 4006 ? lost(Infinity) : again());
  };

  const end = () => {
    drop();
    clearInterval(clock);
    clearTimeout(retry);
    quotes.clear();
    asked.clear();
    clock = retry = heard = tries = 0;
    seq = -1;
  };

  /** Many elements come and go at once; the server hears of it once, and at most once a second. */
  const change = () => {
    soon ||= setTimeout(settle, socket ? 1000 : 20);
  };

  const settle = () => {
    soon = 0;
    if (!watched.size) return end();
    const wanted = [...watched.keys()];
    const added = wanted.filter((asset) => !asked.has(asset));
    const gone = [...asked].filter((asset) => !watched.has(asset));
    if (!socket && !retry && (added[0] || gone[0])) open();
    if (!isOpen()) return;
    /** @type {(op: string, assets: string[]) => void} */
    const send = (op, assets) => assets[0] && socket?.send(JSON.stringify({ op, assets }));
    send("subscribe", added);
    send("unsubscribe", gone);
    gone.forEach((asset) => quotes.delete(asset));
    asked = new Set(wanted);
  };

  const tick = () => {
    // A connection that is open and says nothing, or never opens, is as good as gone.
    if (socket && performance.now() - Math.max(heard, opened) > 2 * heartbeat) again();
    tell(false);
  };

  /** @param {any} message */
  const take = (message) => {
    const { type, time, retry_after_ms: pause } = message;
    heard = performance.now();
    if (time) ahead = time - Date.now();
    if (type === "hello") heartbeat = message.heartbeat_ms;
    if (type === "goodbye") lost(message.reconnect_in_ms);
    if (pause) {
      // A command was refused for now; subscribing again is harmless.
      asked.clear();
      setTimeout(change, pause);
    }
    if (message.quotes) store(message);
  };

  /** Values are absolute, so an old one is simply dropped. @param {any} message */
  const store = (message) => {
    const whole = message.type === "snapshot";
    if (whole && message.epoch !== epoch) {
      epoch = message.epoch;
      seq = -1;
      quotes.clear();
    }
    for (const asset in message.quotes) {
      const quote = message.quotes[asset];
      if (quote.seq <= (quotes.get(asset)?.seq ?? -1)) continue;
      quotes.set(asset, quote);
      watched.get(asset)?.forEach((watcher) => watcher(quote, now(), false));
    }
    if (message.prev > seq) return again();
    tries = 0;
    seq = Math.max(seq, message.seq);
    since = `&since=${epoch}:${seq}`;
    if (whole) tell(true);
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
