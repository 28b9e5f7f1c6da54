"""The card: the box with the line of its window and its day's range below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from ticker.model import Window
from widgets import format as write
from widgets.chart import Spark, spark
from widgets.image import width
from widgets.kinds.base import Kind, Need, Scene, Size, one
from widgets.kinds.quote import measured
from widgets.params import AssetOptions, Notation, Scale
from widgets.view import Board, QuoteView, known

SIZES = {Scale.SMALL: Size(320, 132), Scale.MEDIUM: Size(320, 176), Scale.LARGE: Size(400, 232)}
SPANS = {Window.HOUR: (60, 3600), Window.DAY: (300, 86_400), Window.WEEK: (3600, 604_800)}
"""By window, the seconds of a candle and of the line: it shows the time that the change is counted over."""
LINE = (288, 64)


class CardView(NamedTuple):
    """`spark` None: there is no past to draw. `drawn` says it aloud; `other` is the currency it is drawn in,
    where that isn't the price's own. `place` is where the price is on the day's range, in percent from its
    low; None where the range isn't known."""

    quote: QuoteView
    spark: Spark | None
    drawn: str
    other: str
    place: str | None

    @property
    def title(self) -> str:
        return self.quote.title

    @property
    def sentence(self) -> str:
        return self.quote.sentence


def place(low: Decimal | None, price: Decimal | None, high: Decimal | None) -> str | None:
    """How far up a price is between low and high, in whole percent; at an end when it is beyond it."""
    if low is None or price is None or high is None:
        return None
    if high <= low:
        return "50%"
    return f"{round(min(max((price - low) / (high - low), Decimal(0)), Decimal(1)) * 100)}%"


def _needs(board: Board, options: AssetOptions) -> Sequence[Need]:
    return (Need(known(board, options.asset).id, *SPANS[options.window]),)


def _view(scene: Scene, options: AssetOptions) -> CardView:
    said, quote = scene.quote(options.asset, options), scene.board.quote(options.asset, options.currency)
    past = scene.past.get(_needs(scene.board, options)[0], ())
    line, own = spark(past, *LINE), past[-1].currency if past else quote.currency
    if line is None:
        drawn = ""
    else:
        plain = options.notation is Notation.PLAIN
        low, high = (write.price(end, own, scene.locale, plain=plain).text for end in (line.low, line.high))
        chart = scene.locale.words.price_chart.replace("#", said.label)
        drawn = f"{chart}, {said.change.window}: {low} – {high} {own}"
    other = "" if own == quote.currency else own
    return CardView(said, line, drawn, other, place(quote.low_24h, quote.price, quote.high_24h))


def _size(options: AssetOptions) -> Size:
    return SIZES[options.size]


def _picture(view: CardView) -> Mapping[str, object]:
    words = view.quote.locale.words
    lower, upper = (
        width(f"{word} {end.head + end.zeros + end.tail or end.text}", 12)
        for word, end in ((words.low, view.quote.low_24h), (words.high, view.quote.high_24h))
    )
    return {"lower": round(lower), "upper": round(upper), **measured(view.quote)}


KIND = Kind(
    "card", "One price with its line and its day's range.", AssetOptions, one, _view, _size, _needs, _picture
)
