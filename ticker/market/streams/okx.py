"""OKX's public stream: the `tickers` channel, and the text `pong` to the text `ping`.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-tickers-channel
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ticker.market.streams.speaker import Frame, Speaker
from ticker.market.venue import Listing, View


class OkxSpeaker(Speaker):
    venue = "okx"

    def answer(self, view: View, said: object) -> Iterable[Frame]:
        match said:
            case "ping":
                yield "pong"
            case {"op": "subscribe", "args": [*channels]}:
                for channel in channels:
                    yield self._acknowledged(view, channel)
            case _:
                yield {"event": "error", "code": "60012", "msg": "Invalid request", "connId": "a4d3ae55"}

    def _acknowledged(self, view: View, channel: Mapping[str, str]) -> Frame:
        name = channel.get("instId", "")
        if self.take(view, name):
            return {"event": "subscribe", "arg": channel, "connId": "a4d3ae55"}
        problem = f"Wrong URL or channel:tickers,instId:{name} doesn't exist. Please use the correct URL."
        return {"event": "error", "code": "60018", "msg": problem, "connId": "a4d3ae55"}

    def ticker(self, view: View, listing: Listing) -> Frame:
        day = view.day(listing)
        row = {
            "instType": "SPOT",
            "instId": listing.symbol,
            "last": f"{day.close:f}",
            "lastSz": "0.01",
            "askPx": f"{day.close + listing.tick:f}",
            "askSz": "0.5",
            "bidPx": f"{day.close:f}",
            "bidSz": "0.5",
            "open24h": f"{day.open:f}",
            "high24h": f"{day.high:f}",
            "low24h": f"{day.low:f}",
            "sodUtc0": f"{day.open:f}",
            "sodUtc8": f"{day.open:f}",
            "volCcy24h": f"{day.turnover:f}",
            "vol24h": f"{day.volume:f}",
            "ts": str(view.now),
        }
        return {"arg": {"channel": "tickers", "instId": listing.symbol}, "data": [row]}
