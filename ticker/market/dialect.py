"""What Binance's REST interface and its imitators have in common: parameters, candles, error bodies.

Each venue's own file says where it departs: units, intervals, limits, number formats.
Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api and its errors page.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from ticker.errors import RequestError
from ticker.market.tokens import TOKENS
from ticker.market.venue import Bar, Listing, Params, View

BAD_PARAMETER = "-1100"
MISSING_PARAMETER = "-1102"
BAD_INTERVAL = "-1120"
BAD_SYMBOL = "-1121"
INTERNAL_ERROR = "-1001"

PRICE_FIELDS = frozenset(
    {
        "lastPrice",
        "openPrice",
        "highPrice",
        "lowPrice",
        "bidPrice",
        "askPrice",
        "prevClosePrice",
        "weightedAvgPrice",
    }
)


def listings(venue: str, *, share: Decimal, without: frozenset[str], finer: int = 0) -> Mapping[str, Listing]:
    """Every token but `without`, in USDT. Those under one dollar have `finer` more decimals than usual."""
    found = (
        Listing.of(
            venue,
            f"{token.symbol}USDT",
            token,
            decimals=token.decimals + (finer if token.price < 1 else 0),
            share=share,
        )
        for token in TOKENS
        if token.id not in without
    )
    return {listing.symbol: listing for listing in found}


def error(problem: RequestError) -> object:
    return {"code": int(problem.code), "msg": str(problem)}


def listed(view: View, symbol: str) -> Listing:
    listing = view.listings.get(symbol)
    if listing is None:
        raise RequestError(BAD_SYMBOL, "Invalid symbol.")
    return listing


def klines(view: View, params: Params, intervals: Mapping[str, int], *, most: int) -> tuple[int, list[Bar]]:
    """The interval asked for, in seconds, and its candles."""
    if not params.get("symbol"):
        raise RequestError(
            MISSING_PARAMETER, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
        )
    listing = listed(view, params["symbol"])
    span = intervals.get(params.get("interval", ""))
    if span is None:
        raise RequestError(BAD_INTERVAL, "Invalid interval.")
    limit = _whole(params, "limit")
    limit = min(500 if limit is None else limit, most)
    if limit < 1:
        raise RequestError(
            BAD_PARAMETER, "Illegal characters found in parameter 'limit'; legal range is '[1-9]+'."
        )
    start, end = _whole(params, "startTime"), _whole(params, "endTime")
    return span, view.candles(listing, span, limit, start=start, end=end)


def _whole(params: Params, name: str) -> int | None:
    text = params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise RequestError(
            BAD_PARAMETER,
            f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.",
        )
    return int(text)
