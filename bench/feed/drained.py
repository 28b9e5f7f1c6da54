"""What a drain was like, in figures and in lines: `drain` measures, this sums up.

Moments are seconds from SIGTERM, gaps are in intervals. Refuses to leave out who never came back: each line
says how many it is about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from bench.feed.compare import columns
from bench.feed.followers import Seen
from bench.feed.stand import NS

DRAIN_SECONDS = 30
# As ticker.feed.delivery has it: few sessions take less than the drain may.
EACH_SECONDS = 0.01
INTERVAL_MS = 1000
NAME = 28
SPREAD_HEADS = ("clients", 10), ("first", 10), ("last", 10), ("most in 1 s", 14)
PARTS_HEADS = ("p50", 10), ("p99", 10), ("worst", 10)
GAP_HEADS = (*PARTS_HEADS, ("over two", 10), ("our CPU", 10), ("others'", 10))


class Span(Struct, frozen=True):
    """A time: each client's longest gap in it, and CPU seconds in a second, ours and everybody else's."""

    gaps: Sequence[float]
    ours: float
    others: float


class Ending(Struct, frozen=True):
    """The first service's exit status and when that was; the sessions that the second one opened, and how
    many of their clients hold, of each asset, the price that it says.
    """

    exit_code: int
    ended: float
    opened: int
    same: int


class Spread(Struct, frozen=True):
    """When something happened to the clients, and to how many of them within one second."""

    number: int
    first: float
    last: float
    most: int


class Parts(Struct, frozen=True):
    """The median, the 99th of 100 and the worst."""

    p50: float
    p99: float
    worst: float


class Gaps(Struct, frozen=True):
    """The clients' longest times without a price, and what the machine did meanwhile."""

    gaps: Parts
    over_two: int
    ours: float
    others: float


class Drained(Struct, frozen=True):
    """What is printed, and written with --json.

    `late_ms` and `early_ms`: how far from its moment a session was closed, each by its client's own clock.
    `within` were back in the window; `stale` had to call a price stale.
    """

    sessions: int
    window: float
    told: Spread
    named: Spread
    closed: Spread
    back: Spread
    late_ms: Parts
    early_ms: Parts
    away_ms: Parts
    within: int
    before: Gaps
    during: Gaps
    stale: int
    resyncs: int
    refusals: int
    failures: int
    lost: list[str]
    codes: dict[int, int]
    ending: Ending


def summed_up(seen: Sequence[Seen], began: int, before: Span, during: Span, ending: Ending) -> Drained:
    window = min(DRAIN_SECONDS, EACH_SECONDS * len(seen))
    back = [(one.back - began) / NS for one in seen if one.back]
    offs = [(one.closed - one.told) / 1e6 - one.named_ms for one in seen if one.closed]
    return Drained(
        sessions=len(seen),
        window=window,
        told=spread([(one.told - began) / NS for one in seen if one.told]),
        named=spread([one.named_ms / 1000 for one in seen if one.told]),
        closed=spread([(one.closed - began) / NS for one in seen if one.closed]),
        back=spread(back),
        late_ms=parts([max(0.0, off) for off in offs]),
        early_ms=parts([max(0.0, -off) for off in offs]),
        away_ms=parts([(one.back - one.closed) / 1e6 for one in seen if one.back]),
        within=sum(moment <= window for moment in back),
        before=gaps(before),
        during=gaps(during),
        stale=sum(not one.held for one in seen),
        resyncs=sum(one.resyncs for one in seen),
        refusals=sum(one.refusals for one in seen),
        failures=sum(one.failures for one in seen),
        lost=[one.lost for one in seen if one.lost],
        codes=dict(Counter(one.code for one in seen)),
        ending=ending,
    )


def spread(moments: Sequence[float]) -> Spread:
    most = max(Counter(int(moment) for moment in moments).values(), default=0)
    return Spread(len(moments), min(moments, default=0), max(moments, default=0), most)


def parts(values: Sequence[float]) -> Parts:
    ordered = sorted(values) or [0.0]
    p50, p99 = (ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] for percent in (50, 99))
    return Parts(p50, p99, ordered[-1])


def gaps(span: Span) -> Gaps:
    return Gaps(parts(span.gaps), sum(gap > 2 for gap in span.gaps), span.ours, span.others)


def drain_lines(result: Drained) -> list[str]:
    evenly, end = result.sessions / max(1.0, result.window), result.ending
    moments = {
        "goodbye came": result.told,
        "moments it named": result.named,
        "closed": result.closed,
        "back, with prices": result.back,
    }
    times = {"closed late": result.late_ms, "closed early": result.early_ms, "away": result.away_ms}
    return [
        f"{result.sessions} sessions, let go over {result.window:g} s: evenly, {evenly:.0f} in each second",
        columns("seconds from SIGTERM", SPREAD_HEADS, NAME),
        *(spread_row(name, one) for name, one in moments.items()),
        columns("milliseconds", PARTS_HEADS, NAME),
        *(parts_row(name, one) for name, one in times.items()),
        columns(f"gaps, in {INTERVAL_MS} ms intervals", GAP_HEADS, NAME),
        *map(gaps_row, ("before the drain", "in it"), (result.before, result.during)),
        f"back within the window: {result.within}, the last {result.back.last:.2f} s after SIGTERM",
        f"prices called stale by {result.stale} clients, given up {len(result.lost)}",
        f"resyncs {result.resyncs}, refusals {result.refusals}, failures {result.failures}",
        f"the second service opened {end.opened} sessions; {end.same} hold the prices that it says",
        f"the first ended with {end.exit_code}, {end.ended:.2f} s after SIGTERM",
    ]


def spread_row(name: str, one: Spread) -> str:
    return f"{name:{NAME}}{one.number:10}{one.first:10.2f}{one.last:10.2f}{one.most:14}"


def parts_row(name: str, one: Parts) -> str:
    return f"{name:{NAME}}{one.p50:10.2f}{one.p99:10.2f}{one.worst:10.2f}"


def gaps_row(name: str, one: Gaps) -> str:
    return f"{parts_row(name, one.gaps)}{one.over_two:10}{one.ours:10.2f}{one.others:10.2f}"
