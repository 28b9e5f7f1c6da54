"""Hostile texts in every option of every kind, in names, symbols, sources' words and the Host header.

Nothing of them runs, nothing of them is asked for, and the widget keeps its place.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from html import escape
from itertools import islice
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Page
from yarl import URL

from tests.boards import Board
from tests.browser.conftest import Past, Site
from tests.browser.every import FORMS, HOST, options, pasted, reserved
from ticker.model import Asset, Observation, Pair, State
from widgets.kinds import KINDS
from widgets.params import choices

pytestmark = pytest.mark.browser

TEXTS = (
    '"><img src=//evil.test onerror=__ran=1>',
    "</script><script>__ran=1</script>",
    "</style><script>__ran=1</script>",
    "--><svg/onload=__ran=1>",
    "' onload='__ran=1' x='",
    "` onmouseover=__ran=1 `",
    "javascript:__ran=1",
    "//evil.test/",
    "{{7*7}}${7*7}",
    "}*{background:url(//evil.test)}",
    "\u202eab\u202ecd\u2066",
    "one\ntwo\r\n\tthree",
    "a\x00b",
    "A" * 10_000,
)


SHOWN = """[...document.querySelectorAll("price-ticker")].every(
  (one) => one.shadowRoot && !one.shadowRoot.textContent.includes("Loading"))"""
# Of a document of ours or a picture that is well formed; a picture by itself is as large as it is.
HEIGHTS = "[...document.querySelectorAll('price-ticker')].map((one) => one.offsetHeight)"
HOLDS = """() => window.__ran === undefined && !document.querySelector("parsererror") &&
  (document.querySelector(":root > title") || document.documentElement.scrollWidth <= innerWidth)"""


class Tried(NamedTuple):
    """A text in an option. `accepted`: it is shown, else a message is."""

    kind: str
    said: dict[str, str]
    accepted: bool

    def address(self, site: Site) -> str:
        return f"{site.url}/widgets/{self.kind}?{urlencode(self.said)}"

    def element(self) -> str:
        said = "".join(f' {name}="{escape(text)}"' for name, text in self.said.items())
        return f'<price-ticker kind="{self.kind}"{said}></price-ticker>'

    def frame(self, site: Site) -> str:
        size, source = reserved(self.kind), escape(self.address(site))
        return f'<iframe src="{source}" width="{size.width}" height="{size.height}"></iframe>'


async def tried(site: Site) -> list[Tried]:
    """Every text in every option of every kind; of those that get the very same answer the first."""
    answers: dict[tuple[int, bytes], Tried] = {}
    async with ClientSession() as session:

        async def ask(kind: str, said: dict[str, str]) -> None:
            url = URL(f"{site.url}/widgets/{kind}?{urlencode(said)}", encoded=True)
            async with session.get(url) as answer:
                assert answer.status in (200, 400, 404, 414), url
                one, body = Tried(kind, said, answer.status == 200), await answer.read()
                # One that is too long is refused before it is read, in the same way for all.
                known = body if answer.content_type == "text/html" else b""
                answers.setdefault((answer.status, known), one)

        for kind in KINDS:
            asks = {choice.name for choice in choices(KINDS[kind].options)}
            whole = {"asset": "bitcoin"} if "asset" in asks else {}
            await asyncio.gather(
                *(ask(kind, whole | {"live": "0", name: text}) for name in asks for text in TEXTS)
            )
    return list(answers.values())


def few(codes: Sequence[Tried]) -> Iterator[list[Tried]]:
    rest = iter(codes)
    while taken := list(islice(rest, 60)):
        yield taken


# What the settings refuse in names.
REFUSED = dict.fromkeys(range(32))


class Watched:
    """A page that remembers what should never be: a dialog, a request to another host, a word of a policy."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site, self.page = site, page
        self.wrong: list[str] = []
        page.on("dialog", lambda dialog: self.wrong.append(dialog.message))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.on("console", lambda message: self._said(message.text))

    def _asked(self, url: str) -> None:
        if urlsplit(url).scheme in ("http", "https", "ws") and urlsplit(url).port != self.site.port:
            self.wrong.append(url)

    def _said(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.wrong.append(text)

    async def show(self, codes: str) -> None:
        self.site.hosted["hostile"] = HOST.format(codes)
        await self.page.goto(f"http://localhost:{self.site.port}/host/hostile")

    async def holds(self) -> None:
        """Nothing ran, in no frame, and no frame scrolls sideways."""
        seen = await asyncio.gather(*(frame.evaluate(HOLDS) for frame in self.page.frames))
        assert [frame.url for frame, held in zip(self.page.frames, seen, strict=True) if not held] == []
        assert self.wrong == []


@pytest_asyncio.fixture(loop_scope="session")
async def watched(stage: Site, browser: Browser) -> AsyncIterator[Watched]:
    page = await browser.new_page(viewport={"width": 900, "height": 9000})
    yield Watched(stage, page)
    await page.close()


async def test_options_run_nothing_and_keep_their_place(stage: Site, watched: Watched) -> None:
    everything = await tried(stage)
    assert len(everything) > 100
    for some in few(everything):
        await watched.show("".join(one.frame(stage) for one in some))
        frames = watched.page.frames[1:]
        highs = await asyncio.gather(
            *(frame.evaluate("document.documentElement.scrollHeight") for frame in frames)
        )
        for high, one in zip(highs, some, strict=True):
            assert high <= reserved(one.kind).height or not one.accepted, one
        await watched.holds()
    for some in few(everything):
        script = f'<script type="module" src="{stage.url}/embed.js"></script>'
        await watched.show(script + "".join(one.element() for one in some))
        await watched.page.wait_for_function(SHOWN)
        for high, one in zip(await watched.page.evaluate(HEIGHTS), some, strict=True):
            assert high == reserved(one.kind).height or not one.accepted, one
        await watched.holds()


class Evil(Board):
    """Every asset is called, and every source says, what nobody should."""

    def __init__(self, now: int) -> None:
        names = [text.translate(REFUSED)[:80] for text in TEXTS]
        super().__init__(
            [
                Asset(f"evil{at}", text[:24], text, (Pair("mexc", text, text, "USD"),))
                for at, text in enumerate(names)
            ],
            now=now,
        )
        for asset in self.assets:
            self.set(asset, "0.01021", "-3.5", state=State.STALE)

    def observations(self, asset_id: str) -> list[Observation]:
        name = self.assets[asset_id].name
        return [Observation(source=name, pair=name, used=False, reason=name, currency=name, price=None)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def evil() -> AsyncIterator[Site]:
    site = Site()
    site.past = Past()
    site.board = Evil(site.clock.now())  # type: ignore[assignment]
    await site.start()
    yield site
    await site.stop()


async def test_names_run_nothing_in_any_kind_and_form(evil: Site, browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 900, "height": 9000})
    watched = Watched(evil, page)
    for kind in KINDS:
        many = "asset" in {choice.name for choice in choices(KINDS[kind].options)}
        assets = list(evil.board.assets)[: None if many else 1]
        codes = [
            pasted(evil, form, kind, asset, **({} if form == "element" else {"live": "0"}))
            for asset in assets
            for form in FORMS
        ]
        # Opened by itself a picture is a document, in which a script would run.
        drawn = [f"asset={asset}" for asset in assets] + [
            urlencode({"asset" if many else "assets": text}) for text in TEXTS[:-1]
        ]
        codes += [f'<iframe src="{evil.url}/widgets/{kind}.svg?{said}"></iframe>' for said in drawn]
        await watched.show("".join(codes))
        await page.wait_for_function(SHOWN)
        high = KINDS[kind].size(options(kind, assets[0])).height
        assert set(await page.evaluate(HEIGHTS)) == {high}
        await watched.holds()
    await page.close()


async def test_names_and_sources_words_run_nothing_on_our_pages(evil: Site, browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 390, "height": 900})
    watched = Watched(evil, page)
    paths = ["/", "/gallery", *(f"/assets/{asset}" for asset in evil.board.assets)]
    for text in TEXTS[:-1]:
        said = urlencode({"q": text, "sort": text, "kind": text, "asset": text, "link": text, "range": text})
        paths += [f"/?q={quote(text)}", f"/builder?{said}", f"/assets/evil1?{said}"]
        paths += [f"/builder?asset=evil0&link={quote(text)}", f"/assets/{quote(text, safe='')}"]
    for path in paths:
        await page.goto(evil.url + path, wait_until="domcontentloaded")
        await watched.holds()
    await page.close()


@pytest.mark.parametrize(
    "host", ['"><script>__ran=1</script>', "a b", "evil.test;script-src *", "x\ty", "[::1", "é"]
)
async def test_host_that_is_none_is_refused_or_not_said(stage: Site, host: str) -> None:
    for path in (
        "/",
        "/assets/talus",
        "/widgets/quote?asset=talus",
        "/widgets/quote?asset=nope",
        "/builder",
        "/gallery",
        "/nope",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode()
        )
        answer = await reader.read()
        # A widget says nothing of where it is, so it need not know.
        status = b"HTTP/1.1 (200|404) " if path.startswith("/widgets/") else b"HTTP/1.1 400 "
        assert re.match(status, answer), (path, answer)
        assert host.encode() not in answer
        writer.close()
