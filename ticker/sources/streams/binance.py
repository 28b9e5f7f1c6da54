"""Binance spot, streamed: the mini ticker of each symbol, pushed once a second while it changes.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
Limits: 1024 streams a connection, 5 messages a second from us, 300 connections in 5 minutes; a connection
lives 24 hours. The server pings every 20 s and the socket answers by itself; a question about a property is
asked to have an answer in a quiet hour. The mini ticker has no percent: the change is counted from its open.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import UNSET, Struct, field

from ticker.errors import Refused
from ticker.model import Tick
from ticker.sources.base import change_24h
from ticker.sources.decode import Given, Price, amount, decode, positive
from ticker.sources.streams.base import Stream, message


class MiniTicker(Struct):
    time: int = field(name="E")
    symbol: str = field(name="s")
    last: Price = field(name="c")
    open: Given = field(name="o", default=UNSET)
    high: Given = field(name="h", default=UNSET)
    low: Given = field(name="l", default=UNSET)
    volume: Given = field(name="v", default=UNSET)
    turnover: Given = field(name="q", default=UNSET)


class Failure(Struct):
    msg: str = ""


class Frame(Struct):
    data: MiniTicker | None = None
    error: Failure | None = None


class BinanceStream(Stream):
    venue = "binance"
    title = "Binance"
    docs = "https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams"
    url = "wss://data-stream.binance.vision/stream"
    chunk = 200
    limit = 1000
    silence = 45
    ping = message(method="GET_PROPERTY", params=["combined"], id=2)

    def subscribe(self, symbols: Sequence[str]) -> str:
        streams = [f"{symbol.lower()}@miniTicker" for symbol in symbols]
        return message(method="SUBSCRIBE", params=streams, id=1)

    def read(self, frame: bytes, seen: int) -> list[Tick]:
        said = decode(Frame, frame)
        if said.error is not None:
            raise Refused(f"refused a message: {said.error.msg[:80]}")
        row = said.data
        if row is None:
            return []
        self.noted(row)
        change, _ = change_24h(row.last, positive(row.open), None)
        tick = Tick(
            pair=self.pair(row.symbol),
            price=Decimal(row.last),
            as_of=row.time,
            seen=seen,
            change_24h=change,
            high_24h=positive(row.high),
            low_24h=positive(row.low),
            volume_24h=amount(row.volume),
            turnover_24h=amount(row.turnover),
        )
        return [tick]
