"""Bitget spot, polled: one pair's ticker, or all of them in one list.

https://www.bitget.com/api-doc/spot/market/Get-Tickers
Limits: 20 requests a second and address. The change is counted from `open`, the price 24 hours ago;
`change24h` is a fraction, `openUtc` a day's open and not used. `ts` is text and 0 where nothing was traded.
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

OK = "00000"
UNKNOWN_PAIR = "40034"
TOO_MANY_REQUESTS = "429"


class Row(Struct, rename="camel"):
    last_pr: Price
    open: Figure | None = None
    change24h: Figure | None = None
    high24h: Figure | None = None
    low24h: Figure | None = None
    bid_pr: Figure | None = None
    ask_pr: Figure | None = None
    base_volume: Figure | None = None
    quote_volume: Figure | None = None
    ts: int | None = None


class Envelope(Struct):
    data: Raw


class Failure(Struct):
    code: str


class Bitget(Venue):
    name = "bitget"
    title = "Bitget"
    docs = "https://www.bitget.com/api-doc/spot/market/Get-Tickers"
    base_url = "https://api.bitget.com"
    interval = 5
    budget = Budget(20, 1)
    quotes = ("USDT", "USDC", "BTC", "ETH", "EUR", "BRL")

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        if not pairs:
            return []
        query = (("symbol", pairs[0].symbol),) if len(pairs) == 1 else ()
        return [Request("/api/v2/spot/market/tickers", query, tuple(pairs))]

    def rows(self, body: bytes, request: Request) -> Mapping[str, Raw]:
        return keyed(bytes(decode(Envelope, body).data), "symbol")

    def tick(self, pair: Pair, row: Raw, seen: int) -> Tick:
        said = decode(Row, row)
        fraction = signed(said.change24h)
        change, note = change_24h(
            said.last_pr, positive(said.open), None if fraction is None else fraction * 100
        )
        return Tick(
            pair=pair,
            price=Decimal(said.last_pr),
            as_of=said.ts or seen,
            seen=seen,
            bid=positive(said.bid_pr),
            ask=positive(said.ask_pr),
            change_24h=change,
            high_24h=positive(said.high24h),
            low_24h=positive(said.low24h),
            volume_24h=amount(said.base_volume),
            turnover_24h=amount(said.quote_volume),
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
