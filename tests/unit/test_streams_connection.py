"""One connection against a scripted venue: what is handed on, when it ends, and what is said about it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from tests.unit.conftest import ManualClock
from ticker.errors import ConfigError, RateLimited, Refused, SourceError, Unreachable
from ticker.model import Pair, Tick
from ticker.poller import Poller
from ticker.sources import VENUES
from ticker.sources.base import Options
from ticker.sources.http import new_session
from ticker.sources.streams.binance import BinanceStream
from ticker.sources.streams.stream import FRAME_LIMIT, Connection

A, B = Pair("binance", "A", "A", "USDT"), Pair("binance", "B", "B", "USDT")


class Short(BinanceStream):
    """Binance's stream with a life of a minute and no other end."""

    life = 60
    silence = 1e6


class Bench:
    """A connection's listener, and the venue's end of the wire."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.batches: asyncio.Queue[dict[str, Tick]] = asyncio.Queue()
        self.troubles: asyncio.Queue[SourceError] = asyncio.Queue()
        self.opened: asyncio.Queue[None] = asyncio.Queue()
        self.sockets: asyncio.Queue[ServerConnection] = asyncio.Queue()
        self.heard: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.status = 101
        self.connection: Connection

    def take(self, _connection: Connection, ticks: Sequence[Tick]) -> None:
        self.batches.put_nowait({tick.pair.symbol: tick for tick in ticks})

    async def open(self) -> None:
        self.opened.put_nowait(None)

    async def serve(self, socket: ServerConnection) -> None:
        self.sockets.put_nowait(socket)
        async for frame in socket:
            self.heard.put_nowait(frame)

    def answer(self, _socket: ServerConnection, _request: Request) -> Response | None:
        return None if self.status == 101 else Response(self.status, "", Headers({"Content-Length": "0"}))

    async def passes_until(self, come: Callable[[], Awaitable[object]]) -> None:
        """Time goes by in quarters of a second until something has come."""
        coming = asyncio.ensure_future(come())
        async with asyncio.timeout(5):
            while not coming.done():
                self.clock.advance(250)
                await asyncio.sleep(0)
        await coming


@asynccontextmanager
async def connected(stream: type[BinanceStream] = BinanceStream, status: int = 101) -> AsyncIterator[Bench]:
    bench = Bench()
    bench.status = status
    async with serve(bench.serve, "127.0.0.1", 0, process_request=bench.answer) as server:
        bench.connection = Connection(
            stream,
            [A, B],
            f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            Options(timeout=2),
            bench.clock,
            random.Random(3),
            on_ticks=bench.take,
            on_open=bench.open,
            on_trouble=bench.troubles.put_nowait,
        )
        task = asyncio.create_task(bench.connection.run())
        try:
            async with asyncio.timeout(10):
                yield bench
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


REST: dict[str, str | None] = {"o": "1", "h": "1", "l": "1", "v": None, "q": "9"}


def ticker(symbol: str, price: str, rest: dict[str, str | None] = REST) -> str:
    data = {"E": 1_790_000_000_000, "s": symbol, "c": price, **rest}
    return json.dumps({"stream": symbol, "data": data})


async def test_a_field_that_is_no_longer_given_is_said_once_and_again_when_it_is_back(caplog):
    caplog.set_level("INFO", "ticker.sources.lapses")
    async with connected() as bench:
        socket = await bench.sockets.get()
        for price in ("1", "2"):
            await socket.send(ticker("A", price, {}))
            await bench.passes_until(bench.batches.get)
        assert bench.connection.missing == ("h", "l", "o", "q", "v")
        await socket.send(ticker("A", "3"))
        await bench.passes_until(bench.batches.get)
        assert bench.connection.missing == ()
    assert [record.message for record in caplog.records if record.name.startswith("ticker")] == [
        "Binance's stream: no row has h, l, o, q, v; the venue may have renamed it",
        "Binance's stream gives h, l, o, q, v again",
    ]


async def test_of_a_pair_only_the_latest_between_two_hand_overs_goes_on():
    async with connected() as bench:
        socket = await bench.sockets.get()
        await socket.send(ticker("A", "1"))
        assert {name: tick.price for name, tick in (await bench.batches.get()).items()} == {"A": 1}
        for price in range(2, 51):
            await socket.send(ticker("A", str(price)))
        await socket.send(ticker("B", "7"))
        while B not in bench.connection._latest:  # noqa: ASYNC110  # hand-overs are what may not happen here
            await asyncio.sleep(0)
        assert bench.batches.empty()
        bench.clock.advance(250)
        batch = await bench.batches.get()
        assert {name: tick.price for name, tick in batch.items()} == {"A": 50, "B": 7}
        assert not batch["A"].demo


async def test_what_came_last_before_the_end_is_handed_on():
    async with connected() as bench:
        socket = await bench.sockets.get()
        await socket.send(ticker("A", "1"))
        await bench.batches.get()
        await socket.send(ticker("A", "2"))
        await socket.close(1001)
        assert (await bench.batches.get())["A"].price == 2
        assert bench.troubles.empty()


async def test_it_subscribes_and_asks_for_a_snapshot_and_pings():
    async with connected() as bench:
        assert "a@miniTicker" in str(await bench.heard.get())
        await bench.passes_until(bench.opened.get)
        bench.clock.advance(20_000)
        assert "GET_PROPERTY" in str(await bench.heard.get())


async def test_a_connection_is_replaced_before_its_life_is_over_and_that_is_no_trouble():
    async with connected(Short) as bench:
        socket = await bench.sockets.get()
        await socket.send(ticker("A", "1"))
        await bench.batches.get()
        await bench.passes_until(bench.sockets.get)
        assert socket.close_code == 1000
        assert bench.troubles.empty()
        assert bench.connection.trouble is None


async def test_a_venue_that_closes_before_it_has_said_anything_is_trouble():
    async with connected() as bench:
        await (await bench.sockets.get()).close(1000)
        assert isinstance(await bench.troubles.get(), Unreachable)


async def test_a_frame_too_large_ends_the_connection():
    async with connected() as bench:
        socket = await bench.sockets.get()
        with suppress(ConnectionError):
            await socket.send("x" * (FRAME_LIMIT + 1))
        assert "1009" in str(await bench.troubles.get())


@pytest.mark.parametrize(
    ("status", "kind"), [(403, Refused), (451, Refused), (429, RateLimited), (500, Unreachable)]
)
async def test_a_refused_handshake_says_what_it_means(status: int, kind: type[SourceError]):
    async with connected(status=status) as bench:
        trouble = await bench.troubles.get()
        assert isinstance(trouble, kind)
        assert str(status) in str(trouble)


async def test_trouble_is_logged_when_it_begins_and_when_it_ends(caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO", "ticker")
    async with connected(status=500) as bench:
        for _ in range(3):
            await bench.passes_until(bench.troubles.get)
        bench.status = 101
        await bench.passes_until(bench.opened.get)
        await (await bench.sockets.get()).send(ticker("A", "1"))
        await bench.batches.get()
        assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
        assert caplog.messages[1] == "Binance's stream is back"


async def test_a_stream_wanted_where_there_is_none_is_a_mistake_in_the_configuration():
    async with new_session() as session:
        with pytest.raises(ConfigError, match="MEXC has no stream"):
            Poller(
                VENUES["mexc"],
                [Pair("mexc", "USUSDT", "US", "USDT")],
                Options(mode="stream"),
                session,
                ManualClock(),
                random.Random(),
                print,
                print,
            )
