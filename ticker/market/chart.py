"""CoinGecko's chart of a coin's past (https://docs.coingecko.com/reference/coins-id-market-chart-range).

Single prices, no candles: each five minutes of the last day, each hour of up to 90 days, each day beyond.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from msgspec import Raw

from ticker.errors import RequestError
from ticker.market.venue import Params, Reply, View
from ticker.market.walk import DAY, HOUR


def prices(view: View, params: Params, number: Callable[[Decimal], Raw]) -> Reply:
    """`from` and `to` in seconds, both within; the answer's times are in ms, a little after the full step."""
    listing = view.listings.get(params["id"])
    if listing is None:
        raise RequestError("not_found", "coin not found", status=404)
    try:
        first, last = int(params["from"]), int(params["to"])
    except (KeyError, ValueError):
        raise RequestError("bad_parameter", "Invalid from or to", status=422) from None
    step = 300 if first >= view.second - DAY else HOUR if last - first <= 90 * DAY else DAY
    first = max(first, view.birth)
    seconds = range(first + -first % step, min(last, view.second) + 1, step)
    walk = view.walks[listing.token.id]
    points = [[second * 1000 + 217, number(listing.price(walk.at(second)))] for second in seconds]
    return Reply({"prices": points, "market_caps": [], "total_volumes": []})
