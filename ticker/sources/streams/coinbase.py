"""Coinbase Exchange, streamed: the `ticker` channel, pushed at every match, with the open of 24 hours ago.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
Limits: 100 messages a second from us on a connection, and a subscription within 5 s of connecting. One
product it doesn't know fails the whole message, so each product has its own. The `heartbeat` channel speaks
once a second for every product, trades or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from msgspec import UNSET, Struct

from ticker.errors import UnknownSymbol
from ticker.model import Tick
from ticker.sources.base import change_24h
from ticker.sources.decode import Given, Moment, Price, amount, decode, positive
from ticker.sources.streams.base import Stream, message, milliseconds


class Frame(Struct):
    type: str
    reason: str = ""


class Ticker(Struct):
    product_id: str
    price: Price
    open_24h: Given = UNSET
    high_24h: Given = UNSET
    low_24h: Given = UNSET
    volume_24h: Given = UNSET
    best_bid: Given = UNSET
    best_ask: Given = UNSET
    time: Moment = UNSET


class CoinbaseStream(Stream):
    venue = "coinbase"
    title = "Coinbase Exchange"
    docs = "https://docs.cdp.coinbase.com/exchange/websocket-feed/channels"
    url = "wss://ws-feed.exchange.coinbase.com"
    chunk = 1
    pace = 0.05
    limit = 100
    silence = 10

    def subscribe(self, symbols: Sequence[str]) -> str:
        return message(type="subscribe", product_ids=symbols, channels=["ticker", "heartbeat"])

    def read(self, frame: bytes, seen: int) -> list[Tick]:
        said = decode(Frame, frame)
        if said.type == "error":
            raise UnknownSymbol(f"turned a subscription down: {said.reason[:120]}")
        return [self._tick(decode(Ticker, frame), seen)] if said.type == "ticker" else []

    def _tick(self, row: Ticker, seen: int) -> Tick:
        self.noted(row)
        change, _ = change_24h(row.price, positive(row.open_24h), None)
        return Tick(
            pair=self.pair(row.product_id),
            price=Decimal(row.price),
            as_of=milliseconds(row.time) if isinstance(row.time, datetime) else seen,
            seen=seen,
            bid=positive(row.best_bid),
            ask=positive(row.best_ask),
            change_24h=change,
            high_24h=positive(row.high_24h),
            low_24h=positive(row.low_24h),
            volume_24h=amount(row.volume_24h),
        )
