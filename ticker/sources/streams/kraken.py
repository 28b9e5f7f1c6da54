"""Kraken spot, streamed over its websocket v2: the `ticker` channel, pushed at every trade.

https://docs.kraken.com/api/docs/websocket-v2/ticker
Limits: about 150 connections in 10 minutes and address; a pair it doesn't know is turned down alone. It
sends a heartbeat every second in which it has nothing else to say. Numbers are JSON numbers; `change_pct` is
in percent over the last 24 hours, which the venue's answers to questions don't have.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import change_24h
from ticker.sources.decode import Given, Moment, Price, amount, decode, positive, signed
from ticker.sources.streams.base import Stream, message, milliseconds

# The older interface's own codes; websocket v2 uses the common ones alone.
COMMON = {"XBT": "BTC", "XDG": "DOGE"}


class Frame(Struct):
    channel: str = ""
    method: str = ""
    success: bool = True
    error: str = ""


class Row(Struct):
    symbol: str
    last: Price
    bid: Given = UNSET
    ask: Given = UNSET
    high: Given = UNSET
    low: Given = UNSET
    volume: Given = UNSET
    vwap: Given = UNSET
    change_pct: Given = UNSET
    timestamp: Moment = UNSET


class Ticker(Struct):
    data: list[Row]


class KrakenStream(Stream):
    venue = "kraken"
    title = "Kraken"
    docs = "https://docs.kraken.com/api/docs/websocket-v2/ticker"
    url = "wss://ws.kraken.com/v2"
    chunk = 100
    limit = 500
    silence = 10

    @classmethod
    def symbol(cls, pair: Pair) -> str:
        base, slash, quote = pair.symbol.partition("/")
        if not slash:
            base, quote = pair.base, pair.quote
        return f"{COMMON.get(base, base)}/{COMMON.get(quote, quote)}"

    def subscribe(self, symbols: Sequence[str]) -> str:
        return message(method="subscribe", params={"channel": "ticker", "symbol": symbols})

    def read(self, frame: bytes, seen: int) -> list[Tick]:
        said = decode(Frame, frame)
        if not said.success:
            raise UnknownSymbol(f"turned a subscription down: {said.error[:120]}")
        if not said.channel and not said.method:
            raise BadAnswer("channel: missing")
        if said.channel != "ticker":
            return []
        return [self._tick(row, seen) for row in decode(Ticker, frame).data]

    def _tick(self, row: Row, seen: int) -> Tick:
        self.noted(row)
        change, _ = change_24h(row.last, None, signed(row.change_pct))
        volume, average = amount(row.volume), positive(row.vwap)
        return Tick(
            pair=self.pair(row.symbol),
            price=Decimal(row.last),
            as_of=milliseconds(row.timestamp) if isinstance(row.timestamp, datetime) else seen,
            seen=seen,
            bid=positive(row.bid),
            ask=positive(row.ask),
            change_24h=change,
            high_24h=positive(row.high),
            low_24h=positive(row.low),
            volume_24h=volume,
            turnover_24h=None if volume is None or average is None else volume * average,
        )
