"""One service lets all its sessions go and another one on the port takes them up, while prices go on.

Two `ticker serve`, the embedded market and the clients are processes of their own; nothing is driven by hand.
The same clients' gaps before the drain stand beside those in it. Refuses to wait for ever and to leave
a client out.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.feed.compare import columns, tell
from bench.feed.crowd import OPENING_S, Clients, Stalled
from bench.feed.followers import Seen
from bench.feed.server import ROOT, STARTING_S, Failed, free_port, python
from bench.feed.stand import NS

DRAIN_SECONDS = 30
# As ticker.feed.delivery has it: few sessions take less than the drain may.
EACH_SECONDS = 0.01
INTERVAL_MS = 1000
PROCESSES = 4
# What may come after the window until a wait is given up: farewells, history, and a machine that is busy.
GRACE_S = 30.0
NAME = 28
SPREAD_HEADS = ("clients", 10), ("first", 10), ("last", 10), ("most in 1 s", 14)
PARTS_HEADS = ("p50", 10), ("p99", 10), ("worst", 10)
# Tokens whose price is another one each second.
PAIRS = {"bitcoin": ("binance", "BTCUSDT"), "ethereum": ("mexc", "ETHUSDT")}
SETTINGS = """\
[server]
listen = "127.0.0.1:{port}"
reuse_port = true
drain_seconds = {seconds}
[metrics]
listen = "127.0.0.1:{metrics}"
[history]
path = "{history}"
backfill = false
[limits]
sessions_per_address = 0
handshakes_per_minute = 0
[currency]
pegs = {{ USDT = "USD" }}
[currency.rates]
source = "off"
"""
SOURCE = """\
[sources.{venue}]
base_url = "{base}/{venue}"
mode = "poll"
interval = 0.25
[assets.{asset}]
symbol = "{symbol}"
name = "{asset}"
pairs = ["{venue}:{symbol}"]
"""


class Spread(Struct, frozen=True):
    """When something happened to the clients: seconds from the signal, and how many within one second."""

    number: int
    first: float
    last: float
    most: int


class Parts(Struct, frozen=True):
    """The median, the 99th of 100 and the worst."""

    p50: float
    p99: float
    worst: float


class Drained(Struct, frozen=True):
    """What is printed, and written with --json. Seconds, from the signal where a moment; gaps in intervals.

    `late_ms`: how long after the named moment, counted from the signal, a client saw its end; `early_ms`: how
    long before it, counted from when the client heard of it. Until then it waits without prices.
    `within` were back in the window; `stale` had to call a price stale; `same` hold what the service says.
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
    gaps_before: Parts
    gaps: Parts
    over_two_before: int
    over_two: int
    stale: int
    resyncs: int
    refusals: int
    failures: int
    lost: list[str]
    codes: dict[int, int]
    same: int
    opened: int
    exit_code: int
    ended: float


