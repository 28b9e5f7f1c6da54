"""Bitget spot v2, as https://www.bitget.com/api-doc/spot/market/Get-Tickers describes it.

Every answer is an envelope with a `code` that is text. Numbers and times are strings, `change24h` is a
fraction over `open`, `openUtc` is the day's open, and `ts` is 0 for a pair that rests.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market import dialect
from ticker.market.faults import Fault
from ticker.market.ranges import MILLISECOND, candles
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY, HOUR

_INTERVALS = {
    "1min": 60,
    "5min": 300,
    "15min": 900,
    "30min": 1800,
    "1h": HOUR,
    "4h": 4 * HOUR,
    "1Dutc": DAY,
}
_BAD_PARAMETER = "40017"
_WITHOUT_TIME = frozenset({"XLMUSDT"})
_UNKNOWN = "40034"


def tickers(view: View, params: Params) -> Reply:
    """`?symbol=` a list of that one, without it everything."""
    alone = "symbol" in params
    found = [_listed(view, params["symbol"])] if alone else view.listings.values()
    return _success(view, [_ticker(view, listing) for listing in found])


def klines(view: View, params: Params) -> Reply:
    """`symbol`, `granularity`, and `startTime` and `endTime` in milliseconds; oldest first."""
    _, bars = candles(
        view,
        _listed(view, params.get("symbol", "")),
        params,
        intervals=_INTERVALS,
        names=("granularity", "startTime", "endTime"),
        unit=MILLISECOND,
        most=1000,
        code=_BAD_PARAMETER,
    )
    return _success(view, [_kline(bar) for bar in bars])


def refuse(fault: Fault, now: int) -> Reply:
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            body = {"code": "429", "msg": "Too Many Requests", "requestTime": now, "data": None}
            return Reply(body, 429, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply(page("Access Denied", "You don't have permission."), 403, retry_after(fault))
        case _:
            body = {"code": "40725", "msg": phrase(fault.status), "requestTime": now, "data": None}
            return Reply(body, fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return {"code": problem.code, "msg": str(problem), "data": None}


def _success(view: View, rows: list[object]) -> Reply:
    return Reply({"code": "00000", "msg": "success", "requestTime": view.now, "data": rows})


def _listed(view: View, symbol: str) -> Listing:
    listing = view.listings.get(symbol)
    if listing is None:
        raise RequestError(_UNKNOWN, f"Parameter {symbol} does not exist")
    return listing


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _fraction(value: Decimal) -> str:
    return _number(value.quantize(Decimal("0.00001")) + 0)


def _ticker(view: View, listing: Listing) -> object:
    day = view.day(listing)
    today = view.bar(listing, view.second - view.second % DAY, view.second)
    return {
        "open": _number(day.open),
        "symbol": listing.symbol,
        "high24h": _number(day.high),
        "low24h": _number(day.low),
        "lastPr": _number(day.close),
        "quoteVolume": _number(day.turnover),
        "baseVolume": _number(day.volume),
        "usdtVolume": _number(day.turnover),
        "ts": "0" if listing.symbol in _WITHOUT_TIME else str(view.now),
        "bidPr": _number(day.close - listing.tick),
        "askPr": _number(day.close),
        "bidSz": "0.5",
        "askSz": "0.25",
        "openUtc": _number(today.open),
        "changeUtc24h": _fraction(today.change),
        "change24h": _fraction(day.change),
    }


def _kline(bar: Bar) -> object:
    figures = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover, bar.turnover)
    return [str(bar.start * 1000), *(_number(figure) for figure in figures)]


VENUE = Venue(
    name="bitget",
    title="Bitget",
    listings=dialect.listings("bitget", share=Decimal("0.08"), without=frozenset({"tether"})),
    routes={"/api/v2/spot/market/tickers": tickers, "/api/v2/spot/market/candles": klines},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json"},
    price_fields=frozenset({"lastPr", "open", "high24h", "low24h", "bidPr", "askPr", "openUtc"}),
)
