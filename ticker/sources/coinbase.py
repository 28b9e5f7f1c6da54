"""Coinbase Exchange, polled: one request a pair, as it has no batch.

https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-stats
Limits: 10 requests a second and address (exchange/rest-api/rate-limits there). `open` is the price 24 hours
ago; there is a volume in the base currency only, and no time. The ticker, which has a time, has no open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from urllib.parse import quote

from msgspec import Raw, Struct

from ticker.errors import BadAnswer, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Figure, Price, amount, decode, positive


class Row(Struct):
    last: Price
    open: Figure | None = None
    high: Figure | None = None
    low: Figure | None = None
    volume: Figure | None = None


class Failure(Struct):
    message: str


class Coinbase(Venue):
    name = "coinbase"
    title = "Coinbase Exchange"
    docs = "https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-stats"
    base_url = "https://api.exchange.coinbase.com"
    # Fifty pairs fit half the budget.
    interval = 10
    budget = Budget(10, 1)
    separator = "-"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request(f"/products/{quote(pair.symbol, safe='')}/stats", (), (pair,)) for pair in pairs]

    def rows(self, body: bytes, request: Request) -> Mapping[str, Raw]:
        decode(dict[str, Raw], body)
        return {pair.symbol: Raw(body) for pair in request.pairs}

    def tick(self, pair: Pair, row: Raw, seen: int) -> Tick:
        said = decode(Row, row)
        change, note = change_24h(said.last, positive(said.open), None)
        return Tick(
            pair=pair,
            price=Decimal(said.last),
            as_of=seen,
            seen=seen,
            change_24h=change,
            high_24h=positive(said.high),
            low_24h=positive(said.low),
            volume_24h=amount(said.volume),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        if status != 404:
            return None
        try:
            decode(Failure, body)
        except BadAnswer:
            return None
        # In the venue's own words; a 404 without them is some other server's.
        return UnknownSymbol("Coinbase Exchange doesn't know the product asked for")
