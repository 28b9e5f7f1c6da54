"""Where a chart's line, candles and ticks are."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.model import Candle
from widgets import chart
from widgets.chart import DAY, FEW, RANGES, YEAR, Frame, coarser, levels, marks, runs, scale, spark, thinned

NOON = 1_763_985_600  # 2025-11-24T12:00:00Z, a Monday
STEP = 300
positive = st.decimals(min_value="1e-12", max_value="1e9", allow_nan=False, allow_infinity=False)
closes = st.lists(st.none() | positive, min_size=1, max_size=120)


def candles(*prices, step=STEP, start=NOON):
    """One candle a price, which opens where the last one closed; None is a gap."""
    made, before = [], None
    for number, price in enumerate(prices):
        if price is None:
            before = None
            continue
        close = Decimal(price)
        opened = close if before is None else before
        low, high = sorted((opened, close))
        made.append(Candle("talus", "USD", step, start + number * step, opened, high, low, close))
        before = close
    return made


def frame(low, high, *, slots, height=100, start=NOON, step=STEP, down=1):
    return Frame(start, start + slots * step, Decimal(low), Decimal(high), slots, height, 1, down)


def points(path):
    """What a browser reads in path data of M, l and L: a list of points for each piece."""
    pieces = []
    for command, said in re.findall(r"([MlL])([^MlL]*)", path):
        numbers = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", said)]
        if command == "M":
            pieces.append([])
        for x, y in zip(numbers[::2], numbers[1::2], strict=True):
            before = pieces[-1][-1] if command == "l" else (0, 0)
            pieces[-1].append((round(before[0] + x, 1), round(before[1] + y, 1)))
    return pieces


def test_line_goes_from_the_first_open_through_every_close_at_its_candles_end():
    some = [Candle("talus", "USD", STEP, NOON, Decimal(2), Decimal(9), Decimal(1), Decimal(4))]
    some += candles("8", start=NOON + STEP)
    drawn = chart.draw_line(some, frame(0, 10, slots=2), NOON + 2 * STEP)
    assert points(drawn.line) == [[(0, 80), (1, 60), (2, 20)]]
    assert (drawn.x, drawn.y) == ("2", "20")


def test_a_candle_that_goes_on_has_its_close_now():
    drawn = chart.draw_line(candles("1", "2", "3"), frame(0, 10, slots=3), NOON + 2 * STEP + STEP // 4)
    assert drawn.line.endswith("L2.2 70")  # two and a quarter, to a tenth
    assert drawn.x == "2.2"


def test_a_gap_in_the_candles_is_a_gap_in_the_line_and_in_the_area():
    drawn = chart.draw_line(candles("1", "2", None, None, "4", "5"), frame(0, 10, slots=6), NOON + DAY)
    assert points(drawn.line) == [[(0, 90), (1, 90), (2, 80)], [(4, 60), (5, 60), (6, 50)]]
    assert re.findall(r"V\S+?H(\S+?)z", drawn.area) == ["0", "4"]


def test_one_candle_is_a_line_from_its_open_to_its_close():
    one = Candle("talus", "USD", STEP, NOON, Decimal(2), Decimal(5), Decimal(1), Decimal(4))
    drawn = chart.draw_line([one], frame(0, 10, slots=1), NOON + DAY)
    assert drawn.line == "M0 80L1 60"


def test_no_candle_is_no_line():
    assert chart.draw_line([], frame(0, 1, slots=1), NOON) == ("", "", "", "")
    assert chart.draw_candles([], frame(0, 1, slots=1)) == ("", "")
    assert spark([], 120, 32) is None
    assert spark(candles("1"), 120, 32) is None
    assert chart.change([]) is None


def test_candles_that_rose_and_fell_are_apart_and_a_wick_ends_at_its_body():
    rose = Candle("talus", "USD", STEP, NOON, Decimal(4), Decimal(9), Decimal(2), Decimal(6))
    fell = Candle("talus", "USD", STEP, NOON + STEP, Decimal(5), Decimal(5), Decimal(1), Decimal(3))
    drawn = chart.draw_candles([rose, fell], frame(0, 10, slots=2))
    assert drawn.up == "M.5 10v30m0 20v20M.2 40h.6v20h-.6z"
    assert drawn.down == "M1.5 50v0m0 20v20M1.2 50h.6v20h-.6z"


def test_a_candle_that_ends_where_it_began_is_a_dash():
    flat = chart.draw_candles(candles("5"), frame(0, 10, slots=1))
    assert flat == ("M.5 50v0m0 0v0M.2 50h.6v0h-.6z", "")


@given(closes)
def test_the_line_has_a_point_for_every_candle_and_one_more_for_each_run(prices):
    some = candles(*prices)
    if not some:
        return
    low, high = scale([candle.close for candle in some])
    drawn = chart.draw_line(some, frame(low, high, slots=len(prices), height=1000, down=0), NOON + YEAR)
    pieces = points(drawn.line)
    assert [len(piece) - 1 for piece in pieces] == [len(run) for run in runs(some)]
    places = [point for piece in pieces for point in piece[1:]]
    for candle, (x, y) in zip(some, places, strict=True):
        assert x == (candle.start - NOON) / STEP + 1
        assert abs(y - 1000 * float((high - candle.close) / (high - low))) <= 0.51
        assert 0 <= y <= 1000


@given(st.lists(positive, min_size=1))
def test_an_axis_holds_all_prices_with_room_around_and_three_to_seven_round_levels(prices):
    low, high = scale(prices)
    assert 0 <= low < min(prices) or low == 0
    assert high > max(prices)
    found = levels(low, high)
    assert 3 <= len(found) <= FEW
    assert all(low <= level.price <= high for level in found)
    steps = {one.price - other.price for one, other in pairwise(found)}
    assert len(steps) == 1
    assert steps.pop().normalize().as_tuple().digits in {(1,), (2,), (5,)}
    for level in found:
        assert level.price == round(level.price, level.places)
        assert len({level.places for level in found}) == 1


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        (["73384.8", "74102"], ["74000", "73800", "73600", "73400"]),
        (["0.00995", "0.0104"], ["0.0104", "0.0103", "0.0102", "0.0101", "0.0100"]),
        (["1E-12", "3.9E-12"], ["4E-12", "3E-12", "2E-12", "1E-12", "0"]),
        (
            ["1000000000", "1200000000"],
            ["1200000000", "1150000000", "1100000000", "1050000000", "1000000000"],
        ),
    ],
)
def test_levels_are_what_a_person_would_write(prices, said):
    found = levels(*scale([Decimal(price) for price in prices]))
    assert [level.price for level in found] == [Decimal(price) for price in said]


def test_an_axis_begins_at_zero_where_that_costs_little_only():
    assert scale([Decimal(1), Decimal(3)])[0] == 0
    assert scale([Decimal(2), Decimal(3)])[0] == Decimal("1.94")


def test_noise_below_two_hundredths_of_a_percent_is_not_a_mountain():
    low, high = scale([Decimal("0.99999"), Decimal("1.00001")])
    assert (high - low) >= Decimal("0.0002")
    assert high + low == 2


@pytest.mark.parametrize("price", ["0", "1E-12", "1", "1000000000"])
def test_a_price_that_never_moved_is_in_the_middle(price):
    some = candles(price, price)
    low, high = scale([Decimal(price)])
    (line,) = points(chart.draw_line(some, frame(low, high, slots=2), NOON + DAY).line)
    assert {y for _, y in line} == {100 if price == "0" else 50}


@pytest.mark.parametrize(
    ("span", "units", "count"),
    [(DAY, {"hour", "day"}, 6), (7 * DAY, {"day"}, 7), (30 * DAY, {"day"}, 4), (YEAR, {"month", "year"}, 6)],
)
def test_marks_of_time_are_few_and_round(span, units, count):
    found = marks(NOON - span, NOON)
    assert {mark.unit for mark in found} == units
    assert len(found) in (count, count - 1)


def test_weeks_begin_on_monday_and_a_year_is_named_in_january():
    assert {datetime.fromtimestamp(mark.moment, UTC).weekday() for mark in marks(NOON - 30 * DAY, NOON)} == {
        0
    }
    (year,) = (mark for mark in marks(NOON - YEAR, NOON) if mark.unit == "year")
    assert datetime.fromtimestamp(year.moment, UTC) == datetime(2025, 1, 1, tzinfo=UTC)


@given(st.integers(0, 4_000_000_000), st.integers(DAY, 60 * YEAR))
def test_marks_are_at_most_seven_in_order_and_inside(begin, span):
    found = marks(begin, begin + span)
    assert len(found) <= FEW
    assert [mark.moment for mark in found] == sorted({mark.moment for mark in found})
    for mark in found:
        assert begin < mark.moment < begin + span
        assert abs(float(mark.at[:-1]) - 100 * (mark.moment - begin) / span) <= 0.051
        moment = datetime.fromtimestamp(mark.moment, UTC)
        assert mark.unit == "hour" or (moment.hour, moment.minute) == (0, 0)
        assert mark.unit not in {"month", "year"} or moment.day == 1


@given(closes, st.integers(1, 9))
def test_coarser_candles_lose_no_low_no_high_and_no_end(prices, times):
    some = candles(*prices)
    merged = coarser(some, times * STEP)
    assert all(candle.interval == times * STEP and candle.start % (times * STEP) == 0 for candle in merged)
    if some:
        assert merged[0].open == some[0].open
        assert merged[-1].close == some[-1].close
        assert min(candle.low for candle in merged) == min(candle.low for candle in some)
        assert max(candle.high for candle in merged) == max(candle.high for candle in some)


@given(closes, st.integers(2, 60))
def test_thinned_candles_are_at_most_so_many(prices, most):
    some = candles(*prices)
    taken = thinned(some, most)
    assert len(taken) <= most
    assert taken is some or len(some) > most


def test_every_range_is_whole_steps_and_whole_candles_and_few_of_them():
    for spoken in (RANGES[name] for name in ("1D", "7D", "1M", "1Y")):
        assert spoken.span % spoken.step == spoken.span % spoken.candle == 0
        assert spoken.candle % spoken.step == 0
        assert spoken.span // spoken.step <= 366
        assert spoken.span // spoken.candle <= 96


def test_a_spark_of_a_day_is_short_stays_inside_and_says_where_it_went():
    chance = random.Random(7)
    steps = (Decimal(chance.randint(-40, 41)) for _ in range(288))
    prices = [price / 1_000_000 for price in accumulate(steps, initial=Decimal(10_000))][:288]
    drawn = spark(candles(*prices), 120, 32)
    assert drawn is not None
    assert len(drawn.line) < 300
    ((*places,),) = points(drawn.line)
    assert len(places) <= 49
    assert places[0][0] == 0
    assert places[-1][0] == 120
    assert all(0 < y < 32 for _, y in places)
    assert drawn.area == f"{drawn.line}V32H0z"
    assert (drawn.low, drawn.high) == (min(prices), max(prices))


@pytest.mark.parametrize(("prices", "said"), [("12", "up"), ("21", "down"), ("121", "flat")])
def test_a_spark_goes_up_down_or_nowhere(prices, said):
    drawn = spark(candles(*prices), 120, 32)
    assert drawn is not None
    assert drawn.direction == said


def test_a_spark_has_its_gaps():
    drawn = spark(candles("1", "2", None, None, "1", "2"), 120, 32)
    assert drawn is not None
    assert [len(piece) for piece in points(drawn.line)] == [3, 3]


@pytest.mark.parametrize(
    ("opened", "closed", "said"),
    [
        ("100", "101.734", "1.73"),
        ("0.00000000001", "0.00000000002", "100.00"),
        ("3", "3", "0.00"),
        ("0", "1", None),
    ],
)
def test_change_is_from_the_first_open_to_the_last_close(opened, closed, said):
    some = candles(opened, closed)
    assert chart.change(some) == (None if said is None else Decimal(said))
