"""The whole service over real sockets: a clock that the test moves, a stand, and a reader of the feed.

The service runs as in production; only its clock and the address of its venues are the test's. Nothing of
ours is patched. After each test no task and no socket may be left.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace
from websockets.frames import Frame, Opcode

from tests.flows.contract import check
from ticker.app import Service, running
from ticker.config import Config, Currency, load
from ticker.feed import Limits
from ticker.history import Options as HistoryOptions
from ticker.identity import AssetOptions
from ticker.market import Market, serving
from ticker.rates import Options as RateOptions
from ticker.sources.base import Options as SourceOptions
from ticker.web import Options as ServerOptions

# A shell that starts us in the background has it ignored, and so would the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

START = 1_790_000_123_456
UNLIMITED = Limits(sessions_per_address=0, handshakes_per_minute=0)
ASSETS = {
    "talus": AssetOptions(symbol="US", name="Talus", pairs=("mexc:USUSDT",)),
    "bitcoin": AssetOptions(symbol="BTC", name="Bitcoin", pairs=("binance:BTCUSDT", "coingecko:bitcoin")),
    "tether": AssetOptions(symbol="USDT", name="Tether", pairs=("coingecko:tether",)),
}
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class HandClock:
    """Time moves when the test says so, and the test goes on when everyone it woke sleeps again."""

    def __init__(self, start: int = START) -> None:
        self.ms = start
        self._sleepers: dict[asyncio.Task[Any], tuple[int, asyncio.Event]] = {}
        self._asleep = asyncio.Event()

    def now(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        task, wake = asyncio.current_task(), asyncio.Event()
        assert task is not None
        self._sleepers[task] = (self.ms + max(1, round(seconds * 1000)), wake)
        self._asleep.set()
        try:
            # Real seconds: nobody is to hang because a test went wrong and moves no clock any more.
            async with asyncio.timeout(8):
                await wake.wait()
        finally:
            self._sleepers.pop(task, None)

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once; returns when all whose time had come have done their work."""
        self.ms += round(seconds * 1000)
        due = {task: wake for task, (until, wake) in self._sleepers.items() if until <= self.ms}
        for task, wake in due.items():
            del self._sleepers[task]
            task.add_done_callback(lambda _: self._asleep.set())  # one that sleeps no more is done, too
            wake.set()
        async with asyncio.timeout(10):
            while any(task not in self._sleepers and not task.done() for task in due):
                self._asleep.clear()
                await self._asleep.wait()


def configured(base: str, *, timeout: float = 2, interval: float | None = None, **sections: Any) -> Config:
    """The built-in settings, three assets, each venue below `base`, nothing on disk; `sections` replace.

    `timeout` is a source's, in real seconds. A key gives CoinGecko's budget room for a test's hasty clock.
    """
    sources = {
        venue: SourceOptions(base_url=f"{base}/{venue}", timeout=timeout, interval=interval, key=key)
        for venue, key in (("binance", None), ("mexc", None), ("coingecko", "secret"))
    }
    own: dict[str, Any] = {
        "server": ServerOptions(listen="127.0.0.1:0"),
        "history": HistoryOptions(path=None, backfill=False),
        "assets": ASSETS,
        "sources": sources,
        "limits": UNLIMITED,
        "currency": Currency(rates=RateOptions(base_url=f"{base}/frankfurter")),
    }
    return replace(load(None, {}), **(own | sections))


