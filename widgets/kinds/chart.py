"""The live price chart: a line or candles, with honest axes, ranges, and a table for screen readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, NamedTuple

from msgspec import Meta

from ticker.change import percent_between
from ticker.model import Candle
from widgets import chart
from widgets import format as write
from widgets.chart import Bars, Frame, Line
from widgets.image import fit, width
from widgets.kinds.base import Kind, Need, Scene, Size, one
from widgets.locales import Locale
from widgets.params import AssetOptions, Form, Notation, Scale, canonical
from widgets.view import Board, ChangeView, QuoteView


class Span(StrEnum):
    DAY = "1D"
    WEEK = "7D"
    MONTH = "1M"
    YEAR = "1Y"
    MAX = "Max"


class Style(StrEnum):
    LINE = "line"
    CANDLES = "candles"


class ChartOptions(AssetOptions, frozen=True, kw_only=True):
    range: Annotated[Span, Meta(description="the time that is shown")] = Span.DAY
    type: Annotated[Style, Meta(description="a line through closing prices, or candles")] = Style.LINE


SIZES = {
    Scale.SMALL: Size(400, 260, fluid=True),
    Scale.MEDIUM: Size(560, 360, fluid=True),
    Scale.LARGE: Size(800, 480, fluid=True),
}
MOST = {Style.LINE: 300, Style.CANDLES: 90}
YOUNG = 12 * chart.DAY
"""Of an asset that has been seen for less than this, all there is, is shown by the hour."""
HEIGHT = 1000
ROWS = 24
AXIS = 11
"""The size of the letters at the axes, in CSS pixels."""
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
TICKS = {"hour": write.clock, "day": write.day_month, "month": write.month, "year": write.year}


class Tab(NamedTuple):
    """A link to this chart in another form, and whether it is the one that is shown."""

    text: str
    href: str
    current: bool


class Tick(NamedTuple):
    """A word at an axis, so many percent along or down."""

    at: str
    text: write.Price

    @property
    def part(self) -> float:
        """The same as a part of the axis, for a picture."""
        return float(self.at[:-1]) / 100


class Row(NamedTuple):
    time: str
    low: str
    high: str
    close: str


class Hand(NamedTuple):
    """How the prices of a chart are written. They are in the candles' own currency."""

    currency: str
    locale: Locale
    plain: bool

    def price(self, value: Decimal) -> write.Price:
        return write.price(value, self.currency, self.locale, plain=self.plain)


class Drawing(NamedTuple):
    """A line, or candles of which the last, which goes on, is by itself."""

    line: Line | None
    bars: Bars
    last: Bars


class Plot(NamedTuple):
    """What is drawn, and all that is written about it. Units across are steps of time and `HEIGHT` down, in
    which a browser stretches it to any size.

    For the script: `places` are start, step, count, low and high, `series` what can be read at each step
    under the names in `cells`, and `going` the open, high and low of the candle that goes on.
    """

    frame: Frame
    drawing: Drawing
    places: str
    series: str
    cells: Sequence[str]
    going: str
    levels: Sequence[Tick]
    axis: int
    marks: Sequence[Tick]
    rows: Sequence[Row]
    low: write.Price
    high: write.Price
    spread: str
    currency: str
    candles: Sequence[Candle]
    now: float

    @property
    def lines(self) -> Sequence[int]:
        """How far down the lines of the levels are."""
        return [round(level.part * HEIGHT) for level in self.levels]


class ChartView(NamedTuple):
    """A chart, written. `plot` is None while there is no history."""

    quote: QuoteView
    size: Size
    title: str
    sentence: str
    change: ChangeView
    ranges: Sequence[Tab]
    types: Sequence[Tab]
    plot: Plot | None

    @property
    def label(self) -> str:
        """The plot in a few words, for who can't see it."""
        if self.plot is None:
            return self.title
        words = self.quote.locale.words
        ends = f"{words.low} {self.plot.low.text}, {words.high} {self.plot.high.text}"
        return f"{self.title}, {self.change.window}: {self.change.percent.text}, {ends}"


def _needs(_board: Board, options: ChartOptions) -> Sequence[Need]:
    spoken = chart.RANGES[options.range]
    need = Need(options.asset, spoken.step, spoken.span)
    return (need, Need(options.asset, chart.HOUR, YOUNG)) if options.range is Span.MAX else (need,)


