"""Bybit's public stream v5: the `tickers` topic, a snapshot and then deltas of the fields that changed.

https://bybit-exchange.github.io/docs/v5/websocket/public/ticker
The percent is a fraction. One topic it doesn't know fails the whole message.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ticker.market.streams.speaker import Frame, Speaker
from ticker.market.venue import Listing, View


class BybitSpeaker(Speaker):
    venue = "bybit"

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, dict[str, str]] = {}

    def answer(self, view: View, said: object) -> Iterable[Frame]:
        match said:
            case {"op": "ping"}:
                yield _reply("ping", "pong")
            case {"op": "subscribe", "args": [*topics]} if len(topics) <= 10:
                names = [str(topic).removeprefix("tickers.") for topic in topics]
                unknown = [name for name in names if name not in view.listings]
                if unknown:
                    yield _reply(
                        "subscribe", f"error:handler not found,topic:tickers.{unknown[0]}", success=False
                    )
                    return
                for name in names:
                    self.take(view, name)
                yield _reply("subscribe", "subscribe")
            case _:
                yield _reply("", "error:request not supported", success=False)

    def ticker(self, view: View, listing: Listing) -> Frame:
        day = view.day(listing)
        row = {
            "symbol": listing.symbol,
            "lastPrice": f"{day.close:f}",
            "highPrice24h": f"{day.high:f}",
            "lowPrice24h": f"{day.low:f}",
            "prevPrice24h": f"{day.open:f}",
            "volume24h": f"{day.volume:f}",
            "turnover24h": f"{day.turnover:f}",
            "price24hPcnt": f"{day.change.quantize(Decimal('0.0001')):f}",
        }
        before = self._rows.get(listing.symbol)
        self._rows[listing.symbol] = row
        if before is not None:
            row = {key: value for key, value in row.items() if key == "symbol" or before[key] != value}
        return {
            "topic": f"tickers.{listing.symbol}",
            "ts": view.now,
            "type": "snapshot" if before is None else "delta",
            "cs": view.second,
            "data": row,
        }


def _reply(op: str, text: str, *, success: bool = True) -> Frame:
    return {"success": success, "ret_msg": text, "conn_id": "2324d924", "op": op}
