/**
 * How a price, a change and an age are written: the twin of format.py on decimal strings. It knows no locale: the
 * server's markup carries the patterns. No value ever becomes a number with a binary point.
 */

/** @typedef {[text: string, head?: string, zeros?: string, tail?: string]} Price */
/** @typedef {[text: string, arrow: string, word: string, direction: string]} Percent */
/**
 * What format.py's notation() says, in its order: digits and groups, then patterns and words. Money is the patterns
 * above and below zero, their currency, and "plain" where zeros aren't counted.
 * @typedef {[digits: [string, string, string, number, number], money: string[], percent: string[], units: string[],
 *   words: Record<string, string | undefined>, patterns: string[], windows: string[]]} Notation
 */

/** The notation that a piece of the server's markup carries. @param {HTMLElement} root @returns {Notation} */
export const notation = (root) =>
  JSON.parse(/** @type {any} */ (root.closest("[data-notation]")).dataset.notation);

/** A decimal of these digits, so many of them behind the point. @type {(digits: bigint, places: number) => string} */
export const pointed = (digits, places) => {
  const text = String(digits).padStart(places + 1, "0");
  return places ? `${text.slice(0, -places)}.${text.slice(-places)}` : text;
};

/**
 * Rounded half up to a number of decimals, in plain notation.
 * @param {string} value not negative
 * @param {number} places
 */
export const fixed = (value, places) => {
  const [whole, part = ""] = value.split(".");
  const all = whole + part.padEnd(places + 1, "0");
  const cut = whole.length + places;
  return pointed(BigInt(all.slice(0, cut)) + (all[cut] > "4" ? 1n : 0n), places);
};

/**
 * A state or a direction, said aloud. English needs to be told only where it differs from the name.
 * @param {string} name
 * @param {Notation} how
 */
export const word = (name, how) => how[4][name] ?? name;

/**
 * @param {string | number} text
 * @param {Notation} how
 */
const digits = (text, [[zero]]) =>
  String(text).replace(/\d/g, (digit) => String.fromCharCode(zero.charCodeAt(0) + +digit));

/**
 * A number that isn't negative, in the locale's digits and groups.
 * @param {string} number
 * @param {Notation} how
 */
export const local = (number, how) => {
  const [, decimal, group, size, least] = how[0];
  const [whole, part] = number.split(".");
  const grouped =
    whole.length < least ? whole : whole.replace(RegExp(`\\B(?=(\\d{${size}})*\\d{3}$)`, "g"), group);
  return digits(part ? grouped + decimal + part : grouped, how);
};

/**
 * @param {string} size
 * @param {string} currency
 */
const places = (size, currency) => {
  const [whole, part = ""] = size.split(".");
  const first = part.search(/[1-9]/);
  if (whole === "0" && first >= 0) return first + 4;
  if (/JPY|KRW/.test(currency)) return 0;
  return whole.length < 4 && whole !== "0" ? 4 : 2;
};

/**
 * @param {string | null} value
 * @param {string} currency
 * @param {Notation} how
 * @returns {Price}
 */
export const price = (value, currency, how) => {
  if (value === null) return [word("unavailable", how), "—"];
  const below = +(value[0] === "-");
  const size = value.slice(below);
  const once = fixed(size, places(size, currency));
  const number = fixed(once, places(once, currency)).replace(/^([1-9]\d{0,2}\.\d\d\d*?)0+$/, "$1");
  // No destructuring here: the minifier would put it before what it needs.
  const around = (currency === how[1][2] ? how[1][below] : "−#".slice(1 - below)).split("#");
  const text = around.join(local(number, how));
  const zeros = number.match(/^0\.(0{5,})[1-9]/)?.[1].length;
  return zeros && !how[1][3]
    ? [text, around[0] + local("0.0", how), digits(zeros, how), digits(number.slice(-4), how) + around[1]]
    : [text];
};

/**
 * @param {string | null} value
 * @param {Notation} how
 * @returns {Percent}
 */
export const percent = (value, how) => {
  const down = +(value?.[0] === "-");
  const size = fixed(value?.slice(down) ?? "0", 2);
  const way = value === null ? 3 : /[1-9]/.test(size) ? down : 2;
  const direction = ["up", "down", "flat", "unknown"][way];
  return [
    how[2][way].replace("#", local(size, how)),
    "▲▼"[way] ?? "",
    word(direction, how),
    direction,
  ];
};

/**
 * @param {number} milliseconds
 * @param {Notation} how
 */
const age = (milliseconds, how) => {
  const seconds = Math.max(milliseconds, 0) / 1000;
  const unit = seconds < 60 ? 0 : seconds < 3600 ? 1 : seconds < 172800 ? 2 : 3;
  return how[3][unit].replace("#", digits(Math.floor(seconds / [1, 60, 3600, 86400][unit]), how));
};

/** @param {number} milliseconds */
export const iso = (milliseconds) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

/**
 * As of which second a price is, in UTC.
 * @param {number} milliseconds
 * @param {Notation} how
 */
export const moment = (milliseconds, how) =>
  how[5][1].replace("#", digits(iso(milliseconds).replace("T", " ").slice(0, 19), how));

/**
 * @param {string} state
 * @param {number | null} asOf
 * @param {number} now
 * @param {Notation} how
 */
export const status = (state, asOf, now, how) => {
  if (asOf === null || state === "unavailable") return word("unavailable", how);
  if (state === "live") return `${digits(iso(asOf).slice(11, 16), how)} UTC`;
  const old = age(now - asOf, how);
  return state === "held" || state === "disputed" ? `${word(state, how)} ${old}` : how[5][0].replace("#", old);
};