class Stand:
    """A running service with its market and clock, and a client for each of its edges."""

    def __init__(
        self, service: Service, market: Market, clock: HandClock, http: aiohttp.ClientSession
    ) -> None:
        self.service = service
        self.market = market
        self.clock = clock
        self.http = http

    async def tick(self) -> None:
        """Every exchange is asked once more, and what changed is sent."""
        await self.clock.advance(6)
        await self.clock.advance(1)

    async def get(self, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
        async with self.http.get(self.service.url + path, headers=headers) as response:
            return response, await response.read()

    async def json(self, path: str) -> Any:
        response, body = await self.get(path)
        assert response.status == 200, body
        return json.loads(body)

    async def quotes(self) -> dict[str, Any]:
        return {quote["asset"]: quote for quote in (await self.json("/v1/quotes"))["quotes"]}

    def reading(self, query: str = "", *behind: bytes, **headers: str) -> Any:
        return reading(self.service.url, query, *behind, **headers)


@asynccontextmanager
async def standing(clock: HandClock, market: Market | None = None, **sections: Any) -> AsyncIterator[Stand]:
    """The service on made-up prices, each source asked once; when the block ends no session may be left."""
    market = market or Market(clock=clock)
    async with (
        serving(market) as base,
        aiohttp.ClientSession(headers={"Accept-Encoding": "identity"}, auto_decompress=False) as http,
        running(configured(base, **sections), clock=clock, rng=random.Random(1)) as service,
    ):
        await started(clock)
        yield Stand(service, market, clock, http)
        assert len(service.feed) == 0


async def started(clock: HandClock) -> None:
    """The first round of each source; again, for those whose rate came after them."""
    await asyncio.sleep(0)  # every part begins, and sleeps
    await clock.advance(0.1)
    await clock.advance(5.9)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(autouse=True)
async def nothing_left() -> AsyncIterator[None]:
    """No task outlives its test, and no socket."""
    sockets = open_sockets()
    yield
    await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others
    assert open_sockets() <= sockets


def open_sockets() -> set[str]:
    return set(_sockets())


def _sockets() -> Iterator[str]:
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(link)  # noqa: PTH115  # Path.readlink would make a path of "socket:[1]"
        except FileNotFoundError:  # the descriptor that lists them
            continue
        if target.startswith("socket:"):
            yield target


class Reader:
    """A subscriber that sees bytes: frames as they came, and those of its own it may spoil."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self.reader = reader
        self.writer = writer
        self.head = head
        self.leaving = False
        self.narrowed = False

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    def header(self, name: str) -> str | None:
        found = (line.partition(":") for line in self.head.splitlines()[1:])
        return next((value.strip() for key, _, value in found if key.lower() == name.lower()), None)

    async def frame(self) -> tuple[Opcode, bytes]:
        """The next frame, inflated where compression was agreed on (RFC 7692, 7.2.2)."""
        first, payload = await self.raw()
        assert first & 0xB0 == 0x80
        if first & 0x40:
            assert "permessage-deflate" in (self.header("Sec-WebSocket-Extensions") or "")
            payload = zlib.decompressobj(wbits=-15).decompress(payload + b"\x00\x00\xff\xff")
        return Opcode(first & 0x0F), payload

    async def raw(self) -> tuple[int, bytes]:
        """The next frame as it came (RFC 6455, 5.2): its first byte and its payload; never a masked one."""
        async with asyncio.timeout(5):
            first, second = await self.reader.readexactly(2)
            assert second < 0x80
            length = second
            if second == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif second == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first, await self.reader.readexactly(length)

    async def message(self, kind: str | None = None) -> dict[str, Any]:
        """The next message, of this type when given; others are passed over, and pings answered.

        Each is as `/asyncapi.json` describes it.
        """
        while True:
            opcode, payload = await self.frame()
            if opcode is Opcode.PING:
                self.put(Opcode.PONG, payload)
            elif opcode in (Opcode.TEXT, Opcode.BINARY):
                decode = json.loads if opcode is Opcode.TEXT else msgspec.msgpack.decode
                said: dict[str, Any] = decode(payload)
                check(said, narrowed=self.narrowed)
                if kind in (None, said["type"]):
                    return said
            else:
                raise AssertionError(f"{opcode!r} {payload!r} where {kind or 'a message'} was expected")

    async def until(self, kind: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while not wanted(said := await self.message(kind)):
            pass
        return said

    def put(self, opcode: Opcode, payload: bytes = b"", *, fin: bool = True) -> None:
        self.leaving |= opcode is Opcode.CLOSE
        self.writer.write(Frame(opcode, payload, fin).serialize(mask=True))

    def say(self, **command: Any) -> None:
        self.put(Opcode.TEXT, json.dumps(command).encode())

    async def ask(self, kind: str, **command: Any) -> dict[str, Any]:
        self.say(**command)
        return await self.message(kind)

    def pause(self) -> None:
        """Take nothing more from the socket."""
        self.transport.pause_reading()

    def resume(self) -> None:
        self.transport.resume_reading()

    @property
    def transport(self) -> asyncio.Transport:
        return cast("asyncio.Transport", self.writer.transport)

    async def closed(self) -> int:
        """Read up to the close frame, answer it, and see the end of the connection: its code."""
        opcode, payload = await self.frame()
        while opcode is not Opcode.CLOSE:
            opcode, payload = await self.frame()
        if not self.leaving:
            self.put(Opcode.CLOSE, payload[:2])
        async with asyncio.timeout(5):
            assert await self.reader.read() == b""
        return int.from_bytes(payload[:2], "big")

    async def leave(self) -> None:
        """The closing handshake, unless the server is gone already; then the end of the connection."""
        if self.status == 101 and not self.leaving:
            self.put(Opcode.CLOSE, struct.pack("!H", 1000))
        elif self.status != 101:
            self.writer.write_eof()
        with suppress(ConnectionError):
            async with asyncio.timeout(5):
                await self.reader.read()
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@asynccontextmanager
async def reading(url: str, query: str = "", *behind: bytes, **headers: str) -> AsyncIterator[Reader]:
    """A subscriber of the service at `url`; `behind` goes out in the same segment as the handshake."""
    address = urlsplit(url)
    assert address.hostname is not None
    lines = {"Host": address.netloc, **HANDSHAKE, **{k.replace("_", "-"): v for k, v in headers.items()}}
    request = f"GET /v1/feed?{query} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
    stream, writer = await asyncio.open_connection(address.hostname, address.port)
    reader = Reader(stream, writer, "")
    reader.narrowed = "fields=" in query
    try:
        writer.write(request.encode() + b"\r\n" + b"".join(behind))
        reader.head = (await stream.readuntil(b"\r\n\r\n")).decode()
        yield reader
    finally:
        await reader.leave()


def masked(text: str) -> bytes:
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=True)


def environment(**added: str) -> dict[str, str]:
    """This process's environment without settings of ours, and with the package in reach."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TICKER_")}
    return own | {"PYTHONPATH": str(Path(__file__).parents[2])} | added
