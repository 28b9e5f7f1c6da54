"""Binance Spot, as https://developers.binance.com/docs/binance-spot-api-docs/rest-api describes it.

All numbers are strings with eight decimals, percent is in percent, and one unknown symbol fails a whole
batch.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from ticker.errors import RequestError
from ticker.market import dialect
from ticker.market.faults import Fault
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY, HOUR

_INTERVALS = {
    "1s": 1,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": HOUR,
    "2h": 2 * HOUR,
    "4h": 4 * HOUR,
    "6h": 6 * HOUR,
    "8h": 8 * HOUR,
    "12h": 12 * HOUR,
    "1d": DAY,
    "3d": 3 * DAY,
}
_WEIGHT_HEADER = "X-MBX-USED-WEIGHT-1M"
_WEIGHT_LIMIT = 6000
_TRADES_PER_SECOND = 5


def ticker_24hr(view: View, params: Params) -> Reply:
    """`?symbol=` one object, `?symbols=["A","B"]` a list, neither: everything."""
    if "symbol" in params and "symbols" in params:
        raise RequestError("-1128", "Combination of optional parameters invalid.")
    if "symbol" in params:
        return Reply(_ticker(view, dialect.listed(view, params["symbol"])), weight=2)
    symbols = _batch(params["symbols"]) if "symbols" in params else list(view.listings)
    body = [_ticker(view, dialect.listed(view, symbol)) for symbol in symbols]
    return Reply(body, weight=_batch_weight(len(symbols)) if "symbols" in params else 80)


def klines(view: View, params: Params) -> Reply:
    span, bars = dialect.klines(view, params, _INTERVALS, most=1000)
    return Reply([_kline(bar, span) for bar in bars], weight=2)


def refuse(fault: Fault, now: int) -> Reply:
    overused = {_WEIGHT_HEADER: str(_WEIGHT_LIMIT + 1)}
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            text = (
                f"Too much request weight used; current limit is {_WEIGHT_LIMIT} request weight per 1 MINUTE."
                " Please use WebSocket Streams for live updates to avoid polling the API."
            )
            return _refusal(429, -1003, text, fault, overused)
        case "banned":
            until = now + 1000 * (fault.retry_after or 0)
            text = (
                f"Way too much request weight used; IP banned until {until}. "
                "Please use WebSocket Streams for live updates to avoid bans."
            )
            return _refusal(418, -1003, text, fault, overused)
        case "geo_blocked":
            text = (
                "Service unavailable from a restricted location according to 'b. Eligibility' in "
                "https://www.binance.com/en/terms. Please contact customer service if you believe you "
                "received this message in error."
            )
            return _refusal(451, 0, text, fault)
        case _:
            text = f"{phrase(fault.status)}; unable to process your request. Please try again."
            return _refusal(fault.status, int(dialect.INTERNAL_ERROR), text, fault)


def _refusal(status: int, code: int, text: str, fault: Fault, headers: dict[str, str] | None = None) -> Reply:
    return Reply({"code": code, "msg": text}, status, {**(headers or {}), **retry_after(fault)})


def _batch(text: str) -> list[str]:
    try:
        symbols = msgspec.json.decode(text, type=list[str])
    except msgspec.MsgspecError:
        raise RequestError(
            dialect.BAD_PARAMETER,
            "Illegal characters found in parameter 'symbols'; legal range is a JSON list.",
        ) from None
    if not symbols:
        raise RequestError("-1105", "Parameter 'symbols' was empty.")
    return symbols


def _batch_weight(symbols: int) -> int:
    return 2 if symbols <= 20 else 40 if symbols <= 100 else 80


def _number(value: Decimal) -> str:
    return f"{value:.8f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    trades = DAY * _TRADES_PER_SECOND
    newest = view.second * _TRADES_PER_SECOND
    return {
        "symbol": listing.symbol,
        "priceChange": _number(day.close - day.open),
        "priceChangePercent": f"{(day.change * 100).quantize(Decimal('0.001')) + 0:f}",
        "weightedAvgPrice": _number(day.turnover / day.volume),
        "prevClosePrice": _number(day.open),
        "lastPrice": _number(day.close),
        "lastQty": _number(day.volume / trades),
        "bidPrice": _number(day.close),
        "bidQty": _number(day.volume / DAY),
        "askPrice": _number(day.close + listing.tick),
        "askQty": _number(day.volume / DAY),
        "openPrice": _number(day.open),
        "highPrice": _number(day.high),
        "lowPrice": _number(day.low),
        "volume": _number(day.volume),
        "quoteVolume": _number(day.turnover),
        "openTime": view.now - DAY * 1000,
        "closeTime": view.now,
        "firstId": newest - trades + 1,
        "lastId": newest,
        "count": trades,
    }


def _kline(bar: Bar, span: int) -> list[object]:
    half = Decimal("0.5")
    return [
        bar.start * 1000,
        _number(bar.open),
        _number(bar.high),
        _number(bar.low),
        _number(bar.close),
        _number(bar.volume),
        (bar.start + span) * 1000 - 1,
        _number(bar.turnover),
        (bar.end - bar.start + 1) * _TRADES_PER_SECOND,
        _number(bar.volume * half),
        _number(bar.turnover * half),
        "0",
    ]


VENUE = Venue(
    name="binance",
    title="Binance",
    listings=dialect.listings("binance", share=Decimal("0.4"), without=frozenset({"talus", "tether"})),
    routes={"/api/v3/ticker/24hr": ticker_24hr, "/api/v3/klines": klines},
    refuse=refuse,
    error=dialect.error,
    headers={
        "Content-Type": "application/json;charset=UTF-8",
        "Server": "nginx",
        "Cache-Control": "no-cache, no-store, must-revalidate",
    },
    price_fields=dialect.PRICE_FIELDS,
    weight_header=_WEIGHT_HEADER,
)
