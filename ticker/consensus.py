"""Many ticks of one asset in, one price out. Pure: no clock, no memory, no I/O.

Each step may set a tick aside, with a reason that every reader of the API sees; none removes it from
sight. Exchanges vote one each, weighed by volume; aggregators, which contain the exchanges, have one vote
together or none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from ticker.change import rounded
from ticker.fx import ZERO, Rates, convert
from ticker.gate import DISPUTE, DISPUTE_MS, PASSES, STRANGERS, Good, Held, Verdict, jump_gate
from ticker.model import Basis, Change, Confidence, Observation, Pair, State, Tick, Window
from ticker.sampling import GRADES, STALE, Policy, Sample, sample, why_old
from ticker.votes import distances, median, spread, tolerance, weighted_median

# Three exchanges are a crowd: from there on aggregators only referee.
CROWD = 3
# How far from the middle a vote may always be, and the daily turnover (in the target currency) of an asset
# so widely traded that less is suspicious.
FLOOR, LARGE_FLOOR = Decimal("0.03"), Decimal("0.01")
LARGE = Decimal(100_000_000)
# A source this near the last good price has not moved.
NEAR = Decimal("0.05")

# The bases that a change over a day is believed on, the better one first.
DAY, BASES = Window.DAY, (Basis.ROLLING, Basis.UNKNOWN)

AGGREGATORS = "aggregators"
STRANGE = "probably different tokens with one symbol"

# Pairs that aren't counted, each with the reason.
Aside = dict[Pair, str]


class Observations(Struct, frozen=True, gc=False):
    """What each source said and what became of it; made when it is read, as most decisions never are."""

    samples: Sequence[Sample]
    aside: Aside

    def __iter__(self) -> Iterator[Observation]:
        for s in self.samples:
            pair, reason = s.tick.pair, self.aside.get(s.tick.pair)
            yield Observation(
                source=pair.venue,
                pair=pair.symbol,
                currency=pair.quote,
                price=s.tick.price,
                change_24h=s.tick.change_24h,
                as_of=s.tick.as_of,
                used=reason is None,
                reason=reason or s.tick.note,
            )


class Decision(Struct, frozen=True, gc=False):
    """What the ticks add up to, in the currency asked for.

    `state` HELD, DISPUTED: `price` is None where the last good one is to stand; with `confidence` NONE there
    is none to stand. STALE: the best that is known, but no source is fresh. UNAVAILABLE: nothing is known.
    `sources` are those counted, `apart` is how far the outermost of them are. `due` (ms) is when time alone
    may change this decision; `held` is to be handed in next time.
    """

    price: Decimal | None = None
    state: State = State.UNAVAILABLE
    confidence: Confidence = Confidence.NONE
    observations: Iterable[Observation] = ()
    as_of: int | None = None
    sources: int = 0
    apart: Decimal | None = None
    change_24h: Change | None = None
    high_24h: Decimal | None = None
    low_24h: Decimal | None = None
    volume_24h: Decimal | None = None
    market_cap: Decimal | None = None
    assumed: bool = False
    demo: bool = False
    due: int | None = None
    held: Held | None = None

    @property
    def spread(self) -> Decimal | None:
        """The distance between the outermost that counted, in percent to hundredths."""
        return None if self.apart is None else rounded(self.apart)


class Vote(Struct, frozen=True, gc=False):
    """One independent voice: a venue with all its pairs, or all aggregators together.

    `weight` is what was traded there in a day, in the target currency; None where that isn't known, and of
    aggregators, whose total is their exchanges'.
    """

    voter: str
    samples: Sequence[Sample]
    price: Decimal

    @property
    def weight(self) -> Decimal | None:
        turnovers = [convert(t, s.rate) for s in self.samples if (t := s.tick.turnover_24h)]
        return sum(turnovers, ZERO) if turnovers and self.voter != AGGREGATORS else None


class Count(Struct, frozen=True, gc=False):
    """What equally fresh samples add up to: the price, and how far those that count are apart, in percent.

    `sources` is how many votes count, `outliers` are those that don't. `used` are the samples of the former;
    `heard`, on volume alone, are those of an agreeing referee as well.
    """

    price: Decimal
    apart: Decimal
    sources: int
    outliers: Sequence[Vote]
    used: Sequence[Sample]
    heard: Sequence[Sample]


def decide(
    ticks: Iterable[Tick],
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
    fresh = [s for s in samples if s.grade is grade]
    aside = {s.tick.pair: s.reason or why_old(s, now) for s in samples if s.grade is not grade}
    if grade is None:
        return Decision(observations=Observations(samples, aside), due=_first(samples, None))
    count = _count(fresh, policy, aside)
    verdict = PASSES if grade is STALE else _judge(count, good, held, now)
    stands = _last_stands(verdict, count, good, now)
    if grade is STALE:
        aside |= {s.tick.pair: why_old(s, now) for s in count.used}
    elif stands:
        aside |= dict.fromkeys([s.tick.pair for s in count.used], stands)
    used, price = count.used, count.price
    # Python passes up to thirty names and values of a call on its stack, more of them in a dictionary.
    return Decision(
        None if stands else price,
        verdict.state or grade,
        confidence=_confidence(verdict, count, stands),
        observations=Observations(samples, aside),
        as_of=max([s.as_of for s in used]),
        sources=count.sources,
        apart=count.apart,
        change_24h=_change([s.tick.change_24h for s in used]),
        high_24h=_middle([convert(high, s.rate) for s in used if (high := s.tick.high_24h) is not None]),
        low_24h=_middle([convert(low, s.rate) for s in used if (low := s.tick.low_24h) is not None]),
        volume_24h=_volume(count.heard),
        market_cap=_market_cap(samples, price),
        assumed=any(s.rate.assumed for s in used),
        demo=any(s.tick.demo or s.rate.demo for s in samples),
        due=_first(samples, verdict.due),
        held=verdict.held,
    )


def _best(samples: Iterable[Sample]) -> State | None:
    """The best grade of freshness that any usable sample has."""
    grades = [s.grade for s in samples]
    for grade in GRADES:
        if grade in grades:
            return grade
    return None


def _count(fresh: Sequence[Sample], policy: Policy, aside: Aside) -> Count:
    """From equally fresh samples to a price; those that don't count are put aside."""
    if len(fresh) == 1:  # nothing to weigh, and nobody to differ from
        return Count(fresh[0].price, ZERO, 1, (), fresh, fresh)
    votes, referee = _votes(fresh, policy)
    counted, outliers = _without_outliers(votes, aside)
    prices = [vote.price for vote in counted]
    price = weighted_median(prices, [vote.weight for vote in counted])
    used = [s for vote in counted for s in vote.samples]
    heard = used if referee is None else used + _refereed(referee, price, aside)
    return Count(price, spread(prices), len(counted), outliers, used, heard)


