"""Kraken spot, polled: the ticker of many pairs in one request. Its change counts from midnight UTC.

https://docs.kraken.com/api/docs/rest-api/get-ticker-information
Limits: about one request a second and address (docs.kraken.com/api/docs/guides/spot-rest-ratelimits). Arrays
are [today, last 24 hours]; `o` is the day's open, so its change says `utc_day`. There is no time. A pair may
be asked for as XBTUSDT or BTC/USDT and is answered under a name of the venue's choice. Errors come with
HTTP 200; one unknown pair fails the whole request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from ticker.change import percent_between
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.model import Basis, Change, Pair, Tick, Window
from ticker.sources.base import Budget, Request, Venue
from ticker.sources.decode import Figure, Given, Price, amount, decode, positive, price
from ticker.sources.rows import Rows

CHUNK = 100
# Its own codes of two currencies; everybody else's are the answer's with assetVersion=1.
COMMON = {"XBT": "BTC", "XDG": "DOGE"}
# The oldest spelling marks currencies: XXBTZUSD is XBT in USD, XETHXXBT is ETH in XBT.
MARKED = re.compile(r"X([A-Z]{3})[XZ]([A-Z]{3})")
UNKNOWN_PAIR = "EQuery:Unknown asset pair"
LIMITED = ("EAPI:Rate limit exceeded", "EGeneral:Too many requests", "EGeneral:Temporary lockout")


class Sides(Struct, array_like=True):
    price: Figure | None = None


class Last(Struct, array_like=True):
    price: Price


class Spans(Struct, array_like=True):
    today: Any = None
    day: Figure | None = None


class Row(Struct):
    c: Last
    o: Given = UNSET
    a: Sides | UnsetType | None = UNSET
    b: Sides | UnsetType | None = UNSET
    h: Spans | UnsetType | None = UNSET
    l: Spans | UnsetType | None = UNSET  # noqa: E741  # the venue's word
    p: Spans | UnsetType | None = UNSET
    v: Spans | UnsetType | None = UNSET


class Failure(Struct):
    error: list[str]


class Kraken(Venue):
    name = "kraken"
    title = "Kraken"
    docs = "https://docs.kraken.com/api/docs/rest-api/get-ticker-information"
    base_url = "https://api.kraken.com"
    interval = 5
    budget = Budget(10, 10)
    row = Row
    within = "result"
    quotes = ("USDT", "USDC", "USD", "EUR", "GBP", "CAD", "CHF", "AUD", "JPY", "XBT", "ETH")

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        """Both spellings; in the common codes, whatever the venue's are."""
        base, slash, quote = symbol.partition("/")
        if slash:
            return (_common(base), _common(quote)) if base and quote.isalnum() else None
        if marked := MARKED.fullmatch(symbol):
            return _common(marked[1]), _common(marked[2])
        found = super().currencies(symbol, base_hint)
        return found and (_common(found[0]), _common(found[1]))

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        chunks = [tuple(pairs[at : at + CHUNK]) for at in range(0, len(pairs), CHUNK)]
        return [
            Request("/0/public/Ticker", (("pair", _joined(chunk)), ("assetVersion", "1")), chunk)
            for chunk in chunks
        ]

    def rows(self, body: bytes, request: Request, *, quick: bool) -> Rows:
        said = super().rows(body, request, quick=quick).by_symbol
        named = {self._plain(name): row for name, row in said.items()}
        asked = {pair.symbol: self._plain(pair.symbol) for pair in request.pairs}
        return Rows({symbol: named[plain] for symbol, plain in asked.items() if plain in named})

    def _plain(self, symbol: str) -> str:
        """One name for all of a pair's spellings, where its currencies can be told."""
        return "/".join(self.currencies(symbol, None) or (symbol,))

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, opened = price(row.c.price), positive(row.o)
        volume, average = _day(row.v), _day(row.p)
        return Tick(
            pair=pair,
            price=last,
            as_of=as_of,
            seen=seen,
            bid=positive(row.b.price) if row.b else None,
            ask=positive(row.a.price) if row.a else None,
            change_24h=Change(percent_between(opened, last), Window.DAY, Basis.UTC_DAY) if opened else None,
            high_24h=_day(row.h) or None,
            low_24h=_day(row.l) or None,
            turnover_24h=None if volume is None or average is None else volume * average,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            said = decode(Failure, body).error
        except BadAnswer:
            return None
        # One that begins with W is a warning beside a good answer.
        errors = [one for one in said if one.startswith("E")]
        if not errors:
            return None
        if any(one.startswith(UNKNOWN_PAIR) for one in errors):
            return UnknownSymbol("Kraken doesn't know one of the pairs asked for")
        if any(one.startswith(LIMITED) for one in errors):
            return RateLimited("Kraken says too many requests; raise sources.kraken.interval")
        if any(one.startswith("EService:") for one in errors):
            return Unreachable(f"Kraken has trouble of its own ({errors[0][:60]!r}); asked again by itself")
        return Refused(f"Kraken answered with its error {errors[0][:60]!r}; see {self.docs}")


def _joined(pairs: Sequence[Pair]) -> str:
    return ",".join(pair.symbol for pair in pairs)


def _common(currency: str) -> str:
    return COMMON.get(currency, currency)


def _day(spans: Spans | UnsetType | None) -> Decimal | None:
    return amount(spans.day) if spans else None
