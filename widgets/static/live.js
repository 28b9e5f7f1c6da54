/**
 * Where quotes come from: one connection a page and currency, or one a browser where documents of the service's own
 * origin can share a worker, which runs this same script. Where websockets are blocked, the feed's client lends the
 * ways around them.
 */

import { connection } from "./feed.js";

/** @typedef {import("./feed.js").Watcher} Watcher */
/** @typedef {import("./feed.js").Wire} Wire */
/** @typedef {[currency: string, asset: string, watcher: Watcher]} Wish */

/** The service this script came from: its widgets and its feed are the only ones it asks. */
export const HOME = import.meta.url.replace(/\/embed[./].*$/, "");

/** @type {((query: string) => Wire)[]} the best first */
let ways = [(query) => new WebSocket(`${HOME.replace(/^http/, "ws")}/v1/feed?${query}`)];

/** Never opens: it is lost as soon as the other ways are here, or are known not to come. @returns {Wire} */
const waiting = () => {
  const wire = /** @type {Wire} */ ({ close() {} });
  import(`${HOME}/feed.js`).then(
    (feed) => {
      ways = [ways[0], ...feed.ways(HOME)];
      return 4200;
    },
    () => 0,
  ).then((code) => wire.onclose?.({ code }));
  return wire;
};

/** @param {string} currency */
const line = (currency) => {
  let [rung, misses, tried] = [0, 0, 0];
  return connection(
    (query) => {
      if (performance.now() - tried > 60000) rung = misses = 0;
      if (!rung) tried = performance.now();
      if (++misses > 2) {
        rung++;
        misses = 0;
        if (!ways[1]) return waiting();
      }
      return ways[rung % ways.length](`${query}&currency=${currency}`);
    },
    () => (misses = 0),
  );
};

/** @type {Record<string, ReturnType<typeof connection>>} */
const lines = {};

/** @type {(...wish: Wish) => () => void} */
const own = (currency, asset, watcher) => (lines[currency] ??= line(currency))(asset, watcher);

/** @type {Record<number, [...Wish, stop?: () => void]>} what somebody on this page watches */
const wishes = {};
/** @type {MessagePort | undefined} */
let port;
let count = 0;

/** To whoever still watches. @type {(id: number, ...said: Parameters<Watcher>) => void} */
const hand = (id, ...said) => wishes[id]?.[2](...said);

/**
 * From the page's own connection. A message may be for many on the page: for each it is a task, which says what is
 * newest by then, since a browser may run a timer of now after a later one.
 * @param {any} id
 */
const begin = (id) => {
  const [currency, asset] = wishes[id];
  let soon = 0;
  /** @type {Parameters<Watcher>} */
  let news;
  wishes[id][3] ??= own(currency, asset, (...said) => {
    news = said;
    soon ||= setTimeout(() => {
      soon = 0;
      hand(id, ...news);
    });
  });
};

/** Without the worker, or once it is gone, the page has its own connection. */
const alone = () => {
  const gone = port;
  port = undefined;
  for (const id in wishes) {
    gone?.postMessage([+id]);
    begin(id);
  }
};

/** A page is gone when its lock is free; so is the worker. */
export const share = () => {
  try {
    // On pages of other origins, and in sandboxed frames, which have none, there is no worker of ours; only to ask
    // for one would break a page's Trusted Types.
    const worker = /** @type {SharedWorker} */ (HOME.startsWith(origin) && new SharedWorker(import.meta.url, { type: "module" }));
    const name = crypto.randomUUID();
    // In a frame of another site the browser may keep locks to itself.
    navigator.locks.request(name, () => new Promise(() => port?.postMessage([0, name]))).catch(alone);
    worker.onerror = alone;
    port = worker.port;
    port.onmessage = ({ data: [id, ...said] }) => {
      if (id) hand(id, .../** @type {Parameters<Watcher>} */ (said));
      else navigator.locks.request(said[0], alone);
    };
  } catch {
    // Nor are there locks where contexts aren't secure.
  }
};

/**
 * Calls back with each new quote of an asset, and every second while it is not live.
 * @type {(...wish: Wish) => () => void}
 */
export const watch = (currency, asset, watcher) => {
  const id = ++count;
  wishes[id] = [currency, asset, watcher];
  if (port) port.postMessage([id, currency, asset]);
  else begin(id);
  return () => {
    wishes[id][3]?.();
    delete wishes[id];
    port?.postMessage([id]);
  };
};

/** What the script does as a worker. */
export const serve = () => {
  const name = crypto.randomUUID();
  const held = new Promise((tell) => navigator.locks.request(name, () => new Promise(() => tell(name))).catch(() => {}));
  addEventListener("connect", (event) => {
    const [port] = /** @type {MessageEvent} */ (event).ports;
    /** @type {Record<number, () => void>} */
    const stops = {};
    port.onmessage = ({ data: [id, currency, asset] }) => {
      stops[id]?.();
      if (asset) stops[id] = own(currency, asset, (...said) => port.postMessage([id, ...said]));
      if (id) return;
      navigator.locks.request(currency, () => Object.values(stops).forEach((stop) => stop()));
      held.then((name) => port.postMessage([0, name]));
    };
  });
};
