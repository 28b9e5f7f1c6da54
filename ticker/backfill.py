"""Candles from before our time: asked once of a venue that has them, a page at a time, and kept.

What a page brought and how far it came are saved together, so that a stop costs nothing and a start goes on
where the last one ended; no page is asked for twice and no candle of our own is replaced. A price in another
currency is converted at that currency's own candles of the time, never at today's rate; where there are
none the candle is left out.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

import aiohttp
from msgspec import Struct
from msgspec.structs import replace

from ticker.clock import Clock
from ticker.errors import HistoryError, Refused, SourceError
from ticker.fx import ONE, Rate, convert
from ticker.history import Fill, Recorder, Store
from ticker.history.minutes import MINUTE
from ticker.history.tiers import DAY, FIVE, HOUR, TIERS, floored
from ticker.model import Asset, Candle, Pair
from ticker.sources.asker import Asked, Asker
from ticker.sources.candles import CANDLES, Bar, Candles
from ticker.windows import LENGTHS, Windows

logger = logging.getLogger(__name__)

# Days each tier is asked for. Hours lead from the five minutes, as far as a venue has them, to a whole day.
REACH: Mapping[int, int] = MappingProxyType({MINUTE: 2, FIVE: 30, HOUR: 31, DAY: 730})
# Seconds before a store that could not be written is tried again.
STORE_PAUSE = 60.0
# A venue that has refused so many assets in a row will refuse the others too.
REFUSALS = 3


class Progress(Struct, frozen=True):
    """How far it is: candle starts asked for and in all, and the candles they brought, of this run."""

    done: int
    total: int
    candles: int

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 100


class Backfill:
    """Fills the past of `assets`, each in its currency in `currencies`; `progress` may be read at any time.

    `pegs` are the currencies taken for another unmeasured, `measured` the asset whose price is a currency's
    rate, `reach` the days that each tier is asked for. `windows` is seeded from the store at once, and again
    with each tier of an asset that is filled.
    """

    def __init__(
        self,
        assets: Sequence[Asset],
        currencies: Mapping[str, str],
        *,
        pegs: Mapping[str, str],
        measured: Mapping[str, str],
        venues: Mapping[str, Asked],
        store: Store,
        recorder: Recorder,
        windows: Windows,
        session: aiohttp.ClientSession,
        clock: Clock,
        rng: random.Random,
        reach: Mapping[int, int] = REACH,
    ) -> None:
        self._assets = {asset.id: asset for asset in assets}
        self._currencies = currencies
        self._pegs = pegs
        self._measured = measured
        self._askers = {
            name: Asker(asked, CANDLES[name], session, clock, rng)
            for name, asked in venues.items()
            if name in CANDLES
        }
        self._store = store
        self._recorder = recorder
        self._windows = windows
        self._clock = clock
        self._reach = reach
        self._fills: dict[tuple[str, int], Fill] = {}
        self._total = 0
        self._brought = 0
        self._told = 0

    @property
    def progress(self) -> Progress:
        return Progress(self._total - self._left(), self._total, self._brought)

    async def run(self) -> None:
        """Until everything that can be had is there. A store that fails is waited for."""
        while True:
            try:
                await self._run()
            except* HistoryError as failures:
                logger.error("the backfill waits for the history: %s", failures.exceptions[0])
            else:
                return
            await self._clock.sleep(STORE_PAUSE)

    async def _run(self) -> None:
        for asset in self._assets:
            await self._seed(asset)
        fills = [fill for fill in await self._store.fills() if fill.currency == self._currency(fill.asset)]
        self._fills = {(fill.asset, fill.interval): fill for fill in fills}
        # What the others' prices are converted at comes first.
        rates = [asset for asset in self._assets if asset in self._measured.values()]
        for assets in (rates, [asset for asset in self._assets if asset not in rates]):
            await self._fill({asset: await self._candidates(asset) for asset in assets})

    async def _fill(self, candidates: Mapping[str, Sequence[Pair]]) -> None:
        """From each asset's first candidate, all venues at once; from the next one where that has nothing."""
        while candidates := {asset: pairs for asset, pairs in candidates.items() if pairs}:
            work: dict[str, list[Fill]] = {}
            for asset, (pair, *_) in candidates.items():
                work.setdefault(pair.venue, []).extend(await self._plan(asset, pair))
            self._total = max(self._total, self._left())
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._work(venue, fills)) for venue, fills in work.items()]
            without = {asset for task in tasks for asset in task.result()}
            candidates = {asset: pairs[1:] for asset, pairs in candidates.items() if asset in without}

    async def _candidates(self, asset: str) -> Sequence[Pair]:
        """Pairs whose candles can be asked for and converted: the one begun with, markets, aggregators."""
        begun = self._begun(asset)
        if begun and all(fill.reached >= fill.until for fill in begun):
            return ()
        pairs = [
            pair
            for pair in self._assets[asset].pairs
            if pair.venue in self._askers and await self._convertible(pair.quote, self._currencies[asset])
        ]
        refs = {fill.pair for fill in begun}
        return sorted(pairs, key=lambda pair: (pair.ref not in refs, self._askers[pair.venue].aggregator))

    async def _plan(self, asset: str, pair: Pair) -> list[Fill]:
        """What is still to be asked for; made up once, and kept for every later start."""
        begun = self._begun(asset)
        if not any(fill.pair == pair.ref for fill in begun):
            spans = planned(self._askers[pair.venue].candles, self._reach, self._clock.now())
            # What was to come from another pair and has no part in this plan is done with.
            old = {fill.interval: replace(fill, pair=pair.ref, reached=fill.until) for fill in begun}
            new = {
                interval: Fill(asset, self._currencies[asset], interval, pair.ref, *span)
                for interval, span in spans.items()
            }
            begun = list((old | new).values())
            await self._store.fill(begun)
            self._fills |= {(asset, fill.interval): fill for fill in begun}
        return [fill for fill in begun if fill.reached < fill.until]

    async def _work(self, venue: str, fills: Iterable[Fill]) -> set[str]:
        """Ask one venue for everything, the newest tiers first; the assets that it has no candles of."""
        without: set[str] = set()
        refusals = 0
        for fill in sorted(fills, key=lambda fill: fill.interval):
            if fill.asset in without or refusals >= REFUSALS:
                without.add(fill.asset)
                continue
            try:
                await self._finish(self._askers[venue], fill)
                refusals = 0
            except SourceError as error:
                refusals += isinstance(error, Refused)
                without.add(fill.asset)
                logger.warning("no candles of %s from %s: %s", fill.asset, fill.pair, error)
        return without

    async def _finish(self, asker: Asker, fill: Fill) -> None:
        [pair] = [pair for pair in self._assets[fill.asset].pairs if pair.ref == fill.pair]
        page = asker.candles.limit * fill.interval * 1000
        while fill.reached < fill.until:
            end = min(fill.until, fill.reached + page)
            bars = await asker.page(pair, fill.interval, fill.reached, end)
            candles = await self._converted(fill, pair.quote, bars, end)
            fill = replace(fill, reached=end)
            await self._store.fill([fill], candles)
            self._fills[fill.asset, fill.interval] = fill
            self._brought += len(candles)
            self._tell()
        await self._seed(fill.asset)

    # Currencies

    async def _convertible(self, quote: str, currency: str) -> bool:
        one_to_one = quote == currency or self._pegs.get(quote) == currency
        return one_to_one or bool(await self._rates(quote, currency, HOUR, 0, self._clock.now(), 1))

    async def _converted(self, fill: Fill, quote: str, bars: Iterable[Bar], end: int) -> list[Candle]:
        """In the asset's currency, each candle at the rate of its hour, or of its day if it is a day's."""
        if quote == fill.currency or self._pegs.get(quote) == fill.currency:
            return [_candle(fill, bar, ONE) for bar in bars]
        wide = max(HOUR, fill.interval)
        begin = floored(fill.reached, wide)
        rates = await self._rates(quote, fill.currency, wide, begin, end, (end - begin) // (wide * 1000) + 1)
        priced = ((bar, rates.get(floored(bar.start, wide))) for bar in bars)
        return [_candle(fill, bar, rate) for bar, rate in priced if rate is not None]

    async def _rates(
        self, quote: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> dict[int, Decimal]:
        """What the quote currency was worth, by the start of the candles that measured it."""
        if quote not in self._measured:
            return {}
        found = await self._recorder.candles(self._measured[quote], currency, interval, start, end, limit)
        return {candle.start: candle.close for candle in found}

    # Standing

    def _currency(self, asset: str) -> str | None:
        return self._currencies[asset] if asset in self._assets else None

    def _begun(self, asset: str) -> list[Fill]:
        return [fill for tier in TIERS if (fill := self._fills.get((asset, tier))) is not None]

    def _left(self) -> int:
        return sum((fill.until - fill.reached) // (fill.interval * 1000) for fill in self._fills.values())

    def _tell(self) -> None:
        """A line in the log for each tenth of the way."""
        percent = self.progress.percent
        if percent // 10 > self._told // 10:
            self._told = percent
            logger.info("candles of the past: %d %%, %d so far", percent, self._brought)

    async def _seed(self, asset: str) -> None:
        now, currency = self._clock.now(), self._currencies[asset]
        for length, step in LENGTHS.values():
            start = now - (length + 3 * step) * 1000
            most = length // step + 4
            self._windows.seed(await self._recorder.candles(asset, currency, step, start, now + 1, most))


def planned(candles: Candles, days: Mapping[int, int], now: int) -> dict[int, tuple[int, int]]:
    """For each tier the starts to ask for, [from, until) in ms: each moment in the finest that reaches it.

    A tier begins where a candle of the next one does, so that none is ever made from a part of its parts.
    """
    tiers = [tier for tier in TIERS if tier in candles.intervals]
    until = floored(now, tiers[0])
    spans: dict[int, tuple[int, int]] = {}
    for tier, parent in zip(tiers, [*tiers[1:], DAY], strict=True):
        reach = days[tier] * DAY * 1000
        if tier in candles.depth:
            reach = min(reach, candles.depth[tier] * tier * 1000)
        begin = floored(now - reach - 1, parent) + parent * 1000
        if begin < until:
            spans[tier] = (begin, until)
            until = begin
    return spans


def _candle(fill: Fill, bar: Bar, rate: Decimal) -> Candle:
    prices = (convert(price, Rate(rate)) for price in (bar.open, bar.high, bar.low, bar.close))
    return Candle(fill.asset, fill.currency, fill.interval, bar.start, *prices)
