"""What a reader asks for, read from an address's query: assets, currency, interval, since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from ticker.errors import RequestError
from ticker.wire import INTERVALS, parse_since

EVERY = "*"


class Terms(Struct, frozen=True):
    """A reader's terms. `assets` as asked, not yet known to exist; `interval` in ms; `since` (epoch, seq)."""

    assets: tuple[str, ...]
    currency: str
    interval: int
    since: tuple[str, int] | None


def parse_terms(query: Mapping[str, str]) -> Terms:
    """RequestError for an interval not offered or what can't be a currency. Other keys are ignored."""
    return Terms(
        assets=tuple(split(query.get("assets", ""))),
        currency=_currency(query.get("currency", "usd")),
        interval=_interval(query.get("interval", "1000")),
        since=parse_since(query.get("since")),
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
