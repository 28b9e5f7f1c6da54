"""A board of many assets and a past, for the kinds that show lists."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import msgspec

from tests.clocks import StillClock
from ticker.model import Asset, Basis, Candle, Change, Quote, State, Window
from widgets.rendering import Rendering

NOW = 1_790_000_000_123
HOSTILE = '</script><img src=x onerror="alert(1)">'


def moved(percent, window=Window.DAY):
    return None if percent is None else Change(Decimal(percent), window, Basis.ROLLING)


class ListBoard:
    """`a0`, `a1` …, each with a price of its number and one."""

    def __init__(self, count):
        self.seq = 1
        self.assets = {
            f"a{number}": Asset(f"a{number}", f"S{number}", f"Name {number}") for number in range(count)
        }
        self.shown = {
            asset.id: Quote(
                asset=asset.id, symbol=asset.symbol, name=asset.name, currency="USD",
                price=Decimal(number + 1), market_cap=Decimal(10**9 * (number + 1)),
                volume_24h=Decimal(10**6 * (count - number)), change_24h=moved("0.19"),
                state=State.LIVE, as_of=NOW, seq=1,
            )
            for number, asset in enumerate(self.assets.values())
        }  # fmt: skip

    def add(self, asset_id, symbol, name):
        self.assets[asset_id] = Asset(asset_id, symbol, name)
        self.shown[asset_id] = Quote(asset=asset_id, symbol=symbol, name=name, currency="USD")

    def set(self, asset_id, **fields):
        self.seq += 1
        self.shown[asset_id] = msgspec.structs.replace(self.shown[asset_id], seq=self.seq, **fields)

    def quote(self, asset_id, currency=None):
        return self.shown[asset_id]

    def require(self, currency):
        pass


class RisingPast:
    """Prices that rise by one a candle. It remembers who was asked for."""

    def __init__(self):
        self.asked = []

    async def candles(self, asset, currency, interval, start, end, limit):
        self.asked.append(asset)
        first = start // 1000 // interval + 1
        last = end // 1000 // interval
        prices = [Decimal(number) for number in range(1, last - first + 2)]
        return [
            Candle(
                asset, currency, interval, (first + at) * interval * 1000, price, price + 1, price, price + 1
            )
            for at, price in enumerate(prices)
        ]


class Shown:
    """A kind over a board, as its templates write it."""

    def __init__(self, board, past=None):
        self.board = board
        self.rendering = Rendering(board, StillClock(NOW), past)

    async def html(self, kind, **options):
        return (await self.rendering.markup(self.rendering.read(kind, options), "..")).text

    async def svg(self, kind, **options):
        return (await self.rendering.picture(self.rendering.read(kind, options))).text

    async def view(self, kind, **options):
        return (await self.rendering.markup(self.rendering.read(kind, options), "..")).view

    def size(self, kind, **options):
        asked = self.rendering.read(kind, options)
        return asked.kind.size(asked.options)


def visible(html):
    html = re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))
