"""From a venue's tick to a sample that may be counted: sane, aged, converted. Pure.

A sample that may not be counted stays in sight, with the reason in words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from msgspec import Struct

from ticker.fx import IDENTITY, Rate, Rates, convert, rate
from ticker.model import State, Tick

# A venue's clock may run ahead of ours; further than this (ms) it is wrong, and so is the age of its price.
FUTURE_MS = 300_000
# A last trade may stand a little outside the bid and ask that came with it: they are not of one instant.
BESIDE = Decimal("0.001")
# A market whose bid and ask are further apart than this part of the bid has no price to speak of.
WIDEST = Decimal("0.2")

GRADES = (State.LIVE, State.DELAYED, State.STALE)


class Ages(Struct, frozen=True):
    """From which age on (ms) a source's price is called delayed, and from which stale."""

    delayed: int = 30_000
    stale: int = 120_000

    def grade(self, age: int) -> State:
        return State.LIVE if age <= self.delayed else State.DELAYED if age <= self.stale else State.STALE


class Policy(Struct, frozen=True, kw_only=True):
    """What is known of the sources: their ages by name, which are aggregators, which are in quarantine."""

    ages: Mapping[str, Ages]
    aggregators: Collection[str] = frozenset()
    quarantined: Collection[str] = frozenset()


class Sample(Struct, frozen=True):
    """A tick, its price in the target currency, how fresh it is, and why it isn't counted."""

    tick: Tick
    price: Decimal
    rate: Rate
    grade: State
    reason: str | None = None

    @property
    def venue(self) -> str:
        return self.tick.pair.venue

    @property
    def as_of(self) -> int:
        """The venue's time; one whose clock runs ahead of ours has seen nothing later than we have."""
        return min(self.tick.as_of, self.tick.seen)

    def converted(self, amount: Decimal | None) -> Decimal | None:
        return None if amount is None else convert(amount, self.rate)


def sample(tick: Tick, currency: str, rates: Rates, policy: Policy, now: int) -> Sample:
    """Steps one to three: is it sane, how old is it, what is it in `currency`. `now` in ms."""
    by = rate(tick.pair.quote, currency, rates)
    reason = flaw(tick, now)
    if reason is None and tick.pair.venue in policy.quarantined:
        reason = "source in quarantine: what it says of a stablecoin can't be"
    if reason or by is None:
        unusable = reason or f"no {tick.pair.quote} rate"
        return Sample(tick, tick.price, IDENTITY, State.UNAVAILABLE, unusable)
    own = policy.ages[tick.pair.venue].grade(now - min(tick.as_of, tick.seen))
    grade = own if by.grade is State.LIVE else max(own, by.grade, key=GRADES.index)
    return Sample(tick, convert(clamped(tick), by), by, grade)


def flaw(tick: Tick, now: int) -> str | None:
    """What makes a tick unusable by itself, in words."""
    if not (tick.price.is_finite() and tick.price > 0):
        return f"price {tick.price} is not above zero"
    if tick.bid and tick.ask and tick.bid > tick.ask:
        return f"bid {tick.bid} above ask {tick.ask}"
    if tick.bid and tick.ask and tick.ask - tick.bid > tick.bid * WIDEST:
        return f"bid and ask {(tick.ask - tick.bid) / tick.bid * 100:.0f} % apart"
    if tick.as_of > now + FUTURE_MS:
        return f"dated {(tick.as_of - now) // 1000} s in the future"
    return None


def clamped(tick: Tick) -> Decimal:
    """The last price, or the nearer of bid and ask where it stands clearly outside them."""
    if tick.ask and tick.price > tick.ask * (1 + BESIDE):
        return tick.ask
    if tick.bid and tick.price < tick.bid * (1 - BESIDE):
        return tick.bid
    return tick.price


def why_old(sample: Sample, now: int) -> str:
    """Why a sample is not fresh: its own age, or that of the rate it was converted at."""
    if sample.rate.grade is sample.grade:
        return f"{sample.tick.pair.quote} rate is old"
    return f"{(now - sample.as_of) // 1000} s old"
