"""The badge: one line of text, as a README, a mail or a footer has room for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, NamedTuple

from msgspec import Meta

from widgets import format as write
from widgets.image import fit, width
from widgets.kinds.base import Kind, Scene, Size, one
from widgets.locales import find
from widgets.params import AssetOptions, Scale
from widgets.view import QuoteView

HEIGHTS = {Scale.SMALL: 18, Scale.MEDIUM: 20, Scale.LARGE: 28}
LETTERS = {Scale.SMALL: 10, Scale.MEDIUM: 11, Scale.LARGE: 15}
PAD = 0.6
"""Left and right of each text, in letters' sizes."""
ROOMY, LONGEST = Decimal("88888.88"), "USDT"
"""What a price and a symbol may be so that nothing has to be left out."""


class BadgeOptions(AssetOptions, frozen=True, kw_only=True):
    label: Annotated[str, Meta(description="the text at the left; empty for the symbol", max_length=40)] = ""


class BadgeView(NamedTuple):
    """`label` stands at the left, cut to `room` pixels where it has to be."""

    quote: QuoteView
    label: str
    scale: Scale
    size: Size

    @property
    def title(self) -> str:
        return self.quote.title

    @property
    def sentence(self) -> str:
        return self.quote.sentence


def _letters(options: BadgeOptions) -> tuple[float, float]:
    """How wide the left part may become and how wide the right one is, in pixels."""
    locale, size = find(options.locale), LETTERS[options.size]
    price = write.price(ROOMY, options.currency, locale).text
    change = f"▼ {write.percent(Decimal('-88.88'), locale).text}"
    left = width(options.label.strip() or LONGEST, size) + 2 * PAD * size
    right = width(price, size) + width(change, size) + 3 * PAD * size
    return left, right


def _size(options: BadgeOptions) -> Size:
    """The same at any price, so that a page can keep the place."""
    return Size(round(sum(_letters(options))), HEIGHTS[options.size])


def _view(scene: Scene, options: BadgeOptions) -> BadgeView:
    said = scene.quote(options.asset, options)
    return BadgeView(said, options.label.strip() or said.symbol, options.size, _size(options))


def _picture(view: BadgeView) -> Mapping[str, object]:
    """What is left out when there is too little room: first the change, then the label's end. A price is
    whole: in the end it is squeezed."""
    letters, quote = LETTERS[view.scale], view.quote
    pad, room = PAD * letters, view.size.width
    moved = quote.change.percent
    price = width(quote.price.head + quote.price.zeros + quote.price.tail or quote.price.text, letters)
    second = f"{moved.arrow} {moved.text}".strip() if quote.status.state == "live" else quote.status.text
    demo = width(quote.locale.words.demo, letters) + pad if quote.demo else 0
    label = fit(view.label, letters, max(room - price - demo - 4 * pad, 4 * letters))
    left = width(label, letters) + 2 * pad
    shown = left + demo + price + width(second, letters) + 3 * pad <= room
    return {
        "letters": letters,
        "label": label,
        "left": round(left),
        "pad": round(pad),
        "second": second if shown else "",
        "demo": round(demo),
        "squeezed": room - left - demo - 2 * pad if left + demo + price + 2 * pad > room else 0,
    }


KIND = Kind("badge", "One line for a README or a mail.", BadgeOptions, one, _view, _size, picture=_picture)