def _votes(fresh: Sequence[Sample], policy: Policy) -> tuple[Sequence[Vote], Vote | None]:
    """One vote a venue and one for all aggregators; where exchanges are a crowd, that one is the referee."""
    voters: dict[str, list[Sample]] = {}
    for s in fresh:
        venue = s.tick.pair.venue
        voters.setdefault(AGGREGATORS if venue in policy.aggregators else venue, []).append(s)
    votes = [Vote(voter, said, median([s.price for s in said])) for voter, said in sorted(voters.items())]
    if len(votes) <= CROWD or AGGREGATORS not in voters:
        return votes, None
    [referee] = [vote for vote in votes if vote.voter == AGGREGATORS]
    return [vote for vote in votes if vote is not referee], referee


def _refereed(referee: Vote, price: Decimal, aside: Aside) -> list[Sample]:
    """The aggregators beside a crowd: never counted, and heard on volume and value only where they agree."""
    distance = abs(referee.price - price) / price
    apart = f", {rounded(distance * 100)} % apart" if distance > FLOOR else ""
    aside |= dict.fromkeys((s.tick.pair for s in referee.samples), f"aggregator, as a referee{apart}")
    return [] if apart else [*referee.samples]


def _without_outliers(votes: Sequence[Vote], aside: Aside) -> tuple[Sequence[Vote], Sequence[Vote]]:
    """Of three or more, those that are not far from the crowd (median absolute deviation), and the others."""
    if len(votes) < CROWD:
        return votes, ()
    far = distances([vote.price for vote in votes])
    if max(far) <= LARGE_FLOOR:  # within every tolerance
        return votes, ()
    traded = sum([vote.weight or ZERO for vote in votes], ZERO)
    limit = tolerance(far, LARGE_FLOOR if traded >= LARGE else FLOOR)
    counted, outliers = [], []
    for vote, distance in zip(votes, far, strict=True):
        if distance <= limit:
            counted.append(vote)
        else:
            outliers.append(vote)
            reason = f"{rounded(distance * 100)} % from the others"
            aside |= dict.fromkeys((s.tick.pair for s in vote.samples), reason)
    return counted, outliers


