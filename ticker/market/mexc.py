"""MEXC Spot v3, as https://mexcdevelop.github.io/apidocs/spot_v3_en/ describes it.

It has Binance's paths and field names and three departures: percent is a fraction, `quoteVolume` may be null,
and candles have eight columns and call an hour `60m`.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.market import dialect
from ticker.market.faults import Fault
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY, HOUR

_INTERVALS = {"1m": 60, "5m": 300, "15m": 900, "30m": 1800, "60m": HOUR, "4h": 4 * HOUR, "1d": DAY}
_WITHOUT_TURNOVER = frozenset({"XLMUSDT"})


def ticker_24hr(view: View, params: Params) -> Reply:
    """`?symbol=` one object, without it everything: this venue has no batch of some."""
    if "symbol" in params:
        return Reply(_ticker(view, dialect.listed(view, params["symbol"])))
    return Reply([_ticker(view, listing) for listing in view.listings.values()], weight=40)


def klines(view: View, params: Params) -> Reply:
    span, bars = dialect.klines(view, params, _INTERVALS, most=500)
    return Reply([_kline(bar, span) for bar in bars])


def refuse(fault: Fault, _now: int) -> Reply:
    """The venue documents 429; its proxy answers the rest, so a ban and a geo block are 403 pages."""
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            return Reply({"code": 429, "msg": "Too Many Requests"}, 429, retry_after(fault))
        case "banned" | "geo_blocked":
            text = "You don't have permission to access this resource on this server."
            return Reply(page("Access Denied", text), 403, retry_after(fault))
        case _:
            body = {"code": fault.status, "msg": phrase(fault.status)}
            return Reply(body, fault.status, retry_after(fault))


def _number(value: Decimal) -> str:
    return f"{value:f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    depth = _number((day.volume / DAY).quantize(Decimal("0.000001")))
    turnover = (
        None if listing.symbol in _WITHOUT_TURNOVER else _number(day.turnover.quantize(Decimal("0.01")))
    )
    return {
        "symbol": listing.symbol,
        "priceChange": _number(day.close - day.open),
        "priceChangePercent": _number(day.change.quantize(Decimal("0.0001")) + 0),
        "prevClosePrice": _number(day.open),
        "lastPrice": _number(day.close),
        "bidPrice": _number(day.close),
        "bidQty": depth,
        "askPrice": _number(day.close + listing.tick),
        "askQty": depth,
        "openPrice": _number(day.open),
        "highPrice": _number(day.high),
        "lowPrice": _number(day.low),
        "volume": _number(day.volume),
        "quoteVolume": turnover,
        "openTime": view.now - DAY * 1000,
        "closeTime": view.now,
        "count": None,
    }


def _kline(bar: Bar, span: int) -> list[object]:
    return [
        bar.start * 1000,
        _number(bar.open),
        _number(bar.high),
        _number(bar.low),
        _number(bar.close),
        _number(bar.volume),
        (bar.start + span) * 1000,
        _number(bar.turnover),
    ]


VENUE = Venue(
    name="mexc",
    title="MEXC",
    listings=dialect.listings("mexc", share=Decimal("0.1"), without=frozenset({"tether"}), finer=1),
    routes={"/api/v3/ticker/24hr": ticker_24hr, "/api/v3/klines": klines},
    refuse=refuse,
    error=dialect.error,
    headers={"Content-Type": "application/json", "Cache-Control": "no-cache"},
    price_fields=dialect.PRICE_FIELDS,
)
