"""OKX spot, streamed: the `tickers` channel, pushed at every change, at most ten times a second.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-tickers-channel
Limits: 3 connections a second and address, 480 subscriptions an hour and connection, 64 KiB a message. The
venue drops a connection that is quiet for 30 s, so that we say the text `ping` and it answers `pong`.
`open24h` is the price 24 hours ago; `sodUtc0` is a day's open and not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import UNSET, Struct

from ticker.errors import UnknownSymbol
from ticker.model import Tick
from ticker.sources.base import change_24h
from ticker.sources.decode import Given, Price, amount, decode, positive
from ticker.sources.streams.base import Stream, message

FIELDS = {
    "symbol": "instId",
    "time": "ts",
    "bid": "bidPx",
    "ask": "askPx",
    "open": "open24h",
    "high": "high24h",
    "low": "low24h",
    "volume": "vol24h",
    "turnover": "volCcy24h",
}


class Row(Struct, rename=FIELDS):
    symbol: str
    last: Price
    time: int
    bid: Given = UNSET
    ask: Given = UNSET
    open: Given = UNSET
    high: Given = UNSET
    low: Given = UNSET
    volume: Given = UNSET
    turnover: Given = UNSET


class Frame(Struct):
    event: str = ""
    msg: str = ""
    data: list[Row] = []


class OkxStream(Stream):
    venue = "okx"
    title = "OKX"
    docs = "https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-tickers-channel"
    url = "wss://ws.okx.com:8443/ws/v5/public"
    chunk = 100
    limit = 400
    silence = 30
    ping = "ping"

    def subscribe(self, symbols: Sequence[str]) -> str:
        return message(op="subscribe", args=[{"channel": "tickers", "instId": symbol} for symbol in symbols])

    def read(self, frame: bytes, seen: int) -> list[Tick]:
        if frame == b"pong":
            return []
        said = decode(Frame, frame)
        if said.event == "error":
            raise UnknownSymbol(f"turned a subscription down: {said.msg[:120]}")
        return [self._tick(row, seen) for row in said.data]

    def _tick(self, row: Row, seen: int) -> Tick:
        self.noted(row)
        change, _ = change_24h(row.last, positive(row.open), None)
        return Tick(
            pair=self.pair(row.symbol),
            price=Decimal(row.last),
            as_of=row.time,
            seen=seen,
            bid=positive(row.bid),
            ask=positive(row.ask),
            change_24h=change,
            high_24h=positive(row.high),
            low_24h=positive(row.low),
            volume_24h=amount(row.volume),
            turnover_24h=amount(row.turnover),
        )
