"""Numbers come out exactly as the venue wrote them, or not at all, and an error names its field."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct

from ticker.errors import BadAnswer
from ticker.sources.decode import (
    Doubt,
    Figure,
    Price,
    amount,
    decode,
    percent,
    positive,
    price,
    prices,
    signed,
)


class Row(Struct):
    price: Price
    volume: Figure | None = None
    time: int | None = None


def volume(text: str) -> Figure | None:
    return decode(Row, f'{{"price":1,"volume":{text}}}'.encode()).volume


@given(st.decimals("1e-30", "1e20", places=30), st.booleans())
def test_number_or_text_is_read_exactly(number: Decimal, quoted: bool):
    text = f'"{number:f}"' if quoted else f"{number:f}"
    assert Decimal(decode(Row, f'{{"price":{text}}}'.encode()).price) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.234e-08", "0.00000001234"),
        ('"1.234E-8"', "0.00000001234"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("12345678901234567890123456789012345", "12345678901234567890123456789012345"),
    ],
)
def test_no_digit_is_lost_and_none_is_added(text: str, number: str):
    assert format(Decimal(decode(Row, f'{{"price":{text}}}'.encode()).price), "f") == number


@pytest.mark.parametrize(
    "text",
    [
        *('"NaN"', '"Infinity"', '"-Infinity"', '"1_000"', '"1,5"', '" 1"', '"0x10"', '"١"', '""', '"price"'),
        *(
            "null",
            "true",
            "{}",
            "[1]",
            "0",
            "0.0",
            '"0.00000000"',
            "-1",
            '"-0.5"',
            "1E+999",
            "1e-999",
            "0e-999",
        ),
        *("1e99999999999", '"' + "9" * 100 + '"', "9" * 5000),
    ],
)
def test_what_is_no_price_is_refused_and_named(text: str):
    with pytest.raises(BadAnswer, match=r"^price: .+"):
        decode(Row, f'{{"price":{text}}}'.encode())


def test_a_missing_field_is_named():
    with pytest.raises(BadAnswer, match=r"^price: missing$"):
        decode(Row, b"{}")


def test_a_retyped_field_says_what_came_instead():
    with pytest.raises(BadAnswer, match=r"^price: expected a number, got an object$"):
        decode(Row, b'{"price":{"usd":1}}')


@pytest.mark.parametrize("text", ["null", '"nan"', '"NaN"', '""'])
def test_an_unknown_figure_is_none(text: str):
    assert signed(volume(text)) is None
    assert amount(volume(text)) is None
    assert positive(volume(text)) is None
    assert percent(volume(text)) is None


def test_a_figure_is_read_for_what_it_can_mean():
    assert signed(volume("-1.5")) == Decimal("-1.5")
    assert amount(volume("-1.5")) is None
    assert amount(volume("0")) == 0
    assert positive(volume("0")) is None
    assert type(positive(volume("2"))) is Decimal


@pytest.mark.parametrize("read", [signed, amount, positive, percent, lambda said: prices("1", said)])
@pytest.mark.parametrize(
    "text", ["nan", "", "1_000", "+5", ".5", "5.", " 5", "1e5", "9" * 41, "1|2", True, 1.5, []]
)
def test_what_is_not_plainly_a_number_is_left_to_the_careful_way(read: Callable[[Any], object], text: Any):
    with pytest.raises(Doubt):
        read(text)


@given(st.decimals("-1e30", "1e30", places=9), st.booleans())
def test_text_is_read_as_the_figure_it_is(number: Decimal, whole: bool):
    text, figure = f"{number:f}", Figure(number)
    for read in (signed, amount, positive, percent):
        assert repr(read(text)) == repr(read(figure))
    assert signed(int(number)) == int(number)


@pytest.mark.parametrize("said", ["0", "0.000", "-1", 0, None, UNSET, "nan"])
def test_there_is_no_price_but_above_zero(said: Any):
    for read in (price, prices):
        with pytest.raises(Doubt):
            read(said)


@pytest.mark.parametrize("others", [("0", "2.50"), (None, "2.50"), (UNSET, Figure("2.50")), ("-1", "2.50")])
def test_prices_are_read_together_as_each_alone(others: tuple[Any, Any]):
    assert repr(prices("1.0", *others)) == repr((Decimal("1.0"), [None, Decimal("2.50")]))


def test_a_price_of_digits_alone_is_exact_to_the_fortieth():
    for text in ("9" * 40, "0." + "0" * 39 + "1"):
        assert prices(text) == (Decimal(text), [])


@pytest.mark.parametrize("text", ["1790000000123", '"1790000000123"'])
def test_a_time_may_come_as_text(text: str):
    assert decode(Row, f'{{"price":1,"time":{text}}}'.encode()).time == 1790000000123


@given(st.binary(max_size=200))
def test_no_body_raises_anything_but_bad_answer(body: bytes):
    for kind in (Row, dict[str, Row], list[Row]):
        try:
            decode(kind, body)
        except BadAnswer:
            continue


def test_a_deeply_nested_body_is_a_bad_answer():
    with pytest.raises(BadAnswer):
        decode(Row, b'{"price":1,"other":' + b"[" * 100_000)
