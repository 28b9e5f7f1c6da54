"""The converter: an amount of an asset in a currency, or an amount of a currency in the asset.

Its form works without script; the script's sums are the same, on the same decimal strings. No float, ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Annotated, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from ticker.errors import RequestError
from ticker.model import Quote
from widgets import format as write
from widgets.image import fit, width
from widgets.kinds.base import Kind, Scene, Size, one
from widgets.kinds.card import SIZES
from widgets.kinds.quote import measured
from widgets.locales import Locale, find
from widgets.params import AssetOptions, Form, Notation, canonical
from widgets.view import QuoteView

MOST = 30
"""Digits of an amount: as many as the largest supply in the smallest unit needs."""
SPACES = re.compile(r"\s")
EXACT = Context(prec=400)
EIGHT = Context(prec=8, rounding=ROUND_HALF_UP)


class ConverterOptions(AssetOptions, frozen=True, kw_only=True):
    """`amount` is kept in plain notation, however it was written."""

    amount: Annotated[str, Meta(description="how much, as the locale or 1234.5 writes it", max_length=80)] = (
        "1"
    )
    inverse: Annotated[bool, Meta(description="1: the amount is in the currency")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        amount = read_amount(self.amount, find(self.locale)) if self.amount.strip() else "1"
        if amount is None:
            said = f"amount can't be “{self.amount[:40]}”: use up to {MOST} digits, as in 1234.5"
            raise RequestError("bad_option", said)
        msgspec.structs.force_setattr(self, "amount", amount)


class ConverterView(NamedTuple):
    """`shown` is the amount as its field has it, `worth` the price for the script. `from_` and `to` are the
    codes on either side. `rate` tells of which day a reference rate is. `kept` are the other options, which
    the form hands on, `swap` where the same is asked the other way round."""

    quote: QuoteView
    shown: str
    worth: str
    converted: write.Price
    from_: str
    to: str
    currencies: Sequence[str]
    rate: str
    kept: Sequence[tuple[str, str]]
    swap: str
    inverse: bool

    @property
    def title(self) -> str:
        return self.quote.locale.words.converter.replace("#", self.quote.label)

    @property
    def sentence(self) -> str:
        if not self.worth:
            return self.quote.sentence
        said = f"{self.shown} {self.from_} = {self.converted.text} {self.to}, {self.quote.status.title}"
        return f"{self.quote.locale.words.demo}: {said}" if self.quote.demo else said


def read_amount(text: str, locale: Locale) -> str | None:
    """A number as the locale writes it, else in plain notation; None for what is neither or too long.

    The answer is in plain notation and reads back as itself: where 1.234 would be a group, it is 1.2340.
    """
    plain = "".join(_digit(letter) for letter in SPACES.sub("", text))
    group, point = (re.escape(SPACES.sub("", sign)) for sign in (locale.group, locale.decimal))
    grouped = rf"\d{{1,3}}(?:{group}\d{{2,3}})*{group}\d{{3}}|" if group else ""
    if re.fullmatch(rf"(?:{grouped}\d*)(?:{point}\d*)?", plain) and re.search(r"\d", plain):
        plain = re.sub(group, "", plain) if group else plain
        plain = re.sub(point, ".", plain)
    elif not re.fullmatch(r"\d*\.?\d+|\d+\.", plain):
        return None
    whole, _, part = plain.partition(".")
    whole, part = whole.lstrip("0") or "0", part.rstrip("0")
    if len(whole + part) > MOST:
        return None
    if len(part) == 3 and locale.group == "." and len(whole) <= 3:
        part += "0"
    return f"{whole}.{part}" if part else whole


def product(amount: str, price: Decimal) -> Decimal:
    """Exactly."""
    return EXACT.multiply(Decimal(amount), price)


def quotient(amount: str, price: Decimal) -> Decimal | None:
    """To eight significant digits, rounded half up; None where the price is zero."""
    return EIGHT.divide(Decimal(amount), price) if price else None


def _digit(letter: str) -> str:
    return str(int(letter)) if letter.isdecimal() else letter


def _shown(amount: str, locale: Locale) -> str:
    """As the field has it: in the locale's digits, ungrouped, because somebody is going to edit it."""
    zero = ord(locale.zero)
    return "".join(chr(zero + int(sign)) if sign.isdigit() else locale.decimal for sign in amount)


def _view(scene: Scene, options: ConverterOptions) -> ConverterView:
    said, quote = scene.quote(options.asset, options), scene.board.quote(options.asset, options.currency)
    sides = (said.symbol, said.code)
    known = scene.board.known_currencies()
    others = canonical(options, amount="1", currency="USD", form=Form.DOCUMENT)
    return ConverterView(
        quote=said,
        shown=_shown(options.amount, scene.locale),
        worth="" if quote.price is None else f"{quote.price:f}",
        converted=_converted(quote, options, scene.locale),
        from_=sides[options.inverse],
        to=sides[not options.inverse],
        currencies=known if quote.currency in known else sorted({*known, quote.currency}),
        rate=f"{quote.currency} {quote.rate_date}" if quote.rate_date else "",
        kept=parse_qsl(others),
        swap="?" + canonical(options, inverse=not options.inverse, form=Form.DOCUMENT),
        inverse=options.inverse,
    )


def _converted(quote: Quote, options: ConverterOptions, locale: Locale) -> write.Price:
    if quote.price is None:
        return write.price(None, quote.currency, locale)
    if not options.inverse:
        value = product(options.amount, quote.price)
        return write.price(value, quote.currency, locale, plain=options.notation is Notation.PLAIN)
    parts = quotient(options.amount, quote.price)
    return write.price(None, quote.currency, locale) if parts is None else _counted(parts, locale)


def _counted(value: Decimal, locale: Locale) -> write.Price:
    """How many of an asset: all the digits there are, and none that aren't."""
    return write.Price(write.count(value.normalize(), locale))


def _size(options: ConverterOptions) -> Size:
    return SIZES[options.size]


def _picture(view: ConverterView) -> Mapping[str, object]:
    """The letters are as large as the whole line lets them be: a number is never cut."""
    sides = fit(view.from_, 1, 6), fit(view.to, 1, 6)
    line = f"{view.shown} {sides[0]} = {view.converted.text} {sides[1]}"
    return {"sides": sides, "letters": min(17, round(250 / width(line, 1), 1)), **measured(view.quote)}


KIND = Kind(
    "converter", "An amount in another currency.", ConverterOptions, one, _view, _size, picture=_picture
)