def _judge(count: Count, good: Good | None, held: Held | None, now: int) -> Verdict:
    """May the price follow, must it wait, or is there no agreement on what it is?"""
    others = len(count.outliers)
    if count.sources <= others or (count.sources == 2 and not others and count.apart > DISPUTE):
        return Verdict(State.DISPUTED)
    stayed = bool(others and good and any(_near(vote.price, good.price) for vote in count.outliers))
    return jump_gate(count.price, good=good, held=held, votes=count.sources, stayed=stayed, now=now)


def _near(price: Decimal, reference: Decimal) -> bool:
    return abs(price - reference) <= reference * NEAR


def _agrees(s: Sample, price: Decimal) -> bool:
    """Whether a sample, of whatever age, is about the token we price."""
    return s.reason is None and abs(s.price - price) <= price * FLOOR


def _last_stands(verdict: Verdict, count: Count, good: Good | None, now: int) -> str:
    """Why the last good price stands instead of this one, in words; empty where it doesn't."""
    if verdict.state is None:
        return ""
    if verdict.state is State.HELD:
        return "held: far from the last good price; released when it lasts"
    if good is None or not good.agreed:
        return STRANGE if count.apart > STRANGERS else ""
    return "disputed: the sources don't agree" if now - good.as_of <= DISPUTE_MS else ""


def _confidence(verdict: Verdict, count: Count, stands: str) -> Confidence:
    if stands == STRANGE:
        return Confidence.NONE
    if count.sources == 1 and verdict.state is None:
        return Confidence.SINGLE
    if verdict.state or count.apart > DISPUTE:
        return Confidence.LOW
    return Confidence.HIGH if count.sources >= CROWD and count.apart <= 1 else Confidence.MEDIUM


def _change(changes: Sequence[Change | None]) -> Change | None:
    """The median of the rolling changes, else of those whose basis isn't known. A day's change is neither."""
    for basis in BASES:
        percents = [c.percent for c in changes if c is not None and c.basis is basis and c.window is DAY]
        if percents:
            return Change(rounded(median(percents)), DAY, basis)
    return None


def _middle(values: Sequence[Decimal]) -> Decimal | None:
    return median(values) if values else None


def _volume(heard: Iterable[Sample]) -> Decimal | None:
    """The largest single figure: an aggregator's total holds its exchanges', so a sum would count twice."""
    turnovers = [convert(amount, s.rate) for s in heard if (amount := s.tick.turnover_24h) is not None]
    return max(turnovers) if turnovers else None


def _market_cap(samples: Iterable[Sample], price: Decimal) -> Decimal | None:
    """The largest of what samples of whatever age say that are about the token we price."""
    caps = [
        convert(cap, s.rate) for s in samples if (cap := s.tick.market_cap) is not None and _agrees(s, price)
    ]
    return max(caps) if caps else None


def _first(samples: Iterable[Sample], release: int | None) -> int | None:
    """When the first sample is due, or what is held."""
    moments = [s.due for s in samples if s.due is not None]
    if release is not None:
        moments.append(release)
    return min(moments) if moments else None