class Service:
    """A `ticker serve` of its own. Ready when made; ended by `close`, if it hasn't by itself."""

    def __init__(self, folder: Path, base: str, port: int) -> None:
        folder.mkdir()
        self._metrics = free_port()
        settings = folder / "ticker.toml"
        settings.write_text(written(base, port, self._metrics, folder / "history.sqlite"), encoding="utf-8")
        self._log = folder / "stderr"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TICKER_")}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                python("ticker", "serve", "--config", settings), cwd=ROOT, env=environment, stderr=log
            )
        try:
            until(self._ready, STARTING_S, "a service does not start")
        except BaseException:
            self.close()
            raise

    def _ready(self) -> bool:
        if self._process.poll() is not None:
            raise Failed(self.last_words())
        try:
            return self.figure('ticker_assets{state="live"}') == len(PAIRS)
        except OSError:
            return False

    def figure(self, name: str) -> float:
        """One of its metrics; 0 where it has none of the name."""
        lines = got(self._metrics, "/metrics").decode().splitlines()
        return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} ")), 0.0)

    def sessions(self) -> int:
        return round(self.figure("ticker_feed_sessions"))

    def stop(self) -> int:
        """Send SIGTERM. When that was, in ns."""
        self._process.send_signal(signal.SIGTERM)
        return time.monotonic_ns()

    def ended(self, patience: float) -> tuple[int, int]:
        """Its exit status and when it ended, in ns. Stalled after `patience` seconds."""
        try:
            status = self._process.wait(patience)
        except subprocess.TimeoutExpired:
            raise Stalled(f"the service has not ended within {patience:.0f} s") from None
        return status, time.monotonic_ns()

    def last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class Crowd:
    """The clients, in some processes. Each question is answered for all of them together."""

    def __init__(self, stack: ExitStack, port: int, sessions: int) -> None:
        self._processes = []
        share = -(-sessions // PROCESSES)
        for first in range(0, sessions, share):
            numbers = (str(INTERVAL_MS), str(first), str(min(share, sessions - first)))
            command = python("bench.feed.followers", f"http://127.0.0.1:{port}", ",".join(PAIRS), *numbers)
            self._processes.append(stack.enter_context(closing(Clients(command))))
        for process in self._processes:
            process.line(OPENING_S)

    def _asked(self, question: str) -> Iterator[str]:
        for process in self._processes:
            process.tell(question)
        return (process.line() for process in self._processes)

    def gaps(self) -> list[float]:
        """Each client's longest time without a price since the last question, in intervals."""
        told = (gap for line in self._asked("gaps") for gap in json.loads(line))
        return [gap / 1e6 / INTERVAL_MS for gap in told]

    def seen(self) -> list[Seen]:
        return [seen for line in self._asked("seen") for seen in msgspec.json.decode(line, type=list[Seen])]

    def held(self) -> dict[str, Counter[str]]:
        """Of each asset, how many hold which price."""
        together = {asset: Counter[str]() for asset in PAIRS}
        for line in self._asked("held"):
            for asset, counts in json.loads(line).items():
                together[asset].update(counts)
        return together


def written(base: str, port: int, metrics: int, history: Path) -> str:
    """The configuration of one service, as TOML."""
    head = SETTINGS.format(port=port, metrics=metrics, history=history, seconds=DRAIN_SECONDS)
    sources = (
        SOURCE.format(base=base, venue=venue, asset=asset, symbol=symbol)
        for asset, (venue, symbol) in PAIRS.items()
    )
    return head + "".join(sources)


def got(port: int, path: str) -> bytes:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read()


def until(true: Callable[[], bool], patience: float, otherwise: str) -> None:
    """Wait for something to become true. Stalled after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not true():
        if time.monotonic() > deadline:
            raise Stalled(otherwise)
        time.sleep(0.1)


@contextmanager
def market() -> Iterator[Clients]:
    """The embedded market, in a process of its own; its first line is its address."""
    with closing(Clients(python("ticker.market", "--listen", "127.0.0.1:0"))) as process:
        yield process


def drain(sessions: int, seconds: float) -> Drained:
    """Let `sessions` go, `seconds` after the second service stands. Failed or Stalled when that fails."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        made_up, port = stack.enter_context(market()), free_port()
        base = made_up.line()
        first = stack.enter_context(closing(Service(Path(name) / "first", base, port)))
        crowd = Crowd(stack, port, sessions)
        tell(f"{first.sessions()} sessions")
        second = stack.enter_context(closing(Service(Path(name) / "second", base, port)))
        crowd.gaps()
        time.sleep(seconds)
        before = crowd.gaps()
        began = first.stop()
        tell("the first is told to stop")
        status, end = first.ended(DRAIN_SECONDS + GRACE_S)
        tell(f"it has ended with {status}: {first.last_words()}")
        wait_for_all(second, sessions)
        during, opened = crowd.gaps(), round(second.figure("ticker_feed_opened_sessions_total"))
        made_up.close()  # prices stand still, so that they can be compared
        same = agreeing(crowd, port, sessions)
        seen = crowd.seen()
    return summed_up(
        seen, began, before, during, same=same, opened=opened, exit_code=status, ended=(end - began) / NS
    )


def wait_for_all(service: Service, sessions: int) -> None:
    """Until the service has them, and two intervals more. Whoever doesn't come is missing in the figures."""
    try:
        until(lambda: service.sessions() >= sessions, GRACE_S, f"{sessions} are not back")
    except Stalled as reason:
        tell(str(reason))
    time.sleep(2 * INTERVAL_MS / 1000)


def agreeing(crowd: Crowd, port: int, sessions: int) -> int:
    """How many hold each price that the service says: all, or as many as after GRACE_S."""
    deadline = time.monotonic() + GRACE_S
    while True:
        time.sleep(2 * INTERVAL_MS / 1000)
        said = {q["asset"]: q["price"] for q in json.loads(got(port, "/v1/quotes"))["quotes"]}
        held = crowd.held()
        same = min(held[asset][said[asset]] for asset in PAIRS)
        if same == sessions or time.monotonic() > deadline:
            return same


# Figures


def summed_up(
    seen: Sequence[Seen],
    began: int,
    before: Sequence[float],
    during: Sequence[float],
    *,
    same: int,
    opened: int,
    exit_code: int,
    ended: float,
) -> Drained:
    window = min(DRAIN_SECONDS, EACH_SECONDS * len(seen))
    back = [(one.back - began) / NS for one in seen if one.back]
    return Drained(
        sessions=len(seen),
        window=window,
        told=spread([(one.told - began) / NS for one in seen if one.told]),
        named=spread([one.named_ms / 1000 for one in seen if one.told]),
        closed=spread([(one.closed - began) / NS for one in seen if one.closed]),
        back=spread(back),
        late_ms=parts([(one.closed - began) / 1e6 - one.named_ms for one in seen if one.closed]),
        early_ms=parts([(one.told - one.closed) / 1e6 + one.named_ms for one in seen if one.closed]),
        away_ms=parts([(one.back - one.closed) / 1e6 for one in seen if one.back]),
        within=sum(moment <= window for moment in back),
        gaps_before=parts(before),
        gaps=parts(during),
        over_two_before=sum(gap > 2 for gap in before),
        over_two=sum(gap > 2 for gap in during),
        stale=sum(not one.held for one in seen),
        resyncs=sum(one.resyncs for one in seen),
        refusals=sum(one.refusals for one in seen),
        failures=sum(one.failures for one in seen),
        lost=[one.lost for one in seen if one.lost],
        codes=dict(Counter(one.code for one in seen)),
        same=same,
        opened=opened,
        exit_code=exit_code,
        ended=ended,
    )


def spread(moments: Sequence[float]) -> Spread:
    most = max(Counter(int(moment) for moment in moments).values(), default=0)
    return Spread(len(moments), min(moments, default=0), max(moments, default=0), most)


def parts(values: Sequence[float]) -> Parts:
    ordered = sorted(values) or [0.0]
    p50, p99 = (ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] for percent in (50, 99))
    return Parts(p50, p99, ordered[-1])


