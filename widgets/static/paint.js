/**
 * Writes a quote into markup the server made. Each part says by `data-f` what it shows; what is not there is not
 * written. Text only, never HTML.
 */

import { iso, percent, price, status } from "./format.js";

/** @typedef {import("./feed.js").Quote} Quote */

/**
 * @param {string} tag
 * @param {string} text
 * @param {string} [name]
 */
const make = (tag, text, name) => {
  const made = document.createElement(tag);
  made.textContent = text;
  if (name) made.className = name;
  return made;
};

/**
 * @param {Element} part
 * @param {string} text
 */
const put = (part, text) => {
  if (part.textContent !== text) part.textContent = text;
};

/**
 * @param {Element} part
 * @param {string | null} value
 * @param {string} currency
 */
const money = (part, value, currency) => {
  const { text, head, zeros, tail } = price(value, currency);
  if (!head) return put(part, text);
  const seen = make("span", head);
  seen.ariaHidden = "true";
  if (zeros) seen.append(make("sub", String(zeros)), tail);
  part.replaceChildren(seen, make("span", text, "vh"));
};

/**
 * @param {Element} part
 * @param {string | null} value
 */
const change = (part, value) => {
  const { text, arrow, word, direction } = percent(value);
  const [sign, number] = part.children;
  part.setAttribute("data-dir", direction);
  put(sign, arrow);
  sign.ariaLabel = word;
  put(number, text);
};

/**
 * Writes all parts of a quote that are inside `root`.
 * @param {HTMLElement} root
 * @param {Quote} quote
 */
export const paint = (root, quote) => {
  const { currency, conversion } = quote;
  root.toggleAttribute("data-demo", quote.demo === true);
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-f]"))) {
    const name = /** @type {keyof Quote} */ (part.dataset.f);
    const value = /** @type {string | null} */ (quote[name] ?? null);
    if (/price|high|low/.test(name)) money(part, value, currency);
    else if (/^change_\d+.$/.test(name)) change(part, value);
    else if (name === "change_24h_basis") put(part, value === "utc_day" ? "UTC day" : "24h");
    else if (name === "currency") {
      put(part, currency + (conversion ? "*" : ""));
      part.title = (conversion && part.dataset.peg) || "";
    }
  }
};

/**
 * Writes how old the price is.
 * @param {HTMLElement} root
 * @param {string} state
 * @param {number | null} asOf
 * @param {number} now
 */
export const mark = (root, state, asOf, now) => {
  root.dataset.state = state;
  const part = root.querySelector("[data-f=status]");
  if (!part) return;
  const text = status(state, asOf, now);
  if (asOf === null || state === "unavailable") return put(part, text);
  const at = iso(asOf);
  const time = part.querySelector("time") ?? document.createElement("time");
  time.dateTime = at;
  time.title = `as of ${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
  put(time, text);
  if (!part.children[1]) part.replaceChildren(make("span", "", "vh"), time);
  put(part.children[0], text.startsWith(state) ? "" : `${state}, `);
};

/** Puts decimal strings in the order of their values. @param {string} value */
const rank = (value) => {
  const [whole, part = ""] = value.split(".");
  return `${whole.padStart(40, "0")}.${part}`;
};

/**
 * A short tint of the price when it moves, unless the reader asked for stillness.
 * @param {HTMLElement} root
 * @param {string | null} was
 * @param {string | null} now
 */
export const tint = (root, was, now) => {
  if (!was || !now || was === now || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const color = `var(--${rank(now) > rank(was) ? "up" : "down"})`;
  root.querySelector("[data-f=price]")?.animate({ color: [color, "currentcolor"] }, 900);
};
