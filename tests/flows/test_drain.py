"""How sessions are let go: told their own moment, served until then, and back again afterwards.

Who goes when is seen on the hand-moved clock; that everybody comes back, on the machine's own.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from websockets.frames import Opcode

from tests.flows.conftest import UNLIMITED, HandClock, Reader, Stand, configured, reading, standing
from tests.flows.events import Events, streaming
from ticker.app import Service, running
from ticker.client import FeedClient, connect
from ticker.clock import SystemClock
from ticker.config import Config
from ticker.feed.delivery import EACH_SECONDS
from ticker.history import Options as HistoryOptions
from ticker.market import Market, serving
from ticker.web import Options as ServerOptions
from ticker.wire import QuoteObject

SOCKETS, STREAMS = 200, 100
CLIENTS = 20
FAST = "assets=talus&interval=250"


# Moments, by the hand-moved clock


@asynccontextmanager
async def draining(stand: Stand, seconds: float = 30) -> AsyncIterator[asyncio.Task[None]]:
    """The feed lets everybody go while the block runs."""
    task = asyncio.create_task(stand.service.feed.drain(seconds))
    await asyncio.sleep(0)
    yield task
    while not task.done():
        await stand.clock.advance(0.02)
    await task


async def test_each_session_is_closed_at_the_moment_it_was_told(clock: HandClock) -> None:
    async with standing(clock) as stand, AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(stand.reading("assets=talus")) for _ in range(12)]
        async with draining(stand):
            told = {reader: (await reader.message("goodbye"))["reconnect_in_ms"] for reader in readers}
            assert sorted(told.values()) == [10 * place for place in range(1, 13)]
            assert list(told.values()) != sorted(told.values())  # in no order that anybody could guess
            for reader in sorted(readers, key=told.__getitem__):
                assert stand.service.feed.counters.closes[4200] < told[reader] // 10
                await clock.advance(0.01)
                assert await reader.closed() == 4200
                assert stand.service.feed.counters.closes[4200] == told[reader] // 10


class PassingClock(HandClock):
    """Each reading takes `pace` ms, as if there were work between two of them."""

    pace = 0

    def monotonic(self) -> float:
        self.ms += self.pace
        return super().monotonic()


async def test_a_session_told_late_is_told_what_is_left_of_its_time() -> None:
    clock = PassingClock()
    async with standing(clock) as stand, AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(stand.reading("assets=talus")) for _ in range(10)]
        clock.pace = 1
        async with draining(stand):
            clock.pace = 0
            told = sorted([(await reader.message("goodbye"))["reconnect_in_ms"] for reader in readers])
            assert told == [10 * place - place for place in range(1, 11)]
            await clock.advance(0.1)
            assert [await reader.closed() for reader in readers] == [4200] * 10


async def test_many_sessions_go_within_the_window(clock: HandClock) -> None:
    async with standing(clock) as stand, AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(stand.reading()) for _ in range(10)]
        # Half of so short a time is for coming back.
        async with draining(stand, seconds=0.1):
            told = sorted([(await reader.message("goodbye"))["reconnect_in_ms"] for reader in readers])
            assert told == [5 * place for place in range(1, 11)]
            await clock.advance(0.05)
            assert [await reader.closed() for reader in readers] == [4200] * 10


async def test_a_newcomer_is_told_to_come_back_soon(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as reader, draining(stand):
        await reader.message("goodbye")
        async with stand.reading("assets=talus") as late:
            assert (late.status, late.header("Retry-After")) == (503, "5")
            body = json.loads(await late.reader.readexactly(int(late.header("Content-Length") or 0)))
            assert body["error"]["code"] == "not_ready"
        async with streaming(stand.service.url, "assets=talus") as late:
            assert (late.status, late.header("Retry-After")) == (503, "5")
        await clock.advance(0.01)
        assert await reader.closed() == 4200


async def test_one_who_says_no_farewell_holds_nobody_up(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as mute:
        async with draining(stand):
            await mute.message("goodbye")
        assert len(stand.service.feed) == 0
        mute.leaving = True


@pytest.mark.parametrize("interval", [250, 15_000])
async def test_an_old_session_is_told_closed_and_resumes(clock: HandClock, interval: int) -> None:
    """Where it may go on is what it holds, not what its interval still kept back."""
    query = f"assets=talus&interval={interval}"
    async with standing(clock, limits=replace(UNLIMITED, max_age=1)) as stand:
        async with stand.reading(query) as reader:
            held = (await reader.message("snapshot"))["seq"]
            for _ in range(21):
                await clock.advance(1)
            while (said := await reader.message())["type"] == "update":
                held = said["seq"]
            assert (said["type"], said["reason"], said["reconnect_in_ms"]) == ("goodbye", "max_age", 0)
            assert said["resume"] == f"{stand.service.book.epoch}:{held}"
            assert await reader.closed() == 4202
        await stand.tick()
        async with stand.reading(f"{query}&since={said['resume']}") as reader:
            snapshot = await reader.message("snapshot")
            assert (snapshot["recovered"], list(snapshot["quotes"])) == (True, ["talus"])


# Everybody, on the machine's own clock


def at(base: str, listen: str = "127.0.0.1:0", *, reuse_port: bool = False, **sections: Any) -> Config:
    """Prices four times a second."""
    server = ServerOptions(listen=listen, reuse_port=reuse_port)
    return configured(base, interval=0.25, server=server, **sections)


class Farewell:
    """How a session's end looked to its reader; `updates` are those that came after it was told."""

    def __init__(self) -> None:
        self.told_ms = 0
        self.updates = 0
        self.code = 0
        self.retry_ms = 0

    def note(self, said: dict[str, Any]) -> None:
        if said["type"] == "goodbye":
            self.told_ms = said["reconnect_in_ms"]
        elif said["type"] == "update" and self.told_ms:
            self.updates += 1


