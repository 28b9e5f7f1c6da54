"""What Binance's 24 hour ticker and its imitators' have in common: the row, the error, the reading of both.

Each venue's own file says where it departs: how it is asked, and the unit of its percent.
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Raw, Struct

from ticker.model import Pair, Tick
from ticker.sources.base import change_24h
from ticker.sources.decode import Figure, Price, amount, decode, positive, signed

INVALID_SYMBOL = -1121


class Row(Struct, rename="camel"):
    last_price: Price
    price_change_percent: Figure | None = None
    open_price: Figure | None = None
    high_price: Figure | None = None
    low_price: Figure | None = None
    bid_price: Figure | None = None
    ask_price: Figure | None = None
    volume: Figure | None = None
    quote_volume: Figure | None = None
    close_time: int | None = None


class Failure(Struct):
    code: int


def read_tick(pair: Pair, row: Raw, seen: int, *, whole: int) -> Tick:
    """A row as a Tick. `whole`: 100 where the venue writes percent, 1 where it writes fractions."""
    said = decode(Row, row)
    told = signed(said.price_change_percent)
    percent = None if told is None else told * 100 / whole
    change, note = change_24h(said.last_price, positive(said.open_price), percent)
    return Tick(
        pair=pair,
        price=Decimal(said.last_price),
        as_of=said.close_time or seen,
        seen=seen,
        bid=positive(said.bid_price),
        ask=positive(said.ask_price),
        change_24h=change,
        high_24h=positive(said.high_price),
        low_24h=positive(said.low_price),
        volume_24h=amount(said.volume),
        turnover_24h=amount(said.quote_volume),
        note=note,
    )
