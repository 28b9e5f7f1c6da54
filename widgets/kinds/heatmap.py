"""The heatmap: a tile an asset, as large as its market cap or volume, coloured by its change.

Tiles have their places in percent, so that they fill any width without a script. A tile's ground says its
change in nine steps; its text says it again with sign and arrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple

from msgspec import Meta

from ticker.model import Change, Quote
from widgets.image import width
from widgets.kinds.base import Kind, Scene, Size, listed, told
from widgets.params import ListOptions, Scale
from widgets.treemap import Tile, treemap
from widgets.view import QuoteView

SIZES = {Scale.SMALL: (400, 200), Scale.MEDIUM: (600, 320), Scale.LARGE: (800, 480)}
INSIDE = 3
"""Pixels between the border and the outermost tiles."""
LEAST = Decimal("0.2")
"""A tile has at least this part of an average one, so that a finger finds it."""
STEP = Decimal("1.5")
"""Percent of change from one colour to the next."""
FINEST, LARGEST = 9, 30
"""Pixels: no symbol is smaller or larger."""


class By(StrEnum):
    CAP = "market_cap"
    VOLUME = "volume"


class HeatmapOptions(ListOptions, frozen=True, kw_only=True):
    by: Annotated[By, Meta(description="what makes a tile large")] = By.CAP
    rows: Annotated[int, Meta(description="how many tiles at most, 1 to 60", ge=1, le=60)] = 20


class Place(NamedTuple):
    """A tile. `part` is its place in percent of the whole, `box` in pixels at the nominal width. Text has
    `font` pixels (0: there is no room); the change stands below the symbol where it is not `short`."""

    quote: QuoteView
    heat: int
    missing: bool
    part: Tile
    box: Tile
    font: float
    short: bool

    @property
    def fluid(self) -> str:
        """The font's size, smaller where the widget is narrower. What would be too small to read is not
        there at all."""
        wide = f"{100 * self.font / (self.box.width / self.part.width * 100):.2f}cqw"
        return f"min({wide},{self.font}px,max(0px,({wide} - {FINEST - 0.5}px)*999))"


class HeatmapView(NamedTuple):
    title: str
    sentence: str
    tiles: Sequence[Place]


def heat(change: Change | None) -> int:
    """-4 to 4: the sign of the percent as it is shown and its steps from zero. 0: flat or unknown."""
    if change is None:
        return 0
    size = abs(change.percent).quantize(Decimal("0.01"), ROUND_HALF_UP)
    steps = min(4, int(size / STEP) + 1) if size else 0
    return steps if change.percent > 0 else -steps


def _view(scene: Scene, options: HeatmapOptions) -> HeatmapView:
    figures = {
        asset_id: _figure(scene.board.quote(asset_id, options.currency), options.by)
        for asset_id in listed(scene.board, options)
    }
    ids = sorted(figures, key=lambda asset_id: figures[asset_id] or 0, reverse=True)[: options.rows]
    wide, high = _inner(options)
    places = treemap(_weights([figures[asset_id] for asset_id in ids]), wide, high)
    tiles = [
        _place(scene, options, asset_id, box, missing=figures[asset_id] is None)
        for asset_id, box in zip(ids, places, strict=True)
    ]
    title = scene.locale.words.heatmap
    return HeatmapView(title, told(title, [tile.quote for tile in tiles]), tiles)


def _figure(quote: Quote, by: By) -> Decimal | None:
    figure = quote.market_cap if by is By.CAP else quote.volume_24h
    return figure or None


def _weights(figures: Sequence[Decimal | None]) -> list[float]:
    """How large each is; one without a figure is as small as the smallest may be."""
    whole = sum((figure for figure in figures if figure), Decimal(0))
    least = whole * LEAST / max(len(figures), 1) or Decimal(1)
    return [float(max(figure or least, least)) for figure in figures]


def _place(scene: Scene, options: HeatmapOptions, asset_id: str, box: Tile, *, missing: bool) -> Place:
    quote = scene.quote(asset_id, options)
    change: Change | None = getattr(scene.board.quote(asset_id, options.currency), f"change_{options.window}")
    wide, high = _inner(options)
    part = Tile(*(round(100 * at / of, 2) for at, of in zip(box, (wide, high, wide, high), strict=True)))
    font, short = _font(quote, box, missing=missing)
    return Place(quote, heat(change), missing, part, box, font, short)


def _font(quote: QuoteView, box: Tile, *, missing: bool) -> tuple[float, bool]:
    """The size of the symbol, and whether it stands alone. A change may grow while it is shown."""
    symbol = width(quote.symbol + " —" * missing, 1)
    change = max(width(f"▲ {quote.change.percent.text}", 0.75), width("▲ +00.00%", 0.75))
    wide, high = box.width - 10, box.height - 10
    both = min(LARGEST, wide / max(symbol, change), high / 2.2)
    if both >= FINEST:
        return round(both, 1), False
    alone = min(LARGEST, wide / symbol, high / 1.2)
    return (round(alone, 1), True) if alone >= FINEST else (0, True)


def _inner(options: HeatmapOptions) -> tuple[int, int]:
    wide, high = SIZES[options.size]
    return wide - 2 * INSIDE, high - 2 * INSIDE


def _size(options: HeatmapOptions) -> Size:
    return Size(*SIZES[options.size], fluid=True)


def _picture(_view: HeatmapView) -> Mapping[str, object]:
    return {"inside": INSIDE}


KIND = Kind(
    "heatmap", "Tiles by market cap or volume, coloured by change.", HeatmapOptions, listed, _view, _size,
    picture=_picture,
)  # fmt: skip
