/**
 * What only the hosted pages do: large amounts, and copy buttons. Without script the amounts are as they were when
 * the page was asked for, and the text can still be selected.
 */

import { compact } from "./amount.js";
import { notation } from "./format.js";

addEventListener("update", (event) => {
  const root = /** @type {HTMLElement} */ (event.target);
  const { quote } = /** @type {CustomEvent<{ quote: import("./types.d.ts").Values }>} */ (event).detail;
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-amount]"))) {
    const name = /** @type {"volume_24h" | "market_cap"} */ (part.dataset.amount);
    part.textContent = compact(quote[name], quote.currency, notation(root));
  }
});

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-copy]"))) {
  const code = document.getElementById(button.dataset.copy ?? "");
  button.hidden = false;
  button.onclick = async () => {
    if (!code) return;
    getSelection()?.selectAllChildren(code);
    // The clipboard is there in secure contexts only; elsewhere the selected text is one key away.
    if (!navigator.clipboard) return;
    await navigator.clipboard.writeText(code.textContent ?? "");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  };
}
