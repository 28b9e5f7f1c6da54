"""How a price, a change, an amount and an age are written.

Pure: Decimal and milliseconds in, text out, by SOURCES' rule for readable prices. English for now; everything
a locale would change is in the tables at the top. `static/format.js` is its twin on decimal strings, and a
test in a browser holds the two equal. Nothing here rounds through a float.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

SIGNS = {
    "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "KRW": "₩", "INR": "₹", "CNY": "CN¥", "BRL": "R$",
    "AUD": "A$", "CAD": "CA$",
}  # fmt: skip
"""Currency signs as CLDR's English has them; every other currency is a code after the number."""

WHOLE = frozenset({"JPY", "KRW"})
MINUS = "−"
NOTHING = "—"
TINY = Decimal("0.00001")
SCALES = ("", "K", "M", "B", "T")
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)


class Price(NamedTuple):
    """A price as text. When `head` is set the eye gets head, a subscript of `zeros`, and tail: 0.0₅1234;
    `text` is then what is copied and read aloud."""

    text: str
    head: str = ""
    zeros: int = 0
    tail: str = ""


class Percent(NamedTuple):
    """A change as text: `direction` is up, down, flat or unknown and `word` says it aloud."""

    text: str
    arrow: str
    word: str
    direction: str


def price(value: Decimal | None, currency: str) -> Price:
    """The price in `currency` (a code): four significant digits under 1, two to four decimals from 1 up."""
    if value is None:
        return Price("unavailable", NOTHING)
    number = _readable(abs(value), currency)
    sign = (MINUS if value < 0 else "") + SIGNS.get(currency, "")
    text = f"{sign}{number:,f}"
    if not 0 < number < TINY:
        return Price(text)
    zeros = -number.adjusted() - 1
    return Price(text, f"{sign}0.0", zeros, text[-4:])


def percent(value: Decimal | None) -> Percent:
    """A change in percent with its sign, to two decimals; one that rounds to zero has none."""
    if value is None:
        return Percent(NOTHING, "", "unknown", "unknown")
    size = f"{_fixed(abs(value), 2):,f}%"
    if not any(digit in size for digit in "123456789"):
        return Percent(size, "", "unchanged", "flat")
    return (
        Percent(f"+{size}", "▲", "up", "up") if value > 0 else Percent(f"{MINUS}{size}", "▼", "down", "down")
    )


def compact(value: Decimal | None, currency: str) -> str:
    """A large amount in thousands, millions, billions or trillions: $1.23B, 4.50M USDT."""
    if value is None:
        return NOTHING
    scale = min(max(value.adjusted() // 3, 0), 4)
    number = _fixed(value.scaleb(-3 * scale, _EXACT), 2)
    if number >= 1000 and scale < 4:  # rounding carried: 999,999 is $1.00M
        number, scale = _fixed(number.scaleb(-3, _EXACT), 2), scale + 1
    return amount(f"{number:,f}{SCALES[scale]}", currency)


def amount(number: str, currency: str) -> str:
    """A written number with its currency: the sign before it, or the code after it."""
    sign = SIGNS.get(currency)
    return f"{number} {currency}" if sign is None else f"{sign}{number}"


def age(milliseconds: int) -> str:
    """How long ago, in its largest whole unit: 45 s, 6 min, 3 h, 2 d."""
    seconds = max(milliseconds, 0) // 1000
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} d"


def status(state: str, as_of: int | None, now: int) -> str:
    """The short line under the name: the time of a live price (UTC), the age of any other."""
    if as_of is None or state == "unavailable":
        return "unavailable"
    if state == "live":
        return f"{iso(as_of)[11:16]} UTC"
    old = age(now - as_of)
    return f"{state} {old}" if state in {"held", "disputed"} else f"{old} old"


def iso(milliseconds: int) -> str:
    """RFC 3339 in UTC, to the second: 2026-11-23T17:38:21Z."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _readable(size: Decimal, currency: str) -> Decimal:
    once = _fixed(size, _places(size, currency))
    number = _fixed(once, _places(once, currency))  # a carry (0.99996, 999.99996) falls under the next rule
    if not 1 <= number < 1000 or currency in WHOLE:
        return number
    return _fixed(number, max(2, -_exponent(number.normalize(_EXACT))))


def _places(size: Decimal, currency: str) -> int:
    if 0 < size < 1:
        return 3 - size.adjusted()
    if currency in WHOLE:
        return 0
    return 4 if 1 <= size < 1000 else 2


def _fixed(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def _exponent(value: Decimal) -> int:
    return int(value.as_tuple().exponent)
