"""A small server for the browser tests: the real widget routes over a board and a feed that tests command."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from aiohttp import WSMsgType, web
from playwright.async_api import Browser, Page, async_playwright

from ticker.clock import SystemClock
from ticker.model import Asset, Basis, Change, Observation, Pair, Quote, State, Window
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


def change(percent: str | None, window: Window = Window.DAY, basis: Basis = Basis.ROLLING) -> Change | None:
    return None if percent is None else Change(Decimal(percent), window, basis)


class FakeBoard:
    """Quotes the test sets; each setting is a new version."""

    def __init__(self, now: int) -> None:
        self.epoch, self.seq = "k3f9", 100
        self.assets = {asset.id: asset for asset in ASSETS}
        self._quotes = {
            asset.id: Quote(asset=asset.id, symbol=asset.symbol, name=asset.name, currency="USD")
            for asset in ASSETS
        }
        self.set("talus", price="0.01021", change="0.19", as_of=now)
        self.set("bitcoin", price="73384.8", change="-1.43", as_of=now)
        self.set("pepe", price="0.000008412", change="4.1", as_of=now)
        self.set("long", price="1234567.89", change="-12.34", as_of=now)

    def quote(self, asset_id: str) -> Quote:
        return self._quotes[asset_id]

    def quotes(self) -> list[Quote]:
        return list(self._quotes.values())

    def observations(self, asset_id: str) -> list[Observation]:
        quote = self._quotes[asset_id]
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

    def set(self, asset: str, *, price: str | None = None, change: str | None = None, **fields: Any) -> Quote:
        self.seq += 1
        fields.setdefault("state", State.LIVE if price else State.UNAVAILABLE)
        if price:
            fields["price"] = Decimal(price)
        if change:
            fields["change_24h"] = Change(Decimal(change), Window.DAY, Basis.ROLLING)
        self._quotes[asset] = msgspec.structs.replace(self._quotes[asset], seq=self.seq, **fields)
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
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.add_routes(routes(self.board, None, self.clock))
        app.add_routes([web.get("/v1/feed", self._feed), web.get("/host/{name}", self._host)])
        app.router.add_static("/static", "widgets/static")
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, "127.0.0.1", self.port, reuse_address=True
        )  # a restart comes back here
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for socket in list(self.sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()

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

    async def until(self, true: Any) -> None:
        """Waits until the browser has done what the test expects of it."""
        async with self.changed, asyncio.timeout(10):
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


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    await site.start()
    yield site
    await site.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    if not shutil.which(CHROMIUM) and "CI" not in os.environ:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    page = await browser.new_page(viewport={"width": 800, "height": 600})
    page.set_default_timeout(10_000)
    await page.add_init_script(
        "Math.random = () => 0.1"
    )  # the jitter of reconnecting, short and always the same
    yield page
    await page.close()
