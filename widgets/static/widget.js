/**
 * A piece of the server's markup that is kept right while somebody can see it: its quotes live, the rest renewed,
 * its links and forms at work. It sleeps when it is out of sight, and tells by update, stale, select and error.
 */

import { notation } from "./format.js";
import { HOME, watch } from "./live.js";
import { convert, mark, paint, tint } from "./paint.js";

/** @typedef {import("./types.d.ts").Values} Quote */
/** What takes markup that was loaded. @typedef {(fresh: HTMLElement, answer: Document, address: string) => void} Show */

export const WRAPPER = "[data-kind],main";
const ROOT = "[data-price-ticker]";

/**
 * @param {HTMLElement} target
 * @param {string} name
 * @param {object} detail
 * @returns {boolean} false when somebody prevented what would come of it
 */
export const tell = (target, name, detail) => {
  // Were they to bubble, a page's window would take `load` and `error` for its own.
  const init = { detail, bubbles: !/load|error/.test(name), composed: true, cancelable: true };
  const kind = /** @type {HTMLElement | null} */ (target.closest(WRAPPER))?.dataset.kind;
  if (parent !== window && document.contains(target))
    parent.postMessage({ source: "price-ticker", event: name, kind, ...detail }, "*");
  return target.dispatchEvent(new CustomEvent(name, init));
};

/**
 * Asks for markup. XMLHttpRequest parses it itself: there is no HTML string for a page's Trusted Types to refuse.
 * @param {string} address
 * @param {(answer: Document | null, status: number) => void} done
 */
export const ask = (address, done) => {
  const request = new XMLHttpRequest();
  const url = new URL(address);
  url.searchParams.set("form", "fragment");
  request.open("GET", url);
  request.responseType = "document";
  request.timeout = 10000;
  request.onload = request.onerror = request.ontimeout = () => done(request.responseXML, request.status);
  request.send();
  return request;
};

/**
 * Keeps a quote live.
 * @param {HTMLElement} root
 * @returns {() => void} ends it
 */
const follow = (root) => {
  const how = notation(root);
  const asset = `${root.dataset.priceTicker}`;
  const time = root.querySelector("time");
  let state = root.dataset.state ?? "";
  let asOf = time && Date.parse(time.dateTime);
  /** @type {Quote | undefined} */
  let last;
  return watch(how[1][2], asset, (quote, now, silent) => {
    const was = state;
    // One that came from a worker is a new object each time.
    const fresh = quote && JSON.stringify(quote) !== JSON.stringify(last);
    if (fresh) {
      paint(root, quote, how);
      if (last) tint(root, last.price, quote.price);
      last = quote;
      asOf = quote.as_of;
    }
    const known = quote ? quote.state : was;
    state = quote?.price === null ? "unavailable" : silent && known !== "unavailable" ? "stale" : known;
    mark(root, state, asOf, now, how);
    if (fresh) tell(root, "update", { asset, quote });
    if (state === "stale" && was !== state) tell(root, "stale", { asset, quote });
  });
};

/**
 * @param {HTMLElement} wrapper
 * @param {string} address where it came from
 * @param {Show} show
 * @param {number} [at] which of the wrappers it is that this address has
 * @returns {AbortController} ends it
 */
export const enliven = (wrapper, address, show, at = 0) => {
  const life = new AbortController();
  const { signal } = life;
  const { module, refresh } = wrapper.dataset;
  const begun = performance.now();
  /** Not a number where nothing is to be renewed. */
  const every = /** @type {any} */ (refresh) * (1 + Math.random() / 9);
  const roots = /** @type {HTMLElement[]} */ ([wrapper, ...wrapper.querySelectorAll(ROOT)]).filter(
    (root) => root.dataset.priceTicker && root.closest(WRAPPER) === wrapper,
  );
  /** @type {XMLHttpRequest | undefined} */
  let asking;

  /** @param {string} from */
  const load = (from) => {
    asking?.abort();
    asking = ask(from, (answer, status) => {
      const fresh = /** @type {HTMLElement | undefined} */ (answer?.querySelectorAll(WRAPPER)[at]);
      if (status !== 200 || !answer || !fresh) return tell(wrapper, "error", { status });
      life.abort();
      show(fresh, answer, from);
    });
  };
  const renew = () => load(address);

  /** @type {(type: string, listener: (event: any, target: any) => void) => void} */
  const on = (type, listener) =>
    wrapper.addEventListener(type, (event) => listener(event, event.target), { signal });

  // In a document of ours the browser goes there by itself.
  const inside = !document.contains(wrapper);
  on("click", (event, target) => {
    const link = target.closest("a,tr");
    const root = link?.closest(ROOT);
    if (!link?.matches("[data-go]")) {
      if (root && !tell(root, "select", { asset: root.dataset.priceTicker })) event.preventDefault();
    } else if (inside && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
      event.preventDefault();
      load(link.href);
    }
  });
  on("input", (_, { form }) => form?.matches("[data-convert]") && convert(form));
  on("change", (_, { form, options }) => options && form?.requestSubmit());
  on("submit", (event, form) => {
    if (!inside) return;
    event.preventDefault();
    load(new URL(`?${new URLSearchParams(/** @type {any} */ (new FormData(form)))}`, address).href);
  });
  on("renew", renew);

  // It sleeps a moment after it is out of sight, or the page is.
  let [seen, soon] = [false, 0];
  /** @type {(() => void)[]} */
  let ends = [];
  const sleep = () => (ends = ends.filter((end) => end()));
  const look = () => {
    clearTimeout(soon);
    if (!seen || document.hidden) soon = setTimeout(sleep, 5000);
    else if (!ends[0]) {
      const clock = every ? setInterval(renew, every) : 0;
      ends = [() => clearInterval(clock), ...roots.map(follow)];
      if (every && performance.now() - begun > every) renew();
    }
  };
  const eye = new IntersectionObserver(
    (entries) => {
      seen = /** @type {IntersectionObserverEntry} */ (entries.at(-1)).isIntersecting;
      look();
    },
    { rootMargin: "200px" },
  );
  if (!/live=[0f]/.test(address)) {
    eye.observe(wrapper);
    addEventListener("visibilitychange", look, { signal });
  }
  signal.addEventListener("abort", () => {
    asking?.abort();
    eye.disconnect();
    sleep();
  });

  let script = new URL(module ?? "", address).href;
  // Being live comes first: a kind's own script is asked for with the first quote, or once a reader is interested.
  for (const type of ["update", "pointerover", "focusin"])
    on(type, () => {
      if (script.startsWith(`${HOME}/embed/`))
        import(script).then(({ default: start }) => {
          if (!signal.aborted) signal.addEventListener("abort", start(wrapper));
        });
      script = "";
    });
  return life;
};
