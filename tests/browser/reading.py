"""What a reader sees of every kind at once, on a publisher's page: elements at the left, frames at the right.

A Reading holds as well what nobody may see: what a page threw or reported, and whom it asked.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

from tests.browser.conftest import Site
from tests.browser.every import options, pasted
from widgets.kinds import KINDS
from widgets.params import choices

HOST = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>Host</title>'
    "<style>body{{margin:8px;display:grid;grid-template-columns:640px 640px;gap:8px}}</style>{}"
)
# `marks`: how a quote says its state without words, a dot's colour or a tile's border; empty for none.
SEEN = """() => {
  const hosts = [...document.querySelectorAll("price-ticker")];
  const wrappers = hosts.length ? hosts.map((host) => host.shadowRoot?.querySelector(".pt")).filter(Boolean)
    : [...document.querySelectorAll(".pt")];
  // Something of it is inside the box.
  const shown = (part) => {
    const [own, box] = [part, part.closest(".box,.pt")].map((one) => one.getBoundingClientRect());
    return part.checkVisibility({ visibilityProperty: true }) && own.bottom > box.top && own.top < box.bottom;
  };
  const high = (part) => part.getBoundingClientRect().height;
  const mark = (root) => {
    const status = root.querySelector(".status");
    if (status) return shown(status) ? getComputedStyle(status, "::before").backgroundColor : "";
    const { stroke } = getComputedStyle(root.querySelector("rect"));
    return stroke === "none" ? "" : stroke;
  };
  return wrappers.map((wrapper) => {
    const { host } = wrapper.getRootNode();
    const roots = [wrapper, ...wrapper.querySelectorAll("[data-state]")]
      .filter((root) => root.dataset.priceTicker && shown(root));
    const ages = roots.flatMap((root) => [...root.querySelectorAll("[data-f=status]")]);
    return {
      kind: host?.getAttribute("kind") ?? location.pathname.split("/").at(-1),
      text: wrapper.innerText.replace(/\\s+/g, " ").trim(),
      states: roots.map((root) => root.dataset.state),
      ages: ages.map((part) => part.textContent.replace(/\\s+/g, " ")),
      marks: roots.map(mark),
      heights: [host ? high(host) : innerHeight, high(wrapper), high(wrapper.querySelector(".box"))],
      scrolls: !host && (document.documentElement.scrollWidth > innerWidth
        || document.documentElement.scrollHeight > innerHeight),
      moving: wrapper.getAnimations({ subtree: true }).filter((one) => one.playState === "running").length,
    };
  });
}"""
# Coming back is soon and always as soon; what is broken is told, and which timers run.
NOTED = """
  Math.random = () => 0.1;
  const timers = window.timers = new Set(), { setTimeout, setInterval, clearTimeout } = window;
  Object.assign(window, {
    reported: [],
    setTimeout(then, ms, ...more) {
      const id = setTimeout(() => { timers.delete(id); then(...more); }, ms);
      timers.add(id);
      return id;
    },
    setInterval(then, ms) { const id = setInterval(then, ms); timers.add(id); return id; },
    clearTimeout(id) { timers.delete(id); clearTimeout(id); },
    clearInterval(id) { timers.delete(id); clearTimeout(id); },
  });
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sample }) =>
    reported.push([violatedDirective, blockedURI, sample].join(" ")));