async def let_go(reader: Reader, told: asyncio.Event) -> Farewell:
    """Read until the server ends it; `told` is set once it has said so."""
    seen = Farewell()
    while (frame := await reader.frame())[0] is not Opcode.CLOSE:
        if frame[0] is Opcode.TEXT:
            seen.note(json.loads(frame[1]))
        if seen.told_ms:
            told.set()
    reader.put(Opcode.CLOSE, frame[1][:2])
    seen.code = int.from_bytes(frame[1][:2], "big")
    return seen


async def let_go_of_stream(reader: Events) -> Farewell:
    seen = Farewell()
    with suppress(asyncio.IncompleteReadError):
        while True:
            fields = await reader.event()
            seen.retry_ms = int(fields.get("retry", seen.retry_ms))
            if "data" in fields:
                seen.note(json.loads(fields["data"]))
    return seen


async def refused_once_told(url: str, told: asyncio.Event) -> None:
    await told.wait()
    async with reading(url, FAST) as late:
        assert (late.status, late.header("Retry-After")) == (503, "5")


async def test_hundreds_go_spread_served_until_then() -> None:
    clock, told = SystemClock(), asyncio.Event()
    async with serving(Market(clock=clock)) as base, AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        async with running(at(base), clock=clock, rng=random.Random(1)) as service:
            leaving = []
            for _ in range(SOCKETS):
                session = await stack.enter_async_context(reading(service.url, FAST))
                leaving.append(group.create_task(let_go(session, told)))
            for _ in range(STREAMS):
                stream = await stack.enter_async_context(streaming(service.url, FAST))
                leaving.append(group.create_task(let_go_of_stream(stream)))
            late = group.create_task(refused_once_told(service.url, told))
        await late
        ends = [await task for task in leaving]
    moments = sorted(end.told_ms for end in ends)
    # Whoever is told later is told what is left; how long telling takes is the machine's affair.
    for place, moment in enumerate(moments, 1):
        assert moment <= 1000 * EACH_SECONDS * place
    assert [end.code for end in ends[:SOCKETS]] == [4200] * SOCKETS
    assert all(50 <= end.retry_ms <= 250 for end in ends[SOCKETS:])
    assert all(end.updates for end in ends if end.told_ms > moments[-1] * 2 // 3)
    assert service.feed.counters.closes == {4200: SOCKETS + STREAMS}


class Client:
    """The Python client, and how often it was told something."""

    def __init__(self, feed: FeedClient) -> None:
        self.feed = feed
        self.heard = 0
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """It has gone on till now, whatever happened."""
        assert not self._task.done()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _follow(self) -> None:
        async for _ in self.feed:
            async with self._news:
                self.heard += 1
                self._news.notify_all()

    async def hear(self, number: int) -> None:
        """Until it was told so many quotes in all."""
        await self.until(lambda: self.heard >= number)

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._news:
            await self._news.wait_for(wanted)


@asynccontextmanager
async def following(url: str, number: int) -> AsyncIterator[list[Client]]:
    async with AsyncExitStack() as stack:
        clients = []
        for seed in range(number):
            feed = connect(url, ["talus", "bitcoin"], interval=250, rng=random.Random(seed))
            client = Client(await stack.enter_async_context(feed))
            stack.push_async_callback(client.stop)
            clients.append(client)
        yield clients


async def all_hear(clients: list[Client], more: int) -> None:
    """Until each was told so many quotes more."""
    wanted = [(client, client.heard + more) for client in clients]
    for client, number in wanted:
        await client.hear(number)


async def test_clients_move_to_the_other_process_on_the_port() -> None:
    """Two services on one port stand for two processes: the kernel gives the port's connections to either."""
    clock = SystemClock()
    async with serving(Market(clock=clock)) as base, AsyncExitStack() as first:
        old = await first.enter_async_context(
            running(at(base, reuse_port=True), clock=clock, rng=random.Random(1))
        )
        listen = old.url.removeprefix("http://")
        async with following(old.url, CLIENTS) as clients:
            for client in clients:
                await client.hear(1)
            assert len(old.feed) == CLIENTS
            async with running(at(base, listen, reuse_port=True), clock=clock, rng=random.Random(2)) as new:
                await first.aclose()
                await opened(new, CLIENTS)
                await all_hear(clients, 3)
                assert all(client.feed.connected for client in clients)
                assert len(new.feed) == new.feed.counters.opened == CLIENTS
                assert old.feed.counters.closes == {4200: CLIENTS}


async def test_a_client_comes_back_when_its_session_was_too_old(clock: HandClock) -> None:
    limits = replace(UNLIMITED, max_age=1)
    async with standing(clock, limits=limits) as stand, following(stand.service.url, 1) as [client]:
        await client.hear(2)
        for _ in range(21):
            await clock.advance(1)
        await opened(stand.service, 2)
        assert stand.service.feed.counters.closes == {4202: 1}
        told = client.heard
        await stand.tick()
        await client.hear(told + 1)
        assert client.feed.connected


async def opened(service: Service, number: int) -> None:
    async with asyncio.timeout(10):
        while service.feed.counters.opened < number:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)


