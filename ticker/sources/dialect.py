"""What Binance's 24 hour ticker and its imitators' have in common: the row, the error, the reading of both.

Each venue's own file says where it departs: how it is asked, and the unit of its percent.
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import UNSET, Struct

from ticker.model import Pair, Tick
from ticker.sources.base import change_24h
from ticker.sources.decode import Given, Price, Whole, amount, prices

INVALID_SYMBOL = -1121


class Row(Struct, rename="camel"):
    symbol: str
    last_price: Price
    price_change_percent: Given = UNSET
    open_price: Given = UNSET
    high_price: Given = UNSET
    low_price: Given = UNSET
    bid_price: Given = UNSET
    ask_price: Given = UNSET
    quote_volume: Given = UNSET
    close_time: Whole = UNSET


class Failure(Struct):
    code: int


def read_tick(pair: Pair, row: Row, percent: Decimal | None, as_of: int, seen: int) -> Tick:
    """A row as a Tick; `percent` is its `price_change_percent`, which imitators write in another unit."""
    last, (opened, bid, ask, high, low) = prices(
        row.last_price, row.open_price, row.bid_price, row.ask_price, row.high_price, row.low_price
    )
    change, note = change_24h(last, opened, percent)
    return Tick(
        pair=pair,
        price=last,
        as_of=row.close_time or as_of,
        seen=seen,
        bid=bid,
        ask=ask,
        change_24h=change,
        high_24h=high,
        low_24h=low,
        turnover_24h=amount(row.quote_volume),
        note=note,
    )
