"""Crypto.com Exchange, polled: one instrument's ticker, or all of them in one list.

https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#public-get-tickers
Limits: 100 requests a second, method and address (#rate-limits there). The keys have one letter: `a` is the
last trade and not the ask, which is `k`. `c` is a fraction. `vv` is in US dollars whatever the quote is.
An error's `code` counts whatever the HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Raw, Struct

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Figure, Price, amount, decode, keyed, positive, signed

OK = 0
# The instrument is the one argument there is.
BAD_ARGUMENT = 40004
TOO_MANY_REQUESTS = 42901


class Row(Struct):
    a: Price
    c: Figure | None = None
    h: Figure | None = None
    l: Figure | None = None  # noqa: E741 - the venue's word for it
    b: Figure | None = None
    k: Figure | None = None
    v: Figure | None = None
    vv: Figure | None = None
    t: int | None = None


class Listed(Struct):
    data: Raw


class Envelope(Struct):
    result: Listed


class Failure(Struct):
    code: int


class CryptoCom(Venue):
    name = "cryptocom"
    title = "Crypto.com"
    docs = "https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html#public-get-tickers"
    base_url = "https://api.crypto.com"
    interval = 5
    budget = Budget(100, 1)
    separator = "_"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        if not pairs:
            return []
        query = (("instrument_name", pairs[0].symbol),) if len(pairs) == 1 else ()
        return [Request("/exchange/v1/public/get-tickers", query, tuple(pairs))]

    def rows(self, body: bytes, request: Request) -> Mapping[str, Raw]:
        return keyed(bytes(decode(Envelope, body).result.data), "i")

    def tick(self, pair: Pair, row: Raw, seen: int) -> Tick:
        said = decode(Row, row)
        fraction = signed(said.c)
        change, note = change_24h(said.a, None, None if fraction is None else fraction * 100)
        return Tick(
            pair=pair,
            price=Decimal(said.a),
            as_of=said.t or seen,
            seen=seen,
            bid=positive(said.b),
            ask=positive(said.k),
            change_24h=change,
            high_24h=positive(said.h),
            low_24h=positive(said.l),
            volume_24h=amount(said.v),
            # Dollars are not Tethers: in another quote currency the turnover is not known.
            turnover_24h=amount(said.vv) if pair.quote == "USD" else None,
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
