/** The copy buttons of the hosted pages. Without script they are not there, and the text can still be selected. */

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("button[data-copy]"))) {
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
