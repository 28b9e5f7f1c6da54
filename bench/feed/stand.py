"""A server with its subscribers, and the two ways to drive it: at a pace, and as fast as it goes.

The pace is the driver's schedule: a tick's time is when it was due, so that a late tick counts against nobody
else. The flood is a closed loop, with DEPTH rounds on the way: no server is asked to queue without bound.
"""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from bench.feed.crowd import Crowd, Window
from bench.feed.peers import Peer
from bench.feed.server import Plan, Server

DEPTH = 2
NS = 1_000_000_000
# From deciding on a window to its first tick.
LEAD_NS = 200_000_000
# What is late after a window may arrive for so long, so that it is not taken for the next one's.
LATE_S = 1.0


class Paced(Struct, frozen=True):
    """A paced window: CPU seconds of the server, and what the subscribers saw."""

    cpu: float
    window: Window
    ticks: int

    @property
    def us(self) -> float:
        """Microseconds of CPU for each delivered message."""
        return self.cpu / max(1, self.window.messages) * 1e6


class Flood(Struct, frozen=True):
    """Messages in a second, as many as go, and what one cost in microseconds of CPU."""

    rate: float
    us: float


class Stand:
    """A running server with `many` subscribers. `close` ends both."""

    def __init__(
        self, name: str, plan: Plan, many: int, client: Path, folder: Path, *, small: int = 0
    ) -> None:
        self.name, self.many = name, many
        self.server = Server(plan, folder)
        try:
            before = self.server.resident()
            self.crowd = Crowd(client, self.server.port, many, plan.greeting, folder, small=small)
            self._subscribed(before)
        except BaseException:
            self.close()
            raise

    def _subscribed(self, before: int) -> None:
        self.crowd.opened()
        self.paced(0.25, 4)  # buffers that the first messages need are part of a subscriber's memory
        self.kib = (self.server.resident() - before) / self.many

    def paced(self, every: float, ticks: int) -> Paced:
        """So many ticks, one each `every` seconds."""
        self.server.prepare()
        step = round(every * NS)
        began = time.monotonic_ns() + LEAD_NS
        self.crowd.paced(began, step, ticks)
        used = self.server.cpu()
        for tick in range(ticks):
            wait_until(began + tick * step)
            self.server.tick()
        wait_until(began + ticks * step)
        paced = Paced(self.server.cpu() - used, self.crowd.window(every), ticks)
        if paced.window.messages < ticks * self.many:
            time.sleep(LATE_S)
        return paced

    def flood(self, seconds: float) -> Flood:
        """As many rounds as go in about `seconds`: one more whenever all have had one, DEPTH on the way."""
        self.server.prepare()
        self.crowd.tell("flood")
        used, began = self.server.cpu(), time.monotonic()
        for _ in range(DEPTH):
            self.server.tick()
        rounds = 0
        while time.monotonic() - began < seconds:
            self.crowd.round()
            self.server.tick()
            rounds += 1
        for _ in range(DEPTH):
            self.crowd.round()
        took, cpu = time.monotonic() - began, self.server.cpu() - used
        self.crowd.stop()
        messages = (rounds + DEPTH) * self.many
        return Flood(messages / took, cpu / messages * 1e6)

    def close(self) -> None:
        if hasattr(self, "crowd"):
            self.crowd.close()
        self.server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def wait_until(at: int) -> None:
    """Until `at` of the monotonic clock, in ns."""
    time.sleep(max(0, at - time.monotonic_ns()) / NS)


def raised(peer: Peer, payload: Path, many: int, client: Path, folder: Path) -> Stand:
    """A peer in a folder of its own. Missing, Failed or Stalled when it can't be."""
    own = folder / peer.name.replace(" ", "-").replace(",", "")
    own.mkdir()
    own.chmod(0o755)  # nginx's worker is another user
    return Stand(peer.name, peer.plan(payload, own), many, client, own)
