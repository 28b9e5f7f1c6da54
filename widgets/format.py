"""How a price, a change, an amount and an age are written in a locale.

Pure: Decimal and milliseconds in, text out, by SOURCES' rule for readable prices. `static/format.js` is its
twin on decimal strings: it knows no locale but gets the patterns used here as `notation`, and a test in a
browser holds the two equal. Nothing here rounds through a float.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import NamedTuple

from widgets.locales import ENGLISH, Locale, dated, money, month_name

WHOLE = frozenset({"JPY", "KRW"})
NOTHING = "—"
TINY = Decimal("0.00001")
SCALES = ("", "K", "M", "B", "T")
Notation = tuple[Sequence[str | int] | Mapping[str, str], ...]
_EXACT = Context(prec=400, rounding=ROUND_HALF_UP)


class Price(NamedTuple):
    """A price as text. When `head` is set the eye gets head, a subscript of `zeros` (a count) and tail:
    0.0₅1234; `text` is then what is copied and read aloud."""

    text: str
    head: str = ""
    zeros: str = ""
    tail: str = ""


class Percent(NamedTuple):
    """A change as text: `direction` is up, down, flat or unknown and `word` says it aloud."""

    text: str
    arrow: str
    word: str
    direction: str


def price(value: Decimal | None, currency: str, locale: Locale = ENGLISH, *, plain: bool = False) -> Price:
    """The price in `currency` (a code): four significant digits under 1, two to four decimals from 1 up.
    A `plain` one counts no zeros: all of its digits are shown."""
    if value is None:
        return Price(locale.words.said["unavailable"], NOTHING)
    number = _readable(value.copy_abs(), currency)
    pattern = money(locale, currency)[value < 0]
    text = pattern.replace("#", _local(number, locale))
    if plain or not 0 < number < TINY:
        return Price(text)
    before, after = pattern.split("#")
    zeros = str(-number.adjusted() - 1)
    head, tail = f"{before}0{locale.decimal}0", f"{number:f}"[-4:] + after
    return Price(text, _digits(head, locale), _digits(zeros, locale), _digits(tail, locale))


def level(value: Decimal, places: int, zeros: int, currency: str, locale: Locale = ENGLISH) -> Price:
    """A price on an axis, where all have so many decimals and, when there are any to count, so many zeros
    after the point: 0.0₅09, 0.0₅10."""
    number = _fixed(value, places if value else 0)
    before, after = money(locale, currency)[value < 0].split("#")
    text = f"{before}{_local(abs(number), locale)}{after}"
    if not zeros or not number:
        return Price(text)
    head, tail = f"{before}0{locale.decimal}0", f"{abs(number):f}"[2 + zeros :] + after
    return Price(text, _digits(head, locale), _digits(str(zeros), locale), _digits(tail, locale))


def percent(value: Decimal | None, locale: Locale = ENGLISH) -> Percent:
    """A change in percent with its sign, to two decimals; one that rounds to zero has none."""
    words = locale.words.said
    if value is None:
        return Percent(NOTHING, "", words["unknown"], "unknown")
    size = _fixed(abs(value), 2)
    text = locale.percent.replace("#", _local(size, locale))
    if not size:
        return Percent(text, "", words["flat"], "flat")
    if value > 0:
        return Percent(locale.plus + text, "▲", words["up"], "up")
    return Percent(locale.minus + text, "▼", words["down"], "down")


def compact(value: Decimal | None, currency: str, locale: Locale = ENGLISH) -> str:
    """A large amount, not negative, in thousands, millions, billions or trillions: $1.23B, 4,50M USDT."""
    if value is None:
        return NOTHING
    scale = min(max(value.adjusted() // 3, 0), 4)
    number = _fixed(value.scaleb(-3 * scale, _EXACT), 2)
    if number >= 1000 and scale < 4:  # rounding carried: 999,999 is $1.00M
        number, scale = _fixed(number.scaleb(-3, _EXACT), 2), scale + 1
    pattern = money(locale, currency).above
    written = f"# {currency}" if pattern == "#" else pattern
    return written.replace("#", _local(number, locale) + SCALES[scale])


def age(milliseconds: int, locale: Locale = ENGLISH) -> str:
    """How long ago, in its largest whole unit: 45 s, 6 min, 3 h, 2 d."""
    seconds = max(milliseconds, 0) // 1000
    unit = bisect((60, 3600, 172_800), seconds)
    return locale.units[unit].replace("#", _digits(str(seconds // (1, 60, 3600, 86_400)[unit]), locale))


def status(state: str, as_of: int | None, now: int, locale: Locale = ENGLISH) -> str:
    """The short line under the name: the time of a live price (UTC), the age of any other."""
    if as_of is None or state == "unavailable":
        return locale.words.said["unavailable"]
    if state == "live":
        return f"{_digits(iso(as_of)[11:16], locale)} UTC"
    old = age(now - as_of, locale)
    return (
        f"{word(state, locale)} {old}"
        if state in {"held", "disputed"}
        else locale.words.old.replace("#", old)
    )


def word(state: str, locale: Locale = ENGLISH) -> str:
    """The state of a quote, said aloud."""
    return locale.words.said[state]


def moment(milliseconds: int, locale: Locale = ENGLISH) -> str:
    """As of which second a price is, in UTC."""
    said = iso(milliseconds)
    return locale.words.as_of.replace("#", _digits(f"{said[:10]} {said[11:19]}", locale))


def count(number: int | Decimal, locale: Locale = ENGLISH) -> str:
    """How many, not below zero, in the locale's digits and groups. All the digits there are."""
    return _local(Decimal(number), locale)


