"""Candle arithmetic: which minute a moment belongs to, one more price in a candle, minutes into hours.

Pure. Candles are aligned to the Unix epoch, UTC; a candle has no volume, since one price from many venues
has none of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby

from msgspec.structs import replace

from ticker.model import Candle

MINUTE = 60
MINUTE_MS = 60_000


def extended(candle: Candle, price: Decimal) -> Candle:
    """`candle` after one more price."""
    return replace(candle, high=max(candle.high, price), low=min(candle.low, price), close=price)


def rolled_up(minutes: Iterable[Candle], interval: int) -> list[Candle]:
    """Candles of `interval` seconds from one asset's candles, oldest first. Empty spans are left out."""
    step = interval * 1000
    spans = groupby(minutes, key=lambda candle: candle.start - candle.start % step)
    return [_joined(list(parts), interval, start) for start, parts in spans]


def _joined(parts: list[Candle], interval: int, start: int) -> Candle:
    first, last = parts[0], parts[-1]
    high = max(part.high for part in parts)
    low = min(part.low for part in parts)
    return Candle(first.asset, first.currency, interval, start, first.open, high, low, last.close)
