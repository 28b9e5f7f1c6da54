"""Coinbase Exchange, as https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api describes it.

Numbers are strings, one product an answer, volume in the base currency alone. A candle is a list of JSON
numbers with the low before the high, and the newest comes first.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.ranges import SECOND, candles
from ticker.market.streams.speaker import iso
from ticker.market.tokens import TOKENS
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY, HOUR

_GRANULARITIES = {"60": 60, "300": 300, "900": 900, "3600": HOUR, "21600": 6 * HOUR, "86400": DAY}
_NOT_LISTED = frozenset({"talus", "usd-coin", "tron"})


def stats(view: View, params: Params) -> Reply:
    day = view.day(_listed(view, params))
    return Reply(
        {
            "open": _number(day.open),
            "high": _number(day.high),
            "low": _number(day.low),
            "last": _number(day.close),
            "volume": _number(day.volume),
            "volume_30day": _number(30 * day.volume),
        }
    )


def ticker(view: View, params: Params) -> Reply:
    listing = _listed(view, params)
    day = view.day(listing)
    return Reply(
        {
            "ask": _number(day.close + listing.tick),
            "bid": _number(day.close),
            "volume": _number(day.volume),
            "trade_id": view.second,
            "price": _number(day.close),
            "size": "0.01",
            "time": iso(view.now),
        }
    )


def klines(view: View, params: Params) -> Reply:
    """`granularity`, `start` and `end` in seconds; at most 300, newest first."""
    _, bars = candles(
        view,
        _listed(view, params),
        params,
        intervals=_GRANULARITIES,
        names=("granularity", "start", "end"),
        unit=SECOND,
        most=300,
        code="bad_parameter",
    )
    return Reply([_kline(bar) for bar in reversed(bars)])


def refuse(fault: Fault, _now: int) -> Reply:
    """Limits are worded in JSON; a ban and a geo block are its proxy's 403 pages."""
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            return Reply({"message": "Public rate limit exceeded"}, 429, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply(page("Access denied", "You have been blocked."), 403, retry_after(fault))
        case _:
            return Reply({"message": phrase(fault.status)}, fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return {"message": str(problem)}


def _listed(view: View, params: Params) -> Listing:
    listing = view.listings.get(params["symbol"])
    if listing is None:
        raise RequestError("not_found", "NotFound", status=404)
    return listing


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _kline(bar: Bar) -> list[object]:
    return [bar.start, bar.low, bar.high, bar.open, bar.close, bar.volume]


VENUE = Venue(
    name="coinbase",
    title="Coinbase Exchange",
    listings={
        f"{token.symbol}-USD": Listing.of(
            "coinbase", f"{token.symbol}-USD", token, decimals=token.decimals, share=Decimal("0.08")
        )
        for token in TOKENS
        if token.id not in _NOT_LISTED
    },
    routes={
        "/products/{symbol}/stats": stats,
        "/products/{symbol}/ticker": ticker,
        "/products/{symbol}/candles": klines,
    },
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json; charset=utf-8", "Server": "cloudflare"},
    price_fields=frozenset({"open", "high", "low", "last", "price", "bid", "ask"}),
)
