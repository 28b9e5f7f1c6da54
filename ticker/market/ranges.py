"""What a request for candles asks for, of the venues that ask in their own words: an interval and a range.

Each venue's own file says what its words are, how many candles it gives and which error it answers with.
"""

from __future__ import annotations

from collections.abc import Mapping

from ticker.errors import RequestError
from ticker.market.venue import Bar, Listing, Params, View

MILLISECOND = 1
SECOND = 1000


def candles(
    view: View,
    listing: Listing,
    params: Params,
    *,
    intervals: Mapping[str, int],
    names: tuple[str, str, str],
    unit: int,
    most: int,
    code: str,
) -> tuple[int, list[Bar]]:
    """The interval asked for in seconds, and its candles, oldest first.

    `names` are the parameters for interval, start and end; times are in `unit` ms. A `limit` is heeded up to
    `most`. RequestError with `code`.
    """
    word, start, end = names
    span = intervals.get(params.get(word, ""))
    if span is None:
        raise RequestError(code, f"Invalid {word}")
    limit = whole(params, "limit", code)
    limit = most if limit is None else min(limit, most)
    first, last = (moment(params, name, unit=unit, code=code) for name in (start, end))
    return span, view.candles(listing, span, limit, start=first, end=last)


def moment(params: Params, name: str, *, unit: int, code: str) -> int | None:
    """A parameter's time in milliseconds; None where it isn't sent."""
    said = whole(params, name, code)
    return None if said is None else said * unit


def whole(params: Params, name: str, code: str) -> int | None:
    """A parameter that is a whole number; None where it isn't sent, RequestError where it is none."""
    text = params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise RequestError(code, f"Invalid {name}")
    return int(text)
