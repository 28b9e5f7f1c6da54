"""Many ticks of one asset in, one price out. Pure: no clock, no memory, no I/O.

Each step may set a tick aside, with a reason that every reader of the API sees; none removes it from
sight. What is left is counted: the price is the median.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from ticker.change import rounded
from ticker.fx import DERIVED, Rate, Rates, convert, rate
from ticker.model import Basis, Change, Confidence, Observation, State, Tick, Window

# A venue's clock may run ahead of ours; further than this it is wrong, and so is the age of its price.
FUTURE_MS = 300_000

GRADES = (State.LIVE, State.DELAYED, State.STALE)


class Ages(Struct, frozen=True):
    """From which age on (ms) a source's price is called delayed, and from which stale."""

    delayed: int = 30_000
    stale: int = 120_000

    def grade(self, age: int) -> State:
        return State.LIVE if age <= self.delayed else State.DELAYED if age <= self.stale else State.STALE


class Decision(Struct, frozen=True, kw_only=True):
    """What the ticks add up to, in the currency asked for.

    `state` STALE: the price is the best that is known, but no source is fresh. UNAVAILABLE: there is none.
    `spread` is the distance between the outermost counted prices, in percent of the lowest.
    `due` is the time (ms) at which age alone may change this decision; None when it never will.
    """

    price: Decimal | None
    state: State
    confidence: Confidence
    observations: tuple[Observation, ...]
    as_of: int | None = None
    sources: int = 0
    spread: Decimal | None = None
    change_24h: Change | None = None
    high_24h: Decimal | None = None
    low_24h: Decimal | None = None
    volume_24h: Decimal | None = None
    market_cap: Decimal | None = None
    assumed: bool = False
    demo: bool = False
    due: int | None = None


class _Candidate(Struct, frozen=True):
    """A tick, its rate into the target currency, its grade of freshness, and why it doesn't count."""

    tick: Tick
    rate: Rate
    grade: State
    reason: str | None = None

    @property
    def price(self) -> Decimal:
        return convert(self.tick.price, self.rate)

    @property
    def as_of(self) -> int:
        """The venue's time; one whose clock runs ahead of ours has seen nothing later than we have."""
        return min(self.tick.as_of, self.tick.seen)

    def scaled(self, amount: Decimal | None) -> Decimal | None:
        return None if amount is None else convert(amount, self.rate)


def decide(
    ticks: Sequence[Tick], *, currency: str, rates: Rates, ages: Mapping[str, Ages], now: int
) -> Decision:
    """One price in `currency` from the latest tick of each pair. `ages` is by source name; `now` in ms."""
    candidates = [_candidate(tick, currency, rates, ages, now) for tick in ticks]
    counted, observations = _freshest(candidates, now)
    due = _due(candidates, ages, now)
    if not counted:
        return Decision(
            price=None,
            state=State.UNAVAILABLE,
            confidence=Confidence.NONE,
            observations=observations,
            due=due,
        )
    prices = [c.price for c in counted]
    sources = len({c.tick.pair.venue for c in counted})
    spread = (max(prices) - min(prices)) / min(prices) * 100
    return Decision(
        price=median(prices),
        state=counted[0].grade,
        confidence=_confidence(sources, spread),
        observations=observations,
        as_of=max(c.as_of for c in counted),
        sources=sources,
        spread=rounded(spread),
        change_24h=_change(c.tick.change_24h for c in counted),
        high_24h=_middle(c.scaled(c.tick.high_24h) for c in counted),
        low_24h=_middle(c.scaled(c.tick.low_24h) for c in counted),
        volume_24h=_largest(c.scaled(c.tick.turnover_24h) for c in counted),
        market_cap=_largest(c.scaled(c.tick.market_cap) for c in candidates if c.reason is None),
        assumed=any(c.rate.assumed for c in counted),
        demo=any(c.tick.demo or c.rate.demo for c in candidates),
        due=due,
    )


