"""The walk: a pure function of seed and second that keeps its promises about the start and the day before."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from statistics import pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticker.market.walk import DAY, HOUR, UNIT, Walk, growth

START = 1_790_000_123

seeds = st.text(min_size=1, max_size=8)
starts = st.integers(min_value=1_000_000_000, max_value=4_000_000_000)
offsets = st.integers(min_value=-30 * DAY, max_value=400 * DAY)


def walk(seed: str = "7:talus", *, volatility: str = "11", change: str = "0.19", start: int = START) -> Walk:
    return Walk(seed, volatility=Decimal(volatility), change=Decimal(change), start=start)


@settings(max_examples=40, deadline=None)
@given(seed=seeds, start=starts, change=st.decimals(min_value="-60", max_value="300", places=2))
def test_walk_starts_at_zero_having_gained_the_stated_change_in_a_day(
    seed: str, start: int, change: Decimal
) -> None:
    path = walk(seed, change=str(change), start=start)
    assert path.at(start) == 0
    gained = growth(path.at(start) - path.at(start - DAY)) - 1
    assert abs(gained * 100 - change) < Decimal("0.000001")


@settings(max_examples=30, deadline=None)
@given(seed=seeds, offset=offsets)
def test_same_seed_and_second_give_the_same_value_whatever_was_asked_before(seed: str, offset: int) -> None:
    fresh, used = walk(seed), walk(seed)
    for hour in range(8):
        used.at(START + offset + (hour - 4) * 5000)
    used.stretch(START - DAY, START)
    assert fresh.at(START + offset) == used.at(START + offset)


def test_another_seed_gives_another_walk() -> None:
    one, other = walk("7:talus"), walk("8:talus")
    later = range(START + 60, START + 120)
    assert [one.at(second) for second in later] != [other.at(second) for second in later]


@settings(max_examples=25, deadline=None)
@given(seed=seeds, offset=offsets, length=st.integers(min_value=0, max_value=3 * HOUR))
def test_stretch_is_what_the_seconds_one_by_one_say(seed: str, offset: int, length: int) -> None:
    path = walk(seed)
    first = START + offset
    seconds = [path.at(second) for second in range(first, first + length + 1)]
    stretch = path.stretch(first, first + length)
    assert stretch.open == seconds[0]
    assert stretch.close == seconds[-1]
    assert stretch.high == max(seconds)
    assert stretch.low == min(seconds)
    assert stretch.mean == sum(seconds) // len(seconds)
    assert len(seconds) / 2 <= stretch.activity <= len(seconds) * 3 / 2


def test_activity_of_neighbours_adds_up() -> None:
    path = walk()
    whole = path.stretch(START, START + 9999).activity
    assert (
        whole
        == path.stretch(START, START + 4321).activity + path.stretch(START + 4322, START + 9999).activity
    )


def test_no_second_jumps_not_even_from_hour_to_hour() -> None:
    path = walk()
    values = [path.at(second) for second in range(START - DAY - 2 * HOUR, START + 2 * HOUR)]
    # A step is uniform with a deviation of 11 % / sqrt(86400): at most sqrt(3) of that; the tilt is small.
    largest = 2 * Decimal("0.11") / Decimal(DAY).sqrt() * UNIT
    assert max(abs(after - before) for before, after in pairwise(values)) < largest


@pytest.mark.parametrize(("span", "share"), [(60, 1 / 1440), (HOUR, 1 / 24), (DAY, 1)])
def test_spread_grows_with_the_root_of_time_as_stated(span: int, share: float) -> None:
    path = walk("spread", volatility="4", start=START)
    first = START + 10 * DAY
    marks = [path.at(first + number * span) for number in range(121)]
    moves = [after - before for before, after in pairwise(marks)]
    assert pstdev(moves) / UNIT == pytest.approx(0.04 * share**0.5, rel=0.3)


def test_walk_stays_near_its_start_for_years() -> None:
    path = walk("years", volatility="3")
    values = [path.at(START + week * 7 * DAY) for week in range(0, 520, 4)]
    assert max(values) < UNIT
    assert min(values) > -UNIT
