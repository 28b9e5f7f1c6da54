"""Quotes into the store: remembers what changed, writes it every few seconds, survives a store that fails.

`record` is synchronous and never waits. A failing store is a state, logged when it begins and when it ends;
meanwhile memory holds the latest quote of each asset and a bounded number of candles. It makes no price up:
only live and delayed ones enter a candle, and a minute that has closed never changes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from decimal import Decimal

from ticker.clock import Clock
from ticker.errors import HistoryError
from ticker.history.minutes import MINUTE, MINUTE_MS, extended, rolled_up
from ticker.history.store import Options, Saved, Store
from ticker.history.tiers import boundaries, read, tier_for
from ticker.model import Candle, Quote, State

logger = logging.getLogger(__name__)

# Candles that may wait for a failing store, about 14 MB: 20 assets for 16 hours, 200 for 100 minutes.
PENDING = 20_000

# Small transactions of rolling up between two writes; what is left waits for the next time.
ROLL_UPS = 20

_TRADED = {State.LIVE, State.DELAYED}
_HOUR_MS = 3_600_000


class Recorder:
    """Writes quotes and their one-minute candles to a store.

    Readable by anyone: `failing`, what is wrong with the store now, None if nothing is; `last_write`, ms UTC
    of the last save, None before the first; `misdated`, quotes left out of candles for their time; `dropped`,
    candles lost because too many waited for a failing store.
    """

    def __init__(self, store: Store, clock: Clock, options: Options, *, epoch: str, saved: Saved) -> None:
        self.epoch = epoch
        self.seq = saved.seq
        self.failing: str | None = None
        self.last_write: int | None = None
        self.misdated = 0
        self.dropped = 0
        self._store = store
        self._clock = clock
        self._options = options
        self._turn = asyncio.Lock()
        self._quotes: dict[str, Quote] = {}
        self._pending: OrderedDict[tuple[str, str, int], Candle] = OrderedDict()
        # A candle saved under a clock that ran ahead would shut out every quote until that time.
        seeds = [candle for candle in saved.candles if candle.start <= self._horizon()]
        self._open = {(candle.asset, candle.currency): candle for candle in seeds}
        self._newest = max((candle.start for candle in seeds), default=0)
        self._pruned = 0

    def record(self, quote: Quote) -> None:
        """Remember a changed quote for the next write, and its price in the minute of its `as_of`."""
        self._quotes[quote.asset] = quote
        self.seq = max(self.seq, quote.seq)
        if quote.price is not None and quote.as_of is not None and quote.state in _TRADED:
            self._enter(quote.asset, quote.currency, quote.price, quote.as_of - quote.as_of % MINUTE_MS)

    async def run(self) -> None:
        """Write every `flush_seconds`, until cancelled."""
        while True:
            await self._clock.sleep(self._options.flush_seconds)
            await self.flush()

    async def end(self) -> None:
        """The last write: nothing is recorded after it, so a next start may go on where this one ends."""
        await self.flush(ended=True)

    async def flush(self, *, ended: bool = False) -> None:
        """Write what changed, the open minutes too. A store that can't is a state and raises nothing."""
        async with self._turn:
            try:
                await self._write(ended=ended)
                await self._roll_up()
                await self._prune()
            except HistoryError as error:
                self._fails(error)
            else:
                self._works()

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        """The newest `limit` candles of `interval` seconds that start in [start, end) ms, oldest first.

        `interval` is a multiple of 60, answered from the coarsest tier that divides it and, where that has
        not been rolled up yet, from the tiers below; the newest candle may still be open.
        Raises ValueError for another interval or a limit below 1, HistoryError when the store can't be read.
        """
        if interval < MINUTE or interval % MINUTE or limit < 1:
            raise ValueError(f"no candles of {interval} s, at most {limit}")
        first, last = (moment + -moment % (interval * 1000) for moment in (start, end))
        tier = tier_for(interval)
        # Between two writes: a candle is in memory or in the store, and none moves while we look.
        async with self._turn:
            pending = {
                key[2]: candle for key, candle in self._pending.items() if key[:2] == (asset, currency)
            }
            found = await read(
                self._store, pending, asset, currency, tier, first, last, limit * interval // tier
            )
        return rolled_up((found[moment] for moment in sorted(found)), interval)[-limit:]

    def _enter(self, asset: str, currency: str, price: Decimal, start: int) -> None:
        current = self._open.get((asset, currency))
        if start > self._horizon() or (current is not None and start < current.start):
            self.misdated += 1
            return
        if current is not None and start == current.start:
            candle = extended(current, price)
        else:
            candle = Candle(asset, currency, MINUTE, start, price, price, price, price)
        self._open[asset, currency] = self._pending[asset, currency, start] = candle
        self._newest = max(self._newest, start)
        if len(self._pending) > PENDING:
            self._pending.popitem(last=False)
            self.dropped += 1

    def _horizon(self) -> int:
        """The latest start of a minute that we believe: a venue's clock may run a little ahead of ours."""
        return self._clock.now() + MINUTE_MS

    async def _write(self, *, ended: bool) -> None:
        quotes, candles = dict(self._quotes), dict(self._pending)
        if not quotes and not ended:
            return
        await self._store.save(
            self.seq, self.epoch, tuple(quotes.values()), tuple(candles.values()), ended=ended
        )
        self.last_write = self._clock.now()
        # What changed during the save is another object by now and stays for the next one.
        self._quotes = {
            asset: quote for asset, quote in self._quotes.items() if quotes.get(asset) is not quote
        }
        for key, candle in candles.items():
            if self._pending.get(key) is candle:
                del self._pending[key]

    async def _roll_up(self) -> None:
        for _ in range(ROLL_UPS):
            if not await self._store.roll_up(self._newest):
                break

    async def _prune(self) -> None:
        # The newest candle says what is old, not our clock: a machine with a wrong date deletes nothing.
        if self._newest - self._pruned >= _HOUR_MS:
            await self._store.prune(boundaries(self._newest, self._options))
            self._pruned = self._newest

    def _fails(self, error: HistoryError) -> None:
        if self.failing is None:
            logger.error(
                "history can't be written; what is new waits in memory, a stop would lose it: %s", error
            )
        self.failing = str(error)

    def _works(self) -> None:
        if self.failing is not None:
            logger.warning("history is written again; candles dropped since the start: %d", self.dropped)
        self.failing = None
