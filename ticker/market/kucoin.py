"""KuCoin spot, as https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-tickers describes it.

Numbers are strings and may be null, the change is a fraction, and one time in the envelope holds for all
rows. A renamed token keeps its old `symbol` beside the `symbolName` it is traded under. Candles come newest
first, with the close before the high.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.ranges import SECOND, candles
from ticker.market.tokens import TOKENS
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY, HOUR

_INTERVALS = {
    "1min": 60,
    "3min": 180,
    "5min": 300,
    "15min": 900,
    "30min": 1800,
    "1hour": HOUR,
    "2hour": 2 * HOUR,
    "4hour": 4 * HOUR,
    "6hour": 6 * HOUR,
    "8hour": 8 * HOUR,
    "12hour": 12 * HOUR,
    "1day": DAY,
}
_BAD_PARAMETER = "400100"
_UNKNOWN = "900001"
_RENAMED = {"TON-USDT": "TONCOIN-USDT"}
_WITHOUT_TURNOVER = frozenset({"XLM-USDT"})
_WEIGHT_LIMIT = 2000


def all_tickers(view: View, _params: Params) -> Reply:
    rows = [_ticker(view, listing) for listing in view.listings.values()]
    return Reply({"code": "200000", "data": {"time": view.now, "ticker": rows}}, weight=15)


def klines(view: View, params: Params) -> Reply:
    """`symbol`, `type`, and `startAt` and `endAt` in seconds; newest first."""
    listing = view.listings.get(params.get("symbol", ""))
    if listing is None:
        # The venue's business errors come with HTTP 200.
        raise RequestError(_UNKNOWN, "The symbol does not exist", status=200)
    _, bars = candles(
        view,
        listing,
        params,
        intervals=_INTERVALS,
        names=("type", "startAt", "endAt"),
        unit=SECOND,
        most=1500,
        code=_BAD_PARAMETER,
    )
    return Reply({"code": "200000", "data": [_kline(bar) for bar in reversed(bars)]}, weight=3)


def refuse(fault: Fault, _now: int) -> Reply:
    """The venue words refusals in JSON; a ban is its proxy's 403 page."""
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            window = {"gw-ratelimit-limit": str(_WEIGHT_LIMIT), "gw-ratelimit-remaining": "0"}
            if fault.retry_after is not None:
                window["gw-ratelimit-reset"] = str(1000 * fault.retry_after)
            return Reply({"code": "429000", "msg": "Too Many Requests"}, 429, window)
        case "geo_blocked":
            text = "Our services are not available in your country or region."
            return Reply({"code": "400302", "msg": text}, 403)
        case "banned":
            return Reply(page("Access Denied", "You don't have permission."), 403, retry_after(fault))
        case _:
            return Reply({"code": "500000", "msg": phrase(fault.status)}, fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return {"code": problem.code, "msg": str(problem)}


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    return {
        "symbol": _RENAMED.get(listing.symbol, listing.symbol),
        "symbolName": listing.symbol,
        "buy": _number(day.close - listing.tick),
        "bestBidSize": "0.5",
        "sell": _number(day.close),
        "bestAskSize": "0.25",
        "changeRate": _number(day.change.quantize(Decimal("0.0001")) + 0),
        "changePrice": _number(day.close - day.open),
        "high": _number(day.high),
        "low": _number(day.low),
        "vol": _number(day.volume),
        "volValue": None if listing.symbol in _WITHOUT_TURNOVER else _number(day.turnover),
        "last": _number(day.close),
        "averagePrice": _number(day.open),
        "takerFeeRate": "0.001",
        "makerFeeRate": "0.001",
        "takerCoefficient": "1",
        "makerCoefficient": "1",
    }


def _kline(bar: Bar) -> list[str]:
    prices = (bar.open, bar.close, bar.high, bar.low, bar.volume, bar.turnover)
    return [str(bar.start), *(_number(figure) for figure in prices)]


VENUE = Venue(
    name="kucoin",
    title="KuCoin",
    listings={
        f"{token.symbol}-USDT": Listing.of(
            "kucoin", f"{token.symbol}-USDT", token, decimals=token.decimals, share=Decimal("0.06")
        )
        for token in TOKENS
        if token.id != "tether"
    },
    routes={"/api/v1/market/allTickers": all_tickers, "/api/v1/market/candles": klines},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json"},
    price_fields=frozenset({"last", "buy", "sell", "high", "low", "averagePrice"}),
    # The list is a snapshot that is taken every two seconds.
    refresh=2,
)
