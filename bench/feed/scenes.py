"""Three further scenes: many subscribers in one process, many different sets of assets, readers that stop.

Each prints what it compares with, measured in the same run. Refuses to hide what went wrong: what came
late or never and who was closed stand in the table.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Struct

from bench.feed.compare import EVERY, columns, last_ms, missing, sample
from bench.feed.native import compiled
from bench.feed.peers import FLOOR, OURS, address, feed, floor
from bench.feed.servers.commands import STATUS, asset_ids
from bench.feed.stand import Paced, Stand

ASSETS, IN_A_SET = 200, 10
SLOW_ASSETS = 20
NAME = 16


class Crowded(Struct, frozen=True):
    """One of `many`'s lines. Milliseconds from the tick, in the window."""

    name: str
    us: float
    kib: float
    p99_client_ms: float
    p50_last_ms: float
    p99_last_ms: float
    gaps: int
    closed: int


class Many(Struct, frozen=True):
    """The floor's line and ours; the ratios are the medians of the turns'."""

    subscribers: int
    seconds: float
    lines: list[Crowded]
    us_ratio: float
    last_p99_ratio: float


class Sets(Struct, frozen=True):
    """CPU in microseconds of a delivered frame; the ratio is the median of the turns'."""

    subscribers: int
    frames: tuple[int, int]
    bytes_a_frame: tuple[float, float]
    us: tuple[float, float]
    ratio: float
    p99_ms: tuple[float, float]


class Moment(Struct, frozen=True):
    """One of `slow`'s lines: memory in MiB; the p99 is the reading clients'."""

    name: str
    mib: float
    p99_ms: float
    last_p99_ms: float
    late: int
    skipped: int
    sessions: int


class Slow(Struct, frozen=True):
    subscribers: int
    stopped: int
    moments: list[Moment]
    snapshots: dict[str, Any]


