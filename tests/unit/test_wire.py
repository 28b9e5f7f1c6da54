"""The wire, byte for byte: plain decimals, nulls, the keys that FEED names."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from tests.unit.conftest import NOW, asset, day, pair
from tests.unit.quote_strategies import TALUS, changes, numbers, quotes, read
from ticker.model import Basis, Candle, Observation, Quote
from ticker.wire import (
    QuoteObject,
    asset_object,
    candle_object,
    encode,
    error_body,
    observation_object,
    plain,
    quote_object,
    schemas,
)

AMOUNT = re.compile(r"-?\d+(\.\d+)?")
AMOUNTS = ("price", "change_1h", "change_24h", "change_7d", "high_24h", "low_24h", "volume_24h", "market_cap")


# Decimals


@given(numbers)
def test_plain_notation_is_the_number_exactly_and_has_no_exponent(number: Decimal) -> None:
    text = plain(number)
    assert AMOUNT.fullmatch(text)
    assert Decimal(text) == number


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1.234E-5", "0.00001234"),
        ("1.2340e-08", "0.000000012340"),
        ("1E+5", "100000"),
        ("73397.770", "73397.770"),
        ("0E-8", "0.00000000"),
    ],
)
def test_a_price_is_written_as_the_venue_wrote_it_but_for_the_exponent(written: str, text: str) -> None:
    assert plain(Decimal(written)) == text


@given(quotes)
def test_every_amount_of_a_quote_is_a_plain_string_or_null(quote: Quote) -> None:
    sent = read(encode(quote_object(quote)))
    for name in AMOUNTS:
        assert sent[name] is None or AMOUNT.fullmatch(sent[name])
        assert (sent[name] is None) == (getattr(quote, name) is None)


@given(changes)
def test_a_percent_has_two_places_and_is_never_minus_nothing(change: Any) -> None:
    sent = quote_object(Quote(asset="a", symbol="A", name="A", currency="USD", change_24h=change)).change_24h
    assert sent is None or (re.fullmatch(r"-?\d+\.\d\d", sent) and sent != "-0.00")


# The quote


def test_a_quote_is_the_object_that_feed_shows() -> None:
    assert encode(quote_object(TALUS)) == (
        b'{"symbol":"US","name":"Talus","currency":"USD","price":"0.01021",'
        b'"change_1h":"0.05","change_24h":"0.19","change_7d":"-3.41","change_24h_basis":"rolling",'
        b'"high_24h":"0.0104","low_24h":"0.01","volume_24h":"1234567.8","market_cap":null,'
        b'"as_of":1790000000000,"state":"live","confidence":"single","sources":1,"seq":812349}'
    )


def test_an_unknown_price_is_null_and_never_nothing() -> None:
    sent = read(encode(quote_object(Quote(asset="a", symbol="A", name="A", currency="USD"))))
    assert [sent[name] for name in (*AMOUNTS, "change_24h_basis", "as_of")] == [None] * 10
    assert sent["state"] == "unavailable"


def test_demo_and_assumed_are_said_only_when_they_are_so() -> None:
    plain_keys = set(read(encode(quote_object(TALUS))))
    marked = Quote(asset="a", symbol="A", name="A", currency="USD", assumed=True, demo=True)
    sent = read(encode(quote_object(marked, asset=True)))
    assert set(sent) - plain_keys == {"asset", "conversion", "demo"}
    assert (sent["asset"], sent["conversion"], sent["demo"]) == ("a", "assumed", True)


@given(quotes)
def test_a_quote_keeps_to_the_published_schema(quote: Quote) -> None:
    schema = {"$ref": "#/components/schemas/QuoteObject", "components": {"schemas": schemas([QuoteObject])}}
    Draft202012Validator(schema).validate(read(encode(quote_object(quote))))


def test_an_observation_is_as_the_venue_gave_it() -> None:
    seen = Observation(
        source="mexc",
        pair="USUSDT",
        currency="USDT",
        price=Decimal("0.010210"),
        change_24h=day("0.194", Basis.UNKNOWN),
        as_of=NOW,
        used=False,
        reason="121 s old",
    )
    assert read(encode(observation_object(seen))) == {
        "source": "mexc",
        "pair": "USUSDT",
        "currency": "USDT",
        "price": "0.010210",
        "change_24h": "0.19",
        "change_24h_basis": "unknown",
        "as_of": NOW,
        "used": False,
        "reason": "121 s old",
    }


def test_assets_and_candles_have_their_wire_form() -> None:
    listed = asset_object(asset("talus", pair("mexc:USUSDT"), pair("coingecko:talus")))
    assert (listed.id, listed.symbol, listed.pairs) == ("talus", "TALUS", ["mexc:USUSDT", "coingecko:talus"])
    candle = Candle("talus", "USD", 60, NOW, Decimal("1E-8"), Decimal(2), Decimal("1E-8"), Decimal("1.50"))
    assert encode(candle_object(candle)) == (
        b'{"start":1790000000000,"open":"0.00000001","high":"2","low":"0.00000001","close":"1.50"}'
    )


def test_an_error_body_has_one_shape() -> None:
    assert error_body("not_ready", 'a "b"') == b'{"error":{"code":"not_ready","message":"a \\"b\\""}}'
