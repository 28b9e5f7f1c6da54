"""Numbers come out exactly as the venue wrote them, or not at all, and an error names its field."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from ticker.errors import BadAnswer
from ticker.sources.decode import Figure, Price, alone, amount, decode, keyed, positive, signed


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


def test_a_figure_is_read_for_what_it_can_mean():
    assert signed(volume("-1.5")) == Decimal("-1.5")
    assert amount(volume("-1.5")) is None
    assert amount(volume("0")) == 0
    assert positive(volume("0")) is None
    assert type(positive(volume("2"))) is Decimal


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


def test_a_row_without_its_key_costs_only_itself():
    assert list(keyed(b'[{"id":"a"},{"id":5},7,{"id":"b"}]', "id")) == ["a", "b"]


def test_rows_without_any_key_are_a_changed_answer():
    with pytest.raises(BadAnswer, match="id: missing in every row"):
        keyed(b'[{"symbol":"a"}]', "id")


def test_one_row_alone_must_have_its_key():
    assert list(alone(b'{"id":"a"}', "id")) == ["a"]
    with pytest.raises(BadAnswer, match=r"^id: missing$"):
        alone(b'{"symbol":"a"}', "id")
