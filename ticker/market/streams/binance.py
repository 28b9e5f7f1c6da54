"""Binance's combined stream of mini tickers, subscribed by message.

https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
An unknown symbol is subscribed to without a word and never heard of.
"""

from __future__ import annotations

from collections.abc import Iterable

from ticker.market.streams.speaker import Frame, Speaker
from ticker.market.venue import Listing, View


class BinanceSpeaker(Speaker):
    venue = "binance"

    def name(self, listing: Listing) -> str:
        return f"{listing.symbol.lower()}@miniTicker"

    def answer(self, view: View, said: object) -> Iterable[Frame]:
        match said:
            case {"method": "SUBSCRIBE", "params": [*names], "id": number}:
                for name in names:
                    self.take(view, str(name))
                yield {"result": None, "id": number}
            case {"method": "GET_PROPERTY", "params": ["combined"], "id": number}:
                yield {"result": True, "id": number}
            case _:
                yield {"error": {"code": 2, "msg": "Invalid request: unknown method"}, "id": None}

    def ticker(self, view: View, listing: Listing) -> Frame:
        day = view.day(listing)
        data = {
            "e": "24hrMiniTicker",
            "E": view.now,
            "s": listing.symbol,
            "c": f"{day.close:.8f}",
            "o": f"{day.open:.8f}",
            "h": f"{day.high:.8f}",
            "l": f"{day.low:.8f}",
            "v": f"{day.volume:.8f}",
            "q": f"{day.turnover:.8f}",
        }
        return {"stream": self.name(listing), "data": data}
