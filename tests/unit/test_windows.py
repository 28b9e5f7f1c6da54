"""Changes over windows: against the price that was said then, and none where nothing was said then."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticker.change import percent_between
from ticker.model import Basis, Candle, Change, Window
from ticker.windows import LENGTHS, Windows

NOW = 1_790_000_123_456
HOUR_MS = 3_600_000


def seen(*prices: tuple[int, str]) -> Windows:
    """Prices of one asset, each so many ms ago."""
    windows = Windows()
    for age, price in prices:
        windows.seen("talus", "USD", NOW - age, Decimal(price))
    return windows


def percent(windows: Windows, window: Window, price: str = "110", now: int = NOW) -> Decimal | None:
    change = windows.change("talus", window, now, Decimal(price))
    return None if change is None else change.percent


@pytest.mark.parametrize("window", Window)
def test_change_is_from_the_price_said_a_window_ago(window: Window) -> None:
    length, step = LENGTHS[window]
    windows = seen(((length + step) * 1000, "100"), (0, "110"))
    assert windows.change("talus", window, NOW, Decimal(110)) == Change(Decimal(10), window, Basis.ROLLING)


@pytest.mark.parametrize("window", Window)
def test_window_whose_beginning_was_not_seen_has_no_change(window: Window) -> None:
    length, step = LENGTHS[window]
    assert percent(Windows(), window) is None
    assert percent(seen((0, "110")), window) is None
    assert percent(seen(((length + 4 * step) * 1000, "100"), (0, "110")), window) is None
    assert percent(seen(((length - 2 * step) * 1000, "100"), (0, "110")), window) is None


@pytest.mark.parametrize("window", Window)
def test_gap_at_the_beginning_is_bridged_by_a_neighbour(window: Window) -> None:
    length, step = LENGTHS[window]
    for steps in (-2, -1, 0):
        middle = (NOW - length * 1000) // (step * 1000) * step * 1000 + steps * step * 1000 + 1
        assert percent(seen((NOW - middle, "100"), (0, "110")), window) == 10


def test_price_later_in_a_step_stands_for_it_and_one_that_comes_late_does_not() -> None:
    windows = seen((HOUR_MS + 60_000, "50"), (HOUR_MS + 59_000, "100"), (HOUR_MS + 60_500, "70"))
    assert percent(windows, Window.HOUR) == 10


def test_one_asset_says_nothing_about_another() -> None:
    windows = seen((HOUR_MS + 60_000, "100"))
    assert windows.change("bitcoin", Window.HOUR, NOW, Decimal(1)) is None


def test_another_currency_begins_a_new_past() -> None:
    windows = seen((HOUR_MS + 60_000, "100"))
    windows.seen("talus", "USDT", NOW, Decimal(110))
    assert percent(windows, Window.HOUR) is None


def candle(age: int, close: str, interval: int = 60, currency: str = "USD") -> Candle:
    price = Decimal(close)
    start = (NOW - age) // (interval * 1000) * interval * 1000
    return Candle("talus", currency, interval, start, price * 2, price * 3, price / 2, price)


@pytest.mark.parametrize("window", Window)
def test_seed_fills_the_window_of_its_interval_with_closes(window: Window) -> None:
    length, step = LENGTHS[window]
    windows = Windows()
    windows.seed([candle((length + step) * 1000, "100", step)])
    assert percent(windows, window) == 10
    assert [percent(windows, other) for other in Window if other is not window] == [None, None]


def test_seed_changes_nothing_that_was_seen_and_nothing_of_another_currency() -> None:
    windows = seen((HOUR_MS + 60_000, "100"), (0, "110"))
    windows.seed([candle(HOUR_MS + 60_000, "5"), candle(0, "5", 300), candle(86_460_000, "5", 300, "EUR")])
    assert percent(windows, Window.HOUR) == 10
    assert percent(windows, Window.DAY) is None


def test_seed_behind_what_was_seen_covers_the_past() -> None:
    windows = seen((0, "110"))
    windows.seed([candle(HOUR_MS + 60_000, "100")])
    assert percent(windows, Window.HOUR) == 10


def test_seed_far_too_old_is_left_out() -> None:
    windows = seen((0, "110"))
    windows.seed([candle(65 * 60_000, "5")])
    assert percent(windows, Window.HOUR) is None


prices = st.decimals(min_value=Decimal("1E-12"), max_value=Decimal("1E12"), places=15)


@given(prices, prices)
def test_change_is_exact_to_far_more_than_what_is_shown(then: Decimal, now: Decimal) -> None:
    windows = seen((HOUR_MS + 60_000, str(then)))
    found = windows.change("talus", Window.HOUR, NOW, now)
    assert found is not None
    exact = percent_between(then, now)
    assert abs(found.percent - exact) <= abs(exact + 100) * Decimal("1E-16")


@given(st.lists(st.integers(0, 4 * 3600), min_size=1, max_size=40), st.integers(0, 2 * 3600))
@settings(max_examples=200)
def test_reference_price_is_never_further_from_the_windows_start_than_three_steps(
    moments: list[int], later: int
) -> None:
    windows = Windows()
    for second in sorted(moments):
        windows.seen("talus", "USD", NOW + second * 1000, Decimal(second + 1))
    now = NOW + (max(moments) + later) * 1000
    change = windows.change("talus", Window.HOUR, now, Decimal(1000))
    begin = max(moments) + later - 3600
    if change is None:
        # A price in the minute that had just ended is always found.
        assert not any((NOW + s * 1000) // 60_000 == (NOW + begin * 1000) // 60_000 - 1 for s in moments)
    else:
        reference = 1000 / (change.percent / 100 + 1) - 1
        assert abs(reference - begin) <= 180
