"""Bybit v5 spot, streamed: the `tickers` topic, pushed at most every 50 ms.

https://bybit-exchange.github.io/docs/v5/websocket/public/ticker
Limits: 500 connections in 5 minutes and address, 10 topics a subscribe message; it wants a ping every 20 s.
A topic begins with a snapshot; a delta after it holds only what changed. `price24hPcnt` is a fraction,
and the change is counted from `prevPrice24h` beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec import UNSET, Struct
from msgspec.structs import asdict, replace

from ticker.errors import UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import change_24h
from ticker.sources.decode import Figure, Given, Price, amount, decode, positive, signed
from ticker.sources.streams.base import Stream, message

FIELDS = {
    "last": "lastPrice",
    "open": "prevPrice24h",
    "fraction": "price24hPcnt",
    "high": "highPrice24h",
    "low": "lowPrice24h",
    "volume": "volume24h",
    "turnover": "turnover24h",
    "bid": "bid1Price",
    "ask": "ask1Price",
}


class Row(Struct, rename=FIELDS):
    symbol: str
    last: Price | None = None
    open: Given = UNSET
    fraction: Given = UNSET
    high: Given = UNSET
    low: Given = UNSET
    volume: Given = UNSET
    turnover: Given = UNSET
    bid: Figure | None = None
    ask: Figure | None = None


class Frame(Struct):
    type: str = ""
    ts: int = 0
    success: bool = True
    ret_msg: str = ""
    data: Row | None = None


class BybitStream(Stream):
    venue = "bybit"
    title = "Bybit"
    docs = "https://bybit-exchange.github.io/docs/v5/websocket/public/ticker"
    url = "wss://stream.bybit.com/v5/public/spot"
    chunk = 10
    limit = 500
    silence = 45
    ping = message(op="ping")

    def __init__(self, pairs: Sequence[Pair]) -> None:
        super().__init__(pairs)
        self._rows: dict[str, Row] = {}

    def subscribe(self, symbols: Sequence[str]) -> str:
        return message(op="subscribe", args=[f"tickers.{symbol}" for symbol in symbols])

    def read(self, frame: bytes, seen: int) -> list[Tick]:
        said = decode(Frame, frame)
        if not said.success:
            raise UnknownSymbol(f"turned a subscription down: {said.ret_msg[:120]}")
        if said.data is None:
            return []
        return self._ticks(self._whole(said.type, said.data), said.ts, seen)

    def _whole(self, kind: str, row: Row) -> Row:
        """The row with what earlier frames said of it, where this one is a delta."""
        if kind == "delta" and (before := self._rows.get(row.symbol)) is not None:
            said = {name: value for name, value in asdict(row).items() if value not in (None, UNSET)}
            row = replace(before, **said)
        self._rows[row.symbol] = row
        return row

    def _ticks(self, row: Row, time: int, seen: int) -> list[Tick]:
        # A delta that no snapshot came before may not have a price yet.
        if row.last is None:
            return []
        self.noted(row)
        fraction = signed(row.fraction)
        change, note = change_24h(row.last, positive(row.open), None if fraction is None else fraction * 100)
        tick = Tick(
            pair=self.pair(row.symbol),
            price=Decimal(row.last),
            as_of=time or seen,
            seen=seen,
            bid=positive(row.bid),
            ask=positive(row.ask),
            change_24h=change,
            high_24h=positive(row.high),
            low_24h=positive(row.low),
            volume_24h=amount(row.volume),
            turnover_24h=amount(row.turnover),
            note=note,
        )
        return [tick]
