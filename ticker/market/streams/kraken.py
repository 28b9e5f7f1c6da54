"""Kraken's websocket v2: the `ticker` channel with numbers as JSON numbers, status, heartbeat.

https://docs.kraken.com/api/docs/websocket-v2/ticker
Pairs have their common names, each is acknowledged or turned down alone, and the change is a rolling percent.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ticker.market.streams.speaker import Frame, Speaker, iso
from ticker.market.venue import Listing, View

_STATUS = {"api_version": "v2", "connection_id": 1, "system": "online", "version": "2.0.0"}


class KrakenSpeaker(Speaker):
    venue = "kraken"

    def __init__(self) -> None:
        super().__init__()
        self._spoken_of: set[str] = set()

    def name(self, listing: Listing) -> str:
        quote = next(quote for quote in ("USDT", "USDC", "USD", "EUR") if listing.symbol.endswith(quote))
        return f"{listing.token.symbol}/{quote}"

    def greeting(self) -> Iterable[Frame]:
        return [{"channel": "status", "type": "update", "data": [_STATUS]}]

    def answer(self, view: View, said: object) -> Iterable[Frame]:
        match said:
            case {"method": "subscribe", "params": {"channel": "ticker", "symbol": [*names]}}:
                for name in names:
                    yield self._acknowledged(view, name)
            case {"method": "ping"}:
                yield {"method": "pong", "time_in": iso(view.now), "time_out": iso(view.now)}
            case _:
                yield {"error": "Unsupported method", "success": False}

    def _acknowledged(self, view: View, name: str) -> Frame:
        times = {"time_in": iso(view.now), "time_out": iso(view.now)}
        if not self.take(view, name):
            problem = f"Currency pair not supported {name}"
            return {"method": "subscribe", "success": False, "error": problem, "symbol": name, **times}
        result = {"channel": "ticker", "event_trigger": "trades", "snapshot": True, "symbol": name}
        return {"method": "subscribe", "success": True, "result": result, **times}

    def ticker(self, view: View, listing: Listing) -> Frame:
        name, day = self.name(listing), view.day(listing)
        row = {
            "symbol": name,
            "bid": day.close,
            "bid_qty": Decimal("0.5"),
            "ask": day.close + listing.tick,
            "ask_qty": Decimal("0.5"),
            "last": day.close,
            "volume": day.volume,
            "vwap": (day.turnover / day.volume).quantize(listing.tick),
            "low": day.low,
            "high": day.high,
            "change": day.close - day.open,
            "change_pct": (day.change * 100).quantize(Decimal("0.01")),
            "timestamp": iso(view.now),
        }
        kind = "update" if name in self._spoken_of else "snapshot"
        self._spoken_of.add(name)
        return {"channel": "ticker", "type": kind, "data": [row]}

    def heartbeat(self, view: View) -> Iterable[Frame]:
        return [{"channel": "heartbeat"}]
