"""Faults: each is worded by its venue, limited when told to, and travels as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.clocks import StillClock
from ticker.errors import RequestError
from ticker.market import Fault, Market
from ticker.market.faults import Kind
from ticker.market.market import VENUES
from ticker.market.venue import Reply

START = 1_790_000_123_456
TICKER = "/api/v3/ticker/24hr"
KLINES = "/api/v3/klines"
SIMPLE = "/simple/price"
# Whose shapes this file knows; test_venue_contract.py goes over all.
FIRST = ("binance", "mexc", "coingecko")


@pytest.fixture
def market() -> Market:
    return Market(seed=7, clock=StillClock(START))


def reply(market: Market, venue: str, path: str, **params: str) -> Reply:
    return market.respond(VENUES[venue], VENUES[venue].routes[path], params).reply


def text(market: Market, venue: str, path: str, **params: str) -> str:
    return msgspec.json.encode(reply(market, venue, path, **params).body).decode()


def body(market: Market, venue: str, path: str, **params: str) -> Any:
    return json.loads(text(market, venue, path, **params), parse_float=Decimal)


REFUSALS: list[tuple[str, Fault, int, str]] = [
    ("binance", Fault.rate_limited(7), 429, "-1003"),
    ("binance", Fault.rate_limited(7, page=True), 429, "<html>"),
    ("binance", Fault.banned(7), 418, "IP banned until 1790000130456"),
    ("binance", Fault.geo_blocked(), 451, "restricted location"),
    ("binance", Fault.server_error(502), 502, "-1001"),
    ("mexc", Fault.rate_limited(7), 429, '"code":429'),
    ("mexc", Fault.rate_limited(7, page=True), 429, "<html>"),
    ("mexc", Fault.banned(7), 403, "Access Denied"),
    ("mexc", Fault.geo_blocked(), 403, "Access Denied"),
    ("mexc", Fault.server_error(500), 500, '"code":500'),
    ("coingecko", Fault.rate_limited(7), 429, '"error_code":429'),
    ("coingecko", Fault.rate_limited(7, page=True), 429, "<html>"),
    ("coingecko", Fault.banned(7), 403, "banned you temporarily"),
    ("coingecko", Fault.geo_blocked(), 403, "<html>"),
    ("coingecko", Fault.server_error(504), 504, "<html>"),
    ("coingecko", Fault.server_error(520), 520, "Unknown Error"),
]


@pytest.mark.parametrize(("venue", "fault", "status", "words"), REFUSALS)
def test_refusal_is_worded_by_the_venue(
    market: Market, venue: str, fault: Fault, status: int, words: str
) -> None:
    market.fail(venue, fault)
    answer = reply(market, venue, SIMPLE if venue == "coingecko" else TICKER)
    wire = answer.body if isinstance(answer.body, str) else msgspec.json.encode(answer.body).decode()
    assert answer.status == status
    assert words in wire
    assert answer.headers.get("Retry-After") == ("7" if fault.retry_after else None)


@pytest.mark.parametrize("venue", FIRST)
@pytest.mark.parametrize("value", [None, 0, "0.00000000", "nan"])
def test_spoiled_prices_reach_every_price_field_and_no_other(
    market: Market, venue: str, value: str | int | None
) -> None:
    path = SIMPLE if venue == "coingecko" else TICKER
    params = {"ids": "bitcoin", "vs_currencies": "usd", "include_24hr_vol": "true", "symbols": '["BTCUSDT"]'}
    sane = body(market, venue, path, **params)
    market.fail(venue, Fault.prices(value))
    spoiled = body(market, venue, path, **params)
    for (key, before), (_, after) in zip(_leaves(sane), _leaves(spoiled), strict=True):
        assert after == (value if key in VENUES[venue].price_fields else before)


def test_unlisted_symbol_is_unknown_until_healed(market: Market) -> None:
    market.fail("binance", Fault.unlisted("BTCUSDT"))
    market.fail("coingecko", Fault.unlisted("bitcoin"))
    batch = '["BTCUSDT","ETHUSDT"]'
    assert reply(market, "binance", TICKER, symbols=batch).status == 400
    assert set(body(market, "coingecko", SIMPLE, ids="bitcoin,ethereum", vs_currencies="usd")) == {"ethereum"}
    market.heal()
    assert reply(market, "binance", TICKER, symbols=batch).status == 200


def test_limited_fault_heals_itself(market: Market) -> None:
    market.fail("mexc", Fault.server_error(times=2))
    assert [reply(market, "mexc", TICKER).status for _ in range(4)] == [503, 503, 200, 200]


def test_fault_of_one_venue_leaves_the_others_alone(market: Market) -> None:
    market.fail("mexc", Fault.server_error())
    market.fail("binance", Fault.server_error())
    market.heal("binance")
    assert reply(market, "binance", TICKER).status == 200
    assert reply(market, "mexc", TICKER).status == 503
    assert market.faults() == {"mexc": Fault.server_error()}


def test_unknown_venue_is_named(market: Market) -> None:
    with pytest.raises(RequestError, match="no venue kraken-2; there are binance, mexc, coinbase"):
        market.fail("kraken-2", Fault.html())
    with pytest.raises(RequestError, match="no venue kraken-2"):
        market.heal("kraken-2")


def test_every_fault_travels_as_json() -> None:
    made = [
        Fault.slow(0.5),
        Fault.rate_limited(page=True),
        Fault.banned(),
        Fault.geo_blocked(),
        Fault.server_error(),
        Fault.html(),
        Fault.cut(times=1),
        Fault.truncated(),
        Fault.too_large(),
        Fault.closed(),
        Fault.frozen(),
        Fault.prices(0),
        Fault.unlisted("USUSDT"),
    ]
    assert {fault.kind for fault in made} == set(Kind.__args__)  # type: ignore[attr-defined]
    for fault in made:
        assert msgspec.json.decode(msgspec.json.encode(fault), type=Fault) == fault


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, key)
    else:
        yield key, value
