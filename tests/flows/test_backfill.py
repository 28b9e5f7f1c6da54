"""The past, asked of the embedded market over HTTP: all of it, once, within the budget, whatever happens."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import aiohttp
import pytest

from ticker.backfill import REACH as BACKFILLED
from ticker.backfill import Backfill, planned
from ticker.errors import HistoryError
from ticker.history import Fill, Options, Recorder, Store, opening
from ticker.history.minutes import rolled_up
from ticker.market import Fault, Market, serving
from ticker.model import Asset, Candle, Pair, Window
from ticker.sources import VENUES
from ticker.sources.allowance import Allowance
from ticker.sources.asker import Asked
from ticker.sources.base import Budget
from ticker.sources.base import Options as SourceOptions
from ticker.sources.candles import CANDLES
from ticker.windows import LENGTHS, Windows

START = 1_790_000_123_456
DAY_MS = 86_400_000
FOREVER = 1 << 50
TALUS = Asset("talus", "US", "Talus", (Pair("mexc", "USUSDT", "US", "USDT"),))
BITCOIN = Asset(
    "bitcoin", "BTC", "Bitcoin",
    (Pair("binance", "BTCUSDT", "BTC", "USDT"), Pair("mexc", "BTCUSDT", "BTC", "USDT")),
)  # fmt: skip
TETHER = Asset("tether", "USDT", "Tether", (Pair("coingecko", "tether", "USDT", "USD"),))
AMPLE = Budget(6000, 60)
PEGGED = {"USDT": "USD"}
# Enough for every window, and less than the venues give: a test needs no month.
REACH = {60: 1, 300: 3, 3600: 8, 86400: 10}
# What that takes at MEXC: 3 pages of minutes, 2 of five minutes, 1 of hours, 1 of days.
PAGES = 7


class FastClock:
    """Time passes for whoever sleeps, and at once."""

    def __init__(self) -> None:
        self.ms = START

    def now(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.ms += max(1, round(seconds * 1000))
        await asyncio.sleep(0)


class Past:
    """A backfill, its store, the clock's time of each request, and who is told the number of each."""

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        backfill: Backfill,
        windows: Windows,
        asked: list[int],
        watchers: list[Callable[[int], object]],
    ) -> None:
        self.store = store
        self.recorder = recorder
        self.backfill = backfill
        self.windows = windows
        self.asked = asked
        self.watchers = watchers

    async def candles(self, interval: int, asset: str = "talus") -> list[Candle]:
        return await self.recorder.candles(asset, "USD", interval, 0, FOREVER, 100_000)


@asynccontextmanager
async def past(
    market: Market,
    *assets: Asset,
    path: Path | None = None,
    budget: Budget = AMPLE,
    pegs: Mapping[str, str] = PEGGED,
    measured: Mapping[str, str] | None = None,
    wrapped: Callable[[Store], Store] = lambda store: store,
) -> AsyncIterator[Past]:
    clock, trace = market.clock, aiohttp.TraceConfig()
    asked: list[int] = []
    watchers: list[Callable[[int], object]] = []

    async def count(*_: object) -> None:
        asked.append(clock.now())
        for watcher in watchers:
            watcher(len(asked))

    trace.on_request_start.append(count)
    options = Options(path=str(path) if path else None)
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(market))
        http = await stack.enter_async_context(aiohttp.ClientSession(trace_configs=[trace]))
        store = wrapped(await stack.enter_async_context(opening(options, clock)))
        recorder = Recorder(store, clock, options, epoch="a", saved=await store.load())
        windows = Windows()
        venues = {
            name: Asked(
                venue, SourceOptions(base_url=f"{base}/{name}", timeout=5), Allowance(budget, clock, name)
            )
            for name, venue in VENUES.items()
            if name in ("binance", "mexc", "coingecko")
        }
        backfill = Backfill(
            assets,
            {asset.id: "USD" for asset in assets},
            pegs=pegs,
            measured=measured or {},
            venues=venues,
            store=store,
            recorder=recorder,
            windows=windows,
            session=http,
            clock=clock,
            rng=random.Random(1),
            reach=REACH,
        )
        yield Past(store, recorder, backfill, windows, asked, watchers)


@pytest.fixture
def market() -> Market:
    return Market(clock=FastClock())


def starts(candles: Sequence[Candle]) -> list[int]:
    return [candle.start for candle in candles]


