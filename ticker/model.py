"""The nouns of the service: what has a price, what was seen, what we say.

Plain frozen data. Money is Decimal, time is milliseconds since the Unix epoch (UTC), percent is in percent
(1.73 means +1.73 %), and None means unknown. Nothing here decides, converts, encodes or waits. What is made
at every price is kept from the garbage collector (`gc=False`): frozen, it can't be part of a cycle.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct


class Window(StrEnum):
    """A span over which a change is counted, back from now."""

    HOUR = "1h"
    DAY = "24h"
    WEEK = "7d"


class Basis(StrEnum):
    """From where a change is counted: a full window ago, midnight UTC, or the venue doesn't say."""

    ROLLING = "rolling"
    UTC_DAY = "utc_day"
    UNKNOWN = "unknown"


class State(StrEnum):
    LIVE = "live"
    DELAYED = "delayed"
    STALE = "stale"
    HELD = "held"
    DISPUTED = "disputed"
    UNAVAILABLE = "unavailable"


class Confidence(StrEnum):
    """How many independent sources agree, and how closely."""

    NONE = "none"
    SINGLE = "single"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class SourceHealth(StrEnum):
    STARTING = "starting"
    UP = "up"
    FAILING = "failing"


class Pair(Struct, frozen=True):
    """What a venue trades: the venue, its own spelling of the pair, and the two currencies."""

    venue: str
    symbol: str
    base: str
    quote: str

    @property
    def ref(self) -> str:
        """As the configuration writes it: `mexc:USUSDT`."""
        return f"{self.venue}:{self.symbol}"


class Asset(Struct, frozen=True):
    """What has a price. Symbols collide between tokens; ids don't."""

    id: str
    symbol: str
    name: str
    pairs: tuple[Pair, ...] = ()


class Change(Struct, frozen=True, gc=False):
    """Percent change over a window. There is no Change for a window that isn't covered: that is None."""

    percent: Decimal
    window: Window
    basis: Basis


class Tick(Struct, frozen=True, kw_only=True, gc=False):
    """One observation by one source of one pair. Only sources make these.

    Prices are in the pair's quote currency. `as_of` is the venue's own time, or `seen` where it sends none;
    `seen` is when we received it. `volume_24h` is in base units, `turnover_24h` in quote units.
    """

    pair: Pair
    price: Decimal
    as_of: int
    seen: int
    bid: Decimal | None = None
    ask: Decimal | None = None
    change_24h: Change | None = None
    high_24h: Decimal | None = None
    low_24h: Decimal | None = None
    volume_24h: Decimal | None = None
    turnover_24h: Decimal | None = None
    market_cap: Decimal | None = None
    note: str | None = None
    demo: bool = False


class Observation(Struct, frozen=True, kw_only=True):
    """What one source said about an asset, and what became of it. `price` is as the venue gave it."""

    source: str
    pair: str
    currency: str
    price: Decimal
    change_24h: Change | None
    as_of: int
    used: bool
    reason: str | None = None


class Quote(Struct, frozen=True, kw_only=True, gc=False):
    """What we say the price of an asset is. Only the book makes these.

    `as_of` is the venue time of the newest observation that counted. `volume_24h` and `market_cap` are in
    `currency`. `seq` is the version of the book that last changed this quote. `assumed` tells that a peg the
    operator wrote stood in for a measured rate. `demo` tells that the embedded market made the price up.
    `rate_date` (ISO 8601) is the day of the reference rate it was converted at, None where none was needed;
    `change_currency` is the currency its changes are counted in, None where that is its own.
    """

    asset: str
    symbol: str
    name: str
    currency: str
    price: Decimal | None = None
    change_1h: Change | None = None
    change_24h: Change | None = None
    change_7d: Change | None = None
    high_24h: Decimal | None = None
    low_24h: Decimal | None = None
    volume_24h: Decimal | None = None
    market_cap: Decimal | None = None
    as_of: int | None = None
    state: State = State.UNAVAILABLE
    confidence: Confidence = Confidence.NONE
    sources: int = 0
    seq: int = 0
    assumed: bool = False
    demo: bool = False
    rate_date: str | None = None
    change_currency: str | None = None


class Update(Struct, frozen=True, gc=False):
    """One change of the book: the quote as it is now and as it was (None at the first)."""

    quote: Quote
    before: Quote | None


class Snapshot(Struct, frozen=True):
    """The book, or part of it, at one moment. `recovered`: only what changed since the reader's seq."""

    epoch: str
    seq: int
    quotes: tuple[Quote, ...]
    recovered: bool = False


class Candle(Struct, frozen=True):
    """Open, high, low and close of an asset's price from `start`, for `interval` seconds, in `currency`."""

    asset: str
    currency: str
    interval: int
    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
