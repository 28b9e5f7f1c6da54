"""What the venues that gather other venues' prices have in common: listings by id, numbers, refusals.

Each venue's own file says where it departs: its ids, its fields, its words.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal

from msgspec import Raw

from ticker.market.faults import Fault
from ticker.market.tokens import TOKENS, Token
from ticker.market.venue import Listing, Reply, page, phrase, retry_after

_FULL = Context(prec=17)


def listings(venue: str, spelling: Callable[[Token], str]) -> dict[str, Listing]:
    """Every token under the venue's id of it. Fifteen decimals stand for unrounded averages."""
    found = (Listing.of(venue, spelling(token), token, decimals=15, share=Decimal(1)) for token in TOKENS)
    return {listing.symbol: listing for listing in found}


def number(value: Decimal) -> Raw:
    """A JSON number of 17 digits as JavaScript and Go write one: exponent under 0.000001, `8.412e-7`."""
    value = value.normalize(_FULL)
    plain = not value or value.adjusted() >= -6
    return Raw((f"{value:f}" if plain else f"{value:e}").encode())


def iso(second: int) -> str:
    """A moment in UTC: `2026-11-23T19:00:00Z`."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def refuse(fault: Fault, error: Callable[[int, str], object]) -> Reply:
    """`error` words a status; a ban, a geo block and a broken origin are pages of the proxy in front."""
    match fault.kind:
        case "rate_limited" if fault.page:
            return Reply(page("Too Many Requests", "You are being rate limited."), 429, retry_after(fault))
        case "rate_limited":
            return Reply(error(429, "Too many requests"), 429, retry_after(fault))
        case "banned" | "geo_blocked":
            return Reply(page("Access denied", "You have been blocked."), 403, retry_after(fault))
        case _:
            return Reply(error(fault.status, phrase(fault.status)), fault.status, retry_after(fault))
