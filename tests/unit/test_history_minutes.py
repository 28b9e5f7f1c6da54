"""Candle arithmetic: the shape of a candle holds for any prices, and rolling up loses none of it."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ticker.history.minutes import MINUTE_MS, extended, rolled_up
from ticker.model import Candle

prices = st.decimals(min_value=Decimal("1E-12"), max_value=Decimal("1E9"), places=12)


def minute(start: int, first: Decimal, *more: Decimal) -> Candle:
    candle = Candle("talus", "USD", 60, start, first, first, first, first)
    for price in more:
        candle = extended(candle, price)
    return candle


@given(st.lists(prices, min_size=1, max_size=30))
def test_candle_holds_first_highest_lowest_and_last_price(seen: list[Decimal]) -> None:
    candle = minute(0, *seen)
    assert (candle.open, candle.high, candle.low, candle.close) == (seen[0], max(seen), min(seen), seen[-1])


@given(
    st.dictionaries(st.integers(0, 200), st.lists(prices, min_size=1, max_size=4), min_size=1),
    st.integers(1, 60),
)
def test_rolled_up_minutes_equal_candles_made_from_the_same_prices(
    seen: dict[int, list[Decimal]], span: int
) -> None:
    minutes = [minute(n * MINUTE_MS, *seen[n]) for n in sorted(seen)]
    spans: dict[int, list[Decimal]] = {}
    for n in sorted(seen):
        spans.setdefault(n // span, []).extend(seen[n])
    expected = [
        Candle("talus", "USD", span * 60, n * span * MINUTE_MS, all_[0], max(all_), min(all_), all_[-1])
        for n, all_ in spans.items()
    ]
    assert rolled_up(minutes, span * 60) == expected


def test_nothing_rolls_up_to_nothing() -> None:
    assert rolled_up([], 3600) == []
