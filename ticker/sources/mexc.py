"""MEXC spot, polled: one symbol's 24 hour ticker, or all of them in one list.

https://www.mexc.com/api-docs/spot-v3/market-data-endpoints
Limits: documented as 500 weight in 10 seconds and address, newer pages say 300, so 300; one symbol weighs 1,
the whole list 40. `priceChangePercent` is a fraction here, under the name that means percent at Binance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Raw, Struct

from ticker.errors import BadAnswer, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Figure, Price, alone, amount, decode, keyed, positive, signed

PATH = "/api/v3/ticker/24hr"
INVALID_SYMBOL = -1121


class Row(Struct, rename="camel"):
    last_price: Price
    price_change_percent: Figure | None = None
    open_price: Figure | None = None
    high_price: Figure | None = None
    low_price: Figure | None = None
    bid_price: Figure | None = None
    ask_price: Figure | None = None
    volume: Figure | None = None
    quote_volume: Figure | None = None
    close_time: int | None = None


class Failure(Struct):
    code: int


class Mexc(Venue):
    name = "mexc"
    title = "MEXC"
    docs = "https://www.mexc.com/api-docs/spot-v3/market-data-endpoints"
    base_url = "https://api.mexc.com"
    interval = 5
    budget = Budget(300, 10)
    quotes = ("USDT", "USDC", "USDE", "USD1", "TUSD", "BTC", "ETH", "EUR", "BRL")

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        match pairs:
            case []:
                return []
            case [pair]:
                return [Request(PATH, (("symbol", pair.symbol),), (pair,), 1)]
            case _:
                return [Request(PATH, (), tuple(pairs), 40)]

    def rows(self, body: bytes, request: Request) -> Mapping[str, Raw]:
        return keyed(body, "symbol") if len(request.pairs) > 1 else alone(body, "symbol")

    def tick(self, pair: Pair, row: Raw, seen: int) -> Tick:
        said = decode(Row, row)
        fraction = signed(said.price_change_percent)
        change, note = change_24h(
            said.last_price, positive(said.open_price), None if fraction is None else fraction * 100
        )
        return Tick(
            pair=pair,
            price=Decimal(said.last_price),
            as_of=said.close_time or seen,
            seen=seen,
            bid=positive(said.bid_price),
            ask=positive(said.ask_price),
            change_24h=change,
            high_24h=positive(said.high_price),
            low_24h=positive(said.low_price),
            volume_24h=amount(said.volume),
            turnover_24h=amount(said.quote_volume),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            failure = decode(Failure, body)
        except BadAnswer:
            return None
        if failure.code == INVALID_SYMBOL:
            return UnknownSymbol("MEXC doesn't know the symbol asked for")
        return None
