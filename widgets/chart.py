"""Where a chart's line, candles and ticks are: candles in, path data and places out.

Pure. A price becomes a float only as a place on the picture; what is written stays Decimal. A time without
candles is a gap: nothing is drawn across it. How a tick is written is `format.py`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import groupby, pairwise
from typing import NamedTuple

from msgspec.structs import replace

from ticker.change import percent_between, rounded
from ticker.model import Candle

HOUR, DAY, YEAR = 3600, 86_400, 31_536_000
EVER = 30 * YEAR
FEW = 7
"""No axis has more ticks than this."""
EDGE = 0.03
"""The part of the time at either end that has no tick: its words would not fit."""
FLATTEST = Decimal("0.0002")
"""A price axis spans at least this part of its price: less than 0.02 % is a flat line, not a mountain."""
AROUND = Decimal("0.06")
"""The part of what is shown that is left free above and below it."""


class Range(NamedTuple):
    """What a reader may look at: the seconds shown, the seconds of a line's step and of a candle. Whole steps
    and whole candles fit in the span."""

    span: int
    step: int
    candle: int


RANGES = {
    "1D": Range(DAY, 300, 900),
    "7D": Range(7 * DAY, HOUR, 2 * HOUR),
    "1M": Range(30 * DAY, 3 * HOUR, 12 * HOUR),
    "1Y": Range(YEAR, DAY, 5 * DAY),
    "Max": Range(EVER, DAY, DAY),
}


class Spark(NamedTuple):
    """A line without axes: path data of the line and of the area below it, whether it went up, down or stayed
    flat, and the lowest and highest price there was, which a line through closing prices need not touch."""

    line: str
    area: str
    direction: str
    low: Decimal
    high: Decimal


class Frame(NamedTuple):
    """A piece of time (seconds since the epoch, `begin` < `end`) and of price (`low` < `high`) on `width` ×
    `height` units, rounded to so many decimals `across` and `down`, one at the most."""

    begin: int
    end: int
    low: Decimal
    high: Decimal
    width: float
    height: float
    across: int = 1
    down: int = 1

    def x(self, moment: float) -> float:
        return round(self.width * (moment - self.begin) / (self.end - self.begin), self.across)

    def y(self, price: Decimal) -> float:
        return round(self.height * float((self.high - price) / (self.high - self.low)), self.down)

    def closing(self, candle: Candle, now: float) -> float:
        """Where a candle has its close: at its end, or at `now` (seconds) while it goes on."""
        return self.x(max(min(candle.start + candle.interval, now), candle.start))


class Line(NamedTuple):
    """Path data, and where the last point is. The last point is in absolute coordinates: `…L287.4 512`."""

    line: str
    area: str
    x: str
    y: str


class Bars(NamedTuple):
    """Path data of all candles that rose or stayed, and of all that fell. A wick ends at its body, so that
    the body can be hollow."""

    up: str
    down: str


class Level(NamedTuple):
    """A price on the axis and how far down it is, in percent. All of an axis need `places` decimals."""

    price: Decimal
    at: str
    places: int


class Mark(NamedTuple):
    """A moment (seconds since the epoch) on the axis, how far along it is in percent, and what names it: its
    `hour`, `day`, `month` or `year`."""

    moment: int
    at: str
    unit: str


def spark(candles: Sequence[Candle], width: float, height: float, *, most: int = 48) -> Spark | None:
    """A line of at most `most` steps through candles of one interval, oldest first; None for fewer than two.

    Its places across are whole units, which keeps a row of a table short.
    """
    if len(candles) < 2:
        return None
    taken = thinned(candles, most)
    end = taken[-1].start + taken[-1].interval
    low, high = scale([price for candle in taken for price in (candle.open, candle.close)], zero=False)
    drawn = draw_line(taken, Frame(taken[0].start, end, low, high, width, height, 0), end)
    lowest, highest = min(candle.low for candle in candles), max(candle.high for candle in candles)
    return Spark(drawn.line, drawn.area, direction(candles), lowest, highest)


def change(candles: Sequence[Candle]) -> Decimal | None:
    """Percent from the first candle's open to the last one's close; None without candles or from zero."""
    if not candles or candles[0].open <= 0:
        return None
    return rounded(percent_between(candles[0].open, candles[-1].close))


def direction(candles: Sequence[Candle]) -> str:
    """up, down or flat, from the first open to the last close."""
    first, last = candles[0].open, candles[-1].close
    return "up" if last > first else "down" if last < first else "flat"


def coarser(candles: Iterable[Candle], interval: int) -> list[Candle]:
    """The same as candles of `interval` seconds, a multiple of theirs. No low and no high is lost."""
    groups = groupby(candles, lambda candle: candle.start // interval)
    return [_joined(list(group), interval, number * interval) for number, group in groups]


def continued(candles: Sequence[Candle], price: Decimal, moment: int) -> Sequence[Candle]:
    """With a price that is newer than what was kept: the last candle goes on to it, or another one begins.

    `moment` is in seconds. A price from before the last candle changes nothing.
    """
    last = candles[-1]
    start = moment - moment % last.interval
    if start < last.start:
        return candles
    if start > last.start:
        fresh = Candle(last.asset, last.currency, last.interval, start, price, price, price, price)
        return [*candles, fresh]
    low, high = min(last.low, price), max(last.high, price)
    return [*candles[:-1], replace(last, low=low, high=high, close=price)]


def thinned(candles: Sequence[Candle], most: int) -> Sequence[Candle]:
    """At most `most` candles over the same time, each of as many of these as it takes."""
    taken, times = candles, max(-(-len(candles) // most), 1)
    while len(taken) > most:
        taken = coarser(candles, times * candles[0].interval)
        times += 1
    return taken


def runs(candles: Sequence[Candle]) -> Iterator[Sequence[Candle]]:
    """The candles between two gaps, again and again."""
    first = 0
    for at, (one, other) in enumerate(pairwise(candles), 1):
        if other.start != one.start + one.interval:
            yield candles[first:at]
            first = at
    if candles:
        yield candles[first:]


def scale(prices: Sequence[Decimal], *, zero: bool = True) -> tuple[Decimal, Decimal]:
    """From where to where a price axis goes: a little around the prices, and from `zero` where that costs no
    more than half as much again. ValueError without prices."""
    low, high = min(prices), max(prices)
    missing = (high * FLATTEST or Decimal(1)) - (high - low)
    if missing > 0:
        low, high = low - missing / 2, high + missing / 2
    around = (high - low) * AROUND
    if zero and low <= high / 3:
        return Decimal(0), high + around
    return low - around, high + around


def levels(low: Decimal, high: Decimal) -> list[Level]:
    """Three to seven round prices, 1, 2 or 5 times a power of ten apart, from `high` down to `low`."""
    step = _round_up((high - low) / (FEW + 1))
    if len(_times(step, low, high)) > FEW:
        step = _round_up(step + step / FEW)
    places = max(-int(step.as_tuple().exponent), 0)
    return [
        Level(step * times, _percent(float((high - step * times) / (high - low))), places)
        for times in reversed(_times(step, low, high))
    ]


def marks(begin: int, end: int) -> list[Mark]:
    """At most seven round moments (UTC) between `begin` and `end`: hours, days, Mondays, months or years. One
    that begins something greater is named after that."""
    span = end - begin
    return [
        Mark(moment, _percent((moment - begin) / span), unit)
        for moment, unit in _moments(begin, end)
        if begin + span * EDGE <= moment <= end - span * EDGE
    ]


def draw_line(candles: Sequence[Candle], frame: Frame, now: float) -> Line:
    """A line from the first open through every close, broken where candles are missing; `now` is in seconds.
    Without candles nothing is drawn."""
    pieces = [
        [
            (frame.x(run[0].start), frame.y(run[0].open)),
            *((frame.closing(candle, now), frame.y(candle.close)) for candle in run),
        ]
        for run in runs(candles)
    ]
    if not pieces:
        return Line("", "", "", "")
    paths = [_path(points) for points in pieces]
    below = [f"V{_number(frame.height)}H{_number(points[0][0])}z" for points in pieces]
    area = "".join(path + close for path, close in zip(paths, below, strict=True))
    x, y = pieces[-1][-1]
    return Line("".join(paths), area, _number(x), _number(y))


def draw_candles(candles: Iterable[Candle], frame: Frame) -> Bars:
    """Bodies from open to close, three fifths as wide as their time, with wicks to the low and the high."""
    up: list[str] = []
    down: list[str] = []
    for candle in candles:
        (up if candle.close >= candle.open else down).append(_candle(candle, frame))
    return Bars("".join(up), "".join(down))


def _candle(candle: Candle, frame: Frame) -> str:
    body = sorted((frame.y(candle.open), frame.y(candle.close)))
    top, bottom = frame.y(candle.high), frame.y(candle.low)
    middle = frame.x(candle.start + candle.interval / 2)
    left, right = (_tenth(frame.x(candle.start + candle.interval * part)) for part in (0.2, 0.8))
    wicks = _packed("M", middle, top) + _packed("v", body[0] - top)
    wicks += _packed("m", 0, body[1] - body[0]) + _packed("v", bottom - body[1])
    wide = (right - left) / 10
    sides = _packed("h", wide) + _packed("v", body[1] - body[0]) + _packed("h", -wide)
    return f"{wicks}{_packed('M', left / 10, body[0])}{sides}z"


def _joined(parts: Sequence[Candle], interval: int, start: int) -> Candle:
    first = parts[0]
    return Candle(
        first.asset,
        first.currency,
        interval,
        start,
        first.open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
    )


def _moments(begin: int, end: int) -> Iterator[tuple[int, str]]:
    span = end - begin
    for step in (HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY):
        if span <= FEW * step:
            monday = 4 * DAY if step % (7 * DAY) == 0 else 0  # the epoch was a Thursday
            first = begin + (monday - begin) % step
            return ((at, "hour" if at % DAY else "day") for at in range(first, end + 1, step))
    months = next(
        months for months in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if span <= FEW * months * YEAR / 12
    )
    first, last = (datetime.fromtimestamp(moment, UTC).year for moment in (begin, end))
    return (
        (int(datetime(at // 12, at % 12 + 1, 1, tzinfo=UTC).timestamp()), "month" if at % 12 else "year")
        for at in range(first * 12, last * 12 + 12)
        if at % months == 0
    )


def _times(step: Decimal, low: Decimal, high: Decimal) -> range:
    """By what a step is multiplied from `low` to `high`."""
    return range(math.ceil(low / step), math.floor(high / step) + 1)


def _round_up(step: Decimal) -> Decimal:
    """The next greater (or equal) number that is 1, 2 or 5 times a power of ten."""
    power = step.adjusted()
    digit = next((digit for digit in (1, 2, 5) if step <= Decimal(digit).scaleb(power)), None)
    return Decimal(1).scaleb(power + 1) if digit is None else Decimal(digit).scaleb(power)


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Relative steps, which are short, but for the last point: a script moves that one."""
    places = [(_tenth(x), _tenth(y)) for x, y in points]
    steps = [(b - a) / 10 for one, other in pairwise(places[:-1]) for a, b in zip(one, other, strict=True)]
    return _packed("M", *points[0]) + (_packed("l", *steps) if steps else "") + _packed("L", *points[-1])


def _packed(command: str, *numbers: float) -> str:
    """A command of path data without the separators that nobody needs: `l2.5-3 1.5.5`."""
    text, before = command, ""
    for number in map(_number, numbers):
        needless = not before or number[0] == "-" or (number[0] == "." and "." in before)
        text += number if needless else f" {number}"
        before = number
    return text


def _number(value: float) -> str:
    """To a tenth, as short as SVG lets it be: 12, .5, -.5."""
    tenth = _tenth(value)
    whole, part = divmod(abs(tenth), 10)
    sign = "-" if tenth < 0 else ""
    return f"{sign}{whole or ''}.{part}" if part else f"{sign}{whole}"


def _tenth(value: float) -> int:
    return round(value * 10)


def _percent(part: float) -> str:
    return f"{_number(part * 100)}%"
