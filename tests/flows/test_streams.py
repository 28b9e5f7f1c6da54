"""Each venue's stream against the embedded market, in each way it can fail, on a clock that the test moves.

Both sides are real: the market's websocket and its REST interface, and the poller that uses them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from tests.unit.conftest import ManualClock
from ticker.market import Fault, Market, serving
from ticker.market.market import VENUES as MARKETS
from ticker.market.streams import StreamFault
from ticker.model import Pair, SourceHealth, Tick
from ticker.poller import JITTER, QUIET, Poller, SourceStatus
from ticker.sources import VENUES
from ticker.sources.base import Options
from ticker.sources.http import new_session
from ticker.sources.streams import STREAMS

INTERVAL = 5.0
STEP = 500
# One polling interval with its jitter, and the step by which the clock moves (ms).
LONGEST = round(INTERVAL * (1 + JITTER) * 1000) + STEP
FAULTS = [
    StreamFault.cut(),
    StreamFault.silent(),
    StreamFault.slow(30),
    StreamFault.garbage(),
    StreamFault.planned(),
]


class Bench:
    """A poller at work on one venue of the market, and the newest price it has handed on."""

    def __init__(self, market: Market, clock: ManualClock) -> None:
        self.market = market
        self.clock = clock
        self.newest: dict[Pair, Tick] = {}
        self.healths: list[SourceHealth] = []
        self.poller: Poller
        self.venue = ""
        self.base = ""
        self.session: aiohttp.ClientSession
        self._came = asyncio.Event()

    def take(self, ticks: Sequence[Tick]) -> None:
        for tick in ticks:
            if tick.pair not in self.newest or tick.as_of >= self.newest[tick.pair].as_of:
                self.newest[tick.pair] = tick
        self._came.set()

    def turn(self, status: SourceStatus) -> None:
        self.healths.append(status.health)

    @property
    def age(self) -> int:
        """Milliseconds since the older of two pairs' newest price was true, by the venue's time."""
        if len(self.newest) < min(2, self.poller.status.pairs):
            return 10**9
        return self.clock.now() - min(tick.as_of for tick in self.newest.values())

    @property
    def questions(self) -> int:
        return self.market.requests[self.venue].seen

    @property
    def connections(self) -> int:
        return self.market.streams.opened[self.venue]

    async def until_younger(self, age: int) -> None:
        """The clock stands still until every pair has a price of at most this age."""
        async with asyncio.timeout(5):
            while self.age > age:
                self._came.clear()
                await self._came.wait()

    async def passes(self, seconds: float, longest: int = LONGEST) -> None:
        """Time goes by, and no price is ever older than `longest` ms."""
        for _ in range(round(seconds * 1000 / STEP)):
            self.clock.advance(STEP)
            await self.roundtrip()
            await self.until_younger(longest)

    async def until(self, reached: Callable[[], bool], within: float = 200, longest: int = LONGEST) -> None:
        """The same until something has come true."""
        for _ in range(round(within * 1000 / STEP)):
            if reached():
                return
            await self.passes(STEP / 1000, longest)
        raise AssertionError(f"not within {within} s")

    async def roundtrip(self) -> None:
        """Whatever the step woke has had its turn on the wire when this question is answered."""
        async with self.session.get(self.base) as response:
            await response.read()

    async def streaming(self) -> None:
        """The stream alone speaks: for two intervals it brings every second, and nobody asks."""

        for _ in range(8):
            before, oldest = self.questions, 0
            for _ in range(round(2 * INTERVAL * 1000 / STEP)):
                await self.passes(STEP / 1000)
                oldest = max(oldest, self.age)
            if self.questions == before and oldest <= INTERVAL / 2 * 1000:
                return
        raise AssertionError("the stream does not speak alone")


def pairs(venue: str, count: int = 2) -> list[Pair]:
    listed = [one for one in MARKETS[venue].listings.values() if one.token.symbol in ("BTC", "ETH", "XRP")]
    named = ((one.symbol, VENUES[venue].currencies(one.symbol, one.token.symbol)) for one in listed)
    return [Pair(venue, symbol, *currencies) for symbol, currencies in named if currencies][:count]


@asynccontextmanager
async def at_work(venue: str, mode: str = "auto", extra: str | None = None) -> AsyncIterator[Bench]:
    clock = ManualClock()
    market = Market(clock=clock)
    bench = Bench(market, clock)
    bench.venue = venue
    async with serving(market) as base, new_session() as session:
        bench.base, bench.session = base, session
        address = base.replace("http", "ws", 1)
        options = Options(
            base_url=f"{base}/{venue}",
            stream_url=f"{address}/{venue}/stream",
            interval=INTERVAL,
            timeout=10,
            mode=mode,
        )
        wanted = pairs(venue) + ([Pair(venue, extra, extra, "USDT")] if extra else [])
        bench.poller = Poller(
            VENUES[venue], wanted, options, session, clock, random.Random(3), bench.take, bench.turn
        )
        task = asyncio.create_task(bench.poller.run())
        await asyncio.sleep(0)
        try:
            for _ in range(4):
                clock.advance(STEP)
            await bench.until_younger(LONGEST)
            yield bench
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.mark.parametrize("venue", STREAMS)
async def test_a_stream_speaks_every_second_and_nobody_asks(venue: str):
    async with asyncio.timeout(20), at_work(venue) as bench:
        await bench.until(lambda: bench.connections == 1)
        await bench.streaming()
        assert bench.poller.status.health is SourceHealth.UP
        assert bench.poller.status.last_error is None
        assert all(tick.demo and tick.change_24h and tick.volume_24h for tick in bench.newest.values())


@pytest.mark.parametrize("venue", STREAMS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
async def test_no_gap_is_longer_than_an_interval_and_asking_ends_when_the_stream_is_back(
    venue: str, fault: StreamFault
):
    async with asyncio.timeout(20), at_work(venue) as bench:
        await bench.until(lambda: bench.connections == 1)
        await bench.streaming()
        asked = bench.questions
        bench.market.streams.fail(venue, fault)
        if fault.kind == "planned":
            await bench.until(lambda: bench.connections == 2)
        else:
            await bench.passes(6 * INTERVAL)
            assert bench.questions >= asked + 4
        if fault.kind in ("cut", "silent", "garbage"):
            await bench.until(lambda: bench.connections >= 3)
            assert bench.poller.status.last_error is not None
        bench.market.streams.heal()
        await bench.until(lambda: bench.poller.status.last_error is None)
        await bench.streaming()
        assert bench.healths == [SourceHealth.UP]
        assert bench.poller.status.last_error is None


async def test_each_new_connection_brings_one_round_of_questions():
    async with at_work("binance") as bench:
        await bench.streaming()
        asked, opened = bench.questions, bench.connections
        bench.market.streams.fail("binance", StreamFault.planned())
        await bench.until(lambda: bench.connections == opened + 1, within=INTERVAL)
        await bench.streaming()
        assert bench.questions == asked + 1


async def test_a_pair_the_stream_is_quiet_about_is_asked_for_before_it_counts_as_late():
    async with at_work("binance", extra="NOSUCHUSDT") as bench:
        await bench.until(lambda: bench.connections == 1)
        await bench.passes(QUIET)
        asked = bench.questions
        await bench.passes(5 * QUIET)
        assert asked + 4 <= bench.questions <= asked + 5
        assert bench.poller.status.unknown == ("NOSUCHUSDT",)


async def test_questions_that_fail_beside_a_live_stream_are_in_the_status_and_cost_no_health(
    caplog: pytest.LogCaptureFixture,
):
    async with at_work("binance", extra="NOSUCHUSDT") as bench:
        await bench.until(lambda: bench.connections == 1)
        bench.market.fail("binance", Fault.geo_blocked())
        await bench.until(lambda: "451" in str(bench.poller.status.last_error))
        await bench.passes(3 * QUIET, longest=3 * STEP)
        assert bench.healths == [SourceHealth.UP]
        assert len([line for line in caplog.messages if line.startswith("no prices from")]) == 1


async def test_in_mode_stream_nobody_asks_but_when_it_opens():
    async with at_work("binance", "stream") as bench:
        await bench.until(lambda: bench.connections == 1 and bench.questions == 1)
        bench.market.streams.fail("binance", StreamFault.silent())
        await bench.until(lambda: bench.connections == 2, longest=10**6)
        assert bench.healths == [SourceHealth.UP, SourceHealth.FAILING]
        assert "said nothing for 45 s" in str(bench.poller.status.last_error)
        await bench.until(lambda: bench.questions == 2, longest=10**6)
        bench.market.streams.heal()
        await bench.until(lambda: bench.age <= LONGEST, longest=10**6)
        assert bench.poller.status.health is SourceHealth.UP


async def test_in_mode_poll_no_connection_is_opened():
    async with at_work("binance", "poll") as bench:
        await bench.passes(3 * INTERVAL)
        assert bench.connections == 0
        assert bench.questions >= 3


async def test_both_ways_down_is_a_failing_source():
    async with at_work("binance") as bench:
        await bench.streaming()
        bench.market.streams.fail("binance", StreamFault.cut())
        bench.market.fail("binance", Fault.server_error())
        await bench.until(lambda: bench.poller.status.health is SourceHealth.FAILING, longest=10**6)
        bench.market.streams.heal()
        await bench.until(lambda: bench.poller.status.health is SourceHealth.UP, longest=10**6)
        assert bench.healths == [SourceHealth.UP, SourceHealth.FAILING, SourceHealth.UP]
