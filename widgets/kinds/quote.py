"""The box: logo, name, price, change, age, and a link to the live chart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from widgets.image import fit, width
from widgets.kinds.base import Kind, Scene, Size, one
from widgets.params import AssetOptions, Scale
from widgets.view import QuoteView

SIZES = {Scale.SMALL: Size(320, 48), Scale.MEDIUM: Size(320, 72), Scale.LARGE: Size(400, 104)}


class Rows(NamedTuple):
    """How a picture writes a quote in two rows, in pixels: how far the texts reach, how large logo, price and
    name are, where the first row's letters stand and the second row's middle is, and how high both are."""

    end: int
    logo: int
    big: int
    text: int
    first: int
    second: int
    height: int

    @property
    def begin(self) -> int:
        return 17 + self.logo + 12


ROWS = {
    Scale.SMALL: Rows(303, 28, 16, 14, 16, 30, 40),
    Scale.MEDIUM: Rows(303, 40, 20, 15, 20, 38, 48),
    Scale.LARGE: Rows(383, 56, 28, 18, 26, 48, 58),
}


class Measured(NamedTuple):
    """The same, with what a quote's texts need of it: the name as far as it goes, whether the symbol has
    room, and how wide the change's ground and its window are."""

    rows: Rows
    name: str
    room: bool
    pill: int
    label: int


def measured(view: QuoteView) -> Mapping[str, object]:
    """By size, because what a picture is given doesn't know which one was asked for."""
    return {"sizes": {scale: _measured(view, rows) for scale, rows in ROWS.items()}}


def _measured(view: QuoteView, rows: Rows) -> Measured:
    """The name takes what price and currency leave."""
    change = view.change.percent
    price = width(view.price.head + view.price.tail or view.price.text, rows.big) + width(view.code, 12) + 13
    left = rows.end - rows.begin - price - 10
    room = width(view.name, rows.text) + width(f"({view.symbol})", rows.text) + 6 <= left
    return Measured(
        rows,
        view.name if room else fit(view.name, rows.text, left),
        room,
        round(width(f"{change.arrow} {change.text}".strip(), 13)) + 14,
        round(width(view.change.window, 12)),
    )


def _view(scene: Scene, options: AssetOptions) -> QuoteView:
    return scene.quote(options.asset, options)


def _size(options: AssetOptions) -> Size:
    return SIZES[options.size]


KIND = Kind(
    "quote", "One price in a box, beside an article.", AssetOptions, one, _view, _size, picture=measured
)
