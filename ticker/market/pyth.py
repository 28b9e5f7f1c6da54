"""Pyth's Hermes, as https://docs.pyth.network/api-reference/hermes/latest-price-updates describes it.

A price is a whole number as text and a power of ten; errors are plain text. An unknown id is 404 and one that
is no hexadecimal number 400, and either fails the whole request.
"""

from __future__ import annotations

import re
from decimal import Decimal
from hashlib import blake2s

from ticker.errors import RequestError
from ticker.market import aggregate
from ticker.market.faults import Fault
from ticker.market.tokens import Token
from ticker.market.venue import Bar, Listing, Params, Reply, Venue, View

_PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
_ID = re.compile(r"(0x)?[0-9a-f]{64}")
# The ids of the two best-known feeds; the others are as long, and made up.
_IDS = {
    "bitcoin": "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43",
    "ethereum": "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace",
}
_EXPO = -12
_CONFIDENCE = Decimal("0.0004")


def latest(view: View, params: Params) -> Reply:
    """`ids[]` once for each feed."""
    asked = params.get("ids[]", "").split(",")
    if not all(_ID.fullmatch(feed.lower()) for feed in asked):
        return Reply("Failed to deserialize query string: Invalid character in an id", 400, _PLAIN)
    ids = [feed.lower().removeprefix("0x") for feed in asked]
    if unknown := [f"0x{feed}" for feed in ids if feed not in view.listings]:
        return Reply(f"Price ids not found: {', '.join(unknown)}", 404, _PLAIN)
    parsed = [_feed(view, view.listings[feed]) for feed in ids]
    return Reply({"binary": {"encoding": "hex", "data": ["504e4155"]}, "parsed": parsed})


def feed_id(token: Token) -> str:
    return _IDS.get(token.id) or blake2s(f"pyth:{token.id}".encode()).hexdigest()


def refuse(fault: Fault, _now: int) -> Reply:
    return aggregate.refuse(fault, lambda status, text: {"status": status, "message": text})


def error(problem: RequestError) -> object:
    return {"message": str(problem)}


def _feed(view: View, listing: Listing) -> dict[str, object]:
    day = view.day(listing)
    return {
        "id": listing.symbol,
        "price": _price(day.close, view.second),
        "ema_price": _price(_mean(day), view.second),
        "metadata": {"slot": view.second * 2, "proof_available_time": view.second + 1},
    }


def _mean(day: Bar) -> Decimal:
    return day.turnover / day.volume


def _price(price: Decimal, second: int) -> dict[str, object]:
    units = Decimal(1).scaleb(-_EXPO)
    return {
        "price": f"{price * units:.0f}",
        "conf": f"{price * _CONFIDENCE * units:.0f}",
        "expo": _EXPO,
        "publish_time": second,
    }


VENUE = Venue(
    name="pyth",
    title="Pyth",
    listings=aggregate.listings("pyth", feed_id),
    routes={"/v2/updates/price/latest": latest},
    refuse=refuse,
    error=error,
    headers={"Content-Type": "application/json"},
    price_fields=frozenset({"price"}),
)