def _candidate(tick: Tick, currency: str, rates: Rates, ages: Mapping[str, Ages], now: int) -> _Candidate:
    flaw = _flaw(tick, now)
    by = rate(tick.pair.quote, currency, rates)
    if flaw or by is None:
        return _Candidate(tick, Rate(Decimal(1)), State.UNAVAILABLE, flaw or f"no {tick.pair.quote} rate")
    fresh = _Candidate(tick, by, by.grade)
    own = ages[tick.pair.venue].grade(now - fresh.as_of)
    return replace(fresh, grade=max(own, by.grade, key=GRADES.index))


def _flaw(tick: Tick, now: int) -> str | None:
    """What makes a sample unusable by itself, in words."""
    if not (tick.price.is_finite() and tick.price > 0):
        return f"price {tick.price} is not above zero"
    if tick.bid is not None and tick.ask is not None and tick.bid > tick.ask:
        return f"bid {tick.bid} above ask {tick.ask}"
    if tick.as_of > now + FUTURE_MS:
        return f"dated {(tick.as_of - now) // 1000} s in the future"
    return None


def _freshest(candidates: Sequence[_Candidate], now: int) -> tuple[list[_Candidate], tuple[Observation, ...]]:
    """Those of the best grade that anyone has; the others stay visible with the reason."""
    present = {c.grade for c in candidates if c.reason is None}
    best = next((grade for grade in GRADES if grade in present), None)
    counted = [c for c in candidates if c.grade is best]
    return counted, tuple(_observe(c, best, now) for c in candidates)


def _observe(c: _Candidate, best: State | None, now: int) -> Observation:
    used = c.grade is best and best is not State.STALE
    return Observation(
        source=c.tick.pair.venue,
        pair=c.tick.pair.symbol,
        currency=c.tick.pair.quote,
        price=c.tick.price,
        change_24h=c.tick.change_24h,
        as_of=c.tick.as_of,
        used=used,
        reason=c.reason or (None if used else _why_old(c, now)) or c.tick.note,
    )


def _why_old(c: _Candidate, now: int) -> str:
    if c.rate.grade is c.grade:
        return f"{c.tick.pair.quote} rate is old"
    return f"{(now - c.as_of) // 1000} s old"


def _due(candidates: Iterable[_Candidate], ages: Mapping[str, Ages], now: int) -> int | None:
    """When the first of them grows delayed or stale, or stops being dated in the future."""
    limits = (
        c.as_of + limit + 1
        for c in candidates
        if c.reason is None
        for limit in (ages[c.tick.pair.venue].delayed, ages[c.tick.pair.venue].stale)
    )
    arrivals = (c.tick.as_of - FUTURE_MS for c in candidates)
    return min((at for at in (*limits, *arrivals) if at > now), default=None)


def _confidence(sources: int, spread: Decimal) -> Confidence:
    if sources == 1:
        return Confidence.SINGLE
    if spread > 2:
        return Confidence.LOW
    return Confidence.HIGH if sources >= 3 and spread <= 1 else Confidence.MEDIUM


def _change(changes: Iterable[Change | None]) -> Change | None:
    """The median of the rolling changes, else of those whose basis isn't known. A day's change is neither."""
    known = [c for c in changes if c is not None and c.window is Window.DAY]
    for basis in (Basis.ROLLING, Basis.UNKNOWN):
        percents = [c.percent for c in known if c.basis is basis]
        if percents:
            return Change(rounded(median(percents)), Window.DAY, basis)
    return None


def median(values: Sequence[Decimal]) -> Decimal:
    """The middle value exactly as it came; of an even number, the two middle ones' mean to ten digits."""
    # Equal values may differ in their zeros: 1.0 and 1.00. Their order must not depend on who came first.
    ordered = sorted(values, key=lambda value: (value, value.as_tuple().exponent))
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    low, high = ordered[half - 1], ordered[half]
    mean = DERIVED.divide(low + high, Decimal(2)).normalize()
    return mean if low < mean < high else low


def _middle(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [v for v in values if v is not None]
    return median(known) if known else None


def _largest(values: Iterable[Decimal | None]) -> Decimal | None:
    """The largest single figure: an aggregator's total holds its exchanges', so a sum would count twice."""
    return max((v for v in values if v is not None), default=None)