"""
NOTED += f"window.seen = {SEEN};"
EVERY = """([kinds, state, text]) => {
  const found = seen().filter(({ kind }) => kinds.includes(kind));
  return found[0] && found.every((one) => one.text.includes(text)
    && (!state || one.states[0] && one.states.every((said) => said === state)));
}"""
NEVER = re.compile(r"NaN|undefined|null|Infinity|\[object|Loading")
# What the browser itself says of a server that is away or has no such asset.
NETWORK = re.compile(r"Failed to load resource|WebSocket connection to|blocked by CORS policy")


class Seen(NamedTuple):
    """One widget. `states`, `ages` and `marks` are of the quotes in it that can be seen; `heights` in pixels
    of its place, itself and its box; `scrolls`: a frame has more than it shows; `moving`: animations."""

    kind: str
    text: str
    states: list[str]
    ages: list[str]
    marks: list[str]
    heights: list[float]
    scrolls: bool
    moving: int


class Reading:
    """A page with every kind on it. `rooms` are the heights that were reserved, in pixels."""

    def __init__(self, page: Page, body: str, rooms: Mapping[str, int], homes: set[str]) -> None:
        self.page = page
        self.body = body
        self.faults: list[str] = []
        self._rooms = rooms
        self._asked: set[str] = set()
        self._homes = homes
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", self._heard)
        page.on("request", lambda request: self._asked.add(urlsplit(request.url).netloc))
        page.on("websocket", lambda socket: self._asked.add(urlsplit(socket.url).netloc))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not NETWORK.search(message.text):
            self.faults.append(message.text)

    async def seen(self) -> list[Seen]:
        """All of them, in the page and in its frames: never blank or nonsense, never out of their room."""
        every = [Seen(**one) for frame in self.page.frames for one in await frame.evaluate(SEEN)]
        assert {one.kind for one in every} == set(KINDS)
        for one in every:
            assert one.text, one
            assert not NEVER.search(one.text), one
            assert set(one.heights) == {self._rooms[one.kind]}, one
            assert not one.scrolls, one
        return every

    async def until(self, state: str = "", text: str = "", without: str = "") -> list[Seen]:
        """Waits until every quote of every widget is in this state, and every widget has this text; but those
        of one kind need not."""
        for frame in self.page.frames:
            if without and urlsplit(frame.url).path.endswith(f"/{without}"):
                continue
            if frame.parent_frame or "<price-ticker" in self.body:
                kinds = [kind for kind in KINDS if kind != without]
                await frame.wait_for_function(EVERY, arg=[kinds, state, text], timeout=20_000)
        return await self.seen()

    async def end(self) -> None:
        """Nothing was thrown, no policy was broken, nobody else was asked."""
        for frame in self.page.frames:
            self.faults += await frame.evaluate("window.reported ?? []")
        assert self.faults == []
        assert self._asked - {""} <= self._homes


@asynccontextmanager
async def reading(
    browser: Browser,
    publisher: Site,
    home: str,
    *forms: str,
    asset: str = "bitcoin",
    more: str = "talus",
    edit: Callable[[str], str] = str,
    headers: Mapping[str, str] | None = None,
    prepare: Callable[[BrowserContext], Awaitable[object]] | None = None,
    high: int = 1700,
    **context_options: Any,
) -> AsyncIterator[Reading]:
    """A page of the publisher's with every kind in these forms as its snippets have it, of the service at
    `home`: `edit` changes it. Lists show two assets. It is opened, and looked through at the end."""
    rooms, codes = {}, []
    for kind, found in KINDS.items():
        lists = any(choice.name == "assets" for choice in choices(found.options))
        said = {"assets": f"{asset},{more}".strip(",")} if lists else {}
        rooms[kind] = found.size(options(kind, asset, **said)).height
        codes += [f"<div>{pasted(publisher, form, kind, asset, **said)}</div>" for form in forms]  # type: ignore[arg-type]
    body = edit(HOST.format("".join(codes).replace(publisher.url, home)))
    publisher.hosted["reading"], publisher.headers["reading"] = body, dict(headers or {})
    # What is off screen sleeps, so all of it is on screen.
    context = await browser.new_context(viewport={"width": 1304, "height": high}, **context_options)
    await context.add_init_script(NOTED)
    if prepare is not None:
        await prepare(context)
    page = await context.new_page()
    address = f"http://localhost:{publisher.port}/host/reading"
    found_there = Reading(page, body, rooms, {urlsplit(url).netloc for url in (home, publisher.url, address)})
    try:
        await page.goto(address)
        yield found_there
        await found_there.end()
    finally:
        await context.close()
