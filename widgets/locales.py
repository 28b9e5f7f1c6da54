"""What a locale says about writing: digits, groups, currency and percent patterns by CLDR, and our words.

Numbers come from Babel, words from `words.py`. The only file that knows Babel. It writes nothing: `format.py`
does, and hands the same patterns to the browser.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import NamedTuple

from babel import Locale as Cldr
from babel.dates import parse_pattern
from babel.numbers import get_currency_symbol

from ticker.errors import RequestError
from widgets.words import LABELS, RANGES, SAID, UNITS, UNSPACED, WORDS


@dataclass(frozen=True, eq=False)
class Words:
    """`said` has the states and directions, `ranges` a chart's. Patterns have a # for what they tell of:
    `title`, `old`, `as_of`, `converter`, `sort`, `price_chart`; `page` has two, the page and the last one.
    """

    said: dict[str, str]
    ranges: dict[str, str]
    title: str
    chart: str
    demo: str
    old: str
    as_of: str
    day: str
    utc_day: str
    asset: str
    price: str
    change: str
    volume: str
    market_cap: str
    low: str
    high: str
    pause: str
    amount: str
    currency: str
    converter: str
    previous: str
    next: str
    sort: str
    open: str
    close: str
    time: str
    line: str
    candles: str
    hour: str
    week: str
    page: str
    no_history: str
    price_chart: str
    heatmap: str
    market: str
    source: str
    sources: str
    days_range: str


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


def dated(moment: datetime, skeleton: str, locale: Locale) -> str:
    """The fields of a CLDR skeleton (MMMd, Hm, y) as the locale orders and separates them, in Latin digits.

    Never by a month's stand-alone name: Babel keeps a resolved alias in data that locales share, and after
    Hebrew was asked for its own, half of the others answer in Hebrew (python-babel/babel#1234).
    """
    cldr = Cldr.parse(locale.tag, sep="-")
    return parse_pattern(cldr.datetime_skeletons[skeleton].pattern.replace("L", "M")).apply(moment, cldr)


def month_name(moment: datetime, locale: Locale) -> str:
    """The short name, also where a date of the locale would have the month's number."""
    name = str(Cldr.parse(locale.tag, sep="-").months["format"]["abbreviated"][moment.month])
    return "май" if name == "мая" else name  # the only short name that a date inflects


@cache
def own_names() -> Mapping[str, str]:
    """What each locale calls itself, by its tag: Deutsch, العربية. For whoever offers them."""
    named = {tag: Cldr.parse(tag, sep="-").get_display_name() or tag for tag in TAGS}
    return {tag: name[:1].upper() + name[1:] for tag, name in named.items()}


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
    *labels, ranges = LABELS[tag].split("|")
    return Words(
        dict(zip(SAID, written[first:], strict=True)),
        dict(zip(RANGES, ranges.split("/"), strict=True)),
        *written[:first],
        *labels,
    )


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
