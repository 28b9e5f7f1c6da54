"""Days that went wrong, for the embedded market to play: which prices are off, where, and for how long.

A scenario moves what venues say, never what the walk does; when it is over, prices are where they would
have been. Open, last, high and low are moved alike, so that a venue's statistics agree with its prices.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

STABLE = frozenset({"tether", "usd-coin"})


@dataclass(frozen=True, slots=True)
class Shift:
    """Prices are `factor` times theirs, from second `begins` of the market until `ends` (None: for good).

    `venues` and `tokens` (by id) None mean all; stablecoins only where they are named.
    """

    factor: Decimal
    begins: int = 20
    ends: int | None = None
    venues: Collection[str] | None = None
    tokens: Collection[str] | None = None

    def hits(self, venue: str, token: str) -> bool:
        on_venue = self.venues is None or venue in self.venues
        return on_venue and (token not in STABLE if self.tokens is None else token in self.tokens)

    def factors(self, first: int, last: int) -> set[Decimal]:
        """The factors in force at some second from `first` to `last`, after the opening."""
        over = self.ends is not None and first >= self.ends
        if last < self.begins or over:
            return {Decimal(1)}
        whole = first >= self.begins and (self.ends is None or last < self.ends)
        return {self.factor} if whole else {self.factor, Decimal(1)}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A day: what happened, in words, and what the venues said."""

    about: str
    shifts: tuple[Shift, ...]


SCENARIOS = {
    "flash-crash": Scenario(
        "Binance falls by 87 % for a minute; nobody else does",
        (Shift(Decimal("0.125"), ends=80, venues=("binance",)),),
    ),
    "crash": Scenario("every market falls by 40 % at once, and stays there", (Shift(Decimal("0.6")),)),
    "depeg": Scenario(
        "USD Coin is worth 88 cents, everywhere", (Shift(Decimal("0.88"), tokens=("usd-coin",)),)
    ),
    "decimal-shift": Scenario(
        "MEXC's decimal point is 18 places off for two minutes",
        (Shift(Decimal(10) ** 18, ends=140, venues=("mexc",)),),
    ),
    "poisoned-aggregator": Scenario(
        "CoinGecko finds Bitcoin at 850 billion and Tether at 69 million dollars, for ten minutes",
        (
            Shift(Decimal(11_650_000), ends=620, venues=("coingecko",)),
            Shift(Decimal(69_894_267), ends=620, venues=("coingecko",), tokens=("tether",)),
        ),
    ),
    "oracle": Scenario(
        "Pyth's publishers are near zero for two minutes",
        (Shift(Decimal("0.1286"), ends=140, venues=("pyth",)),),
    ),
}


@dataclass(frozen=True, slots=True)
class Bent:
    """What a scenario does to a stretch of one listing's time: factors of its open, close, low and high."""

    open: Decimal = Decimal(1)
    close: Decimal = Decimal(1)
    low: Decimal = Decimal(1)
    high: Decimal = Decimal(1)


def bent(shifts: Iterable[Shift], token: str, venue: str, first: int, last: int) -> Bent:
    """The factors from `first` to `last`, in seconds after the opening."""
    result = Bent()
    for shift in shifts:
        if shift.hits(venue, token):
            factors = shift.factors(first, last)
            [at_first], [at_last] = shift.factors(first, first), shift.factors(last, last)
            result = Bent(
                result.open * at_first,
                result.close * at_last,
                result.low * min(factors),
                result.high * max(factors),
            )
    return result
