"""Coinbase Exchange's `ticker` and `heartbeat` channels.

https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
One product it doesn't know fails the whole message.
"""

from __future__ import annotations

from collections.abc import Iterable

from ticker.market.streams.speaker import Frame, Speaker, iso
from ticker.market.venue import Listing, View


class CoinbaseSpeaker(Speaker):
    venue = "coinbase"

    def answer(self, view: View, said: object) -> Iterable[Frame]:
        match said:
            case {"type": "subscribe", "product_ids": [*names], "channels": [*channels]}:
                unknown = [name for name in names if name not in view.listings]
                if unknown:
                    yield _error("Failed to subscribe", f"{unknown[0]} is not a valid product")
                    return
                for name in names:
                    self.take(view, name)
                yield {
                    "type": "subscriptions",
                    "channels": [
                        {"name": channel, "product_ids": list(self.subscribed), "account_ids": None}
                        for channel in channels
                    ],
                }
            case _:
                yield _error("Failed to subscribe", "message could not be read")

    def ticker(self, view: View, listing: Listing) -> Frame:
        day = view.day(listing)
        return {
            "type": "ticker",
            "sequence": view.second,
            "product_id": listing.symbol,
            "price": f"{day.close:f}",
            "open_24h": f"{day.open:f}",
            "volume_24h": f"{day.volume:f}",
            "low_24h": f"{day.low:f}",
            "high_24h": f"{day.high:f}",
            "volume_30d": f"{30 * day.volume:f}",
            "best_bid": f"{day.close:f}",
            "best_bid_size": "0.5",
            "best_ask": f"{day.close + listing.tick:f}",
            "best_ask_size": "0.5",
            "side": "buy",
            "time": iso(view.now),
            "trade_id": view.second,
            "last_size": "0.01",
        }

    def heartbeat(self, view: View) -> Iterable[Frame]:
        return [
            {
                "type": "heartbeat",
                "sequence": view.second,
                "last_trade_id": view.second,
                "product_id": name,
                "time": iso(view.now),
            }
            for name in self.subscribed
        ]


def _error(message: str, reason: str) -> Frame:
    return {"type": "error", "message": message, "reason": reason}
