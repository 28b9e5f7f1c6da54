"""Many ticks of one asset in, one price out. Pure: no clock, no memory, no I/O.

Each step may set a tick aside, with a reason that every reader of the API sees; none removes it from
sight. Exchanges vote one each, weighed by volume; aggregators, which contain the exchanges, have one vote
together or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from ticker.change import rounded
from ticker.fx import Rates
from ticker.gate import DISPUTE, DISPUTE_MS, PASSES, STRANGERS, Good, Held, Verdict, jump_gate
from ticker.model import Basis, Change, Confidence, Observation, Pair, State, Tick, Window
from ticker.sampling import FUTURE_MS, GRADES, Policy, Sample, sample, why_old
from ticker.votes import distances, median, spread, tolerance, weighted_median

# Three exchanges are a crowd: from there on aggregators only referee.
CROWD = 3
# How far from the middle a vote may always be, and the daily turnover (in the target currency) of an asset
# so widely traded that less is suspicious.
FLOOR, LARGE_FLOOR = Decimal("0.03"), Decimal("0.01")
LARGE = Decimal(100_000_000)
# A source this near the last good price has not moved.
NEAR = Decimal("0.05")

AGGREGATORS = "aggregators"
STRANGE = "probably different tokens with one symbol"

# Pairs that aren't counted, each with the reason.
Aside = dict[Pair, str]


class Decision(Struct, frozen=True, kw_only=True):
    """What the ticks add up to, in the currency asked for.

    `state` HELD, DISPUTED: `price` is None where the last good one is to stand; with `confidence` NONE there
    is none to stand. STALE: the best that is known, but no source is fresh. UNAVAILABLE: nothing is known.
    `sources` are those counted, `spread` lies between the outermost of them, in percent. `due` (ms) is when
    time alone may change this decision; `held` is to be handed in next time.
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
    held: Held | None = None


class Vote(Struct, frozen=True):
    """One independent voice: a venue with all its pairs, or all aggregators together.

    `weight` is what was traded there in a day, in the target currency; None where that isn't known, and of
    aggregators, whose total is their exchanges'.
    """

    voter: str
    samples: tuple[Sample, ...]
    price: Decimal
    weight: Decimal | None

    @classmethod
    def of(cls, voter: str, samples: Sequence[Sample]) -> Vote:
        turnovers = [t for s in samples if (t := s.converted(s.tick.turnover_24h))]
        weight = sum(turnovers, Decimal(0)) if turnovers and voter != AGGREGATORS else None
        return cls(voter, tuple(samples), median([s.price for s in samples]), weight)


def decide(
    ticks: Sequence[Tick],
    *,
    currency: str,
    rates: Rates,
    policy: Policy,
    now: int,
    good: Good | None = None,
    held: Held | None = None,
) -> Decision:
    """One price in `currency` from the latest tick of each pair. `good`: the last that passed; `now`: ms."""
    samples = [sample(tick, currency, rates, policy, now) for tick in ticks]
    grade = _best(samples)
    fresh = [s for s in samples if s.grade is grade and s.reason is None]
    aside: Aside = {s.tick.pair: s.reason or why_old(s, now) for s in samples if s not in fresh}
    if grade is None:
        return Decision(
            price=None,
            state=State.UNAVAILABLE,
            confidence=Confidence.NONE,
            observations=_observations(samples, aside),
            due=_due(samples, policy, now),
        )
    votes, referee = _votes(fresh, policy)
    counted = _without_outliers(votes, aside)
    price = weighted_median([vote.price for vote in counted], [vote.weight for vote in counted])
    heard = [s for vote in (*counted, *_refereed(referee, price, aside)) for s in vote.samples]
    verdict = PASSES if grade is State.STALE else _judge(price, votes, counted, good, held, now)
    stands = _last_stands(verdict, counted, good, now)
    used = [s for vote in counted for s in vote.samples]
    if grade is State.STALE:
        aside |= {s.tick.pair: why_old(s, now) for s in used}
    elif stands:
        aside |= dict.fromkeys((s.tick.pair for s in used), stands)
    apart = spread([vote.price for vote in counted])
    return Decision(
        price=None if stands else price,
        state=verdict.state or grade,
        confidence=_confidence(verdict, len(counted), apart, stands),
        observations=_observations(samples, aside),
        as_of=max(s.as_of for s in used),
        sources=len(counted),
        spread=rounded(apart),
        change_24h=_change(s.tick.change_24h for s in used),
        high_24h=_middle(s.converted(s.tick.high_24h) for s in used),
        low_24h=_middle(s.converted(s.tick.low_24h) for s in used),
        volume_24h=_largest(s.converted(s.tick.turnover_24h) for s in heard),
        market_cap=_largest(s.converted(s.tick.market_cap) for s in samples if _agrees(s, price)),
        assumed=any(s.rate.assumed for s in used),
        demo=any(s.tick.demo or s.rate.demo for s in samples),
        due=min((at for at in (_due(samples, policy, now), verdict.due) if at is not None), default=None),
        held=verdict.held,
    )


def _best(samples: Iterable[Sample]) -> State | None:
    """The best grade of freshness that any usable sample has."""
    present = {s.grade for s in samples if s.reason is None}
    return next((grade for grade in GRADES if grade in present), None)


