"""Bitstamp, polled: all tickers in one list.

https://www.bitstamp.net/api/#tag/Tickers
Limits: 400 requests a second and 10,000 in 10 minutes (#section/What-is-API there). The change is counted
from `open_24`; `open` is the day's, from midnight UTC, and not used. `percent_change_24` is in percent. The
last price may lie outside bid and ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Raw, Struct

from ticker.errors import BadAnswer, RateLimited, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Figure, Price, amount, decode, keyed, positive, signed

UNKNOWN_PAIR = "404.002"
# The limit of requests, of a client, of a market.
TOO_MANY_REQUESTS = ("400.002", "400.067", "400.068")


class Row(Struct):
    last: Price
    open_24: Figure | None = None
    percent_change_24: Figure | None = None
    high: Figure | None = None
    low: Figure | None = None
    bid: Figure | None = None
    ask: Figure | None = None
    volume: Figure | None = None
    vwap: Figure | None = None
    timestamp: int | None = None


class Failure(Struct):
    response_code: str


class Bitstamp(Venue):
    name = "bitstamp"
    title = "Bitstamp"
    docs = "https://www.bitstamp.net/api/#tag/Tickers"
    base_url = "https://www.bitstamp.net"
    interval = 5
    budget = Budget(10_000, 600)
    separator = "/"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request("/api/v2/ticker/", (), tuple(pairs))] if pairs else []

    def rows(self, body: bytes, request: Request) -> Mapping[str, Raw]:
        return keyed(body, "pair")

    def tick(self, pair: Pair, row: Raw, seen: int) -> Tick:
        said = decode(Row, row)
        change, note = change_24h(said.last, positive(said.open_24), signed(said.percent_change_24))
        volume, average = amount(said.volume), positive(said.vwap)
        return Tick(
            pair=pair,
            price=Decimal(said.last),
            as_of=said.timestamp * 1000 if said.timestamp else seen,
            seen=seen,
            bid=positive(said.bid),
            ask=positive(said.ask),
            change_24h=change,
            high_24h=positive(said.high),
            low_24h=positive(said.low),
            volume_24h=volume,
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
