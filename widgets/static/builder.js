/**
 * The builder follows each change: it asks for its own page with the form's values and puts what differs in place.
 * Without script the form's button does the same. Copying works without a clipboard, too: the text is selected.
 */

const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form.options"));
const room = /** @type {HTMLElement} */ (document.querySelector(".frames"));
const slider = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-width]"));

/** @type {AbortController | undefined} */
let asking;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let later;

/** As wide as the reader wants it. @param {Element | null} frame */
const widen = (frame) => {
  if (!slider?.dataset.moved) return;
  frame?.setAttribute("width", slider.value);
  /** @type {HTMLOutputElement} */ (slider.nextElementSibling).value = `${slider.value} px`;
};

/** On a light or a dark ground a widget that follows the reader's system is shown as it is there. */
const dress = (/** @type {HTMLIFrameElement} */ frame) => {
  frame.dataset.said ??= frame.getAttribute("src") ?? "";
  const { said } = frame.dataset;
  const ground = document.querySelector("[name=ground]:checked")?.getAttribute("value") ?? "";
  frame.setAttribute("src", /light|dark/.test(ground) && !/[?&]theme=/.test(said) ? `${said}&theme=${ground}` : said);
};

/** The old frame stays until the new one is there, so that nothing flashes. @param {HTMLIFrameElement} fresh */
const preview = (fresh) => {
  const old = /** @type {HTMLIFrameElement} */ (room.lastElementChild);
  dress(fresh);
  widen(fresh);
  const same = ["src", "width", "height"].every((name) => old.getAttribute(name) === fresh.getAttribute(name));
  if (same) return;
  for (const former of [...room.children].slice(0, -1)) former.remove();
  fresh.onload = () => {
    while (fresh.previousElementSibling) fresh.previousElementSibling.remove();
  };
  room.append(fresh);
};

/** @param {Document} page */
const show = (page) => {
  /** @param {string} what @returns {HTMLElement | null} */
  const fresh = (what) => page.querySelector(what);
  for (const note of document.querySelectorAll(".error")) {
    const text = fresh(`#${note.id}`)?.textContent ?? "";
    note.textContent = text;
    const field = note.closest(".field")?.querySelector("[aria-describedby]");
    if (text) field?.setAttribute("aria-invalid", "true");
    else field?.removeAttribute("aria-invalid");
  }
  const frame = fresh(".frames iframe");
  if (frame) preview(/** @type {HTMLIFrameElement} */ (document.adoptNode(frame)));
  for (const part of document.querySelectorAll("[data-follows]")) {
    const other = fresh(`#${part.id}`);
    if (!other || other.innerHTML === part.innerHTML) continue;
    const opened = [...part.querySelectorAll("details[open]")].map((one) => one.id);
    for (const id of opened) other.querySelector(`#${id}`)?.setAttribute("open", "");
    part.replaceChildren(...other.childNodes);
  }
  ready();
document.addEventListener("load", weigh, true);
  widen(slider);
};

const follow = async () => {
  if (!form) return;
  asking?.abort();
  asking = new AbortController();
  const query = new URLSearchParams(/** @type {any} */ (new FormData(form)));
  try {
    const answer = await fetch(`${form.action}?${query}`, { signal: asking.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const address = page.querySelector("form.options")?.getAttribute("data-address");
    if (!address) return;
    show(page);
    if (answer.ok) history.replaceState(null, "", address);
  } catch {
    // Asked again with the next change; until then what was shown last stays.
  }
};

/** What a picture weighs is known once it is there. */
const weigh = (/** @type {Event} */ { target }) => {
  if (!(target instanceof HTMLImageElement)) return;
  const [entry] = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByName(target.src)).slice(-1);
  const note = target.closest("details")?.querySelector("small");
  if (note && entry?.encodedBodySize) note.textContent = `${(entry.encodedBodySize / 1000).toFixed(1)} KB in 1 request`;
};

/** Buttons are of use with script only. */
const ready = () => {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-copy]"))) button.hidden = false;
};

form?.addEventListener("input", () => {
  clearTimeout(later);
  later = setTimeout(follow, 200);
});
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  follow();
});
document.querySelector(".grounds")?.addEventListener("change", ({ target }) => {
  const copy = /** @type {HTMLIFrameElement} */ (room.lastElementChild?.cloneNode());
  if (/** @type {HTMLInputElement} */ (target).name === "ground") preview(copy);
});
slider?.addEventListener("input", () => {
  slider.dataset.moved = "1";
  widen(room.lastElementChild);
});
document.addEventListener("click", async ({ target }) => {
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("[data-copy]"));
  const code = document.getElementById(button?.dataset.copy ?? "");
  if (!button || !code) return;
  getSelection()?.selectAllChildren(code);
  try {
    await navigator.clipboard.writeText(code.textContent ?? "");
    button.textContent = "Copied";
  } catch {
    button.textContent = "Selected"; // one key away from the clipboard, where a page may not write to it
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
});
ready();
document.addEventListener("load", weigh, true);