@contextmanager
def ground() -> Iterator[tuple[Path, Path]]:
    """A temporary folder and the client compiled into it."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name), compiled("client", Path(name))


def own(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def many(subscribers: int, seconds: float, repetitions: int) -> Many:
    """One update a second to each of `subscribers` of one process: the floor and ours, which take turns.

    In real time, so that pings come as often as they do.
    """
    with ground() as (folder, client):
        payload = folder / "payload"
        payload.write_bytes(sample(folder))
        base, mine = floor(payload, folder), feed([address("asset-0")], interval=0)
        with (
            Stand(FLOOR.name, base, subscribers, client, own(folder, "bare")) as bare,
            Stand(OURS.name, mine, subscribers, client, own(folder, "ours")) as full,
        ):
            ticks = round(seconds)
            turns = [(bare.paced(1, ticks), full.paced(1, ticks)) for _ in range(repetitions)]
            by_stand = zip((bare, full), zip(*turns, strict=True), strict=True)
            lines = [crowded(stand, column) for stand, column in by_stand]
    return Many(
        subscribers=subscribers,
        seconds=seconds,
        lines=lines,
        us_ratio=median(ours.us / least.us for least, ours in turns),
        last_p99_ratio=median(last_ms(ours, 99) / last_ms(least, 99) for least, ours in turns),
    )


def crowded(stand: Stand, turns: Sequence[Paced]) -> Crowded:
    """Medians over the turns; gaps are all there were."""
    return Crowded(
        name=stand.name,
        us=median(turn.us for turn in turns),
        kib=stand.kib,
        p99_client_ms=median(map(client_ms, turns)),
        p50_last_ms=median(last_ms(turn, 50) for turn in turns),
        p99_last_ms=median(last_ms(turn, 99) for turn in turns),
        gaps=sum(missing(turn, stand.many) for turn in turns),
        closed=turns[-1].window.closed,
    )


def client_ms(paced: Paced) -> float:
    """Milliseconds from a tick to the 99th of 100 clients, the median over the ticks."""
    return median(one.p99 for one in paced.window.rounds) / 1e6


def many_lines(result: Many) -> list[str]:
    heads = ("us a frame", 12), ("KiB each", 10), ("client p99, ms", 16), ("last p50, ms", 14)
    return [
        f"{result.subscribers} subscribers of one process, one update a second, {result.seconds:g} s",
        columns("", (*heads, ("last p99, ms", 14), ("gaps", 7), ("closed", 8)), NAME),
        *(
            f"{one.name:{NAME}}{one.us:12.1f}{one.kib:10.1f}{one.p99_client_ms:16.1f}{one.p50_last_ms:14.1f}"
            f"{one.p99_last_ms:14.1f}{one.gaps:7}{one.closed:8}"
            for one in result.lines
        ),
        f"ratio of CPU: {result.us_ratio:.2f}, of the last client's p99: {result.last_p99_ratio:.2f}",
    ]


def sets(subscribers: int, seconds: float, repetitions: int) -> Sets:
    """Each its own set of 10 of 200 assets, beside all the same one; both stand at once and take turns."""
    rng = random.Random(1)
    names = asset_ids(ASSETS)
    different = [address(",".join(rng.sample(names, IN_A_SET))) for _ in range(subscribers)]
    with ground() as (folder, client):
        plans = [feed(addresses, assets=ASSETS) for addresses in (different[:1], different)]
        with (
            Stand("one set", plans[0], subscribers, client, own(folder, "one")) as one,
            Stand("different sets", plans[1], subscribers, client, own(folder, "different")) as other,
        ):
            ticks = round(seconds / EVERY)
            turns = [(one.paced(EVERY, ticks), other.paced(EVERY, ticks)) for _ in range(repetitions)]
    columns = list(zip(*turns, strict=True))
    return Sets(
        subscribers=subscribers,
        frames=pair(sum(turn.window.messages for turn in column) for column in columns),
        bytes_a_frame=pair(median(t.window.size / t.window.messages for t in column) for column in columns),
        us=pair(median(turn.us for turn in column) for column in columns),
        ratio=median(theirs.us / base.us for base, theirs in turns),
        p99_ms=pair(median(last_ms(turn, 99) for turn in column) for column in columns),
    )


def pair(values: Iterator[Any]) -> tuple[Any, Any]:
    first, second = values
    return first, second


def sets_lines(result: Sets) -> list[str]:
    names = ("one set", "different sets")
    rows = zip(names, result.frames, result.bytes_a_frame, result.us, result.p99_ms, strict=True)
    return [
        f"{result.subscribers} sessions of {IN_A_SET} of {ASSETS} assets; all change every {EVERY:g} s",
        columns("", (("frames", 12), ("bytes", 8), ("us a frame", 12), ("last p99, ms", 14)), NAME),
        *(f"{name:{NAME}}{n:12,}{size:8.0f}{us:12.1f}{ms:14.1f}" for name, n, size, us, ms in rows),
        f"ratio, different sets to one: {result.ratio:.2f}",
    ]


def slow(subscribers: int, seconds: float) -> Slow:
    """A fifth of the readers stops and goes on again: the server's memory and the others' p99 meanwhile.

    Each frame holds 20 whole quotes, so that what the kernel holds for a stopped reader is soon full.
    """
    stopped = subscribers // 5
    every = ",".join(asset_ids(SLOW_ASSETS))
    with ground() as (folder, client):
        plan = feed([address(every, fields="")], assets=SLOW_ASSETS)
        with Stand("ticker", plan, subscribers, client, own(folder, "ticker"), small=stopped) as stand:
            moments = [moment("all read", stand, seconds)]
            stand.crowd.tell("mute")
            moments += [moment("some stopped", stand, seconds), moment("still stopped", stand, seconds)]
            stand.crowd.tell("unmute")
            moments.append(moment("all read again", stand, seconds))
            return Slow(subscribers, stopped, moments, stand.crowd.count()["small"])


def moment(name: str, stand: Stand, seconds: float) -> Moment:
    paced = stand.paced(EVERY, round(seconds / EVERY))
    stand.server.tell(STATUS)
    status = stand.server.said()
    reading = stand.many - stand.many // 5
    return Moment(
        name=name,
        mib=stand.server.resident() / 1024,
        p99_ms=client_ms(paced),
        last_p99_ms=last_ms(paced, 99),
        late=missing(paced, reading),
        skipped=status["skipped"],
        sessions=status["sessions"],
    )


def slow_lines(result: Slow) -> list[str]:
    counts = result.snapshots
    heads = ("memory, MiB", 12), ("p99, ms", 10), ("last p99, ms", 14), ("late", 8), ("skipped", 10)
    return [
        f"{result.subscribers} readers, {result.stopped} of which stop; p99, last and late are the others'",
        columns("", (*heads, ("sessions", 10)), NAME),
        *(
            f"{one.name:{NAME}}{one.mib:12.1f}{one.p99_ms:10.1f}{one.last_p99_ms:14.1f}{one.late:8}"
            f"{one.skipped:10}{one.sessions:10}"
            for one in result.moments
        ),
        f"then: one snapshot to {counts['one']}, none to {counts['without']}, {counts['snapshots']} in all",
    ]