async def test_past_is_filled_without_a_gap_in_the_finest_candles_that_reach_it(market: Market) -> None:
    async with past(market, TALUS) as it:
        await it.backfill.run()
        assert len(it.asked) == PAGES
        newest = START - START % 60_000
        tiers = {tier: await it.candles(tier) for tier in REACH}
        brought = 0
        for tier, candles in tiers.items():
            begin = candles[0].start
            assert starts(candles) == list(range(begin, newest, tier * 1000))
            assert 0 <= REACH[tier] * DAY_MS - (newest - begin) <= DAY_MS
            finer = rolled_up(tiers[max(t for t in tiers if t < tier)], tier) if tier > 60 else []
            assert candles[len(candles) - len(finer) :] == finer
            brought += len(candles) - len(finer)
        assert (it.backfill.progress.percent, it.backfill.progress.candles) == (100, brought)


async def test_candles_are_the_venues_own(market: Market) -> None:
    async with past(market, TALUS) as it:
        await it.backfill.run()
        async with serving(market) as base, aiohttp.ClientSession() as http:
            query = {"symbol": "USUSDT", "interval": "1m", "limit": "101"}
            async with http.get(f"{base}/mexc/api/v3/klines", params=query) as answer:
                rows = (await answer.json())[:100]
        kept = {candle.start: candle for candle in await it.candles(60)}
        for begin, *prices in (row[:5] for row in rows):
            candle = kept[begin]
            assert [candle.open, candle.high, candle.low, candle.close] == [
                Decimal(price) for price in prices
            ]


async def test_nothing_is_asked_for_twice(market: Market, tmp_path: Path) -> None:
    for pages in (PAGES, 0, 0):
        async with past(market, TALUS, path=tmp_path / "t.sqlite") as it:
            await it.backfill.run()
            assert len(it.asked) == pages
            assert it.windows.change("talus", Window.WEEK, market.clock.now(), Decimal(1)) is not None


async def test_interrupted_again_and_again_it_goes_on_where_it_was(market: Market, tmp_path: Path) -> None:
    asked = 0
    for stop_at in (1, 3, 4, None):
        async with past(market, TALUS, path=tmp_path / "t.sqlite") as it:
            running = asyncio.ensure_future(it.backfill.run())
            it.watchers.append(lambda n, stop=stop_at, run=running: n == stop and run.cancel())
            await asyncio.wait([running])
            assert running.cancelled() == (stop_at is not None)
            asked += len(it.asked)
            if stop_at is None:
                resumed = [await it.candles(tier) for tier in (60, 300, 86400)]
    # Only what was on its way when it was cut off had to be asked for again.
    assert asked == PAGES + 3
    fresh = Market(clock=FastClock())
    async with past(fresh, TALUS) as it:
        await it.backfill.run()
        assert [await it.candles(tier) for tier in (60, 300, 86400)] == resumed


async def test_half_of_the_budget_is_left_to_prices(market: Market) -> None:
    async with past(market, TALUS, budget=Budget(10, 10)) as it:
        await it.backfill.run()
        for moment in it.asked:
            assert sum(moment <= other < moment + 10_000 for other in it.asked) <= 5


async def test_limits_and_failures_that_pass_are_waited_for(market: Market) -> None:
    market.fail("mexc", Fault(kind="rate_limited", retry_after=90, times=1))
    async with past(market, TALUS) as it:
        await it.backfill.run()
        assert it.asked[1] - it.asked[0] >= 90_000
        assert len(it.asked) == PAGES + 1
    market.fail("mexc", Fault(kind="server_error", times=3))
    async with past(market, TALUS) as it:
        await it.backfill.run()
        assert len(it.asked) == PAGES + 3


