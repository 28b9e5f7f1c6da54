"""From a venue's tick to a sample that may be counted: sane, aged, converted. Pure.

A sample that may not be counted stays in sight, with the reason in words.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from msgspec import Struct

from ticker.fx import IDENTITY, ZERO, Rate, Rates, convert, rate
from ticker.model import State, Tick

# A venue's clock may run ahead of ours; further than this (ms) it is wrong, and so is the age of its price.
FUTURE_MS = 300_000
# A last trade may stand a little outside the bid and ask that came with it: they are not of one instant.
BESIDE = Decimal("0.001")
ABOVE, BELOW = 1 + BESIDE, 1 - BESIDE
# A market whose bid and ask are further apart than this part of the bid has no price to speak of.
WIDEST = Decimal("0.2")

GRADES = LIVE, DELAYED, STALE = State.LIVE, State.DELAYED, State.STALE


class Ages(Struct, frozen=True):
    """Beyond which age (ms) a source's price is called delayed, and beyond which, no smaller one, stale."""

    delayed: int = 30_000
    stale: int = 120_000

    def grade(self, as_of: int, now: int) -> tuple[State, int | None]:
        """How fresh a price of the moment `as_of` is, and from when on (ms) it is no longer so."""
        age = now - as_of
        if age <= self.delayed:
            return LIVE, as_of + self.delayed + 1
        return (DELAYED, as_of + self.stale + 1) if age <= self.stale else (STALE, None)


class Policy(Struct, frozen=True, kw_only=True):
    """What is known of the sources: their ages by name, which are aggregators, which are in quarantine."""

    ages: Mapping[str, Ages]
    aggregators: Collection[str] = frozenset()
    quarantined: Collection[str] = frozenset()


class Sample(Struct, frozen=True, gc=False):
    """A tick, its price in the target currency, how fresh it is, and why it isn't counted.

    `as_of` (ms) is the venue's time; one whose clock runs ahead of ours has seen nothing later than we have.
    `due` (ms) is when time alone may make the sample another.
    """

    tick: Tick
    price: Decimal
    rate: Rate
    grade: State
    as_of: int
    due: int | None
    reason: str | None = None

    @property
    def venue(self) -> str:
        return self.tick.pair.venue


def sample(tick: Tick, currency: str, rates: Rates, policy: Policy, now: int) -> Sample:
    """Steps one to three: is it sane, how old is it, what is it in `currency`. `now` in ms."""
    pair = tick.pair
    as_of = min(tick.as_of, tick.seen)
    by = rate(pair.quote, currency, rates)
    reason = flaw(tick, now)
    if reason is None and pair.venue in policy.quarantined:
        reason = "source in quarantine: what it says of a stablecoin can't be"
    if reason or by is None:
        arrival = tick.as_of - FUTURE_MS
        due = arrival if arrival > now else None
        unusable = reason or f"no {pair.quote} rate"
        return Sample(tick, tick.price, IDENTITY, State.UNAVAILABLE, as_of, due, unusable)
    own, due = policy.ages[pair.venue].grade(as_of, now)
    grade = own if by.grade is LIVE else max(own, by.grade, key=GRADES.index)
    return Sample(tick, convert(clamped(tick), by), by, grade, as_of, due)


def flaw(tick: Tick, now: int) -> str | None:
    """What makes a tick unusable by itself, in words."""
    if not (tick.price.is_finite() and tick.price > ZERO):
        return f"price {tick.price} is not above zero"
    bid, ask = tick.bid, tick.ask
    if bid and ask and bid > ask:
        return f"bid {bid} above ask {ask}"
    if bid and ask and ask - bid > bid * WIDEST:
        return f"bid and ask {(ask - bid) / bid * 100:.0f} % apart"
    if tick.as_of > now + FUTURE_MS:
        return f"dated {(tick.as_of - now) // 1000} s in the future"
    return None


def clamped(tick: Tick) -> Decimal:
    """The last price, or the nearer of bid and ask where it stands clearly outside them."""
    if tick.ask and tick.price > tick.ask * ABOVE:
        return tick.ask
    if tick.bid and tick.price < tick.bid * BELOW:
        return tick.bid
    return tick.price


def why_old(sample: Sample, now: int) -> str:
    """Why a sample is not fresh: its own age, or that of the rate it was converted at."""
    if sample.rate.grade is sample.grade:
        return f"{sample.tick.pair.quote} rate is old"
    return f"{(now - sample.as_of) // 1000} s old"
