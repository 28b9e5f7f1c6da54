/**
 * <price-ticker kind="quote" asset="talus" locale="en" theme="auto">: the server's markup in a shadow root, then live.
 * It always shows something in its reserved place, and tells the page by load, update, stale, select and error.
 */

import { backoff } from "./feed.js";
import { HOME, serve, share } from "./live.js";
import { make, morph } from "./paint.js";
import { WRAPPER, ask, enliven, tell } from "./widget.js";

/** @typedef {import("./widget.js").Show} Show */

/** What isn't the server's to know: it is the page's, or is put on here. */
const OWN = /-|^(class|style|id|slot|kind|theme|palette|transparent)$/;

/** @type {Record<string, CSSStyleSheet>} */
const sheets = {};

/** One for all that use it. @param {string} text */
const sheet = (text) => {
  if (!sheets[text]) (sheets[text] = new CSSStyleSheet()).replaceSync(text);
  return sheets[text];
};

/** A message in the reserved place. @param {string} text */
const message = (text) => make("div", make("div", text, "box msg"), "pt");

/**
 * @param {HTMLElement} element
 * @returns {() => void} for when it comes into the page, and when it leaves
 */
const mounted = (element) => {
  const root = element.attachShadow({ mode: "open" });
  const box = message("Loading…");
  let [tries, address] = [0, ""];
  /** What goes on for it. @type {{ abort: () => void } | undefined} */
  let life;

  /** @param {string} name */
  const said = (name) => element.getAttribute(name);

  /** @param {HTMLElement} [fresh] */
  const put = (fresh) => {
    if (fresh) morph(box, fresh);
    box.dataset.theme = said("theme") ?? "";
    box.dataset.palette = said("palette") ?? "";
    box.toggleAttribute("data-transparent", !/^[0f]/.test(said("transparent") ?? "0"));
  };

  /** @type {Show} */
  const show = (fresh, answer, address) => {
    // In a script that is none, since a page's policy would be asked about a style.
    const styles = [...answer.querySelectorAll("style,script")].map((style) => `${style.textContent}`);
    root.adoptedStyleSheets = [BOX_CSS, ...styles].map(sheet);
    // In the answer they are relative to its own address; from here on they name it.
    for (const link of answer.links) link.href = link.href;
    for (const image of answer.images) image.src = image.src;
    put(fresh);
    life = enliven(box, address, show);
  };

  const load = () => {
    life?.abort();
    life = ask(address, (answer, status) => {
      const fresh = /** @type {HTMLElement | null | undefined} */ (answer?.querySelector(".pt"));
      if (answer && fresh) show(fresh, answer, address);
      else put(message("Price unavailable"));
      const good = fresh && status === 200;
      const now = life;
      if (good) tries = 0;
      // A 4xx will be the same again; the element waits for another attribute.
      else if (!fresh || status > 499) setTimeout(() => now === life && load(), backoff(tries++));
      tell(box, good ? "load" : "error", { asset: said("asset"), status });
    });
  };

  /** Every attribute is an option. */
  const look = () => {
    const was = address;
    const query = new URLSearchParams();
    for (const { name, value } of element.attributes) if (value && !OWN.test(name)) query.set(name, value);
    address = `${HOME}/widgets/${said("kind") ?? "quote"}?${query}`;
    put();
    if (address !== was) load();
  };

  const observer = new MutationObserver(look);
  root.adoptedStyleSheets = [sheet(BOX_CSS)];
  root.append(box);
  // In a task of its own: many on a page don't hold it up, and what is only moved goes on.
  return () =>
    setTimeout(() => {
      if (element.isConnected) {
        observer.observe(element, { attributes: true });
        look();
      } else {
        observer.disconnect();
        life?.abort();
        life = undefined;
        address = "";
      }
    });
};

const install = () => {
  // Included twice, the second copy does nothing.
  if (customElements.get("price-ticker")) return;
  share();
  customElements.define(
    "price-ticker",
    class extends HTMLElement {
      #turn = mounted(this);
      connectedCallback() {
        this.#turn();
      }
      disconnectedCallback() {
        this.#turn();
      }
    },
  );
  // Our own pages and iframes have their markup already.
  /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(WRAPPER)).forEach((wrapper, at) => {
    const begin = () => enliven(wrapper, location.href, show, at);
    /** @type {Show} */
    const show = (fresh) => {
      morph(wrapper, fresh);
      begin();
    };
    begin();
    tell(wrapper, "load", { asset: wrapper.dataset.priceTicker });
  });
  const secret = location.hash.split("secret=")[1];
  if (secret) parent.postMessage({ message: "height", value: document.body.offsetHeight, secret }, "*");
};

// A worker has no document. In a page, to install is a task of its own: the script itself was one.
if (globalThis.document) setTimeout(install);
else serve();
