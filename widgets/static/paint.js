/**
 * Writes a quote into markup the server made. Each part says by `data-f` what it shows; what is not there is not
 * written. Text only, never HTML.
 */

import { iso, moment, notation, percent, price, status, word } from "./format.js";

/** @typedef {import("./types.d.ts").Values} Quote */
/** @typedef {import("./format.js").Notation} Notation */

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
 * @param {Notation} how
 */
const money = (part, value, currency, how) => {
  const [text, head, zeros, tail] = price(value, currency, how);
  if (!head) return put(part, text);
  const seen = make("span", head);
  seen.ariaHidden = "true";
  if (zeros) seen.append(make("sub", zeros), tail ?? "");
  part.replaceChildren(seen, make("span", text, "vh"));
};

/**
 * @param {Element} part
 * @param {string | null} value
 * @param {Notation} how
 */
const change = (part, value, how) => {
  const [text, arrow, word, direction] = percent(value, how);
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
  const how = notation(root);
  root.toggleAttribute("data-demo", quote.demo === true);
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-f]"))) {
    const name = /** @type {keyof Quote} */ (part.dataset.f);
    const value = /** @type {string | null} */ (quote[name] ?? null);
    if (/price|high|low/.test(name)) money(part, value, currency, how);
    else if (/^change_\d+.$/.test(name)) change(part, value, how);
    else if (name === "change_24h_basis") put(part, how[6][+(value === "utc_day")]);
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
  const how = notation(root);
  const text = status(state, asOf, now, how);
  if (asOf === null || state === "unavailable") return put(part, text);
  const said = word(state, how);
  const time = part.querySelector("time") ?? document.createElement("time");
  time.dateTime = iso(asOf);
  time.title = moment(asOf, how);
  put(time, text);
  if (!part.children[1]) part.replaceChildren(make("span", "", "vh"), time);
  put(part.children[0], text.startsWith(said) ? "" : `${said}, `);
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
