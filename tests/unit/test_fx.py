"""Conversion: what is measured, what is assumed, what is unknown; no digit invented, none lost at par."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.fx import IDENTITY, Rate, convert, rate
from ticker.model import State
from ticker.wire import plain

amounts = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(1, 10**20), st.integers(-25, 5)
)
rates = amounts.map(Rate)


def test_a_currency_is_worth_one_of_itself_whatever_the_table_says() -> None:
    assert rate("USD", "USD", {"USD": Rate(Decimal(2))}) is IDENTITY


def test_a_currency_without_a_measure_has_no_rate() -> None:
    assert rate("USDT", "USD", {"USDC": Rate(Decimal(1))}) is None


def test_a_rate_keeps_its_freshness_and_that_it_is_assumed() -> None:
    peg = Rate(Decimal(1), State.DELAYED, assumed=True)
    assert rate("USDT", "USD", {"USDT": peg}) is peg


def test_a_depegged_stablecoin_is_not_a_dollar() -> None:
    assert convert(Decimal(100), Rate(Decimal("0.88"))) == 88


@pytest.mark.parametrize("one", ["1", "1.000"])
def test_at_one_to_one_every_digit_stays(one: str) -> None:
    amount = Decimal("73397.770000000000000001230")
    assert str(convert(amount, Rate(Decimal(one)))) == "73397.770000000000000001230"


def test_a_converted_amount_has_ten_digits_and_no_idle_zeros() -> None:
    assert plain(convert(Decimal("73397.77"), Rate(Decimal("0.99987654")))) == "73388.70831"
    assert plain(convert(Decimal(200000), Rate(Decimal("0.5")))) == "100000"


@given(amounts, rates)
def test_a_converted_amount_is_right_to_ten_digits(amount: Decimal, by: Rate) -> None:
    exact = amount * by.value
    assert abs(convert(amount, by) - exact) <= exact * Decimal("5.1e-10")


@given(amounts, amounts, rates)
def test_conversion_keeps_the_order_of_amounts_at_a_measured_rate(
    one: Decimal, other: Decimal, by: Rate
) -> None:
    assert (one <= other) <= (convert(one, by) <= convert(other, by))


@given(amounts, rates)
def test_a_converted_amount_has_a_plain_form(amount: Decimal, by: Rate) -> None:
    text = plain(convert(amount, by))
    assert "E" not in text
    assert Decimal(text) == convert(amount, by)