def drain_lines(result: Drained) -> list[str]:
    evenly = result.sessions / max(1.0, result.window)
    moments = {
        "goodbye came": result.told,
        "moments it named": result.named,
        "closed": result.closed,
        "back, with prices": result.back,
    }
    times = {
        "closed late, ms": result.late_ms,
        "before what it heard, ms": result.early_ms,
        "away, ms": result.away_ms,
    }
    gaps = {"before the drain": result.gaps_before, "in it": result.gaps}
    return [
        f"{result.sessions} sessions, let go over {result.window:g} s: evenly, {evenly:.0f} in each second",
        columns("seconds from SIGTERM", SPREAD_HEADS, NAME),
        *(spread_row(name, one) for name, one in moments.items()),
        columns("", PARTS_HEADS, NAME),
        *(parts_row(name, one) for name, one in times.items()),
        f"longest time without a price, in intervals of {INTERVAL_MS} ms",
        *(parts_row(name, one) for name, one in gaps.items()),
        f"over two intervals: {result.over_two_before} before the drain, {result.over_two} in it",
        f"back within the window: {result.within}, the last {result.back.last:.2f} s after SIGTERM",
        f"prices called stale by {result.stale} clients, given up {len(result.lost)}",
        f"resyncs {result.resyncs}, refusals {result.refusals}, failures {result.failures}",
        f"the second service opened {result.opened} sessions; {result.same} hold the prices that it says",
        f"the first ended with {result.exit_code}, {result.ended:.2f} s after SIGTERM",
    ]


def spread_row(name: str, one: Spread) -> str:
    return f"{name:{NAME}}{one.number:10}{one.first:10.2f}{one.last:10.2f}{one.most:14}"


def parts_row(name: str, one: Parts) -> str:
    return f"{name:{NAME}}{one.p50:10.2f}{one.p99:10.2f}{one.worst:10.2f}"
