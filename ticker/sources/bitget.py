"""Bitget spot, polled: one pair's ticker, or all of them in one list.

https://www.bitget.com/api-doc/spot/market/Get-Tickers
Limits: 20 requests a second and address. The change is counted from `open`, the price 24 hours ago;
`change24h` is a fraction, `openUtc` a day's open and not used. `ts` is text and 0 where nothing was traded.
An error's `code` counts whatever the HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, Whole, amount, decode, percent, prices

OK = "00000"
UNKNOWN_PAIR = "40034"
TOO_MANY_REQUESTS = "429"


class Row(Struct, rename="camel"):
    symbol: str
    last_pr: Price
    open: Given = UNSET
    change24h: Given = UNSET
    high24h: Given = UNSET
    low24h: Given = UNSET
    bid_pr: Given = UNSET
    ask_pr: Given = UNSET
    quote_volume: Given = UNSET
    ts: Whole = UNSET


class Failure(Struct):
    code: str


class Bitget(Venue):
    name = "bitget"
    title = "Bitget"
    docs = "https://www.bitget.com/api-doc/spot/market/Get-Tickers"
    base_url = "https://api.bitget.com"
    interval = 5
    budget = Budget(20, 1)
    row = Row
    within = "data"
    key = "symbol"
    quotes = ("USDT", "USDC", "BTC", "ETH", "EUR", "BRL")

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        if not pairs:
            return []
        query = (("symbol", pairs[0].symbol),) if len(pairs) == 1 else ()
        return [Request("/api/v2/spot/market/tickers", query, tuple(pairs))]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (opened, bid, ask, high, low) = prices(
            row.last_pr, row.open, row.bid_pr, row.ask_pr, row.high24h, row.low24h
        )
        change, note = change_24h(last, opened, percent(row.change24h))
        return Tick(
            pair=pair,
            price=last,
            as_of=row.ts or as_of,
            seen=seen,
            bid=bid,
            ask=ask,
            change_24h=change,
            high_24h=high,
            low_24h=low,
            turnover_24h=amount(row.quote_volume),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            code = decode(Failure, body).code
        except BadAnswer:
            return None
        if code == UNKNOWN_PAIR:
            return UnknownSymbol("Bitget doesn't know the pair asked for")
        if code == TOO_MANY_REQUESTS:
            return RateLimited("Bitget says too many requests from this address")
        if status == 200 and code != OK:
            return Refused(f"Bitget answered with its error {code[:20]!r}; see {self.docs}")
        return None
