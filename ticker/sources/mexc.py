"""MEXC spot, polled: one symbol's 24 hour ticker, or all of them in one list.

https://www.mexc.com/api-docs/spot-v3/market-data-endpoints
Limits: documented as 500 weight in 10 seconds and address, newer pages say 300, so 300; one symbol weighs 1,
the whole list 40. `priceChangePercent` is a fraction here, under the name that means percent at Binance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ticker.errors import BadAnswer, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue
from ticker.sources.decode import decode, percent
from ticker.sources.dialect import INVALID_SYMBOL, Failure, Row, read_tick

PATH = "/api/v3/ticker/24hr"


class Mexc(Venue):
    name = "mexc"
    title = "MEXC"
    docs = "https://www.mexc.com/api-docs/spot-v3/market-data-endpoints"
    base_url = "https://api.mexc.com"
    interval = 5
    budget = Budget(300, 10)
    row = Row
    key = "symbol"
    quotes = ("USDT", "USDC", "USDE", "USD1", "TUSD", "BTC", "ETH", "EUR", "BRL")

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        match pairs:
            case []:
                return []
            case [pair]:
                return [Request(PATH, (("symbol", pair.symbol),), (pair,), 1)]
            case _:
                return [Request(PATH, (), tuple(pairs), 40)]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        return read_tick(pair, row, percent(row.price_change_percent), as_of, seen)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            failure = decode(Failure, body)
        except BadAnswer:
            return None
        if failure.code == INVALID_SYMBOL:
            return UnknownSymbol("MEXC doesn't know the symbol asked for")
        return None
