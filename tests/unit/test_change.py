"""Percent changes: exact, in percent, undone by their inverse, and never minus nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.change import inverse, percent_between, rounded

# From 0.000001 to 9,999,999.999999: any coin fits, and 28 digits lose nothing that counts.
prices = st.integers(1, 10**13 - 1).map(lambda units: Decimal(units).scaleb(-6))
percents = st.integers(-(10**9), 10**9).map(lambda units: Decimal(units).scaleb(-5))
CLOSE = Decimal("1e-9")


def near(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= CLOSE * max(abs(one), abs(other), Decimal(1))


@pytest.mark.parametrize(
    ("then", "now", "percent"),
    [
        ("100", "101.73", "1.73"),
        ("80", "100", "25"),
        ("100", "80", "-20"),
        ("5", "5", "0"),
        ("5", "0", "-100"),
    ],
)
def test_a_change_is_in_percent_not_a_fraction(then: str, now: str, percent: str) -> None:
    assert percent_between(Decimal(then), Decimal(now)) == Decimal(percent)


def test_a_change_is_not_rounded() -> None:
    assert percent_between(Decimal(3), Decimal(4)) == Decimal("33.33333333333333333333333333")


@pytest.mark.parametrize("then", ["0", "0.00", "-1"])
def test_nothing_can_have_changed_from_a_price_that_is_none(then: str) -> None:
    with pytest.raises(ValueError, match=f"not from {then}"):
        percent_between(Decimal(then), Decimal(1))


@given(prices, prices)
def test_a_change_leads_from_the_one_price_to_the_other(then: Decimal, now: Decimal) -> None:
    assert near(then * (1 + percent_between(then, now) / 100), now)


@given(prices, prices)
def test_the_sign_of_a_change_is_the_direction_of_the_price(then: Decimal, now: Decimal) -> None:
    change = percent_between(then, now)
    assert (change > 0, change < 0) == (now > then, now < then)


@given(prices, prices.filter(lambda price: price >= 1))
def test_the_inverse_is_the_way_back(then: Decimal, now: Decimal) -> None:
    assert near(inverse(percent_between(then, now)), percent_between(now, then))


def test_twenty_five_up_is_undone_by_twenty_down() -> None:
    assert inverse(Decimal(25)) == -20


@pytest.mark.parametrize("percent", ["-100", "-100.01"])
def test_a_total_loss_has_no_way_back(percent: str) -> None:
    with pytest.raises(ValueError, match="can't be undone"):
        inverse(Decimal(percent))


@given(percents)
def test_readers_see_two_places_and_never_minus_nothing(percent: Decimal) -> None:
    shown = rounded(percent)
    assert shown.as_tuple().exponent == -2
    assert abs(shown - percent) <= Decimal("0.005")
    assert not (shown.is_zero() and shown.is_signed())


@pytest.mark.parametrize("percent", ["-0.001", "-0.004999", "-0", "-0E+3"])
def test_a_small_loss_is_no_negative_zero(percent: str) -> None:
    assert str(rounded(Decimal(percent))) == "0.00"


def test_a_change_of_any_size_that_a_venue_may_send_can_be_rounded() -> None:
    # sources/decode.py takes prices from 1e-40 to 1e40.
    assert rounded(percent_between(Decimal("1e-20"), Decimal("1e20"))) > 0
