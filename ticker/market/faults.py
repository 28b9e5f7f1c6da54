"""What can be wrong with a venue, as plain data that also travels as JSON.

A fault says what goes wrong; how a venue words it is the venue's file, how it breaks a connection is the
server's. `times` limits a fault to a number of requests; without it, it lasts until it is healed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Kind = Literal[
    "slow",
    "rate_limited",
    "banned",
    "geo_blocked",
    "server_error",
    "html",
    "cut",
    "truncated",
    "too_large",
    "closed",
    "frozen",
    "prices",
    "unlisted",
]

MEBIBYTE = 1 << 20


class Fault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that is wrong. Make it with the methods below; as JSON: `{"kind": "slow", "seconds": 3}`."""

    kind: Kind
    times: Annotated[int, Meta(ge=1)] | None = None
    seconds: Annotated[float, Meta(ge=0, le=3600)] = 3
    retry_after: Annotated[int, Meta(ge=0)] | None = None
    status: Annotated[int, Meta(ge=500, le=599)] = 503
    page: bool = False
    value: str | int | None = None
    symbol: str = ""
    size: Annotated[int, Meta(ge=1, le=256 * MEBIBYTE)] = 17 * MEBIBYTE

    @staticmethod
    def slow(seconds: float = 3, *, times: int | None = None) -> Fault:
        """The right answer, `seconds` late."""
        return Fault(kind="slow", seconds=seconds, times=times)

    @staticmethod
    def rate_limited(retry_after: int | None = 30, *, page: bool = False, times: int | None = None) -> Fault:
        """429 with Retry-After in seconds, None for none. `page`: a proxy's HTML, not the venue's JSON."""
        return Fault(kind="rate_limited", retry_after=retry_after, page=page, times=times)

    @staticmethod
    def banned(retry_after: int | None = 120, *, times: int | None = None) -> Fault:
        """What comes after ignoring 429: 418 where the venue sends it, else its 403."""
        return Fault(kind="banned", retry_after=retry_after, times=times)

    @staticmethod
    def geo_blocked(*, times: int | None = None) -> Fault:
        """The venue does not serve this country: 451 where the venue sends it, else its 403."""
        return Fault(kind="geo_blocked", times=times)

    @staticmethod
    def server_error(status: int = 503, *, times: int | None = None) -> Fault:
        """5xx, worded by the venue."""
        return Fault(kind="server_error", status=status, times=times)

    @staticmethod
    def html(*, times: int | None = None) -> Fault:
        """200 with a page where JSON was due: a captive portal or a maintenance page."""
        return Fault(kind="html", times=times)

    @staticmethod
    def cut(*, times: int | None = None) -> Fault:
        """The connection drops in the middle of the body."""
        return Fault(kind="cut", times=times)

    @staticmethod
    def truncated(*, times: int | None = None) -> Fault:
        """Half of the JSON, with the Content-Length of that half."""
        return Fault(kind="truncated", times=times)

    @staticmethod
    def too_large(size: int = 17 * MEBIBYTE, *, times: int | None = None) -> Fault:
        """The right answer and then blanks up to `size` bytes; with gzip it is small until unpacked."""
        return Fault(kind="too_large", size=size, times=times)

    @staticmethod
    def closed(*, times: int | None = None) -> Fault:
        """The connection is reset without a byte of an answer: a balancer with nothing behind it."""
        return Fault(kind="closed", times=times)

    @staticmethod
    def frozen(*, times: int | None = None) -> Fault:
        """Answers keep coming, but prices and the venue's own time stand still."""
        return Fault(kind="frozen", times=times)

    @staticmethod
    def prices(value: str | int | None = None, *, times: int | None = None) -> Fault:
        """Every price field holds `value` as it is given: None for null, "0.00000000", 0 or "nan"."""
        return Fault(kind="prices", value=value, times=times)

    @staticmethod
    def unlisted(symbol: str, *, times: int | None = None) -> Fault:
        """The venue no longer knows `symbol`, in its own spelling."""
        return Fault(kind="unlisted", symbol=symbol, times=times)
