"""A small server for the browser tests: the real widget routes over a board and a feed that tests command."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import WSMsgType, web
from playwright.async_api import Browser, Page, async_playwright
from pytest_asyncio import is_async_test

from tests.boards import Board
from tests.browser.scripted import Scripted
from ticker.clock import SystemClock
from ticker.model import Asset, Basis, Candle, Change, Observation, Pair, Quote, Window
from ticker.web import application, serving
from ticker.web.admission import Door
from widgets.routes import routes

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
]
ASSETS = (
    Asset("talus", "US", "Talus", (Pair("mexc", "USUSDT", "US", "USDT"),)),
    Asset("bitcoin", "BTC", "Bitcoin", (Pair("binance", "BTCUSDT", "BTC", "USDT"),)),
    Asset("pepe", "PEPE", "Pepe", (Pair("mexc", "PEPEUSDT", "PEPE", "USDT"),)),
    Asset("long", "LONGEST", "A Very Long Name of a Token & <b>Sons</b>", (Pair("mexc", "L", "L", "USDT"),)),
    Asset("quiet", "QT", "Quiet"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser belongs to the loop it was started in; so all that use it run in one."""
    for item in items:
        if Path(__file__).parent in item.path.parents and is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


class FakeBoard(Board):
    """The board of the browser tests, with a price of each asset but one."""

    def __init__(self, now: int) -> None:
        super().__init__(ASSETS, now=now)
        self.seq = 100
        self.set("talus", "0.01021", "0.19")
        self.set("bitcoin", "73384.8", "-1.43")
        self.set("pepe", "0.000008412", "4.1")
        self.set("long", "1234567.89", "-12.34")

    def observations(self, asset_id: str) -> list[Observation]:
        quote = self.quote(asset_id)
        if quote.price is None or quote.as_of is None:
            return []
        said = {
            "currency": "USDT",
            "price": quote.price,
            "change_24h": quote.change_24h,
            "as_of": quote.as_of,
        }
        reason = "older than 60 s"
        return [
            Observation(source="mexc", pair="USUSDT", used=True, **said),
            Observation(source="coingecko", pair="talus", used=False, reason=reason, **said),
        ]

    def lose(self, asset: str) -> Quote:
        """The quote as it is when no source has a price."""
        self.seq += 1
        known = self.assets[asset]
        self._quotes[asset] = Quote(
            asset=asset, symbol=known.symbol, name=known.name, currency="USD", seq=self.seq
        )
        return self._quotes[asset]


def on_the_wire(quote: Quote) -> dict[str, Any]:
    """FEED's quote object, written here a second time so that the script is held to the document."""

    def plain(value: Decimal | None) -> str | None:
        return None if value is None else f"{value:f}"

    said: dict[str, Any] = {
        "symbol": quote.symbol,
        "name": quote.name,
        "currency": quote.currency,
        "price": plain(quote.price),
        "as_of": quote.as_of,
        "state": quote.state.value,
        "seq": quote.seq,
        "confidence": "single",
        "sources": 1,
    }
    for field in ("change_1h", "change_24h", "change_7d"):
        moved = getattr(quote, field)
        said[field] = plain(moved.percent) if moved else None
    said["change_24h_basis"] = quote.change_24h.basis.value if quote.change_24h else None
    for field in ("high_24h", "low_24h", "volume_24h", "market_cap"):
        said[field] = plain(getattr(quote, field))
    if quote.assumed:
        said["conversion"] = "assumed"
    if quote.demo:
        said["demo"] = True
    return said


