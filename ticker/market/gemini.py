"""Gemini's ticker v2, as https://developer.gemini.com/rest-api#ticker-v2 describes it.

One pair an answer, numbers as strings, neither time nor volume; `changes` are the last 24 hours' closes,
newest first. A symbol is asked for in either case and answered in capitals.
"""

from __future__ import annotations

from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.tokens import TOKENS
from ticker.market.venue import Listing, Params, Reply, Venue, View, page, phrase, retry_after
from ticker.market.walk import HOUR


def ticker_v2(view: View, params: Params) -> Reply:
    listing = view.listings.get(params["symbol"].lower())
    if listing is None:
        known = ", ".join(view.listings)
        raise RequestError(
            "Bad Request",
            f"Supplied value '{params['symbol']}' is not a valid symbol.  Please correct your API request to "
            f"use one of the supported symbols: [{known}]",
        )
    return Reply(_ticker(view, listing))


def refuse(fault: Fault, _now: int) -> Reply:
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("429 Too Many Requests", "Slow down."), 429, retry_after(fault))
        case "rate_limited":
            return Reply(_failure("RateLimit", "Requests were made too frequently"), 429, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply(page("Access denied", "You have been blocked."), 403, retry_after(fault))
        case _:
            return Reply(_failure("System", phrase(fault.status)), fault.status, retry_after(fault))


def error(problem: RequestError) -> object:
    return _failure(problem.code, str(problem))


def _failure(reason: str, message: str) -> dict[str, str]:
    return {"result": "error", "reason": reason, "message": message}


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _ticker(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    hours = view.candles(listing, HOUR, 24)
    return {
        "symbol": listing.symbol.upper(),
        "open": _number(day.open),
        "high": _number(day.high),
        "low": _number(day.low),
        "close": _number(day.close),
        "changes": [_number(hour.close) for hour in reversed(hours)],
        "bid": _number(day.close - listing.tick),
        "ask": _number(day.close),
    }


_LISTED = (
    "BTC",
    "ETH",
    "SOL",
    "XRP",
    "DOGE",
    "LTC",
    "BCH",
    "LINK",
    "AVAX",
    "DOT",
    "SHIB",
    "PEPE",
    "UNI",
    "AAVE",
)

VENUE = Venue(
    name="gemini",
    title="Gemini",
    listings={
        f"{token.symbol}usd".lower(): Listing.of(
            "gemini", f"{token.symbol}usd".lower(), token, decimals=token.decimals, share=Decimal("0.01")
        )
        for token in TOKENS
        if token.symbol in _LISTED
    },
    routes={"/v2/ticker/{symbol}": ticker_v2},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json"},
    price_fields=frozenset({"open", "high", "low", "close", "bid", "ask"}),
)
