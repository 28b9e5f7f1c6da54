"""Bitstamp, polled: all tickers in one list.

https://www.bitstamp.net/api/#tag/Tickers
Limits: 400 requests a second and 10,000 in 10 minutes (#section/What-is-API there). The change is counted
from `open_24`; `open` is the day's, from midnight UTC, and not used. `percent_change_24` is in percent. The
last price may lie outside bid and ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, RateLimited, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, Whole, amount, decode, positive, prices, signed

UNKNOWN_PAIR = "404.002"
# The limit of requests, of a client, of a market.
TOO_MANY_REQUESTS = ("400.002", "400.067", "400.068")


class Row(Struct):
    pair: str
    last: Price
    open_24: Given = UNSET
    percent_change_24: Given = UNSET
    high: Given = UNSET
    low: Given = UNSET
    bid: Given = UNSET
    ask: Given = UNSET
    volume: Given = UNSET
    vwap: Given = UNSET
    timestamp: Whole = UNSET


class Failure(Struct):
    response_code: str


class Bitstamp(Venue):
    name = "bitstamp"
    title = "Bitstamp"
    docs = "https://www.bitstamp.net/api/#tag/Tickers"
    base_url = "https://www.bitstamp.net"
    interval = 5
    budget = Budget(10_000, 600)
    row = Row
    key = "pair"
    separator = "/"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request("/api/v2/ticker/", (), tuple(pairs))] if pairs else []

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (opened, bid, ask, high, low) = prices(
            row.last, row.open_24, row.bid, row.ask, row.high, row.low
        )
        change, note = change_24h(last, opened, signed(row.percent_change_24))
        volume, average = amount(row.volume), positive(row.vwap)
        return Tick(
            pair=pair,
            price=last,
            as_of=row.timestamp * 1000 if row.timestamp else as_of,
            seen=seen,
            bid=bid,
            ask=ask,
            change_24h=change,
            high_24h=high,
            low_24h=low,
            turnover_24h=None if volume is None or average is None else volume * average,
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            code = decode(Failure, body).response_code
        except BadAnswer:
            return None
        if code == UNKNOWN_PAIR:
            return UnknownSymbol("Bitstamp doesn't know the pair asked for")
        if code in TOO_MANY_REQUESTS:
            return RateLimited(f"Bitstamp says too many requests ({code})")
        return None
