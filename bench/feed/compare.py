"""CPU, memory and time of a delivered feed frame: ours beside a bare C loop and other servers, in one run.

All servers stand at once, each with its own subscribers, and take turns at short windows; every ratio is to
the floor of the same turn, and the median of the turns is printed. Refuses absolute comparisons between runs.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from msgspec import Struct
from websockets.sync.client import connect

from bench.feed.crowd import Stalled
from bench.feed.native import compiled
from bench.feed.peers import FLOOR, OURS, PEERS, Missing, Peer, address, feed
from bench.feed.server import Failed, Server
from bench.feed.stand import Flood, Paced, Stand, raised

EVERY = 0.25
REPETITIONS = 3


class Turn(Struct, frozen=True):
    """One stand's two windows in one turn. No flood where subscribers waited for what didn't come."""

    paced: Paced
    flood: Flood | None


class Figures(Struct, frozen=True):
    """A peer's line: medians over the turns; ratios are to the floor of the same turn."""

    name: str
    us: float
    us_ratio: float
    kib: float
    p50_ms: float
    p99_ms: float
    p99_ratio: float
    missing: int
    closed: int
    rate: float | None
    rate_ratio: float | None
    flood_us: float | None


class Comparison(Struct, frozen=True):
    """What is printed, and written with --json."""

    subscribers: int
    payload_bytes: int
    seconds: float
    repetitions: int
    figures: Sequence[Figures]
    skipped: dict[str, str]


def sample(folder: Path) -> bytes:
    """The payload that all send: what ours sends for one asset."""
    own = folder / "sample"
    own.mkdir()
    server = Server(feed([address("asset-0")]), own)
    try:
        with connect(f"ws://127.0.0.1:{server.port}{address('asset-0')}", compression=None) as client:
            client.recv(decode=False)
            client.recv(decode=False)
            server.tick()
            return client.recv(decode=False)
    finally:
        server.close()


def compare(
    many: int = 3000, seconds: float = 10, repetitions: int = REPETITIONS, only: Sequence[str] = ()
) -> Comparison:
    skipped: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        client, payload = compiled("client", folder), folder / "payload"
        payload.write_bytes(sample(folder))
        stands: list[Stand] = []
        for peer in wanted(only):
            try:
                stand = stack.enter_context(raised(peer, payload, many, client, folder))
            except (Missing, Failed, Stalled) as reason:
                skip(skipped, peer.name, reason)
                continue
            stands.append(stand)
            tell(f"{peer.name}: {many} subscribers")
        turns = taken(stands, seconds, repetitions, skipped)
        lines = [line(stand, turns[stand.name], turns[FLOOR.name]) for stand in stands]
        return Comparison(many, payload.stat().st_size, seconds, repetitions, lines, skipped)


def taken(
    stands: list[Stand], seconds: float, repetitions: int, skipped: dict[str, str]
) -> dict[str, list[Turn]]:
    """Each stand's turns, by name. A server that dies is taken out; without the floor or ours all ends."""
    turns: dict[str, list[Turn]] = {stand.name: [] for stand in stands}
    for stand in stands * repetitions:
        if stand.name in skipped:
            continue
        try:
            turns[stand.name].append(turn(stand, seconds))
        except (Stalled, OSError) as reason:
            if stand.name in (FLOOR.name, OURS.name):
                raise
            skip(skipped, stand.name, reason)
    stands[:] = [stand for stand in stands if stand.name not in skipped]
    return turns


def skip(skipped: dict[str, str], name: str, reason: Exception) -> None:
    skipped[name] = str(reason)
    tell(f"{name}: skipped, {reason}")


def wanted(only: Sequence[str]) -> list[Peer]:
    """The floor and ours always, and of the others those whose name has one of `only` in it."""
    return [
        peer
        for peer in PEERS
        if peer in (FLOOR, OURS) or not only or any(o in peer.name.lower() for o in only)
    ]


def turn(stand: Stand, seconds: float) -> Turn:
    paced = stand.paced(EVERY, round(seconds / EVERY))
    try:
        flood = stand.flood(seconds / 4)
    except Stalled as reason:
        tell(f"{stand.name}: no flood, {reason}")
        stand.crowd.stop()
        flood = None
    return Turn(paced, flood)


def line(stand: Stand, turns: Sequence[Turn], floors: Sequence[Turn]) -> Figures:
    """Medians over the turns. The floor's own ratios are 1."""
    rates = [turn.flood.rate for turn in turns if turn.flood]
    pairs = list(zip(turns, floors, strict=True))
    shares = [mine.flood.rate / base.flood.rate for mine, base in pairs if mine.flood and base.flood]
    return Figures(
        name=stand.name,
        us=median(turn.paced.us for turn in turns),
        us_ratio=median(mine.paced.us / base.paced.us for mine, base in pairs),
        kib=stand.kib,
        p50_ms=median(last_ms(turn.paced, 50) for turn in turns),
        p99_ms=median(last_ms(turn.paced, 99) for turn in turns),
        p99_ratio=median(last_ms(mine.paced, 99) / last_ms(base.paced, 99) for mine, base in pairs),
        missing=sum(missing(turn.paced, stand.many) for turn in turns),
        closed=turns[-1].paced.window.closed,
        rate=median(rates) if rates else None,
        rate_ratio=median(shares) if shares else None,
        flood_us=median(turn.flood.us for turn in turns if turn.flood) if rates else None,
    )


def missing(paced: Paced, many: int) -> int:
    """Messages that did not come within the window."""
    return paced.ticks * many - paced.window.messages


def last_ms(paced: Paced, percent: int) -> float:
    """Milliseconds from a tick to its last subscriber: this percentile over the window's ticks."""
    lasts = sorted(one.last for one in paced.window.rounds)
    return lasts[min(len(lasts) - 1, len(lasts) * percent // 100)] / 1e6


def tell(line: str) -> None:
    """Progress goes to stderr; the figures are stdout's."""
    print(line, file=sys.stderr, flush=True)


def table(result: Comparison) -> list[str]:
    windows = f"{result.repetitions} windows of {result.seconds:g} s, a frame each {EVERY * 1000:g} ms"
    groups = ("CPU a frame", 18), ("KiB a", 8), ("tick to last client", 30), ("frames a second", 22)
    heads = ("us", 10), ("ratio", 8), ("client", 8), ("p50, ms", 11), ("p99, ms", 11), ("ratio", 8)
    return [
        f"{result.subscribers} subscribers, {result.payload_bytes} bytes, {windows}, then as fast as they go",
        columns("", groups),
        columns("", (*heads, ("", 14), ("ratio", 8), ("late", 8))),
        *map(row, result.figures),
        *(f"{name}: skipped, {reason}" for name, reason in result.skipped.items()),
    ]


def row(one: Figures) -> str:
    return (
        f"{one.name:26}{one.us:10.1f}{one.us_ratio:8.2f}{one.kib:8.1f}{one.p50_ms:11.1f}{one.p99_ms:11.1f}"
        f"{one.p99_ratio:8.2f}{number(one.rate, 14, 0)}{number(one.rate_ratio, 8, 2)}"
        f"{one.missing + one.closed:8}"
    )


def columns(name: str, heads: Sequence[tuple[str, int]], first: int = 26) -> str:
    """A line of column heads, each right-aligned in so many characters."""
    return f"{name:{first}}" + "".join(f"{head:>{width}}" for head, width in heads)


def number(value: float | None, width: int, places: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width},.{places}f}"


def main() -> None:
    print("\n".join(table(compare())))