def _votes(fresh: Sequence[Sample], policy: Policy) -> tuple[list[Vote], Vote | None]:
    """One vote a venue and one for all aggregators; where exchanges are a crowd, that one is the referee."""
    voters: dict[str, list[Sample]] = {}
    for s in fresh:
        voters.setdefault(AGGREGATORS if s.venue in policy.aggregators else s.venue, []).append(s)
    votes = [Vote.of(voter, samples) for voter, samples in sorted(voters.items())]
    referee = next((vote for vote in votes if vote.voter == AGGREGATORS and len(votes) > CROWD), None)
    return [vote for vote in votes if vote is not referee], referee


def _refereed(referee: Vote | None, price: Decimal, aside: Aside) -> list[Vote]:
    """The aggregators beside a crowd: never counted, and heard on volume and value only where they agree."""
    if referee is None:
        return []
    distance = abs(referee.price - price) / price
    apart = f", {rounded(distance * 100)} % apart" if distance > FLOOR else ""
    aside |= dict.fromkeys((s.tick.pair for s in referee.samples), f"aggregator, as a referee{apart}")
    return [] if apart else [referee]


def _without_outliers(votes: list[Vote], aside: Aside) -> list[Vote]:
    """Of three or more, those that are not far from the crowd (median absolute deviation)."""
    if len(votes) < CROWD:
        return votes
    prices = [vote.price for vote in votes]
    traded = sum((vote.weight or Decimal(0) for vote in votes), Decimal(0))
    limit = tolerance(prices, LARGE_FLOOR if traded >= LARGE else FLOOR)
    counted = []
    for vote, distance in zip(votes, distances(prices), strict=True):
        if distance <= limit:
            counted.append(vote)
        else:
            reason = f"{rounded(distance * 100)} % from the others"
            aside |= dict.fromkeys((s.tick.pair for s in vote.samples), reason)
    return counted


def _judge(
    price: Decimal,
    votes: Sequence[Vote],
    counted: Sequence[Vote],
    good: Good | None,
    held: Held | None,
    now: int,
) -> Verdict:
    """May the price follow, must it wait, or is there no agreement on what it is?"""
    prices = [vote.price for vote in counted]
    if (len(votes) == 2 and spread(prices) > DISPUTE) or 2 * len(counted) <= len(votes):
        return Verdict(State.DISPUTED)
    stayed = good is not None and any(
        vote not in counted and abs(vote.price - good.price) <= good.price * NEAR for vote in votes
    )
    return jump_gate(price, good=good, held=held, votes=len(counted), stayed=stayed, now=now)


def _agrees(s: Sample, price: Decimal) -> bool:
    """Whether a sample, of whatever age, is about the token we price."""
    return s.reason is None and abs(s.price - price) <= price * FLOOR


def _last_stands(verdict: Verdict, counted: Sequence[Vote], good: Good | None, now: int) -> str:
    """Why the last good price stands instead of this one, in words; empty where it doesn't."""
    if verdict.state is State.HELD:
        return "held: far from the last good price; released when it lasts"
    if verdict.state is not State.DISPUTED:
        return ""
    if good is None or not good.agreed:
        return STRANGE if spread([vote.price for vote in counted]) > STRANGERS else ""
    return "disputed: the sources don't agree" if now - good.as_of <= DISPUTE_MS else ""


def _observations(samples: Iterable[Sample], aside: Aside) -> tuple[Observation, ...]:
    return tuple(
        Observation(
            source=s.venue,
            pair=s.tick.pair.symbol,
            currency=s.tick.pair.quote,
            price=s.tick.price,
            change_24h=s.tick.change_24h,
            as_of=s.tick.as_of,
            used=s.tick.pair not in aside,
            reason=aside.get(s.tick.pair) or s.tick.note,
        )
        for s in samples
    )


def _due(samples: Iterable[Sample], policy: Policy, now: int) -> int | None:
    """When the first of them grows delayed or stale, or stops being dated in the future."""
    limits = (
        s.as_of + limit + 1
        for s in samples
        if s.reason is None
        for limit in (policy.ages[s.venue].delayed, policy.ages[s.venue].stale)
    )
    arrivals = (s.tick.as_of - FUTURE_MS for s in samples)
    return min((at for at in (*limits, *arrivals) if at > now), default=None)


def _confidence(verdict: Verdict, sources: int, apart: Decimal, stands: str) -> Confidence:
    if stands == STRANGE:
        return Confidence.NONE
    if sources == 1 and not verdict.state:
        return Confidence.SINGLE
    if verdict.state or apart > DISPUTE:
        return Confidence.LOW
    return Confidence.HIGH if sources >= CROWD and apart <= 1 else Confidence.MEDIUM


def _change(changes: Iterable[Change | None]) -> Change | None:
    """The median of the rolling changes, else of those whose basis isn't known. A day's change is neither."""
    known = [c for c in changes if c is not None and c.window is Window.DAY]
    for basis in (Basis.ROLLING, Basis.UNKNOWN):
        percents = [c.percent for c in known if c.basis is basis]
        if percents:
            return Change(rounded(median(percents)), Window.DAY, basis)
    return None


def _middle(values: Iterable[Decimal | None]) -> Decimal | None:
    known = [v for v in values if v is not None]
    return median(known) if known else None


def _largest(values: Iterable[Decimal | None]) -> Decimal | None:
    """The largest single figure: an aggregator's total holds its exchanges', so a sum would count twice."""
    return max((v for v in values if v is not None), default=None)