class Past:
    """A price that went up and down for ever, of every asset but one."""

    bitcoin = 73_000
    """The least one of bitcoin."""

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        step = interval * 1000
        starts = range(start + -start % step, end if asset != "quiet" else start, step)
        least = self.bitcoin if asset == "bitcoin" else 1000
        prices = [(Decimal(least + at // step % 71), Decimal(least + (at // step + 1) % 71)) for at in starts]
        return [
            Candle(asset, currency, interval, at, first, max(first, last), min(first, last), last)
            for at, (first, last) in zip(starts, prices, strict=True)
        ]


async def unavailable(_request: web.Request) -> web.Response:
    """The other ways, to whoever tried them while the service was stopped."""
    return web.Response(status=503)


class Site:
    """The service as a browser sees it. It can be stopped and started again on the same port."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.board = FakeBoard(self.clock.now())
        self.heartbeat_ms = 15_000
        self.hosted: dict[str, str] = {}
        self.headers: dict[str, dict[str, str]] = {}
        self.handshakes: list[str] = []
        self.commands: list[dict[str, Any]] = []
        self.sockets: set[web.WebSocketResponse] = set()
        self.changed = asyncio.Condition()
        self.past: Any = None
        self.port = 0
        self._serving = AsyncExitStack()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        door = Door()
        app = application(routes(self.board, door.public_url, self.clock, past=self.past), door)
        app.add_routes([web.get("/v1/feed", self._feed), web.get("/host/{name}", self._host)])
        app.add_routes([web.get("/v1/stream", unavailable), web.get("/v1/quotes", unavailable)])
        app.router.add_static("/static", "widgets/static")
        # A restart comes back where it was.
        url = await self._serving.enter_async_context(serving(app, f"127.0.0.1:{self.port}"))
        self.port = int(url.rpartition(":")[2])

    async def stop(self) -> None:
        for socket in list(self.sockets):
            await socket.close()
        await self._serving.aclose()

    async def publish(self, asset: str, **fields: Any) -> None:
        before = self.board.seq
        quote = self.board.set(asset, **fields)
        await self.send("update", quotes=[quote], prev=before)

    async def send(self, kind: str, *, quotes: list[Quote] | None = None, **fields: Any) -> None:
        frame = self.frame(kind, quotes=quotes, **fields)
        for socket in list(self.sockets):
            await socket.send_json(frame)

    def frame(self, kind: str, *, quotes: list[Quote] | None = None, **fields: Any) -> dict[str, Any]:
        frame = {"type": kind, "seq": self.board.seq, "time": self.clock.now(), **fields}
        if quotes is not None:
            frame["quotes"] = {quote.asset: on_the_wire(quote) for quote in quotes}
        return frame

    async def until(self, true: Any, seconds: float = 10) -> None:
        """Waits until the browser has done what the test expects of it."""
        async with self.changed, asyncio.timeout(seconds):
            await self.changed.wait_for(true)

    async def _notice(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _host(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.Response(
            text=self.hosted[name], content_type="text/html", headers=self.headers.get(name, {})
        )

    async def _feed(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assets = request.query["assets"].split(",")
        self.handshakes.append(request.query_string)
        hello = {"v": 1, "epoch": self.board.epoch, "heartbeat_ms": self.heartbeat_ms}
        await socket.send_json(self.frame("hello", **hello))
        await self._snapshot(socket, assets, request.query.get("since", ""))
        self.sockets.add(socket)
        await self._notice()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._command(socket, message.json(), assets)
        finally:
            self.sockets.discard(socket)
            await self._notice()
        return socket

    async def _command(self, socket: web.WebSocketResponse, command: dict[str, Any], held: list[str]) -> None:
        self.commands.append(command)
        if command["op"] == "resync":
            await self._snapshot(socket, held, "")
            return
        await socket.send_json({"type": "ack", "op": command["op"], "assets": command["assets"]})
        if command["op"] == "subscribe":
            await self._snapshot(socket, command["assets"], "")
        await self._notice()

    async def _snapshot(self, socket: web.WebSocketResponse, assets: list[str], since: str) -> None:
        epoch, _, seq = since.partition(":")
        recovered = epoch == self.board.epoch
        quotes = [self.board.quote(asset) for asset in assets]
        if recovered:
            quotes = [quote for quote in quotes if quote.seq > int(seq)]
        said = {"epoch": self.board.epoch, "recovered": recovered}
        await socket.send_json(self.frame("snapshot", quotes=quotes, **said))


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.start()
    yield site
    await site.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def server() -> AsyncIterator[Scripted]:
    """A feed that says what the test tells it to."""
    server = Scripted()
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser, in which each test has contexts of its own."""
    if not shutil.which(CHROMIUM) and "CI" not in os.environ:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 800, "height": 600})
    page.set_default_timeout(10_000)
    await page.add_init_script(
        "Math.random = () => 0.1"
    )  # the jitter of reconnecting, short and always the same
    yield page
    await page.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncIterator[Site]:
    """One service with a past, in which every figure is known. Quotes are as the test before left them."""
    site = Site()
    site.past = Past()
    for asset, price in (("talus", "0.01021"), ("bitcoin", "73384.8")):
        money, percent = Decimal(price), Decimal("-1.43")
        said = {"high_24h": money * 2, "low_24h": money / 2, "volume_24h": money * 1000}
        moved = {"change_1h": Change(percent, Window.HOUR, Basis.ROLLING)}
        moved |= {"change_7d": Change(-percent, Window.WEEK, Basis.ROLLING)}
        site.board.set(asset, market_cap=money * 10**7, **said, **moved)
    await site.start()
    yield site
    await site.stop()