def page(number: int, last: int, locale: Locale = ENGLISH) -> str:
    """Which page of how many."""
    before, between, after = locale.words.page.split("#")
    return f"{before}{count(number, locale)}{between}{count(last, locale)}{after}"


def day_month(milliseconds: int, locale: Locale = ENGLISH) -> str:
    """The day of a moment (ms since the epoch) in UTC, without its year: Nov 12."""
    return _digits(dated(_utc(milliseconds), "MMMd", locale), locale)


def month(milliseconds: int, locale: Locale = ENGLISH) -> str:
    """The month of a moment in UTC, short: Nov."""
    return _digits(month_name(_utc(milliseconds), locale), locale)


def clock(milliseconds: int, locale: Locale = ENGLISH) -> str:
    """The hour and minute of a moment in UTC, by 24 hours: 14:00. Without the word that it is a time, which
    Bulgarian and Thai put behind it: an axis has no room."""
    return _digits(dated(_utc(milliseconds), "Hm", locale).split()[0], locale)


def year(milliseconds: int, locale: Locale = ENGLISH) -> str:
    """The year of a moment in UTC, of the Gregorian calendar: 2026."""
    return _digits(dated(_utc(milliseconds), "y", locale), locale)


def notation(currency: str, locale: Locale = ENGLISH, *, plain: bool = False) -> Notation:
    """All that the script needs to write as this module does, in the order in which `format.js` takes it."""
    words, size = locale.words, locale.percent
    return (
        (locale.zero, locale.decimal, locale.group, locale.size, locale.least),
        # A quote in another currency is written without a sign.
        (*money(locale, currency), currency, *["plain"] * plain),
        (locale.plus + size, locale.minus + size, size, NOTHING),
        locale.units,
        {name: said for name, said in words.said.items() if name != said},
        (words.old, words.as_of),
        (words.day, words.utc_day),
    )


def iso(milliseconds: int) -> str:
    """RFC 3339 in UTC, to the second: 2026-11-23T17:38:21Z."""
    return _utc(milliseconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def _utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC)


def _local(number: Decimal, locale: Locale) -> str:
    """A number that isn't negative, in the locale's digits and groups."""
    whole, point, part = f"{number:f}".partition(".")
    if len(whole) >= locale.least:
        whole = re.sub(rf"\B(?=(\d{{{locale.size}}})*\d{{3}}$)", locale.group, whole)
    return _digits(whole + (locale.decimal if point else "") + part, locale)


def _digits(text: str, locale: Locale) -> str:
    return re.sub("[0-9]", lambda found: chr(ord(locale.zero) + int(found[0])), text)


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
