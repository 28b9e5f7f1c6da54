/**
 * Writes a quote into markup the server made. Each part says by `data-f` what it shows; what is not there is not
 * written. Text only, never HTML, and only where it has changed.
 */

import { divide, multiply, typed } from "./convert.js";
import { iso, local, moment, notation, percent, price, status, word } from "./format.js";

/** @typedef {import("./types.d.ts").Values} Quote */
/** @typedef {import("./format.js").Notation} Notation */
/** @typedef {import("./format.js").Price} Price */

/**
 * Makes `old` what `fresh` is, with the fewest touches: what stays keeps focus, scroll, animation and typed text.
 * @param {Node} old
 * @param {Node} fresh
 */
export const morph = (old, fresh) => {
  if (old.nodeName !== fresh.nodeName) return void (/** @type {ChildNode} */ (old).replaceWith(fresh));
  if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
  const [is, shall] = /** @type {Element[]} */ ([old, fresh]);
  if (!is.attributes) return;
  for (const { name } of [...is.attributes]) if (!shall.hasAttribute(name)) is.removeAttribute(name);
  for (const { name, value } of shall.attributes)
    if (is.getAttribute(name) !== value) is.setAttribute(name, value);
  const children = [...shall.childNodes];
  children.forEach((child, at) => {
    const mine = is.childNodes[at];
    if (mine) morph(mine, child);
    else is.append(child);
  });
  while (is.childNodes[children.length]) is.lastChild?.remove();
};

/**
 * @param {string} tag
 * @param {Node | string} text
 * @param {string} [name]
 */
export const make = (tag, text, name) => {
  const made = document.createElement(tag);
  made.append(text);
  if (name) made.className = name;
  return made;
};

/**
 * @param {Element} part
 * @param {(Node | string)[]} inside
 */
const put = (part, ...inside) => {
  const fresh = /** @type {Element} */ (part.cloneNode());
  fresh.append(...inside);
  morph(part, fresh);
};

/**
 * @param {Element} part
 * @param {Price} said
 */
const money = (part, [text, head, zeros, tail]) => {
  if (!head) return put(part, text);
  const seen = make("span", head);
  seen.ariaHidden = "true";
  if (zeros) seen.append(make("sub", zeros), tail ?? "");
  put(part, seen, make("span", text, "vh"));
};

/**
 * Writes what the amount in a form is worth. What can't be read leaves what was there.
 * @param {HTMLFormElement} form its `data-price` is the price
 */
export const convert = (form) => {
  const how = notation(form);
  const { amount } = form;
  const { price: worth, inverse } = form.dataset;
  const part = form.querySelector("[data-f=converted]");
  const many = typed(amount.value, how);
  amount.ariaInvalid = !many;
  if (!many || !worth || !+worth || !part) return;
  if (inverse === undefined) money(part, price(multiply(many, worth), how[1][2], how));
  else put(part, local(divide(many, worth), how));
};

/**
 * Writes all parts of a quote that are inside `root`.
 * @param {HTMLElement} root
 * @param {Quote} quote
 * @param {Notation} how
 */
export const paint = (root, quote, how) => {
  const { currency, conversion } = quote;
  root.toggleAttribute("data-demo", !!quote.demo);
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-f]"))) {
    const name = /** @type {keyof Quote} */ (part.dataset.f);
    const value = /** @type {string | null} */ (quote[name] ?? null);
    if (/price|high|low/.test(name)) money(part, price(value, currency, how));
    else if (/\d.$/.test(name)) {
      const [text, arrow, word, direction] = percent(value, how);
      const [sign, number] = part.children;
      part.dataset.dir = direction;
      put(sign, arrow);
      sign.ariaLabel = word;
      put(number, text);
      if (root.dataset.heat) {
        const heat = Math.min(4, 1 + (Math.abs(/** @type {any} */ (value)) / 1.5 | 0));
        root.dataset.heat = `${{ up: heat, down: -heat }[direction] ?? 0}`;
      }
    } else if (name === "change_24h_basis") put(part, how[6][+(value === "utc_day")]);
    else if (name === "currency") {
      put(part, currency + (conversion ? "*" : ""));
      part.title = (conversion && part.dataset.peg) || "";
    }
  }
  for (const form of /** @type {NodeListOf<HTMLFormElement>} */ (root.querySelectorAll("[data-convert]"))) {
    form.dataset.price = quote.price ?? "";
    convert(form);
  }
};

/**
 * Writes how old the price is.
 * @param {HTMLElement} root
 * @param {string} state
 * @param {number | null} asOf
 * @param {number} now
 * @param {Notation} how
 */
export const mark = (root, state, asOf, now, how) => {
  root.dataset.state = state;
  const part = root.querySelector("[data-f=status]");
  if (!part) return;
  const text = status(state, asOf, now, how);
  if (asOf === null || state === "unavailable") return put(part, text);
  const said = word(state, how);
  const time = /** @type {HTMLTimeElement} */ (make("time", text));
  time.dateTime = iso(asOf);
  time.title = moment(asOf, how);
  put(part, make("span", text.startsWith(said) ? "" : `${said}, `, "vh"), time);
};

/**
 * A short tint of the price when it moves, unless the reader asked for stillness.
 * @param {HTMLElement} root
 * @param {string | null} was
 * @param {string | null} now
 */
export const tint = (root, was, now) => {
  if (!was || !now || was === now || matchMedia("(prefers-reduced-motion)").matches) return;
  // Which of two colours, not what a price is: so numbers will do.
  const color = `var(--${+now > +was ? "up" : "down"})`;
  root.querySelector("[data-f=price]")?.animate({ color: [color, "currentcolor"] }, 900);
};
