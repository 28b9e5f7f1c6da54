"""Each venue of the market answers in its own shape, spelling and words, errors included."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clocks import StillClock
from ticker.market import Market
from ticker.market.coingecko import number
from ticker.market.market import VENUES
from ticker.market.venue import Reply

START = 1_790_000_123_456
TICKER = "/api/v3/ticker/24hr"
KLINES = "/api/v3/klines"
SIMPLE = "/simple/price"


@pytest.fixture
def market() -> Market:
    return Market(seed=7, clock=StillClock(START))


def reply(market: Market, venue: str, path: str, **params: str) -> Reply:
    return market.respond(VENUES[venue], VENUES[venue].routes[path], params).reply


def text(market: Market, venue: str, path: str, **params: str) -> str:
    return msgspec.json.encode(reply(market, venue, path, **params).body).decode()


def body(market: Market, venue: str, path: str, **params: str) -> Any:
    return json.loads(text(market, venue, path, **params), parse_float=Decimal)


def test_binance_batch_keeps_the_order_asked_for(market: Market) -> None:
    rows = body(market, "binance", TICKER, symbols='["ETHUSDT","BTCUSDT"]')
    assert [row["symbol"] for row in rows] == ["ETHUSDT", "BTCUSDT"]


def test_one_unknown_symbol_fails_the_whole_binance_batch(market: Market) -> None:
    answer = reply(market, "binance", TICKER, symbols='["BTCUSDT","NOPEUSDT"]')
    assert (answer.status, answer.body) == (400, {"code": -1121, "msg": "Invalid symbol."})


@pytest.mark.parametrize("venue", ["binance", "mexc"])
@pytest.mark.parametrize("path", [TICKER, KLINES])
def test_unknown_symbol_alone_is_refused(market: Market, venue: str, path: str) -> None:
    answer = reply(market, venue, path, symbol="NOPEUSDT", interval="1m")
    assert (answer.status, answer.body) == (400, {"code": -1121, "msg": "Invalid symbol."})


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        (TICKER, {"symbols": "BTCUSDT"}, -1100),
        (TICKER, {"symbols": "[]"}, -1105),
        (TICKER, {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1128),
        (KLINES, {"interval": "1m"}, -1102),
        (KLINES, {"symbol": "BTCUSDT"}, -1120),
        (KLINES, {"symbol": "BTCUSDT", "interval": "60m"}, -1120),
        (KLINES, {"symbol": "BTCUSDT", "interval": "1m", "limit": "-3"}, -1100),
        (KLINES, {"symbol": "BTCUSDT", "interval": "1m", "limit": "0"}, -1100),
        (KLINES, {"symbol": "BTCUSDT", "interval": "1m", "startTime": "today"}, -1100),
    ],
)
def test_bad_parameter_has_its_code(market: Market, path: str, params: Mapping[str, str], code: int) -> None:
    answer = reply(market, "binance", path, **params)
    assert answer.status == 400
    assert answer.body["code"] == code  # type: ignore[index]


@pytest.mark.parametrize(
    ("params", "weight"),
    [
        ({"symbol": "BTCUSDT"}, 2),
        ({"symbols": json.dumps(["BTCUSDT"] * 20)}, 2),
        ({"symbols": json.dumps(["BTCUSDT"] * 21)}, 40),
        ({"symbols": json.dumps(["BTCUSDT"] * 101)}, 80),
        ({}, 80),
    ],
)
def test_weight_of_a_batch_is_binances(market: Market, params: Mapping[str, str], weight: int) -> None:
    assert reply(market, "binance", TICKER, **params).weight == weight


def test_mexc_percent_is_a_fraction_and_binances_is_not(market: Market) -> None:
    mexc = body(market, "mexc", TICKER, symbol="BTCUSDT")["priceChangePercent"]
    binance = body(market, "binance", TICKER, symbol="BTCUSDT")["priceChangePercent"]
    assert (mexc, binance) == ("0.0112", "1.120")


def test_mexc_lists_talus_and_binance_does_not(market: Market) -> None:
    symbols = {venue: {row["symbol"] for row in body(market, venue, TICKER)} for venue in ("mexc", "binance")}
    assert symbols["mexc"] - symbols["binance"] == {"USUSDT"}
    assert "USDTUSDT" not in symbols["mexc"]


def test_mexc_turnover_may_be_null(market: Market) -> None:
    missing = [row["symbol"] for row in body(market, "mexc", TICKER) if row["quoteVolume"] is None]
    assert missing == ["XLMUSDT"]


def test_coingecko_leaves_out_unknown_coins_and_empties_those_without_data(market: Market) -> None:
    coins = body(market, "coingecko", SIMPLE, ids="bitcoin,untraded-coin,nope", vs_currencies="usd")
    assert set(coins) == {"bitcoin", "untraded-coin"}
    assert coins["untraded-coin"] == {}


def test_coingecko_sends_only_what_was_asked_for(market: Market) -> None:
    plain = body(market, "coingecko", SIMPLE, ids="bitcoin", vs_currencies="usd")["bitcoin"]
    assert set(plain) == {"usd"}
    assert body(market, "coingecko", SIMPLE, ids="bitcoin", vs_currencies="eur")["bitcoin"] == {}


@pytest.mark.parametrize(
    ("precision", "pattern"), [(None, r"^\d{5}$"), ("3", r"^\d{5}\.\d{3}$"), ("full", r"^\d{5}\.\d{5,}$")]
)
def test_coingecko_precision(market: Market, precision: str | None, pattern: str) -> None:
    params = {} if precision is None else {"precision": precision}
    wire = text(market, "coingecko", SIMPLE, ids="bitcoin", vs_currencies="usd", **params)
    price = wire.removeprefix('{"bitcoin":{"usd":').removesuffix("}}")
    assert re.match(pattern, price), price


@pytest.mark.parametrize(
    "params", [{"ids": "bitcoin"}, {"vs_currencies": "usd"}, {"ids": "", "vs_currencies": ""}]
)
def test_coingecko_misses_a_parameter(market: Market, params: Mapping[str, str]) -> None:
    answer = reply(market, "coingecko", SIMPLE, **params)
    assert answer.status == 422
    assert str(answer.body["error"]).startswith("Missing parameter")  # type: ignore[index]


def test_tiny_price_is_a_json_number_with_an_exponent(market: Market) -> None:
    wire = text(market, "coingecko", SIMPLE, ids="pepe", vs_currencies="usd")
    assert re.fullmatch(r'\{"pepe":\{"usd":8\.4\d*e-06\}\}', wire), wire


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("0.000008412", "8.412e-06"),
        ("1.234E-8", "1.234e-08"),
        ("-0.00001", "-1e-05"),
        ("0.0001", "0.0001"),
        ("76975", "76975"),
        ("1E+5", "100000"),
        ("0E-15", "0"),
        ("73012.48371625417", "73012.48371625417"),
    ],
)
def test_number_is_written_as_ruby_does(value: str, written: str) -> None:
    assert bytes(number(Decimal(value))).decode() == written


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e20", max_value="1e20", places=12))
def test_number_loses_nothing_within_seventeen_digits(value: Decimal) -> None:
    read = msgspec.json.decode(bytes(number(value)), type=Decimal)
    assert abs(read - value) <= abs(value) * Decimal("1e-16")
