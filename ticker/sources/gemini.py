"""Gemini, polled: one request a pair, as it has no batch that holds an open.

https://developer.gemini.com/rest-api#ticker-v2
Limits: 120 requests a minute and address, five more queued (developer.gemini.com/rate-limit), so 100 a minute
and at most five at once. `open` is the price 24 hours ago, `close` the last trade; there is no time and no
volume. The v1 ticker is not used: its `last` can be an hour old. Symbols are taken in either case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from urllib.parse import quote

from msgspec import Raw, Struct

from ticker.errors import BadAnswer, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Figure, Price, alone, decode, positive


class Row(Struct):
    close: Price
    open: Figure | None = None
    high: Figure | None = None
    low: Figure | None = None
    bid: Figure | None = None
    ask: Figure | None = None


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
    quotes = ("USD", "GUSD", "USDT", "USDC", "BTC", "ETH", "EUR", "GBP", "SGD", "DAI", "FIL")

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        return super().currencies(symbol.upper(), base_hint)

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request(f"/v2/ticker/{quote(pair.symbol, safe='')}", (), (pair,)) for pair in pairs]

    def rows(self, body: bytes, request: Request) -> Mapping[str, Raw]:
        [(said, row)] = alone(body, "symbol").items()
        return {pair.symbol: row for pair in request.pairs if pair.symbol.upper() == said.upper()}

    def tick(self, pair: Pair, row: Raw, seen: int) -> Tick:
        said = decode(Row, row)
        change, note = change_24h(said.close, positive(said.open), None)
        return Tick(
            pair=pair,
            price=Decimal(said.close),
            as_of=seen,
            seen=seen,
            bid=positive(said.bid),
            ask=positive(said.ask),
            change_24h=change,
            high_24h=positive(said.high),
            low_24h=positive(said.low),
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
