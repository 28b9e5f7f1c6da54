"""The budget: never exceeded in any window, never waited for longer than asked."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.errors import RateLimited
from ticker.sources.allowance import Allowance
from ticker.sources.base import Budget


class LeapingClock:
    """Sleeping passes at once."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> int:
        return int(self.time * 1000)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


@given(st.lists(st.tuples(st.integers(1, 10), st.floats(0, 5)), max_size=30))
def test_no_window_ever_holds_more_than_the_limit(spends: list[tuple[int, float]]):
    clock = LeapingClock()
    allowance = Allowance(Budget(10, 60), clock, "Venue")
    spent: list[tuple[float, int]] = []

    async def spend() -> None:
        for weight, pause in spends:
            await allowance.take(weight, patience=1e9)
            spent.append((clock.time, weight))
            clock.time += pause

    asyncio.run(spend())
    for end, _ in spent:
        # Ends are shrunk a little: at the very edge of a window floating point decides.
        assert sum(weight for at, weight in spent if end - 59.999 < at <= end) <= 10


async def test_those_who_wait_together_do_not_overspend():
    clock = LeapingClock()
    allowance = Allowance(Budget(4, 10), clock, "Venue")
    await asyncio.gather(*(allowance.take(2, patience=1000) for _ in range(7)))
    assert allowance.used <= 4
    assert clock.time >= 30


async def test_beyond_its_patience_a_request_is_refused_with_the_time_to_wait():
    allowance = Allowance(Budget(4, 60), LeapingClock(), "Venue")
    await allowance.take(4, patience=0)
    with pytest.raises(RateLimited, match="our own budget for Venue") as refused:
        await allowance.take(1, patience=30)
    assert refused.value.retry_after == 60
    assert allowance.used == 4


async def test_spent_weight_returns_when_its_window_has_passed():
    clock = LeapingClock()
    allowance = Allowance(Budget(4, 60), clock, "Venue")
    await allowance.take(3, patience=0)
    clock.time = 60
    assert allowance.used == 0


async def test_weight_spent_by_others_on_our_address_counts():
    allowance = Allowance(Budget(100, 60), LeapingClock(), "Venue")
    await allowance.take(2, patience=0)
    allowance.learn(99)
    allowance.learn(99)
    allowance.learn(5)
    assert allowance.used == 99
    with pytest.raises(RateLimited):
        await allowance.take(2, patience=1)


async def test_a_pause_refuses_at_once_and_a_shorter_one_does_not_end_it():
    clock = LeapingClock()
    allowance = Allowance(Budget(100, 60), clock, "Venue")
    allowance.pause(120)
    allowance.pause(1)
    with pytest.raises(RateLimited, match="Venue asked us to wait; 120 s are left"):
        await allowance.take(1, patience=1000)
    clock.time = 120
    await allowance.take(1, patience=0)


async def test_a_weight_above_the_limit_takes_the_whole_window():
    allowance = Allowance(Budget(10, 60), LeapingClock(), "Venue")
    await allowance.take(80, patience=0)
    assert allowance.used == 10
