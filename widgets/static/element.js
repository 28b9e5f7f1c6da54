/**
 * <price-ticker kind="quote" asset="talus" locale="en" theme="auto">: the server's markup in a shadow root, then live.
 * It always shows something in its reserved place, and tells the page by load, update, stale and error.
 */

import { backoff, connection } from "./feed.js";
import { mark, paint, tint } from "./paint.js";

/** @typedef {import("./types.d.ts").Values} Quote */
/** @typedef {(name: string, detail: object) => void} Tell */

/** The service this script came from: its widgets and its feed are the only ones it asks. */
const HOME = import.meta.url.replace(/\/embed[./].*$/, "");
const watch = connection((query) => new WebSocket(`${HOME.replace(/^http/, "ws")}/v1/feed?${query}`));

/** @type {(target: HTMLElement) => Tell} */
const teller = (target) => (name, detail) => target.dispatchEvent(new CustomEvent(name, { detail }));

/**
 * Keeps a piece of markup live.
 * @param {HTMLElement} root
 * @param {Tell} tell
 * @returns {() => void} ends it
 */
const follow = (root, tell) => {
  const asset = root.dataset.priceTicker ?? "";
  const time = root.querySelector("time");
  let state = root.dataset.state ?? "";
  let asOf = time ? Date.parse(time.dateTime) : null;
  /** @type {Quote | undefined} */
  let last;
  return watch(asset, (quote, now, silent) => {
    const was = state;
    const fresh = quote && quote !== last;
    if (fresh) {
      paint(root, quote);
      if (last) tint(root, last.price, quote.price);
      last = quote;
      asOf = quote.as_of;
    }
    const known = quote ? quote.state : was;
    state = quote?.price === null ? "unavailable" : silent && asOf !== null ? "stale" : known;
    mark(root, state, asOf, now);
    if (fresh) tell("update", { asset, quote });
    if (state === "stale" && was !== state) tell("stale", { asset, quote });
  });
};

/** @type {CSSStyleSheet | undefined} */
let sheet;

class PriceTicker extends HTMLElement {
  static observedAttributes = ["kind", "asset", "locale", "theme"];

  #root = this.attachShadow({ mode: "open" });
  #tries = 0;
  #on = false;
  /** @type {() => void} */
  #stop = () => {};

  connectedCallback() {
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(BOX_CSS);
    this.#root.adoptedStyleSheets = [sheet];
    if (!this.#root.firstChild) this.#say("Loading…");
    this.#on = true;
    this.#load();
  }

  disconnectedCallback() {
    this.#on = false;
    this.#stop();
  }

  /**
   * @param {string} name
   * @param {string | null} was
   * @param {string | null} value
   */
  attributeChangedCallback(name, was, value) {
    if (!this.#on || was === value) return;
    if (name === "theme") this.#dress();
    else this.#load();
  }

  #dress() {
    const box = /** @type {HTMLElement | null} */ (this.#root.firstElementChild);
    if (box) box.dataset.theme = this.getAttribute("theme") ?? "auto";
  }

  /** A message in the reserved place. @param {string} text */
  #say(text) {
    const box = document.createElement("div");
    const line = document.createElement("div");
    box.className = "pt";
    line.className = "box msg";
    line.append(text);
    box.append(line);
    this.#root.replaceChildren(box);
    this.#dress();
  }

  #load() {
    this.#stop();
    const asset = this.getAttribute("asset") ?? "";
    const tell = teller(this);
    // XMLHttpRequest parses the document itself: there is no HTML string for a page's Trusted Types to refuse.
    const request = new XMLHttpRequest();
    /** @type {ReturnType<typeof setTimeout>} */
    let retry;
    this.#stop = () => {
      clearTimeout(retry);
      request.abort();
    };
    const kind = this.getAttribute("kind") ?? "quote";
    const said = new URLSearchParams({ asset, form: "fragment", locale: this.getAttribute("locale") ?? "en" });
    request.open("GET", `${HOME}/widgets/${kind}?${said}`);
    request.responseType = "document";
    request.timeout = 10000;
    request.onload = request.onerror = request.ontimeout = () => {
      const { status, responseXML, responseURL } = request;
      const box = /** @type {HTMLElement | null | undefined} */ (responseXML?.querySelector(".pt"));
      if (box) this.#show(box, responseURL);
      else this.#say("Price unavailable");
      if (box && status === 200) {
        this.#tries = 0;
        this.#stop = follow(box, tell);
        tell("load", { asset });
      } else tell("error", { asset, status });
      // A 4xx will be the same again; the element waits for another attribute.
      if (!box || status > 499) retry = setTimeout(() => this.#load(), backoff(this.#tries++));
    };
    request.send();
  }

  /**
   * @param {HTMLElement} box
   * @param {string} address
   */
  #show(box, address) {
    for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (box.querySelectorAll("a[href]")))
      link.href = new URL(link.getAttribute("href") ?? "", address).href;
    this.#root.replaceChildren(box);
    this.#dress();
  }
}

// Included twice, the second copy does nothing.
if (!customElements.get("price-ticker")) {
  customElements.define("price-ticker", PriceTicker);
  // Our own pages and iframes have their markup already.
  for (const root of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-price-ticker]")))
    follow(root, teller(root));
}
