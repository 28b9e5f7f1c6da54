"""Bybit's REST interface v5, spot, as https://bybit-exchange.github.io/docs/v5/market/tickers describes it.

Figures are strings, the percent is a fraction, one time in the envelope is a number and holds for all rows.
Errors come with HTTP 200 and a `retCode`; 403 is the word for a ban and for a country alike.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.ranges import MILLISECOND, candles
from ticker.market.tokens import TOKENS
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY, HOUR

_INTERVALS = {
    "1": 60,
    "3": 180,
    "5": 300,
    "15": 900,
    "30": 1800,
    "60": HOUR,
    "120": 2 * HOUR,
    "240": 4 * HOUR,
    "360": 6 * HOUR,
    "720": 12 * HOUR,
    "D": DAY,
}
_BAD_PARAMETER = "10001"
_NOT_LISTED = frozenset({"talus", "tether"})


def tickers(view: View, params: Params) -> Reply:
    """`symbol` is one; without it, all of the category."""
    _spot(params)
    listings = [_listed(view, params["symbol"])] if "symbol" in params else list(view.listings.values())
    rows = [_ticker(view, listing) for listing in listings]
    return _result(view, {"category": "spot", "list": rows})


def klines(view: View, params: Params) -> Reply:
    """`interval`, `start` and `end` in milliseconds; newest first."""
    _spot(params)
    listing = _listed(view, params.get("symbol", ""))
    _, bars = candles(
        view,
        listing,
        params,
        intervals=_INTERVALS,
        names=("interval", "start", "end"),
        unit=MILLISECOND,
        most=1000,
        code=_BAD_PARAMETER,
    )
    rows = [_kline(bar) for bar in reversed(bars)]
    return _result(view, {"category": "spot", "symbol": listing.symbol, "list": rows})


def refuse(fault: Fault, now: int) -> Reply:
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            reset = {"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "0"}
            return Reply(_envelope(10006, "Too many visits!", {}, now), 200, reset | retry_after(fault))
        case "banned":
            return Reply("access too frequent", 403, {"Content-Type": "text/plain"} | retry_after(fault))
        case "geo_blocked":
            text = (
                "The Amazon CloudFront distribution is configured to block access from your country. "
                "We can't connect to the server for this app or website at this time."
            )
            return Reply(page("ERROR: The request could not be satisfied", text), 403)
        case _:
            body = _envelope(10016, phrase(fault.status), {}, now)
            return Reply(body, fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return _envelope(int(problem.code), str(problem), {}, 0)


def _spot(params: Params) -> None:
    if params.get("category") != "spot":
        raise RequestError(_BAD_PARAMETER, "params error: Category is invalid", status=200)


def _listed(view: View, symbol: str) -> Listing:
    listing = view.listings.get(symbol)
    if listing is None:
        raise RequestError(_BAD_PARAMETER, "Not supported symbols", status=200)
    return listing


def _result(view: View, result: object) -> Reply:
    return Reply(_envelope(0, "OK", result, view.now))


def _envelope(code: int, text: str, result: object, now: int) -> dict[str, object]:
    return {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": now}


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    return {
        "symbol": listing.symbol,
        "bid1Price": _number(day.close),
        "bid1Size": "0.5",
        "ask1Price": _number(day.close + listing.tick),
        "ask1Size": "0.25",
        "lastPrice": _number(day.close),
        "prevPrice24h": _number(day.open),
        "price24hPcnt": _number(day.change.quantize(Decimal("0.0001")) + 0),
        "highPrice24h": _number(day.high),
        "lowPrice24h": _number(day.low),
        "turnover24h": _number(day.turnover),
        "volume24h": _number(day.volume),
    }


def _kline(bar: Bar) -> list[str]:
    prices = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover)
    return [str(bar.start * 1000), *(_number(figure) for figure in prices)]


VENUE = Venue(
    name="bybit",
    title="Bybit",
    listings={
        f"{token.symbol}USDT": Listing.of(
            "bybit", f"{token.symbol}USDT", token, decimals=token.decimals, share=Decimal("0.12")
        )
        for token in TOKENS
        if token.id not in _NOT_LISTED
    },
    routes={"/v5/market/tickers": tickers, "/v5/market/kline": klines},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json; charset=utf-8"},
    price_fields=frozenset(
        {"lastPrice", "bid1Price", "ask1Price", "prevPrice24h", "highPrice24h", "lowPrice24h"}
    ),
)
