"""`prev` never lies: readers that are kicked, paused and come back always end with the server's book.

Random walks over a running service: websockets in JSON and in MessagePack, deflated or not, and event
streams, each with a model of FEED's rules that fails on the first frame that breaks one.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.flows.conftest import HandClock, Stand, standing

STEPS = 60


class Held:
    """What a reader holds by FEED's rules; a frame that breaks one is an AssertionError."""

    def __init__(self) -> None:
        self.epoch = ""
        self.seq = -1
        self.quotes: dict[str, Any] = {}
        self.recovered = 0

    @property
    def since(self) -> str:
        return f"&since={self.epoch}:{self.seq}" if self.epoch else ""

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "snapshot":
            assert message["seq"] >= self.seq or message["epoch"] != self.epoch
            if not message["recovered"]:
                self.quotes = {}
            self.recovered += message["recovered"]
            self.epoch, self.seq = message["epoch"], message["seq"]
            self.quotes |= message["quotes"]
        elif message["type"] == "update":
            assert message["prev"] <= self.seq, "a gap"
            assert message["seq"] > self.seq, "an older frame after a newer one"
            for asset, quote in message["quotes"].items():
                assert quote["seq"] <= message["seq"]
                assert quote["seq"] > message["prev"], f"{asset} had not changed"
            self.seq = message["seq"]
            self.quotes |= message["quotes"]


class Link(Protocol):
    """A reader's connection: opens with what it holds, reads till told to stop or thrown out."""

    held: Held

    async def live(self, stand: Stand, query: str) -> None: ...


class Socket:
    def __init__(self, subprotocol: str | None, *, deflate: bool) -> None:
        self.held = Held()
        self._offered = [Subprotocol(subprotocol)] if subprotocol else None
        self._compression = "deflate" if deflate else None

    async def live(self, stand: Stand, query: str) -> None:
        address = f"{stand.service.url.replace('http', 'ws')}/v1/feed?{query}{self.held.since}"
        connected = open_websocket(
            address, subprotocols=self._offered, compression=self._compression, close_timeout=1
        )
        with suppress(ConnectionClosed):
            async with connected as socket:
                await self._read(socket)

    async def _read(self, socket: ClientConnection) -> None:
        async for said in socket:
            decode = msgspec.msgpack.decode if isinstance(said, bytes) else json.loads
            self.held.take(decode(said))


class Events:
    def __init__(self) -> None:
        self.held = Held()

    async def live(self, stand: Stand, query: str) -> None:
        address = urlsplit(stand.service.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        try:
            # What EventSource does: the last id in a header, which comes before the address's.
            last = f"Last-Event-ID: {self.held.epoch}:{self.held.seq}\r\n" if self.held.epoch else ""
            head = f"GET /v1/stream?{query}&since=zzz:1 HTTP/1.1\r\nHost: {address.netloc}\r\n{last}\r\n"
            writer.write(head.encode())
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            await self._read(reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            event = (await reader.readuntil(b"\n\n")).decode()
            fields = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
            if "data" in fields:
                self.held.take(message := json.loads(fields["data"]))
                if "id" in fields:
                    assert fields["id"] == f"{self.held.epoch}:{message['seq']}"


def links() -> list[Link]:
    return [
        Socket(None, deflate=False),
        Socket("ticker.v1.json", deflate=True),
        Socket("ticker.v1.msgpack", deflate=False),
        Socket("ticker.v1.msgpack", deflate=True),
        Events(),
        Events(),
    ]


QUERIES = ("assets=*&interval=250", "assets=talus,bitcoin", "assets=*&interval=5000", "assets=tether")


class Reader:
    """One link that lives on, whatever happens to its connection."""

    def __init__(self, stand: Stand, link: Link, query: str) -> None:
        self.link = link
        self.query = query
        self._stand = stand
        self._life: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self._life is None or self._life.done():
            if self._life is not None:
                self._life.result()
            self._life = asyncio.create_task(self.link.live(self._stand, self.query))

    async def go(self) -> None:
        if self._life is not None and not self._life.done():
            self._life.cancel()
            with suppress(asyncio.CancelledError):
                await self._life
        self._life = None


async def even(stand: Stand, readers: list[Reader]) -> None:
    """Until every reader holds what the book does."""
    async with asyncio.timeout(10):
        while True:
            truth = await stand.quotes()
            if all(
                reader.link.held.quotes.get(asset) == {k: v for k, v in quote.items() if k != "asset"}
                for reader in readers
                for asset, quote in truth.items()
                if asset in reader.query or "assets=*" in reader.query
            ):
                return
            for reader in readers:
                reader.begin()
            await stand.clock.advance(0.25)
            await asyncio.sleep(0.01)


@asynccontextmanager
async def readers_of(stand: Stand, rng: random.Random) -> AsyncIterator[list[Reader]]:
    readers = [Reader(stand, link, rng.choice(QUERIES)) for link in links()]
    try:
        yield readers
    finally:
        for reader in readers:
            await reader.go()
        async with asyncio.timeout(5):
            while len(stand.service.feed):  # noqa: ASYNC110  # nobody tells when the last has gone
                await asyncio.sleep(0.01)


async def trouble(stand: Stand, readers: list[Reader], rng: random.Random) -> None:
    """Time passes, or something happens to a session."""
    sessions = list(stand.service.feed._sessions)
    match rng.choice(("tick", "tick", "tick", "kick", "leave", "pause")):
        case "kick" if sessions:
            rng.choice(sessions).abort()
        case "leave":
            await rng.choice(readers).go()
        case "pause" if sessions and (session := rng.choice(sessions)).lagging_since is None:
            # As the transport does above its high-water mark, and below its low one.
            session.lag()
            await stand.clock.advance(6)
            session.resume_writing()
        case _:
            await stand.clock.advance(rng.choice((0.25, 1, 6)))


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_is_kicked_paused_or_leaves_ends_with_the_server_s_book(
    clock: HandClock, seed: int
) -> None:
    rng = random.Random(seed)
    async with standing(clock) as stand, readers_of(stand, rng) as readers:
        for _ in range(STEPS):
            for reader in readers:
                if rng.random() < 0.5:
                    reader.begin()
            await asyncio.sleep(0.005)
            await trouble(stand, readers, rng)
        await even(stand, readers)
        assert sum(reader.link.held.recovered for reader in readers) > 0
