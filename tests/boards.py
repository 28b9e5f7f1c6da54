"""A board whose quotes a test sets, for everything that renders: each setting is a new version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import brotli
import msgspec

from tests.clocks import NOW
from ticker.clock import Clock
from ticker.errors import RequestError
from ticker.model import Asset, Basis, Change, Observation, Pair, Quote, State, Window
from ticker.web import application, serving
from ticker.web.admission import Door
from widgets.routes import routes

HOSTILE = '</script><img src=x onerror="alert(1)">'
ASSETS = (
    Asset("talus", "US", "Talus", (Pair("mexc", "USUSDT", "US", "USDT"),)),
    Asset("evil", '"><i>', HOSTILE),
    Asset("quiet", "QT", "Quiet"),
)


def weight(text: bytes, quality: int = 11) -> int:
    """Bytes as they are sent by brotli: once and for all, or as the service has time for."""
    return len(brotli.compress(text, quality=quality))


@asynccontextmanager
async def served(
    board: Board, clock: Clock, *, public_url: str | None = None, **more: Any
) -> AsyncIterator[aiohttp.ClientSession]:
    """The widgets over a board, as the service has them, and somebody who asks."""
    door = Door()
    app = application(routes(board, public_url or door.public_url, clock, **more), door)
    async with serving(app, "127.0.0.1:0") as url, aiohttp.ClientSession(url) as session:
        yield session


class Board:
    """`rates` are what a USD is in other currencies."""

    def __init__(
        self,
        assets: Iterable[Asset] = ASSETS,
        *,
        now: int = NOW,
        rates: dict[str, str] | None = None,
    ) -> None:
        self.epoch = "k3f9"
        self.seq = 0
        self.now = now
        self.assets = {asset.id: asset for asset in assets}
        self.rates = {code: Decimal(rate) for code, rate in (rates or {"EUR": "0.5"}).items()}
        self.said: dict[str, list[Observation]] = {}
        self.apart: dict[str, Decimal] = {}
        self._quotes = {
            asset.id: Quote(asset=asset.id, symbol=asset.symbol, name=asset.name, currency="USD")
            for asset in self.assets.values()
        }

    def set(self, asset: str, price: str | None = None, change: str | None = None, **fields: Any) -> Quote:
        """Another quote: live and of now unless said. `change` is that of 24 hours, rolling."""
        self.seq += 1
        said: dict[str, Any] = {"as_of": self.now, "seq": self.seq}
        if price is not None:
            said |= {"price": Decimal(price), "state": State.LIVE}
        if change is not None:
            said["change_24h"] = Change(Decimal(change), Window.DAY, Basis.ROLLING)
        self._quotes[asset] = msgspec.structs.replace(self._quotes[asset], **(said | fields))
        return self._quotes[asset]

    def quote(self, asset_id: str, currency: str | None = None, /) -> Quote:
        quote = self._quotes[asset_id]
        if currency in (None, quote.currency) or currency not in self.rates:
            return quote
        rate = self.rates[currency]
        money = ("price", "high_24h", "low_24h", "volume_24h", "market_cap")
        there = {name: getattr(quote, name) for name in money}
        changed = {name: value and value * rate for name, value in there.items()}
        return msgspec.structs.replace(quote, currency=currency, rate_date="2026-09-21", **changed)

    def require(self, currency: str, /) -> None:
        if currency not in self.known_currencies():
            raise RequestError("unknown_currency", f"no rate into {currency!r} is known")

    def known_currencies(self) -> list[str]:
        return sorted({"USD", *self.rates})

    def quotes(self) -> list[Quote]:
        return list(self._quotes.values())

    def observations(self, asset_id: str) -> list[Observation]:
        return self.said.get(asset_id, [])

    def spread(self, asset_id: str) -> Decimal | None:
        return self.apart.get(asset_id)
