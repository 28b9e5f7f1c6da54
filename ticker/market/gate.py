"""Gate API v4, as https://www.gate.com/docs/developers/apiv4/en/ describes it.

Numbers are strings, percent is in percent, and nothing tells the time. A volume that nobody could count is
the text `nan`. Candles begin with the turnover and have the open after the low.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.ranges import SECOND, candles, moment
from ticker.market.tokens import TOKENS
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY, HOUR

_INTERVALS = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": HOUR,
    "4h": 4 * HOUR,
    "8h": 8 * HOUR,
    "1d": DAY,
}
_MOST = 1000
_BAD_PARAMETER = "INVALID_PARAM_VALUE"
_WITHOUT_TURNOVER = frozenset({"XLM_USDT"})


def tickers(view: View, params: Params) -> Reply:
    """`?currency_pair=` a list of that one, without it everything."""
    if "currency_pair" not in params:
        return Reply([_ticker(view, listing) for listing in view.listings.values()])
    return Reply([_ticker(view, _listed(view, params["currency_pair"]))])


def candlesticks(view: View, params: Params) -> Reply:
    """`currency_pair`, `interval`, and `from` and `to` in seconds; oldest first."""
    span, bars = candles(
        view,
        _listed(view, params.get("currency_pair", "")),
        params,
        intervals=_INTERVALS,
        names=("interval", "from", "to"),
        unit=SECOND,
        most=_MOST,
        code=_BAD_PARAMETER,
    )
    first, last = (moment(params, name, unit=SECOND, code=_BAD_PARAMETER) for name in ("from", "to"))
    if first is not None and (last or view.now) - first > _MOST * span * SECOND:
        raise RequestError(_BAD_PARAMETER, f"Candlestick range too broad. At most {_MOST} data points")
    return Reply([_candlestick(view, bar, span) for bar in bars])


def refuse(fault: Fault, _now: int) -> Reply:
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            body = {"label": "TOO_MANY_REQUESTS", "message": "Request Rate Limit Exceeded"}
            return Reply(body, 429, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply({"label": "FORBIDDEN", "message": "Access is denied"}, 403, retry_after(fault))
        case _:
            body = {"label": "SERVER_ERROR", "message": phrase(fault.status)}
            return Reply(body, fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return {"label": problem.code, "message": str(problem)}


def _listed(view: View, pair: str) -> Listing:
    listing = view.listings.get(pair)
    if listing is None:
        raise RequestError("INVALID_CURRENCY_PAIR", f"Invalid currency pair {pair}")
    return listing


def _number(value: Decimal) -> str:
    return f"{value:f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    return {
        "currency_pair": listing.symbol,
        "last": _number(day.close),
        "lowest_ask": _number(day.close + listing.tick),
        "highest_bid": _number(day.close),
        "change_percentage": _number((day.change * 100).quantize(Decimal("0.01")) + 0),
        "base_volume": _number(day.volume),
        "quote_volume": "nan" if listing.symbol in _WITHOUT_TURNOVER else _number(day.turnover),
        "high_24h": _number(day.high),
        "low_24h": _number(day.low),
    }


def _candlestick(view: View, bar: Bar, span: int) -> list[str]:
    figures = (bar.turnover, bar.close, bar.high, bar.low, bar.open, bar.volume)
    closed = "true" if bar.start + span <= view.second else "false"
    return [str(bar.start), *(_number(figure) for figure in figures), closed]


VENUE = Venue(
    name="gate",
    title="Gate",
    listings={
        f"{token.symbol}_USDT": Listing.of(
            "gate", f"{token.symbol}_USDT", token, decimals=token.decimals, share=Decimal("0.07")
        )
        for token in TOKENS
        if token.id != "tether"
    },
    routes={"/api/v4/spot/tickers": tickers, "/api/v4/spot/candlesticks": candlesticks},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json", "Server": "openresty"},
    price_fields=frozenset({"last", "lowest_ask", "highest_bid", "high_24h", "low_24h"}),
)
