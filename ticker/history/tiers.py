"""How long candles of each size are kept, and how a size is put together from stored and unstored parts.

A closed candle of one tier is rolled into its parent in the next; what isn't rolled yet is read from the
tier below. It decides no price and writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from ticker.history.minutes import MINUTE, rolled_up
from ticker.history.store import Options, Store
from ticker.model import Candle

FIVE, HOUR, DAY = 300, 3600, 86400
TIERS = (MINUTE, FIVE, HOUR, DAY)
COARSER: Mapping[int, int] = dict(pairwise(TIERS))
FINER: Mapping[int, int] = {coarse: fine for fine, coarse in pairwise(TIERS)}


def tier_for(interval: int) -> int:
    """The coarsest tier whose candles add up to `interval` seconds: kept longest, and the least to read."""
    return max(tier for tier in TIERS if interval % tier == 0)


def boundaries(newest: int, options: Options) -> dict[int, int]:
    """From which start (ms) on each tier is kept, given the newest candle's; days are kept for ever.

    Only whole parents are let go: the parts of a candle are all there or all gone, so that rolling up
    again can never make one from half its parts.
    """
    days = {MINUTE: options.minutes_days, FIVE: options.fives_days, HOUR: options.hours_days}
    return {tier: floored(newest - kept * DAY * 1000, COARSER[tier]) for tier, kept in days.items()}


def floored(moment: int, interval: int) -> int:
    """The start of the candle of `interval` seconds that holds `moment` (both ms)."""
    return moment - moment % (interval * 1000)


async def read(
    store: Store,
    pending: Mapping[int, Candle],
    asset: str,
    currency: str,
    tier: int,
    start: int,
    end: int,
    limit: int,
) -> dict[int, Candle]:
    """At least the newest `limit` candles of a tier that start in [start, end) ms, by their start.

    `pending` are minutes that the store doesn't have yet. HistoryError when the store can't be read.
    """
    rows = {candle.start: candle for candle in await store.candles(asset, currency, tier, start, end, limit)}
    if tier == MINUTE:
        return rows | {moment: candle for moment, candle in pending.items() if start <= moment < end}
    unrolled = [*pending, *await store.unrolled(asset, currency, tier)]
    if not unrolled:
        return rows
    since = max(start, floored(min(unrolled), tier))
    most = limit * tier // FINER[tier]
    finer = await read(store, pending, asset, currency, FINER[tier], since, end, most)
    rolled = rolled_up((finer[moment] for moment in sorted(finer)), tier)
    return rows | {candle.start: candle for candle in rolled}
