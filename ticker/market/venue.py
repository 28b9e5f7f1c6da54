"""What a venue of the embedded market is, and the view of the walks that its answers are written from.

A venue's file is one declaration: its listings, its paths, its words for errors. Rounding to the venue's
tick, statistics and candles are done here once for all of them. Nothing here knows HTTP's transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from hashlib import blake2s
from http.client import responses

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.scenarios import Shift, bent
from ticker.market.tokens import Token
from ticker.market.walk import DAY, Walk, growth

_VOLUME = Decimal("0.00000001")
# A scenario may shift a price by 18 places.
WIDE = Context(prec=64)


@dataclass(frozen=True, slots=True)
class Listing:
    """A token on a venue: the venue's spelling, its tick size, and how far its prices lie off the walk's.

    `premium` is a factor a few basis points from one; `share` is the venue's part of the token's turnover.
    """

    symbol: str
    token: Token
    tick: Decimal
    premium: Decimal
    share: Decimal

    @staticmethod
    def of(venue: str, symbol: str, token: Token, *, decimals: int, share: Decimal) -> Listing:
        # The offset belongs to venue and token, not to the seed: a venue that is dear stays dear.
        points = blake2s(f"{venue}:{token.id}".encode(), digest_size=1).digest()[0] % 7 - 3
        return Listing(symbol, token, Decimal(1).scaleb(-decimals), 1 + Decimal(points).scaleb(-4), share)

    def price(self, log: int, factor: Decimal = Decimal(1)) -> Decimal:
        return WIDE.quantize(self.token.price * growth(log) * self.premium * factor, self.tick)


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices over the seconds from `start` to `end`, both included. `volume` is in base
    units, `turnover` in quote units.
    """

    start: int
    end: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal

    @property
    def change(self) -> Decimal:
        """As a fraction of the open: 0.0173 is +1.73 %."""
        return self.close / self.open - 1


@dataclass(frozen=True, slots=True)
class View:
    """The market as one venue sees it at one moment. `now` is the venue's own time in milliseconds.

    `second` is the second its prices are from, `birth` the first second it has history of. `shifts` are the
    scenario's, counted from `opened`.
    """

    now: int
    second: int
    birth: int
    listings: Mapping[str, Listing]
    walks: Mapping[str, Walk]
    venue: str = ""
    opened: int = 0
    shifts: tuple[Shift, ...] = ()

    def bar(self, listing: Listing, first: int, last: int) -> Bar:
        stretch = self.walks[listing.token.id].stretch(first, last)
        off = bent(self.shifts, listing.token.id, self.venue, first - self.opened, last - self.opened)
        high, low = listing.price(stretch.high, off.high), listing.price(stretch.low, off.low)
        per_second = listing.token.turnover * listing.share / listing.token.price / DAY
        volume = (per_second * stretch.activity).quantize(_VOLUME)
        # Rounding to the tick may push low and high together, and the average price must stay between them.
        average = min(max(listing.token.price * growth(stretch.mean) * listing.premium, low), high)
        return Bar(
            start=first,
            end=last,
            open=listing.price(stretch.open, off.open),
            high=high,
            low=low,
            close=listing.price(stretch.close, off.close),
            volume=volume,
            turnover=WIDE.quantize(volume * average, _VOLUME),
        )

    def day(self, listing: Listing) -> Bar:
        """The 24 hours up to now."""
        return self.bar(listing, self.second - DAY, self.second)

    def candles(
        self, listing: Listing, span: int, limit: int, *, start: int | None = None, end: int | None = None
    ) -> list[Bar]:
        """At most `limit` candles of `span` seconds, oldest first, the last one possibly unfinished.

        `start` and `end` are milliseconds and bound the opening times. Without `start`: the newest ones.
        """
        newest = self.second if end is None else min(self.second, end // 1000)
        newest -= newest % span
        oldest = newest - (limit - 1) * span if start is None else -(-start // 1000)
        oldest = -(-max(oldest, self.birth) // span) * span
        newest = min(newest, oldest + (limit - 1) * span)
        return [
            self.bar(listing, first, min(first + span - 1, self.second))
            for first in range(oldest, newest + 1, span)
        ]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is bytes: text is an HTML page, anything else becomes JSON.

    `weight` is what the venue's rate limit counts. `fresh` is how many seconds the answer may be cached
    (None: the venue sends no validators), and `modified` the second it was last changed.
    """

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    weight: int = 1
    fresh: int | None = None
    modified: int | None = None


Params = Mapping[str, str]
Answer = Callable[[View, Params], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One venue: what it lists, what it answers, and how it words its refusals.

    `routes` are aiohttp paths below the base address; their variables join the query in the answer's Params.
    `refuse` words a fault, `error` a RequestError that an answer raised. `price_fields` are the keys whose
    values are prices. `refresh` is how many seconds the venue keeps a price before it looks again.
    """

    name: str
    title: str
    listings: Mapping[str, Listing]
    routes: Mapping[str, Answer]
    refuse: Callable[[Fault, int], Reply]
    error: Callable[[RequestError], object]
    headers: Mapping[str, str]
    price_fields: frozenset[str]
    weight_header: str | None = None
    refresh: int = 1


def retry_after(fault: Fault) -> dict[str, str]:
    return {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}


def phrase(status: int) -> str:
    """The reason phrase, also of statuses that no RFC names, such as a proxy's 520."""
    return responses.get(status, "Unknown Error")


def page(title: str, text: str) -> str:
    """A small HTML page such as a proxy sends in a venue's place."""
    return (
        f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>"
        f"<body><h1>{title}</h1><p>{text}</p></body></html>\n"
    )
