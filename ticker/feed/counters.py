"""What the feed has done so far, in plain numbers that anyone may read."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

# Upper bounds in seconds, of which the last is open.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Durations:
    """How many were at most as long as each of BUCKETS, and their sum in seconds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.sum += seconds


class Counters:
    """Totals since the start. `latency`: from a cohort's first change to its last reader's write.

    The wait for the cohort's interval is part of it. `resyncs` by reason, `closes` by code (1006: no closing
    handshake), `refused` by error code, `skipped`: frames that a lagging reader did not get.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.frames = 0
        self.bytes = 0
        self.skipped = 0
        self.latency = Durations()
        self.resyncs: Counter[str] = Counter()
        self.closes: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()

    def wrote(self, sent: int, readers: int, size: int) -> None:
        """A frame of `size` bytes that `sent` of `readers` got."""
        self.frames += sent
        self.bytes += sent * size
        self.skipped += readers - sent
