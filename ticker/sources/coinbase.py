"""Coinbase Exchange, polled: one request a pair, as it has no batch.

https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-stats
Limits: 10 requests a second and address (exchange/rest-api/rate-limits there). `open` is the price 24 hours
ago; there is a volume in the base currency only, and no time. The ticker, which has a time, has no open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, amount, decode, prices
from ticker.sources.rows import Rows


class Row(Struct):
    last: Price
    open: Given = UNSET
    high: Given = UNSET
    low: Given = UNSET
    volume: Given = UNSET


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
    row = Row
    key = ""
    separator = "-"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request(f"/products/{quote(pair.symbol, safe='')}/stats", (), (pair,)) for pair in pairs]

    def rows(self, body: bytes, request: Request, *, quick: bool) -> Rows:
        """The answer is one row, which doesn't say of which product."""
        said = super().rows(body, request, quick=quick).by_symbol
        return Rows({pair.symbol: row for pair in request.pairs for row in said.values()})

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (opened, high, low) = prices(row.last, row.open, row.high, row.low)
        change, note = change_24h(last, opened, None)
        return Tick(
            pair=pair,
            price=last,
            as_of=as_of,
            seen=seen,
            change_24h=change,
            high_24h=high,
            low_24h=low,
            volume_24h=amount(row.volume),
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
