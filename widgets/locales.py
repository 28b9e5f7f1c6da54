"""What a locale says about writing: digits, groups, currency and percent patterns by CLDR, and our words.

Numbers come from Babel, words from `words.py`. The only file that knows Babel. It writes nothing: `format.py`
does, and hands the same patterns to the browser.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

from babel import Locale as Cldr
from babel.numbers import get_currency_symbol

from ticker.errors import RequestError
from widgets.words import SAID, UNITS, UNSPACED, WORDS


@dataclass(frozen=True, eq=False)
class Words:
    """`said` has the states and directions; `title`, `old` and `as_of` are patterns with a # for it."""

    said: dict[str, str]
    title: str
    chart: str
    demo: str
    old: str
    as_of: str
    day: str
    utc_day: str


class Money(NamedTuple):
    """Patterns of an amount in one currency: # stands for the number without its sign."""

    above: str
    below: str


@dataclass(frozen=True, eq=False)
class Locale:
    """How one locale writes. `percent` and `units` are patterns; units are seconds, minutes, hours and days.

    Groups have three digits at the right and `size` further left, and begin at numbers of `least` digits.
    """

    tag: str
    direction: str
    zero: str
    decimal: str
    group: str
    size: int
    least: int
    minus: str
    plus: str
    percent: str
    units: tuple[str, ...]
    words: Words


TAGS = tuple(WORDS)
"""Every locale a widget can be asked for, as BCP 47 writes it."""

_KNOWN = {tag.lower(): tag for tag in TAGS} | {
    "pt": "pt-BR", "no": "nb", "zh": "zh-Hans", "zh-tw": "zh-Hant", "zh-hk": "zh-Hant", "zh-mo": "zh-Hant",
}  # fmt: skip
_GROUPED_FROM_FIVE = frozenset({"es", "pt-PT", "it", "pl", "hu", "bg", "sl"})
"""CLDR's minimumGroupingDigits of 2, which Babel leaves out: 1234,5 and 12.345,6."""


def find(asked: str) -> Locale:
    """The locale of a BCP 47 tag, or the nearest more general one: `de-CH` is answered with `de`.

    Raises RequestError `bad_option` (400) for a language we have no words in.
    """
    tag = asked.lower().replace("_", "-")
    while tag and tag not in _KNOWN:
        tag = tag.rpartition("-")[0]
    if not tag:
        raise RequestError("bad_option", f"locale can't be “{asked[:40]}”: use {', '.join(TAGS)}")
    return _locale(_KNOWN[tag])


@lru_cache(maxsize=1024)
def money(locale: Locale, currency: str) -> Money:
    """How an amount in `currency` (a code) is written.

    A currency that CLDR gives no sign in this locale, and one it doesn't know, leave the number alone: the
    code stands beside it in the widget.
    """
    cldr = Cldr.parse(locale.tag, sep="-")
    sign = get_currency_symbol(currency, cldr)
    if sign == currency:
        return Money("#", f"{locale.minus}#")
    above, _, below = cldr.currency_formats["standard"].pattern.partition(";")
    below = below.replace("-", locale.minus) or locale.minus + above
    return Money(_signed(above, sign), _signed(below, sign))


@cache
def _locale(tag: str) -> Locale:
    cldr = Cldr.parse(tag, sep="-")
    system = cldr.default_numbering_system
    space = "" if tag in UNSPACED else " "
    signs = {**cldr.number_symbols["latn"], **cldr.number_symbols[system]}
    return Locale(
        tag=tag,
        direction=cldr.text_direction,
        zero=_ZEROS[system],
        decimal=signs["decimal"],
        group=signs["group"],
        size=cldr.decimal_formats[None].grouping[1],
        least=5 if tag in _GROUPED_FROM_FIVE else 4,
        minus=signs["minusSign"].replace("-", "−"),  # the hyphen is read aloud as one, or not at all
        plus=signs["plusSign"],
        percent=_numberless(cldr.percent_formats[None].pattern).replace("%", signs["percentSign"]),
        units=tuple(f"#{space}{unit}" for unit in UNITS[tag].split()),
        words=_words(tag),
    )


def _words(tag: str) -> Words:
    written = WORDS[tag].split("|")
    first = len(written) - len(SAID)
    return Words(dict(zip(SAID, written[first:], strict=True)), *written[:first])


_ZEROS = {"latn": "0", "arab": "٠", "arabext": "۰", "beng": "০", "deva": "०"}


def _signed(pattern: str, sign: str) -> str:
    """A pattern with its currency. A sign whose letter would touch the number keeps apart (UTS 35)."""
    pattern = _numberless(pattern)
    if "¤#" in pattern and _keeps_apart(sign[-1]):
        sign = f"{sign}\u00a0"
    if "#¤" in pattern and _keeps_apart(sign[0]):
        sign = f"\u00a0{sign}"
    return pattern.replace("¤", sign)


def _keeps_apart(letter: str) -> bool:
    return unicodedata.category(letter)[0] not in "SZ"


def _numberless(pattern: str) -> str:
    return re.sub(r"#[#,0.]*", "#", pattern)


ENGLISH = find("en")
