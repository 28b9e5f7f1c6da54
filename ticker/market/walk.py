"""A geometric random walk whose value at any second is a pure function of its seed and that second.

Nothing is carried from request to request: past and future are computed where they are asked for, so a
pause of a year costs what a pause of a second does. Whole hours are pinned by halving (Lévy's construction
of Brownian motion); inside an hour the walk steps once a second. All arithmetic is in integers: logarithms
of price in units of 10^-12. It knows no prices, venues or clocks.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from functools import lru_cache
from hashlib import shake_128
from itertools import accumulate
from math import isqrt
from typing import NamedTuple

HOUR = 3600
DAY = 24 * HOUR
UNIT = 10**12

# The walk returns to its middle every 8,192 hours (341 days), so no demo drifts away, however long it runs.
_ERA = 1 << 13
# Variance of 2b - 255 for a uniform byte b.
_BYTE_VARIANCE = 21845
_EXACT = Context(prec=24)


class Stretch(NamedTuple):
    """What the walk did over a span of seconds: logarithms in units of 10^-12.

    `activity` is a trading volume in seconds: a span of n seconds has about n, more in busy hours.
    """

    open: int
    high: int
    low: int
    close: int
    mean: int
    activity: Decimal


class _Part(NamedTuple):
    high: int
    low: int
    total: int
    activity: int


class Walk:
    """The walk of one token, zero at `start` (seconds since the epoch) and at -ln(1 + change) a day before.

    `volatility` is the standard deviation of a day in percent, `change` the percent gained on that day.
    """

    def __init__(self, seed: str, *, volatility: Decimal, change: Decimal, start: int) -> None:
        self._seed = seed
        per_second = volatility / 100 * UNIT / _EXACT.sqrt(Decimal(DAY * _BYTE_VARIANCE))
        self._step = max(1, int(per_second))
        self._start_hour = start // HOUR
        # Two hours of paths and a day of summaries are in use at a time; the rest is recomputed on request.
        self._knot = lru_cache(maxsize=256)(self._compute_knot)
        self._path = lru_cache(maxsize=3)(self._compute_path)
        self._hour = lru_cache(maxsize=64)(self._compute_hour)
        self._after = self._before = 0
        after, before = -self.at(start), -_log(1 + change / 100) - self.at(start - DAY)
        self._after, self._before = after, before
        self._path.cache_clear()

    def at(self, second: int) -> int:
        """ln(price / price at the start) in units of 10^-12."""
        return self._path(second // HOUR)[second % HOUR]

    def stretch(self, first: int, last: int) -> Stretch:
        """The walk from `first` to `last`, both seconds included. Cost grows with the hours it spans."""
        parts = list(self._parts(first, last))
        return Stretch(
            open=self.at(first),
            high=max(part.high for part in parts),
            low=min(part.low for part in parts),
            close=self.at(last),
            mean=sum(part.total for part in parts) // (last - first + 1),
            activity=Decimal(sum(part.activity for part in parts)) / 1000,
        )

    def _parts(self, first: int, last: int) -> Iterator[_Part]:
        for hour in range(first // HOUR, last // HOUR + 1):
            begin, end = max(first - hour * HOUR, 0), min(last - hour * HOUR + 1, HOUR)
            if end - begin == HOUR:
                yield self._hour(hour)
            else:
                yield self._part(hour, self._path(hour)[begin:end])

    def _compute_hour(self, hour: int) -> _Part:
        return self._part(hour, self._values(hour))

    def _part(self, hour: int, path: Sequence[int]) -> _Part:
        thousandths = 500 + int.from_bytes(self._noise("activity", hour, 2), "big") % 1001
        return _Part(max(path), min(path), sum(path), len(path) * thousandths)

    def _compute_path(self, hour: int) -> array[int]:
        # A fifth of the list's memory. Only summing up a whole hour is quicker on the list itself.
        return array("q", self._values(hour))

    def _values(self, hour: int) -> list[int]:
        """The hour's 3,600 values: random steps, tilted so that they meet the next hour's first value."""
        first, last = self._level(hour), self._level(hour + 1)
        noise = self._noise("steps", hour, HOUR)
        tilt = (last - first - self._step * (2 * sum(noise) - 255 * HOUR)) // HOUR
        steps = [self._step * (2 * byte - 255) + tilt for byte in range(256)]
        return list(accumulate(map(steps.__getitem__, noise[:-1]), initial=first))

    def _level(self, hour: int) -> int:
        """The knot moved so that the start and the second a day before it lie where they were promised.

        Both seconds fall inside hours that are moved as a whole; the 23 hours between take up the difference.
        """
        age = min(max(self._start_hour - hour, 0), 23)
        return self._knot(hour) + self._after + (self._before - self._after) * age // 23

    def _compute_knot(self, hour: int) -> int:
        """Halve the era until the hour is a midpoint: the mean of its neighbours and a displacement."""
        if hour % _ERA == 0:
            return 0
        reach = hour & -hour
        middle = (self._knot(hour - reach) + self._knot(hour + reach)) // 2
        # A walk pinned at both ends of a span has a quarter of the span's variance in the middle; twelve
        # bytes together have the variance of twelve steps.
        steps = 2 * sum(self._noise("knot", hour, 12)) - 255 * 12
        return middle + self._step * steps * isqrt(2 * reach * HOUR // 4 // 12)

    def _noise(self, purpose: str, hour: int, length: int) -> bytes:
        # A hash, not a generator with state: any hour can be asked for first.
        return shake_128(f"{self._seed}:{purpose}:{hour}".encode()).digest(length)


def _log(ratio: Decimal) -> int:
    return int(_EXACT.ln(ratio) * UNIT)


def growth(log: int) -> Decimal:
    """e to the power of `log` units of 10^-12, to 20 digits."""
    return Context(prec=20).exp(Decimal(log).scaleb(-12))
