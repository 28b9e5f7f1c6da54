"""Gemini, polled: one request a pair, as it has no batch that holds an open.

https://developer.gemini.com/rest-api#ticker-v2
Limits: 120 requests a minute and address, five more queued (developer.gemini.com/rate-limit), so 100 a minute
and at most five at once. `open` is the price 24 hours ago, `close` the last trade; there is no time and no
volume. The v1 ticker is not used: its `last` can be an hour old. Symbols are taken in either case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, decode, prices
from ticker.sources.rows import Rows


class Row(Struct):
    symbol: str
    close: Price
    open: Given = UNSET
    high: Given = UNSET
    low: Given = UNSET
    bid: Given = UNSET
    ask: Given = UNSET


class Failure(Struct):
    result: str


class Gemini(Venue):
    name = "gemini"
    title = "Gemini"
    docs = "https://developer.gemini.com/rest-api#ticker-v2"
    base_url = "https://api.gemini.com"
    # A hundred pairs fit the budget.
    interval = 60
    budget = Budget(5, 3)
    row = Row
    key = "symbol"
    quotes = ("USD", "GUSD", "USDT", "USDC", "BTC", "ETH", "EUR", "GBP", "SGD", "DAI", "FIL")

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        return super().currencies(symbol.upper(), base_hint)

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request(f"/v2/ticker/{quote(pair.symbol, safe='')}", (), (pair,)) for pair in pairs]

    def rows(self, body: bytes, request: Request, *, quick: bool) -> Rows:
        """In the pair's own case."""
        said = super().rows(body, request, quick=quick).by_symbol
        named = {name.upper(): row for name, row in said.items()}
        asked = {pair.symbol: pair.symbol.upper() for pair in request.pairs}
        return Rows({symbol: named[upper] for symbol, upper in asked.items() if upper in named})

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (opened, bid, ask, high, low) = prices(row.close, row.open, row.bid, row.ask, row.high, row.low)
        change, note = change_24h(last, opened, None)
        return Tick(
            pair=pair,
            price=last,
            as_of=as_of,
            seen=seen,
            bid=bid,
            ask=ask,
            change_24h=change,
            high_24h=high,
            low_24h=low,
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            failure = decode(Failure, body)
        except BadAnswer:
            return None
        # The symbol is the one thing of a request that can be wrong.
        if status == 400 and failure.result == "error":
            return UnknownSymbol("Gemini doesn't know the symbol asked for")
        return None