def _view(scene: Scene, options: ChartOptions) -> ChartView:
    quote = scene.quote(options.asset, options)
    words = scene.locale.words
    plot, moved = None, None
    candles, step, begin = _shown(scene, options)
    if candles:
        plot, moved = _plot(scene, options, candles, step, begin), chart.change(candles)
    change = ChangeView(write.percent(moved, scene.locale), words.ranges[options.range])
    title = words.price_chart.replace("#", quote.label)
    said = f"{title}: {quote.price.text} {quote.code}"
    said += f", {change.window} {change.percent.text}" if plot else f", {words.no_history}"
    return ChartView(
        quote=quote,
        size=SIZES[options.size],
        title=title,
        sentence=f"{words.demo}: {said}" if quote.demo else said,
        change=change,
        ranges=[Tab(words.ranges[span], _href(options, range=span), span is options.range) for span in Span],
        types=[
            Tab(said, _href(options, type=style), style is options.type)
            for style, said in ((Style.LINE, words.line), (Style.CANDLES, words.candles))
        ],
        plot=plot,
    )


def _href(options: ChartOptions, **other: object) -> str:
    return f"?{canonical(options, form=Form.DOCUMENT, **other)}"


def _shown(scene: Scene, options: ChartOptions) -> tuple[Sequence[Candle], int, int]:
    """The candles to be drawn, the newest price at their end; their seconds; and where time begins."""
    needs = _needs(scene.board, options)
    past = [scene.past.get(need, ()) for need in needs]
    if not past[0]:
        return (), 0, 0
    now = scene.now // 1000
    kept, need = past[0], needs[0]
    if len(past) > 1 and past[1] and kept[0].start > now - YOUNG:
        kept, need = past[1], needs[1]
    quote = scene.board.quote(options.asset)
    if quote.price is not None and quote.as_of is not None and quote.currency == kept[0].currency:
        kept = chart.continued(kept, quote.price, min(quote.as_of // 1000, now))
    step = need.interval
    if options.range is Span.MAX:
        kept = chart.thinned(kept, MOST[options.type])
        step = kept[0].interval
        return kept, step, kept[0].start
    if options.type is Style.CANDLES:
        step = chart.RANGES[options.range].candle
    begin = now - now % step + step - need.span
    shown = [candle for candle in kept if candle.start >= begin]
    return chart.coarser(shown, step) if step != need.interval else shown, step, begin


def _plot(scene: Scene, options: ChartOptions, candles: Sequence[Candle], step: int, begin: int) -> Plot:
    now, lined = scene.now / 1000, options.type is Style.LINE
    hand = Hand(candles[0].currency, scene.locale, options.notation is Notation.PLAIN)
    end = max(scene.now // 1000 // step * step, candles[-1].start) + step
    lowest, highest = min(candle.low for candle in candles), max(candle.high for candle in candles)
    closing = [price for candle in candles for price in (candle.open, candle.close)]
    low, high = chart.scale(closing if lined else [lowest, highest])
    slots = (end - begin) // step
    frame = Frame(begin, end, low, high, slots, HEIGHT, down=0)
    levels = _levels(low, high, hand)
    words, last = scene.locale.words, candles[-1]
    return Plot(
        frame=frame,
        drawing=_drawn(candles, frame, now, lined=lined),
        places=f"{begin} {step} {slots} {low:f} {high:f}",
        series=_series(candles, begin, slots, hand, lined=lined),
        cells=(words.price,) if lined else (words.open, words.high, words.low, words.close),
        going="" if lined else f"{last.open:f} {last.high:f} {last.low:f}",
        levels=levels,
        axis=round(max(width(_seen(level.text), AXIS) for level in levels)) + 8,
        marks=_marks(begin, end, scene.locale),
        rows=[_row(candle, hand) for candle in chart.thinned(candles, ROWS)],
        low=hand.price(lowest),
        high=hand.price(highest),
        spread=_spread(lowest, highest, scene.locale),
        currency=hand.currency,
        candles=candles,
        now=now,
    )


def _drawn(candles: Sequence[Candle], frame: Frame, now: float, *, lined: bool) -> Drawing:
    if lined:
        return Drawing(chart.draw_line(candles, frame, now), Bars("", ""), Bars("", ""))
    first, last = chart.draw_candles(candles[:-1], frame), chart.draw_candles(candles[-1:], frame)
    return Drawing(None, first, last)


def _series(candles: Sequence[Candle], begin: int, slots: int, hand: Hand, *, lined: bool) -> str:
    """The texts of each step, empty where there is no candle: open, high, low, close, or the last alone."""
    columns = [[""] * slots for _ in range(1 if lined else 4)]
    for candle in candles:
        slot = (candle.start - begin) // candle.interval
        prices = (candle.open, candle.high, candle.low, candle.close)
        for column, price in zip(columns, prices[-len(columns) :], strict=True):
            column[slot] = _lined(hand, price)
    return "~".join("|".join(column) for column in columns)


@lru_cache(maxsize=8192)
def _lined(hand: Hand, value: Decimal) -> str:
    """For a place that has no markup: a tiny price counts its zeros in a letter of its own. Kept, because a
    chart is drawn anew with each price and all but its last are the same."""
    said = hand.price(value)
    if not said.zeros or hand.locale.zero != "0":
        return said.text
    return f"{said.head}{said.zeros.translate(SUBSCRIPTS)}{said.tail}"


def _levels(low: Decimal, high: Decimal, hand: Hand) -> Sequence[Tick]:
    """The axis of prices. All of its labels have the same decimals and count the same zeros."""
    found = chart.levels(low, high)
    top = found[0].price
    zeros = -top.adjusted() - 1 if not hand.plain and top < write.TINY else 0
    return [
        Tick(level.at, write.level(level.price, level.places, zeros, hand.currency, hand.locale))
        for level in found
    ]


def _marks(begin: int, end: int, locale: Locale) -> Sequence[Tick]:
    return [
        Tick(mark.at, write.Price(_mark(mark.moment, mark.unit, locale))) for mark in chart.marks(begin, end)
    ]


@lru_cache(maxsize=1024)
def _mark(moment: int, unit: str, locale: Locale) -> str:
    return TICKS[unit](moment * 1000, locale)


def _row(candle: Candle, hand: Hand) -> Row:
    prices = (hand.price(price).text for price in (candle.low, candle.high, candle.close))
    return Row(_when(candle.start, hand.locale, daily=candle.interval >= chart.DAY), *prices)


@lru_cache(maxsize=1024)
def _when(moment: int, locale: Locale, *, daily: bool) -> str:
    rest = write.year if daily else write.clock
    return f"{write.day_month(moment * 1000, locale)} {rest(moment * 1000, locale)}"


def _spread(low: Decimal, high: Decimal, locale: Locale) -> str:
    """How much of its price the whole height is: the axis does not begin at zero."""
    if not low > 0:
        return ""
    return write.percent(percent_between(low, high), locale).text.removeprefix(locale.plus)


def _seen(price: write.Price) -> str:
    return price.head + price.zeros + price.tail if price.zeros else price.text


def _picture(view: ChartView) -> Mapping[str, object]:
    """The same drawing in pixels. The name takes what price and currency leave."""
    quote, plot, (wide, high, _) = view.quote, view.plot, view.size
    price = width(_seen(quote.price), 20) + width(quote.code, 12) + 13
    change = view.change.percent
    known = {
        "name": fit(quote.label, 15, wide - 86 - price - 10),
        "pill": round(width(f"{change.arrow} {change.text}".strip(), 13)) + 14,
        "label": round(width(view.change.window, 12)),
    }
    if plot is None:
        return known
    left, top, right, bottom = 17, 76, wide - 17 - plot.axis, high - 34
    frame = plot.frame._replace(width=right - left, height=bottom - top, down=1)
    drawing = _drawn(plot.candles, frame, plot.now, lined=plot.drawing.line is not None)
    return known | {"drawing": drawing, "left": left, "top": top, "right": right, "bottom": bottom}


KIND = Kind(
    "chart",
    "The live price chart: a line or candles, with a crosshair.",
    ChartOptions,
    one,
    _view,
    lambda options: SIZES[options.size],
    _needs,
    _picture,
    module="chart.js",
)
