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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec

from bench.feed.compare import tell
from bench.feed.crowd import OPENING_S, Clients, Stalled
from bench.feed.drained import DRAIN_SECONDS, INTERVAL_MS, Drained, Ending, Span, summed_up
from bench.feed.followers import Seen
from bench.feed.server import ROOT, STARTING_S, Failed, free_port, python
from bench.feed.stand import NS
from bench.feed.usage import machine_seconds, own_seconds

PROCESSES = 4
# What may come after the window until a wait is given up: farewells, history, and a machine that is busy.
GRACE_S = 30.0
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
        quiet = Meter(crowd)
        time.sleep(seconds)
        before, in_it = quiet.read(), Meter(crowd)
        began = first.stop()
        tell("the first is told to stop")
        status, end = first.ended(DRAIN_SECONDS + GRACE_S)
        tell(f"it has ended with {status}: {first.last_words()}")
        wait_for_all(second, sessions)
        during = in_it.read()
        opened = round(second.figure("ticker_feed_opened_sessions_total"))
        made_up.close()  # prices stand still, so that they can be compared
        same = agreeing(crowd, port, sessions)
        ending = Ending(exit_code=status, ended=(end - began) / NS, opened=opened, same=same)
        return summed_up(crowd.seen(), began, before, during, ending)


class Meter:
    """What a time is like for the clients and the machine: from when it is made until it is read."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        crowd.gaps()
        self._ours, self._all, self._began = own_seconds(), machine_seconds(), time.monotonic()

    def read(self) -> Span:
        took = time.monotonic() - self._began
        ours, everything = own_seconds() - self._ours, machine_seconds() - self._all
        return Span(self._crowd.gaps(), ours / took, max(0.0, everything - ours) / took)


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
