"""What an address's query asks for; what it can't have is an error with the choices in it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.errors import RequestError
from ticker.feed.terms import Terms, parse_terms, split
from ticker.messages import FIELDS, FLAGS, INTERVALS


def test_an_empty_query_asks_for_nothing_yet() -> None:
    assert parse_terms({}) == Terms((), "USD", 1000, None, (), Decimal(0))


def test_a_query_says_assets_currency_interval_and_since() -> None:
    query = {"assets": "talus,bitcoin", "currency": "uSd", "interval": "250", "since": "k3f9:12"}
    assert parse_terms(query) == Terms(("talus", "bitcoin"), "USD", 250, ("k3f9", 12))


@pytest.mark.parametrize(
    ("text", "assets"),
    [
        ("", []),
        (",, ,", []),
        (" talus , bitcoin,", ["talus", "bitcoin"]),
        ("b,a,b", ["b", "a"]),
        ("*", ["*"]),
    ],
)
def test_assets_are_split_at_commas_each_once_in_order(text: str, assets: list[str]) -> None:
    assert list(split(text)) == assets


def test_unknown_keys_are_ignored() -> None:
    assert parse_terms({"colour": "red", "Deadband": "x", "field": "x"}) == parse_terms({})


def test_a_point_that_is_none_means_from_the_beginning() -> None:
    assert parse_terms({"since": "yesterday"}).since is None


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_on_offer_is_taken(interval: int) -> None:
    assert parse_terms({"interval": str(interval)}).interval == interval


@pytest.mark.parametrize(
    "text", ["", "0", "999", "-250", "1000.0", "1e3", "+250", "0250", "\u0662\u0665\u0660"]
)
def test_an_interval_not_on_offer_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(RequestError, match="250, 1000, 5000, 15000") as caught:
        parse_terms({"interval": text})
    assert (caught.value.code, caught.value.status) == ("bad_request", 400)


@pytest.mark.parametrize("text", ["", "x" * 500, "€", "u s"])
def test_what_can_be_no_currency_is_refused_briefly(text: str) -> None:
    with pytest.raises(RequestError, match="is no currency") as caught:
        parse_terms({"currency": text})
    assert caught.value.code == "unknown_currency"
    assert len(str(caught.value)) < 100


# Fields and deadband


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", ()),
        (" , ", ()),
        ("price", ("price",)),
        ("state,price", ("price", "state")),
        (" price ,change_24h,price", ("price", "change_24h")),
        (",".join(FIELDS), FIELDS),
    ],
)
def test_fields_are_taken_once_each_in_the_quotes_order(text: str, fields: tuple[str, ...]) -> None:
    assert parse_terms({"fields": text}).fields == fields


@given(st.permutations(FIELDS), st.integers(0, len(FIELDS)))
def test_the_order_asked_for_makes_no_other_terms(fields: list[str], number: int) -> None:
    asked = fields[:number]
    assert parse_terms({"fields": ",".join(asked)}) == parse_terms({"fields": ",".join(sorted(asked))})


@pytest.mark.parametrize("text", ["prize", "price,prize", "Price", "asset", "*", "x" * 500, *FLAGS])
def test_a_field_not_in_every_quote_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(RequestError, match=r"no field .* symbol, name, currency, price") as caught:
        parse_terms({"fields": text})
    assert (caught.value.code, caught.value.status) == ("bad_request", 400)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "deadband"),
    [("0", "0"), ("0.0", "0"), ("0.1", "0.1"), ("0.10", "0.1"), ("12.5", "12.5"), ("999.9999", "999.9999")],
)
def test_a_deadband_is_a_percentage(text: str, deadband: str) -> None:
    terms = parse_terms({"deadband": text})
    assert terms.deadband == Decimal(deadband)
    assert terms == parse_terms({"deadband": deadband})
    assert bool(terms.deadband) == (deadband != "0")


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "x", "-1", "+1", ".1", "1.", "1e1", "1_0", "1000", "0.00001", "0,1", "0.1%", "nan", "inf"),
        *("\u0661", "0.1\n", "9" * 500),
    ],
)
def test_what_is_no_percentage_is_refused_briefly(text: str) -> None:
    with pytest.raises(RequestError, match=r"is a percentage such as 0\.1") as caught:
        parse_terms({"deadband": text})
    assert (caught.value.code, caught.value.status) == ("bad_request", 400)
    assert len(str(caught.value)) < 100
