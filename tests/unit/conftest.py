"""What several unit tests need: a clock turned by hand, short ways to write the nouns, and a server that
plays the feed from a script, over a real websocket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.unit.pages_site import open_site  # noqa: F401 - a fixture of two files
from ticker.model import Asset, Basis, Change, Pair, Tick, Window

NOW = 1_790_000_000_000


class ManualClock:
    """Time stands still until `advance`; whoever sleeps wakes when it has come."""

    def __init__(self, now: int = NOW) -> None:
        self.time = now
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.time / 1000

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.time + int(seconds * 1000), woken))
        self.advance(0)
        await woken.wait()

    def advance(self, ms: int) -> None:
        self.time += ms
        for until, woken in self._sleepers:
            if until <= self.time:
                woken.set()
        self._sleepers = [(until, woken) for until, woken in self._sleepers if until > self.time]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def pair(ref: str, quote: str = "USD") -> Pair:
    """`mexc:USUSDT` as a Pair quoted in `quote`; the base doesn't matter here."""
    venue, _, symbol = ref.partition(":")
    return Pair(venue, symbol, "BASE", quote)


def asset(name: str, *pairs: Pair) -> Asset:
    return Asset(name, name.upper(), name.title(), pairs)


def tick(of: Pair, price: str | Decimal, *, age: int = 0, now: int = NOW, **more: Any) -> Tick:
    """An observation received at `now` that the venue dated `age` ms before; negative is the future."""
    return Tick(pair=of, price=Decimal(price), as_of=now - age, seen=now, **more)


def day(percent: str, basis: Basis = Basis.ROLLING, window: Window = Window.DAY) -> Change:
    return Change(Decimal(percent), window, basis)


# The feed, as a server plays it

Script = Callable[[ServerConnection], Awaitable[None]]


class Upstream:
    """A server that runs one script a connection, the last one again and again; HTTP answers come first."""

    def __init__(self, *scripts: Script, statuses: Sequence[tuple[int, bytes]] = ()) -> None:
        self.queries: list[dict[str, str]] = []
        self.authorizations: list[str | None] = []
        self._scripts = scripts
        self.statuses = list(statuses)
        self.url = ""

    async def __call__(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        asked = parse_qs(urlsplit(connection.request.path).query)
        self.queries.append({key: value for key, (value,) in asked.items()})
        self.authorizations.append(connection.request.headers.get("Authorization"))
        await self._scripts[min(len(self.queries), len(self._scripts)) - 1](connection)

    def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        if not self.statuses:
            return None
        status, body = self.statuses.pop(0)
        return Response(status, "", Headers({"Content-Length": str(len(body))}), body)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Upstream]:
        async with asyncio.timeout(10), serve(self, "127.0.0.1", 0, process_request=self.answer) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self


def wire(price: str | None, seq: int = 1) -> dict[str, Any]:
    unknown = dict.fromkeys(
        ("change_1h", "change_24h", "change_7d", "change_24h_basis", "high_24h", "low_24h", "volume_24h")
    )
    return unknown | {
        "symbol": "US",
        "name": "Talus",
        "currency": "USD",
        "price": price,
        "market_cap": None,
        "as_of": NOW,
        "state": "live",
        "confidence": "single",
        "sources": 1,
        "seq": seq,
    }


def hello(heartbeat_ms: int = 15_000) -> dict[str, Any]:
    return {"type": "hello", "v": 1, "epoch": "k3f9", "seq": 5, "time": NOW, "heartbeat_ms": heartbeat_ms}


def snapshot(price: str, seq: int = 5, epoch: str = "k3f9", **more: Any) -> dict[str, Any]:
    quotes = {"talus": wire(price, seq)}
    return {"type": "snapshot", "id": None, "epoch": epoch, "seq": seq, "quotes": quotes} | more


def update(price: str, seq: int, prev: int) -> dict[str, Any]:
    return {"type": "update", "seq": seq, "prev": prev, "time": NOW, "quotes": {"talus": wire(price, seq)}}


def says(*messages: dict[str, Any], close: tuple[int, str] | None = None) -> Script:
    """Sends the messages, then closes as told, or waits for the client to go."""

    async def script(connection: ServerConnection) -> None:
        for message in messages:
            await connection.send(json.dumps(message))
        if close is not None:
            await connection.close(*close)
        await connection.wait_closed()

    return script
