/**
 * How a price, a change and an age are written: the twin of format.py on decimal strings.
 * No value ever becomes a number with a binary point.
 */

/** @typedef {{ text: string, head: string, zeros: number, tail: string }} Price */
/** @typedef {{ text: string, arrow: string, word: string, direction: string }} Percent */

/** @type {Record<string, string | undefined>} */
export const SIGNS = {
  USD: "$", EUR: "€", GBP: "£", JPY: "¥", KRW: "₩", INR: "₹", CNY: "CN¥", BRL: "R$", AUD: "A$", CAD: "CA$",
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
  const digits = String(BigInt(all.slice(0, cut)) + (all[cut] >= "5" ? 1n : 0n)).padStart(places + 1, "0");
  return places ? `${digits.slice(0, -places)}.${digits.slice(-places)}` : digits;
};

/** @param {string} number */
export const grouped = (number) => {
  const [whole, part] = number.split(".");
  return whole.replace(/\B(?=(\d{3})+$)/g, ",") + (part ? `.${part}` : "");
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
 * @returns {Price}
 */
export const price = (value, currency) => {
  if (value === null) return { text: "unavailable", head: "—", zeros: 0, tail: "" };
  const minus = value[0] === "-" ? "−" : "";
  const size = value.slice(minus.length);
  const once = fixed(size, places(size, currency));
  const number = fixed(once, places(once, currency)).replace(/^([1-9]\d{0,2}\.\d\d\d*?)0+$/, "$1");
  const sign = minus + (SIGNS[currency] ?? "");
  const text = sign + grouped(number);
  const zeros = number.match(/^0\.(0{5,})[1-9]/)?.[1].length;
  return zeros
    ? { text, head: `${sign}0.0`, zeros, tail: number.slice(-4) }
    : { text, head: "", zeros: 0, tail: "" };
};

/**
 * @param {string | null} value
 * @returns {Percent}
 */
export const percent = (value) => {
  if (value === null) return { text: "—", arrow: "", word: "unknown", direction: "unknown" };
  const down = value[0] === "-";
  const text = `${grouped(fixed(down ? value.slice(1) : value, 2))}%`;
  if (!/[1-9]/.test(text)) return { text, arrow: "", word: "unchanged", direction: "flat" };
  return down
    ? { text: `−${text}`, arrow: "▼", word: "down", direction: "down" }
    : { text: `+${text}`, arrow: "▲", word: "up", direction: "up" };
};

/** @param {number} milliseconds */
export const age = (milliseconds) => {
  const seconds = Math.floor(Math.max(milliseconds, 0) / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
};

/** @param {number} milliseconds */
export const iso = (milliseconds) => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

/**
 * @param {string} state
 * @param {number | null} asOf
 * @param {number} now
 */
export const status = (state, asOf, now) => {
  if (asOf === null || state === "unavailable") return "unavailable";
  if (state === "live") return `${iso(asOf).slice(11, 16)} UTC`;
  const old = age(now - asOf);
  return state === "held" || state === "disputed" ? `${state} ${old}` : `${old} old`;
};
