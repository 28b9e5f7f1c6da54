"""Crypto.com Exchange, polled: one instrument's ticker, or all of them in one list.

https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#public-get-tickers
Limits: 100 requests a second, method and address (#rate-limits there). The keys have one letter: `a` is the
last trade and not the ask, which is `k`. `c` is a fraction. `vv` is in US dollars whatever the quote is.
An error's `code` counts whatever the HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, Whole, amount, decode, percent, prices

OK = 0
# The instrument is the one argument there is.
BAD_ARGUMENT = 40004
TOO_MANY_REQUESTS = 42901


class Row(Struct):
    i: str
    a: Price
    c: Given = UNSET
    h: Given = UNSET
    l: Given = UNSET  # noqa: E741 - the venue's word for it
    b: Given = UNSET
    k: Given = UNSET
    vv: Given = UNSET
    t: Whole = UNSET


class Failure(Struct):
    code: int


class CryptoCom(Venue):
    name = "cryptocom"
    title = "Crypto.com"
    docs = "https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#public-get-tickers"
    base_url = "https://api.crypto.com"
    interval = 5
    budget = Budget(100, 1)
    row = Row
    within = "result.data"
    key = "i"
    separator = "_"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        if not pairs:
            return []
        query = (("instrument_name", pairs[0].symbol),) if len(pairs) == 1 else ()
        return [Request("/exchange/v1/public/get-tickers", query, tuple(pairs))]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (bid, ask, high, low) = prices(row.a, row.b, row.k, row.h, row.l)
        change, note = change_24h(last, None, percent(row.c))
        dollars = amount(row.vv)
        return Tick(
            pair=pair,
            price=last,
            as_of=row.t or as_of,
            seen=seen,
            bid=bid,
            ask=ask,
            change_24h=change,
            high_24h=high,
            low_24h=low,
            # Dollars are not Tethers: in another quote currency the turnover is not known.
            turnover_24h=dollars if pair.quote == "USD" else None,
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            code = decode(Failure, body).code
        except BadAnswer:
            return None
        if code == BAD_ARGUMENT:
            return UnknownSymbol("Crypto.com doesn't know the instrument asked for")
        if code == TOO_MANY_REQUESTS:
            return RateLimited("Crypto.com says too many requests from this address")
        if status == 200 and code != OK:
            return Refused(f"Crypto.com answered with its error {code}; see {self.docs}")
        return None
