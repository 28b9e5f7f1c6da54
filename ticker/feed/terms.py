"""What a reader asks for, read from an address's query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import Struct

from ticker.errors import RequestError
from ticker.hub import ZERO
from ticker.messages import FIELDS, INTERVALS, parse_since

EVERY = "*"
# A percentage with at most four places: 0.1, 12.5.
DEADBAND = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")


class Terms(Struct, frozen=True):
    """A reader's terms. `assets` as asked, not yet known to exist; `interval` in ms; `since` (epoch, seq).

    `fields` of a quote, in their own order, none for all; `deadband` in percent.
    """

    assets: tuple[str, ...]
    currency: str
    interval: int
    since: tuple[str, int] | None
    fields: tuple[str, ...] = ()
    deadband: Decimal = ZERO


def parse_terms(query: Mapping[str, str]) -> Terms:
    """RequestError for an interval or a field not offered, and for what can't be a currency or a deadband.

    Other keys are ignored.
    """
    return Terms(
        assets=tuple(split(query.get("assets", ""))),
        currency=_currency(query.get("currency", "usd")),
        interval=_interval(query.get("interval", "1000")),
        since=parse_since(query.get("since")),
        fields=_fields(query.get("fields", "")),
        deadband=_deadband(query.get("deadband", "0")),
    )


def split(text: str) -> Iterable[str]:
    return dict.fromkeys(part for part in (raw.strip() for raw in text.split(",")) if part)


def _currency(text: str) -> str:
    if not (text.isascii() and text.isalpha() and 3 <= len(text) <= 8):
        raise RequestError("unknown_currency", f"{text[:16]!r} is no currency; an ISO code, BTC or ETH is")
    return text.upper()


def _interval(text: str) -> int:
    if text not in map(str, INTERVALS):
        offered = ", ".join(map(str, INTERVALS))
        raise RequestError("bad_request", f"interval is one of {offered} (ms), not {text[:16]!r}")
    return int(text)


def _fields(text: str) -> tuple[str, ...]:
    asked = set(split(text))
    if unknown := asked - set(FIELDS):
        offered = ", ".join(FIELDS)
        raise RequestError("bad_request", f"no field {min(unknown)[:32]!r} in a quote; there are {offered}")
    return tuple(field for field in FIELDS if field in asked)


def _deadband(text: str) -> Decimal:
    if not DEADBAND.fullmatch(text):
        raise RequestError("bad_request", f"deadband is a percentage such as 0.1, not {text[:16]!r}")
    return Decimal(text).normalize()
