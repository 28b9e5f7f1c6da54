"""The counters' histogram: every duration is in one bucket, and a bound belongs to the bucket below it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from ticker.feed.counters import BUCKETS, Durations


@given(st.lists(st.sampled_from(BUCKETS) | st.floats(0, 60), max_size=50))
def test_as_many_are_at_most_a_bound_as_there_were(seconds: list[float]) -> None:
    seen = Durations()
    for each in seconds:
        seen.observe(each)
    for place, bound in enumerate(BUCKETS):
        assert sum(seen.counts[: place + 1]) == sum(each <= bound for each in seconds)
    assert sum(seen.counts) == len(seconds)
    assert math.isclose(seen.sum, math.fsum(seconds), abs_tol=1e-9)


def test_what_is_longer_than_all_bounds_is_counted_too() -> None:
    seen = Durations()
    seen.observe(3600)
    assert seen.counts == [0] * len(BUCKETS) + [1]


def test_bounds_rise() -> None:
    assert list(BUCKETS) == sorted(set(BUCKETS))
