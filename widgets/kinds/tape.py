"""The tape: a row of assets that scrolls, and stands still for a reader who asks it to.

The row is there twice, so that its end is followed by its beginning; a short one is repeated until it is long
enough. It moves by the style sheet alone; the more assets there are, the longer a round takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple

from msgspec import Meta

from widgets.image import width
from widgets.kinds.base import Kind, Scene, Size, listed, told
from widgets.params import ListOptions, Scale
from widgets.view import Board, QuoteView

HEIGHTS = {Scale.SMALL: 36, Scale.MEDIUM: 44, Scale.LARGE: 56}
WIDTH = 720
FULL = 10
"""Items that fill any place; as many more make the way, and so the time of a round, as long again."""


class TapeOptions(ListOptions, frozen=True, kw_only=True):
    rows: Annotated[int, Meta(description="how many assets at most, 1 to 50", ge=1, le=50)] = 50


class TapeView(NamedTuple):
    """`again` is how often the row is repeated, `many` how many times longer than one of FULL items it is."""

    title: str
    sentence: str
    quotes: Sequence[QuoteView]
    again: int
    many: int


class Drawn(NamedTuple):
    """An item of the picture: where its symbol, price and change begin."""

    quote: QuoteView
    x: float
    price: float
    change: float


def _assets(board: Board, options: TapeOptions) -> Sequence[str]:
    return listed(board, options)[: options.rows]


def _view(scene: Scene, options: TapeOptions) -> TapeView:
    quotes = [scene.quote(asset_id, options) for asset_id in _assets(scene.board, options)]
    title = scene.locale.words.market
    again = -(-FULL // len(quotes)) if quotes else 0
    return TapeView(title, told(title, quotes), quotes, again, -(-len(quotes) * again // FULL))


def _size(options: TapeOptions) -> Size:
    return Size(WIDTH, HEIGHTS[options.size], fluid=True)


def _picture(view: TapeView) -> Mapping[str, object]:
    """Those that fit: a picture doesn't move."""
    items: list[Drawn] = []
    x = 16.0
    for quote in view.quotes:
        price = x + 28 + width(quote.symbol, 15) + 8
        change = (
            price
            + width((quote.price.head + quote.price.tail or quote.price.text) + "*" * quote.assumed, 14)
            + 8
        )
        percent = quote.change.percent
        end = change + width(f"{percent.arrow} {percent.text}", 13)
        if end > WIDTH - 12:
            break
        items.append(Drawn(quote, x, price, change))
        x = end + 24
    return {"items": items}


KIND = Kind("tape", "Prices in a row that scrolls by.", TapeOptions, _assets, _view, _size, picture=_picture)
