"""Bitstamp API v2, as https://www.bitstamp.net/api/#tag/Tickers describes it.

All pairs come in one list of strings, the time in seconds. `open` is the day's, `open_24` that of 24 hours
ago, `percent_change_24` is in percent, and the last price is of a trade that the bid has since risen above.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.ranges import SECOND, candles
from ticker.market.tokens import TOKENS
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY

_STEPS = {str(60 * minutes): 60 * minutes for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720, 1440)}
_BAD_PARAMETER = "400.001"


def ticker(view: View, _params: Params) -> Reply:
    return Reply([_ticker(view, listing) for listing in view.listings.values()])


def ohlc(view: View, params: Params) -> Reply:
    """The pair as `btcusd` in the path, `step`, and `start` and `end` in seconds; oldest first."""
    spelled = {_joined(symbol): listing for symbol, listing in view.listings.items()}
    listing = spelled.get(params["symbol"])
    if listing is None:
        raise RequestError("404.002", "Currency pair is invalid.", status=404)
    _, bars = candles(
        view,
        listing,
        params,
        intervals=_STEPS,
        names=("step", "start", "end"),
        unit=SECOND,
        most=1000,
        code=_BAD_PARAMETER,
    )
    return Reply({"data": {"ohlc": [_candle(bar) for bar in bars], "pair": listing.symbol}})


def refuse(fault: Fault, _now: int) -> Reply:
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            body = {
                "status": "error",
                "reason": "Request rejected due to exceeded rate limit.",
                "response_code": "400.002",
            }
            return Reply(body, 429, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply(page("Access denied", "You have been blocked."), 403, retry_after(fault))
        case _:
            return Reply(page(phrase(fault.status), "Try again later."), fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return {"status": "error", "reason": str(problem), "response_code": problem.code}


def _joined(symbol: str) -> str:
    return symbol.replace("/", "").lower()


def _number(value: Decimal) -> str:
    return f"{value:f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    today = view.bar(listing, view.second - view.second % DAY, view.second)
    return {
        "timestamp": str(view.now // 1000),
        "open": _number(today.open),
        "high": _number(day.high),
        "low": _number(day.low),
        "last": _number(day.close),
        "volume": _number(day.volume),
        "vwap": _number((day.turnover / day.volume).quantize(listing.tick)),
        "bid": _number(day.close + listing.tick),
        "ask": _number(day.close + 2 * listing.tick),
        "side": "1",
        "open_24": _number(day.open),
        "percent_change_24": _number((day.change * 100).quantize(Decimal("0.01")) + 0),
        "market_type": "SPOT",
        "pair": listing.symbol,
        "market": listing.symbol,
    }


def _candle(bar: Bar) -> dict[str, str]:
    return {
        "timestamp": str(bar.start),
        "open": _number(bar.open),
        "high": _number(bar.high),
        "low": _number(bar.low),
        "close": _number(bar.close),
        "volume": _number(bar.volume),
    }


VENUE = Venue(
    name="bitstamp",
    title="Bitstamp",
    listings={
        f"{token.symbol}/USD": Listing.of(
            "bitstamp", f"{token.symbol}/USD", token, decimals=token.decimals, share=Decimal("0.02")
        )
        for token in TOKENS
        if token.id not in {"talus", "binancecoin", "tron"}
    },
    routes={"/api/v2/ticker/": ticker, "/api/v2/ohlc/{symbol}/": ohlc},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json"},
    price_fields=frozenset({"last", "open", "open_24", "high", "low", "bid", "ask", "vwap"}),
)
