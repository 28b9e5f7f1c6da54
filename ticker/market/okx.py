"""OKX's REST interface v5, as https://www.okx.com/docs-v5/en/#order-book-trading-market-data describes it.

Everything is a string, times included. An answer has `code` and `data`; an instrument it doesn't know is
answered with HTTP 200. Candles come newest first, between `before` and `after`, both left out.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.ranges import MILLISECOND, moment, whole
from ticker.market.tokens import TOKENS
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY, HOUR

_INTERVALS = {
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1H": HOUR,
    "2H": 2 * HOUR,
    "4H": 4 * HOUR,
    "6Hutc": 6 * HOUR,
    "12Hutc": 12 * HOUR,
    "1Dutc": DAY,
}
_BAD_PARAMETER = "51000"
_UNKNOWN = "51001"
_NOT_LISTED = frozenset({"talus", "tether"})
_UTC8 = 8 * HOUR


def ticker(view: View, params: Params) -> Reply:
    return _data([_ticker(view, _listed(view, params))])


def tickers(view: View, params: Params) -> Reply:
    if params.get("instType") != "SPOT":
        raise RequestError(_BAD_PARAMETER, "Parameter instType error")
    return _data([_ticker(view, listing) for listing in view.listings.values()])


def klines(view: View, params: Params) -> Reply:
    listing = _listed(view, params)
    span = _INTERVALS.get(params.get("bar", "1m"))
    if span is None:
        raise RequestError(_BAD_PARAMETER, "Parameter bar error")
    limit = min(whole(params, "limit", _BAD_PARAMETER) or 100, 300)
    after, before = (
        moment(params, name, unit=MILLISECOND, code=_BAD_PARAMETER) for name in ("after", "before")
    )
    end = None if after is None else after - 1
    # It goes back from `after`; `before` only bounds that.
    bars = view.candles(listing, span, limit, end=end)
    kept = [bar for bar in bars if before is None or bar.start * 1000 > before]
    return _data([_kline(view, bar, span) for bar in reversed(kept)])


def refuse(fault: Fault, _now: int) -> Reply:
    """Its own limits are worded in JSON; a ban and a geo block are its proxy's 403 pages."""
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            return Reply(_failure("50011", "Too Many Requests"), 429, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply(page("Access denied", "You have been blocked."), 403, retry_after(fault))
        case _ if fault.status == 503:
            text = "Service temporarily unavailable. Please try again later."
            return Reply(_failure("50001", text), 503, retry_after(fault))
        case _:
            return Reply(_failure("50026", phrase(fault.status)), fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return _failure(problem.code, str(problem))


def _data(rows: list[object]) -> Reply:
    return Reply({"code": "0", "msg": "", "data": rows})


def _failure(code: str, text: str) -> dict[str, object]:
    return {"code": code, "msg": text, "data": []}


def _listed(view: View, params: Params) -> Listing:
    listing = view.listings.get(params.get("instId", ""))
    if listing is None:
        raise RequestError(_UNKNOWN, "Instrument ID doesn't exist.", status=200)
    return listing


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    midnight = view.second - view.second % DAY
    eastern = view.second - (view.second + _UTC8) % DAY
    return {
        "instType": "SPOT",
        "instId": listing.symbol,
        "last": _number(day.close),
        "lastSz": "0.01",
        "askPx": _number(day.close + listing.tick),
        "askSz": "0.4",
        "bidPx": _number(day.close),
        "bidSz": "0.06",
        "open24h": _number(day.open),
        "high24h": _number(day.high),
        "low24h": _number(day.low),
        "volCcy24h": _number(day.turnover),
        "vol24h": _number(day.volume),
        "ts": str(view.now),
        "sodUtc0": _number(view.bar(listing, midnight, midnight).open),
        "sodUtc8": _number(view.bar(listing, eastern, eastern).open),
    }


def _kline(view: View, bar: Bar, span: int) -> list[str]:
    prices = (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover, bar.turnover)
    confirmed = "1" if bar.start + span <= view.second else "0"
    return [str(bar.start * 1000), *(_number(figure) for figure in prices), confirmed]


VENUE = Venue(
    name="okx",
    title="OKX",
    listings={
        f"{token.symbol}-USDT": Listing.of(
            "okx", f"{token.symbol}-USDT", token, decimals=token.decimals, share=Decimal("0.15")
        )
        for token in TOKENS
        if token.id not in _NOT_LISTED
    },
    routes={
        "/api/v5/market/ticker": ticker,
        "/api/v5/market/tickers": tickers,
        "/api/v5/market/candles": klines,
    },
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json"},
    price_fields=frozenset({"last", "askPx", "bidPx", "open24h", "high24h", "low24h", "sodUtc0", "sodUtc8"}),
)
