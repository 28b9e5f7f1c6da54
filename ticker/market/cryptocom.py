"""Crypto.com Exchange v1, as https://exchange-docs.crypto.com/exchange/v1/rest-ws/index.html describes it.

Keys have one letter: `i` the instrument, `a` the last trade, `b` the bid, `k` the ask, `c` the change as a
fraction, `v` the volume in base units, `vv` the same in US dollars, `t` the time. Numbers are strings.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.tokens import TOKENS
from ticker.market.venue import Listing, Params, Reply, Venue, View, page, phrase, retry_after

_METHOD = "public/get-tickers"
_BAD_ARGUMENT = "40004"


def get_tickers(view: View, params: Params) -> Reply:
    """`?instrument_name=` a list of that one, without it everything."""
    found = list(view.listings.values())
    if "instrument_name" in params:
        found = [listing for listing in found if listing.symbol == params["instrument_name"]]
        if not found:
            raise RequestError(_BAD_ARGUMENT, "Missing or invalid argument")
    rows = [_ticker(view, listing) for listing in found]
    return Reply({"id": -1, "method": _METHOD, "code": 0, "result": {"data": rows}})


def refuse(fault: Fault, _now: int) -> Reply:
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            return Reply(_failure(42901, "Requests have exceeded rate limits"), 429, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply(page("Access denied", "You have been blocked."), 403, retry_after(fault))
        case _:
            return Reply(_failure(50001, phrase(fault.status)), fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return _failure(int(problem.code), str(problem))


def _failure(code: int, message: str) -> dict[str, object]:
    return {"id": -1, "method": _METHOD, "code": code, "message": message}


def _number(value: Decimal) -> str:
    return f"{value:f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    return {
        "i": listing.symbol,
        "h": _number(day.high),
        "l": _number(day.low),
        "a": _number(day.close),
        "v": _number(day.volume),
        "vv": _number(day.turnover.quantize(Decimal("0.01"))),
        "c": _number(day.change.quantize(Decimal("0.0001")) + 0),
        "b": _number(day.close - listing.tick),
        "k": _number(day.close),
        "oi": "0",
        "t": view.now,
    }


_SYMBOLS = {
    f"{token.symbol}_{quote}": token for quote in ("USD", "USDT") for token in TOKENS if token.symbol != quote
}

VENUE = Venue(
    name="cryptocom",
    title="Crypto.com",
    listings={
        symbol: Listing.of("cryptocom", symbol, token, decimals=token.decimals, share=Decimal("0.04"))
        for symbol, token in _SYMBOLS.items()
        if token.id != "talus"
    },
    routes={"/exchange/v1/public/get-tickers": get_tickers},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json", "Server": "cloudflare"},
    price_fields=frozenset({"a", "b", "k", "h", "l"}),
)
