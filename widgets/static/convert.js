/** How much an amount is worth, and the other way round: exact on decimal strings, with no binary point anywhere. */

import { pointed } from "./format.js";

/** Its digits, and how many of them are decimals. @param {string} value @returns {[bigint, number]} */
const parts = (value) => {
  const [whole, part = ""] = value.split(".");
  return [BigInt(whole + part), part.length];
};

/** The exact product of two decimals that aren't negative. @type {(one: string, other: string) => string} */
export const multiply = (one, other) => {
  const [digits, places] = parts(one);
  const [more, after] = parts(other);
  return pointed(digits * more, places + after);
};

/**
 * The quotient of two decimals that aren't negative, to eight significant digits, rounded half up.
 * @type {(one: string, other: string) => string}
 */
export const divide = (one, other) => {
  const [digits, places] = parts(one);
  const [by, after] = parts(other);
  // Enough digits to round, whatever the two are: no price has fifty.
  const all = String((digits * 10n ** 60n) / by);
  const rounded = BigInt(all.slice(0, 8)) + (all[8] > "4" ? 1n : 0n);
  const right = 68 + places - after - all.length;
  return right > 0 ? pointed(rounded, right).replace(/\.?0+$/, "") : rounded + "0".repeat(-right);
};

/**
 * A number as the locale writes it, else in plain notation, as converter.py reads it; undefined for anything else.
 * @param {string} text
 * @param {import("./format.js").Notation} how
 */
export const typed = (text, [[zero, point, group]]) => {
  let said = text.replace(/\s/g, "");
  for (let digit = 0; digit < 10; digit++)
    said = said.replaceAll(String.fromCharCode(zero.charCodeAt(0) + digit), `${digit}`);
  if (RegExp(`^(\\d*|\\d{1,3}(\\${group}\\d{2,3})*\\${group}\\d{3})(\\${point}\\d*)?$`).test(said))
    said = said.replaceAll(group, "").replace(point, ".");
  return /^(\d+\.?\d*|\.\d+)$/.test(said) ? said : undefined;
};
