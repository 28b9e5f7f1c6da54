"""The market's answers have the shape of the recordings of real venues, where those are present."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.clocks import StillClock
from ticker.market import Fault, Market
from ticker.market.market import VENUES
from ticker.market.venue import Reply

START = 1_790_000_123_456
TICKER = "/api/v3/ticker/24hr"
KLINES = "/api/v3/klines"
SIMPLE = "/simple/price"
RECORDINGS = Path(__file__).resolve().parents[3] / "shared" / "recordings"


@pytest.fixture
def market() -> Market:
    return Market(seed=7, clock=StillClock(START))


def reply(market: Market, venue: str, path: str, **params: str) -> Reply:
    return market.respond(VENUES[venue], VENUES[venue].routes[path], params).reply


def text(market: Market, venue: str, path: str, **params: str) -> str:
    return msgspec.json.encode(reply(market, venue, path, **params).body).decode()


def body(market: Market, venue: str, path: str, **params: str) -> Any:
    return json.loads(text(market, venue, path, **params), parse_float=Decimal)


def _recorded(name: str) -> Any:
    file = RECORDINGS / name
    if not file.exists():
        pytest.skip("the recordings of real venues are not beside this repository")
    return json.loads(file.read_text())


PARITY: list[tuple[str, str, dict[str, str]]] = [
    ("binance", TICKER, {"symbol": "BTCUSDT"}),
    ("mexc", TICKER, {"symbol": "BTCUSDT"}),
    ("binance", KLINES, {"symbol": "BTCUSDT", "interval": "1h", "limit": "1"}),
    ("mexc", KLINES, {"symbol": "BTCUSDT", "interval": "60m", "limit": "1"}),
    (
        "coingecko",
        SIMPLE,
        {
            "ids": "bitcoin",
            "vs_currencies": "usd",
            "include_market_cap": "true",
            "include_24hr_vol": "true",
            "include_24hr_change": "true",
            "include_last_updated_at": "true",
        },
    ),
]


@pytest.mark.parametrize(("venue", "path", "params"), PARITY)
def test_shape_is_that_of_the_recording(
    market: Market, venue: str, path: str, params: Mapping[str, str]
) -> None:
    ours = body(market, venue, path, **params)
    recorded = [
        entry["body"]
        for entry in _recorded(f"{venue}.json")
        if entry["path"] == path and type(entry["body"]) is type(ours)
    ]
    assert recorded
    for theirs in recorded:
        assert _shape(ours) == _shape(theirs)


def _shape(value: Any) -> Any:
    """Keys and the kind of every value. The recording of MEXC holds its JSON numbers as strings."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value[:1]] if value and isinstance(value[0], list) else len(value)
    return "null" if value is None else "scalar"


def test_strings_and_numbers_of_binance_are_where_the_recording_has_them(market: Market) -> None:
    theirs = next(
        entry["body"]
        for entry in _recorded("binance.json")
        if entry["path"] == TICKER and isinstance(entry["body"], dict)
    )
    ours = body(market, "binance", TICKER, symbol="BTCUSDT")
    assert {key: type(value) for key, value in ours.items()} == {
        key: type(value) for key, value in theirs.items()
    }


@pytest.mark.parametrize(
    ("venue", "fault"),
    [
        ("binance", Fault.geo_blocked()),
        ("binance", Fault.rate_limited()),
        ("binance", Fault.banned()),
        ("coingecko", Fault.rate_limited()),
    ],
)
def test_refusal_has_the_recorded_keys_and_code(market: Market, venue: str, fault: Fault) -> None:
    market.fail(venue, fault)
    answer = reply(market, venue, SIMPLE if venue == "coingecko" else TICKER)
    theirs = next(
        entry["body"]
        for entry in _recorded("errors.json")
        if entry["upstream"] == venue and entry["status"] == answer.status and isinstance(entry["body"], dict)
    )
    ours = msgspec.to_builtins(answer.body)
    assert ours.keys() == theirs.keys()
    assert ours.get("code") == theirs.get("code")