# A restart


async def test_a_clean_restart_keeps_the_epoch_and_resumes(tmp_path: Path) -> None:
    clock = SystemClock()
    history = HistoryOptions(path=str(tmp_path / "history.sqlite"), backfill=False)
    async with serving(Market(clock=clock)) as base:
        async with (
            running(at(base, history=history), clock=clock, rng=random.Random(1)) as service,
            reading(service.url, "assets=*&interval=250") as reader,
        ):
            await reader.message("update")
            held = await reader.message("update")
            since = f"{service.book.epoch}:{held['seq']}"
        async with (
            running(at(base, history=history), clock=clock, rng=random.Random(2)) as again,
            reading(again.url, f"assets=*&since={since}") as reader,
        ):
            snapshot = await reader.message("snapshot")
            assert (snapshot["epoch"], snapshot["recovered"]) == (since.partition(":")[0], True)
            assert snapshot["seq"] >= held["seq"]
            assert all(quote["seq"] > held["seq"] for quote in snapshot["quotes"].values())
            update = await reader.message("update")
            assert update["prev"] <= snapshot["seq"] < update["seq"]


def newer(quotes: Mapping[str, QuoteObject], held: Mapping[str, QuoteObject]) -> bool:
    return all(quotes[asset].seq > quote.seq for asset, quote in held.items())


async def test_the_client_goes_on_through_a_restart(tmp_path: Path) -> None:
    clock = SystemClock()
    history = HistoryOptions(path=str(tmp_path / "history.sqlite"), backfill=False)
    async with serving(Market(clock=clock)) as base, AsyncExitStack() as first:
        old = await first.enter_async_context(
            running(at(base, history=history), clock=clock, rng=random.Random(1))
        )
        async with following(old.url, 3) as clients:
            for client in clients:
                await client.hear(3)
            await first.aclose()
            held = {client: dict(client.feed.quotes) for client in clients}
            listen = old.url.removeprefix("http://")
            async with running(at(base, listen, history=history), clock=clock, rng=random.Random(2)) as new:
                await opened(new, 3)
                for client in clients:
                    await client.until(partial(newer, client.feed.quotes, held[client]))
                assert new.book.epoch == old.book.epoch
