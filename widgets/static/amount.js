/** How a large amount is written: the twin of format.py's compact. Widgets without such amounts do without it. */

import { fixed, local } from "./format.js";

/**
 * @param {string | null} value not negative
 * @param {string} currency
 * @param {import("./format.js").Notation} how
 */
export const compact = (value, currency, how) => {
  if (value === null) return "—";
  const [whole, part = ""] = value.split(".");
  /** @param {number} scale */
  const scaled = (scale) => {
    const cut = whole.length - 3 * scale;
    return fixed(`${whole.slice(0, cut) || "0"}.${whole.slice(cut).padStart(3 * scale, "0")}${part}`, 2);
  };
  let scale = Math.min(Math.floor((whole.length - 1) / 3), 4);
  if (scaled(scale).length > 6 && scale < 4) scale++;
  const number = local(scaled(scale), how) + ["", "K", "M", "B", "T"][scale];
  const pattern = currency === how[1][2] ? how[1][0] : "#";
  return (pattern === "#" ? `# ${currency}` : pattern).replace("#", number);
};
