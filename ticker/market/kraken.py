"""Kraken's REST interface, as https://docs.kraken.com/api/docs/rest-api/get-ticker-information describes it.

Errors come with HTTP 200 in a list beside `result`. A pair is asked for by any of its names, and answered
under the plain one (BTC/USD) with `assetVersion=1`, else under the oldest (XXBTZUSD). Statistics are pairs
of today, from midnight UTC, and the last 24 hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.ranges import candles
from ticker.market.tokens import TOKENS
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import DAY, HOUR

_INTERVALS = {
    "1": 60,
    "5": 300,
    "15": 900,
    "30": 1800,
    "60": HOUR,
    "240": 4 * HOUR,
    "1440": DAY,
}
_UNKNOWN_PAIR = "EQuery:Unknown asset pair"
_BAD_ARGUMENTS = "EGeneral:Invalid arguments"
_OWN = {"BTC": "XBT", "DOGE": "XDG"}
# Listed in its first years, when currencies still were marked: X a coin, Z a currency of a state.
_MARKED = frozenset({"XBT", "ETH", "LTC", "XRP", "XLM", "ETC"})
_NOT_LISTED = frozenset({"talus", "binancecoin", "hedera-hashgraph"})


def ticker(view: View, params: Params) -> Reply:
    """`pair` is a list with commas; without it, every pair."""
    asked = params.get("pair")
    listings = [_listed(view, name) for name in asked.split(",")] if asked else list(view.listings.values())
    named = _plain if params.get("assetVersion") == "1" else _oldest
    return _result({named(listing): _ticker(view, listing) for listing in listings})


def ohlc(view: View, params: Params) -> Reply:
    """The newest 720, those that start after `since` (seconds), oldest first."""
    listing = _listed(view, params.get("pair", ""))
    # Sent without `since`, as that takes candles away and never brings older ones.
    _, bars = candles(
        view,
        listing,
        {"interval": params.get("interval", "1")},
        intervals=_INTERVALS,
        names=("interval", "since", "end"),
        unit=1000,
        most=720,
        code=_BAD_ARGUMENTS,
    )
    since = params.get("since", "0")
    after = int(since) if since.isascii() and since.isdigit() and len(since) <= 12 else 0
    rows = [_kline(bar) for bar in bars if bar.start > after]
    last = bars[-2].start if len(bars) > 1 else after
    return _result({_oldest(listing): rows, "last": last})


def refuse(fault: Fault, _now: int) -> Reply:
    """Its own limits and its maintenance come with HTTP 200; the rest is its proxy's."""
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            return Reply({"error": ["EGeneral:Too many requests"]}, 200, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply(page("Access denied", "You have been blocked."), 403, retry_after(fault))
        case _ if fault.status == 503:
            return Reply({"error": ["EService:Unavailable"]}, 200, retry_after(fault))
        case _:
            title = f"{fault.status} {phrase(fault.status)}"
            return Reply(page(title, "The origin did not answer."), fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return {"error": [problem.code]}


def _result(result: object) -> Reply:
    return Reply({"error": [], "result": result})


def _listed(view: View, name: str) -> Listing:
    for listing in view.listings.values():
        if name in (listing.symbol, _plain(listing), _oldest(listing)):
            return listing
    raise RequestError(_UNKNOWN_PAIR, "no such pair", status=200)


def _quote(listing: Listing) -> str:
    return "USDT" if listing.symbol.endswith("USDT") else "USD"


def _plain(listing: Listing) -> str:
    return f"{listing.token.symbol}/{_quote(listing)}"


def _oldest(listing: Listing) -> str:
    base = _own(listing.token.symbol)
    return f"X{base}Z{_quote(listing)}" if base in _MARKED and _quote(listing) == "USD" else listing.symbol


def _own(currency: str) -> str:
    return _OWN.get(currency, currency)


def _number(value: Decimal) -> str:
    return f"{value:f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    midnight = view.second - view.second % DAY
    day, today = view.day(listing), view.bar(listing, midnight, view.second)
    lot = "0.10000000"
    return {
        "a": [_number(day.close + listing.tick), "1", "1.000"],
        "b": [_number(day.close), "1", "1.000"],
        "c": [_number(day.close), lot],
        "v": [_number(today.volume), _number(day.volume)],
        "p": [_average(today, listing), _average(day, listing)],
        "t": [5 * (view.second - midnight) + 1, 5 * DAY],
        "l": [_number(today.low), _number(day.low)],
        "h": [_number(today.high), _number(day.high)],
        "o": _number(today.open),
    }


def _average(bar: Bar, listing: Listing) -> str:
    # In the first second of a day nothing has been traded yet.
    return _number((bar.turnover / bar.volume).quantize(listing.tick) if bar.volume else bar.close)


def _kline(bar: Bar) -> list[object]:
    average = (bar.turnover / bar.volume) if bar.volume else bar.close
    prices = (bar.open, bar.high, bar.low, bar.close, average.quantize(bar.close), bar.volume)
    return [bar.start, *(_number(figure) for figure in prices), 5 * (bar.end - bar.start + 1)]


def _listings() -> Iterator[Listing]:
    for token in TOKENS:
        if token.id in _NOT_LISTED:
            continue
        quotes = ("USD", "USDT") if token.symbol in ("BTC", "ETH", "SOL", "XRP") else ("USD",)
        for quote in quotes:
            symbol = f"{_own(token.symbol)}{quote}"
            yield Listing.of("kraken", symbol, token, decimals=token.decimals, share=Decimal("0.03"))


VENUE = Venue(
    name="kraken",
    title="Kraken",
    listings={listing.symbol: listing for listing in _listings()},
    routes={"/0/public/Ticker": ticker, "/0/public/OHLC": ohlc},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json; charset=utf-8", "Server": "cloudflare"},
    price_fields=frozenset({"a", "b", "c", "h", "l", "o"}),
)