@pytest.mark.parametrize("kind", ["geo_blocked", "html", "truncated"])
async def test_venue_that_refuses_or_can_not_be_read_is_left_for_the_next_one(
    market: Market, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    market.fail("binance", Fault(kind=kind))
    async with past(market, BITCOIN) as it:
        await it.backfill.run()
        assert market.requests["binance"].seen == 1
        assert {fill.pair for fill in await it.store.fills()} == {"mexc:BTCUSDT"}
        assert len(await it.candles(60, "bitcoin")) >= 1435
    assert "no candles of bitcoin from binance:BTCUSDT" in caplog.text


async def test_changes_are_known_as_soon_as_the_past_is(market: Market) -> None:
    async with past(market, TALUS) as it:
        now, price = market.clock.now(), Decimal("0.01021")
        assert [it.windows.change("talus", window, now, price) for window in Window] == [None] * 3
        await it.backfill.run()
        for window, (length, step) in LENGTHS.items():
            change = it.windows.change("talus", window, now, price)
            assert change is not None
            then = (price / (change.percent / 100 + 1)).quantize(Decimal("1E-10"))
            ends = {c.close: c.start + step * 1000 for c in await it.candles(step)}
            assert abs(ends[then] - (now - length * 1000)) <= 2 * step * 1000


async def test_other_currency_is_converted_at_its_own_candles_of_the_time_and_else_left_out(
    market: Market,
) -> None:
    hour = START - START % 3_600_000
    async with past(market, TALUS) as it:
        await it.backfill.run()
        plain = {candle.start: candle for candle in await it.candles(60)}
    async with past(market, TALUS, TETHER, pegs={}, measured={"USDT": "tether"}) as it:
        rates = [rate(hour - 3_600_000, "0.5"), rate(hour - 3 * 3_600_000, "2")]
        await it.store.fill([finished("tether")], rates)
        await it.backfill.run()
        found = await it.candles(60)
        assert len(found) == 120
        for candle in found:
            factor = Decimal(2) if candle.start < hour - 2 * 3_600_000 else Decimal("0.5")
            assert candle.close == plain[candle.start].close * factor
            assert candle.high == plain[candle.start].high * factor


async def test_measure_of_a_currency_is_filled_before_what_it_converts(market: Market) -> None:
    async with past(market, TALUS, TETHER, pegs={}, measured={"USDT": "tether"}) as it:
        await it.backfill.run()
        rates = {candle.start: candle.close for candle in await it.candles(3600, "tether")}
        minutes = await it.candles(60)
        assert len(rates) >= 7 * 24
        assert len(minutes) >= 1435
    async with past(market, TALUS) as it:
        await it.backfill.run()
        plain = {candle.start: candle.close for candle in await it.candles(60)}
    for candle in minutes:
        exact = plain[candle.start] * rates[candle.start - candle.start % 3_600_000]
        assert abs(candle.close - exact) <= exact * Decimal("1E-9")


async def test_currency_without_candles_of_its_own_is_not_guessed(market: Market) -> None:
    async with past(market, TALUS, pegs={}) as it:
        await it.backfill.run()
        assert it.asked == []
        assert await it.candles(60) == []


def rate(start: int, close: str) -> Candle:
    price = Decimal(close)
    return Candle("tether", "USD", 3600, start, price, price, price, price)


def finished(asset: str) -> Fill:
    return Fill(asset, "USD", 3600, "coingecko:tether", START, START)


async def test_candle_of_our_own_is_not_replaced(market: Market) -> None:
    own = Candle("talus", "USD", 60, START - START % 60_000 - 600_000, *[Decimal(7)] * 4)
    async with past(market, TALUS) as it:
        await it.store.save(1, "a", [], [own])
        await it.backfill.run()
        assert own in await it.candles(60)


async def test_store_that_fails_is_waited_for(market: Market, caplog: pytest.LogCaptureFixture) -> None:
    async with past(market, TALUS, wrapped=Failing) as it:
        await it.backfill.run()
        assert len(it.asked) == PAGES + 1
        assert len(await it.candles(60)) >= 1435
    assert "the backfill waits for the history: disk full" in caplog.text


class Failing(SimpleNamespace):
    """A store whose third fill fails, once."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.calls = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    async def fill(self, fills: Sequence[Fill], candles: Sequence[Candle] = ()) -> None:
        self.calls += 1
        if self.calls == 3:
            raise HistoryError("disk full")
        await self.store.fill(fills, candles)


async def test_progress_is_logged_at_each_tenth(market: Market, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "ticker.backfill"):
        async with past(market, TALUS) as it:
            await it.backfill.run()
    said = [record.getMessage() for record in caplog.records if "candles of the past" in record.getMessage()]
    assert 3 < len(said) <= 10
    assert said[-1].startswith("candles of the past: 100 %")


@pytest.mark.parametrize("venue", CANDLES)
def test_plan_covers_each_moment_once_and_each_tier_begins_with_a_whole_parent(venue: str) -> None:
    spans = planned(CANDLES[venue], BACKFILLED, START)
    tiers = list(spans)
    assert spans[tiers[0]][1] == START - START % (tiers[0] * 1000)
    for finer, coarser in pairwise(tiers):
        assert spans[coarser][1] == spans[finer][0]
        assert spans[finer][0] % (coarser * 1000) == 0
    for begin, until in spans.values():
        assert begin < until
    assert START - spans[tiers[-1]][0] > 300 * DAY_MS
