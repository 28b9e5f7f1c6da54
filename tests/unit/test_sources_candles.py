"""Candles of each venue: the question in its own words, the answer in its own order of columns."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.conftest import pair
from ticker.errors import BadAnswer
from ticker.sources.candles import CANDLES, Bar

START = 1_790_000_100_000
END = START + 600_000
S = START // 1000
FIRST = Bar(START, Decimal("10.5"), Decimal(12), Decimal("9.25"), Decimal(11))
SECOND = Bar(START + 300_000, Decimal(11), Decimal(13), Decimal(10), Decimal("1.2E1"))

# Each venue's question for five-minute candles, and FIRST and SECOND as it would answer.
VENUES: dict[str, tuple[str, dict[str, str], Any]] = {
    "binance": (
        "/api/v3/klines",
        {"symbol": "X", "interval": "5m", "startTime": str(START), "endTime": str(END - 1), "limit": "1000"},
        [
            [START, "10.5", "12.0", "9.25", "11", "7", START + 299_999, "77", 5, "1", "2", "0"],
            [START + 300_000, "11", "13", "10", "12", "7", START + 599_999, "77", 5, "1", "2", "0"],
        ],
    ),
    "mexc": (
        "/api/v3/klines",
        {"symbol": "X", "interval": "5m", "startTime": str(START), "endTime": str(END - 1), "limit": "500"},
        [
            [START, "10.5", "12.0", "9.25", "11", "7", START + 300_000, "77"],
            [START + 300_000, "11", "13", "10", "12", "7", START + 600_000, "77"],
        ],
    ),
    "coinbase": (
        "/products/X/candles",
        {"granularity": "300", "start": str(S), "end": str(S + 599)},
        [[S + 300, 10, 13, 11, 12, 7.5], [S, 9.25, 12, 10.5, 11, 7.5]],
    ),
    "kraken": (
        "/0/public/OHLC",
        {"pair": "X", "interval": "5", "since": str(S - 1)},
        {
            "error": [],
            "result": {
                "last": S + 300,
                "XXBTZUSD": [
                    [S, "10.5", "12", "9.25", "11", "10.9", "7", 5],
                    [S + 300, "11", "13", "10", "12", "11.9", "7", 5],
                    [S + 600, "1", "1", "1", "1", "1", "1", 1],
                ],
            },
        },
    ),
    "okx": (
        "/api/v5/market/candles",
        {"instId": "X", "bar": "5m", "after": str(END), "before": str(START - 1), "limit": "300"},
        {
            "code": "0",
            "msg": "",
            "data": [
                [str(START + 300_000), "11", "13", "10", "12", "7", "77", "77", "0"],
                [str(START), "10.5", "12", "9.25", "11", "7", "77", "77", "1"],
            ],
        },
    ),
    "bybit": (
        "/v5/market/kline",
        {
            "category": "spot", "symbol": "X", "interval": "5",
            "start": str(START), "end": str(END - 1), "limit": "1000",
        },
        {
            "retCode": 0,
            "result": {
                "category": "spot",
                "list": [
                    [str(START + 300_000), "11", "13", "10", "12", "7", "77"],
                    [str(START), "10.5", "12", "9.25", "11", "7", "77"],
                ],
            },
        },
    ),
    "kucoin": (
        "/api/v1/market/candles",
        {"symbol": "X", "type": "5min", "startAt": str(S), "endAt": str(S + 599)},
        {
            "code": "200000",
            "data": [
                [str(S + 300), "11", "12", "13", "10", "7", "77"],
                [str(S), "10.5", "11", "12", "9.25", "7", "77"],
            ],
        },
    ),
    "gate": (
        "/api/v4/spot/candlesticks",
        {"currency_pair": "X", "interval": "5m", "from": str(S), "to": str(S + 599)},
        [
            [str(S), "77", "11", "12", "9.25", "10.5", "7", "true"],
            [str(S + 300), "77", "12", "13", "10", "11", "7", "false"],
        ],
    ),
    "bitget": (
        "/api/v2/spot/market/candles",
        {
            "symbol": "X", "granularity": "5min",
            "startTime": str(START), "endTime": str(END - 1), "limit": "1000",
        },
        {
            "code": "00000",
            "data": [
                [str(START), "10.5", "12", "9.25", "11", "7", "77", "77"],
                [str(START + 300_000), "11", "13", "10", "12", "7", "77", "77"],
            ],
        },
    ),
    "bitstamp": (
        "/api/v2/ohlc/x/",
        {"step": "300", "limit": "1000", "start": str(S), "end": str(S + 599)},
        {
            "data": {
                "pair": "X",
                "ohlc": [
                    {"timestamp": str(S), "open": "10.5", "high": "12", "low": "9.25", "close": "11"},
                    {"close": "12", "high": "13", "low": "10", "open": "11", "timestamp": str(S + 300)},
                ],
            }
        },
    ),
    "coingecko": (
        "/coins/X/market_chart/range",
        {"vs_currency": "usd", "from": str(S), "to": str(S + 599), "precision": "full"},
        {
            "prices": [
                [START + 2_345, 10.5], [START + 100_000, 12], [START + 200_000, 9.25], [START + 299_999, 11],
                [START + 300_000, 11], [START + 300_001, 13], [START + 300_002, 10], [START + 599_999, 1.2e1],
            ],
            "market_caps": [[START, 1]],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("venue", CANDLES)
def test_question_and_answer_are_in_the_venues_own_words(venue: str) -> None:
    path, query, body = VENUES[venue]
    candles = CANDLES[venue]
    request = candles.request(pair(f"{venue}:X"), 300, START, END)
    assert (request.path, dict(request.query)) == (path, query)
    assert candles.read(json.dumps(body).encode(), 300, START, END) == [FIRST, SECOND]


@pytest.mark.parametrize("venue", CANDLES)
def test_candles_outside_what_was_asked_for_are_left_out(venue: str) -> None:
    body = json.dumps(VENUES[venue][2]).encode()
    assert CANDLES[venue].read(body, 300, START + 300_000, END) == [SECOND]
    assert CANDLES[venue].read(body, 300, END + 300_000, END + 600_000) == []


@pytest.mark.parametrize("venue", CANDLES)
@pytest.mark.parametrize("body", [b"", b"[", b"null", b"7", b'{"error": ["EQuery:Unknown"]}', b'[["x"]]'])
def test_answer_of_another_shape_is_refused(venue: str, body: bytes) -> None:
    with pytest.raises(BadAnswer):
        CANDLES[venue].read(body, 300, START, END)


@pytest.mark.parametrize("price", ["0", "-1", '"nan"', "null", '"1,000"', '"1e99"'])
def test_price_that_is_none_is_refused_with_its_field(price: str) -> None:
    body = f'[[{START}, "10.5", {price}, "9.25", "11"]]'.encode()
    with pytest.raises(BadAnswer, match="expected a"):
        CANDLES["binance"].read(body, 300, START, END)


@pytest.mark.parametrize(
    "row",
    [["10", "9", "8", "8.5"], ["10", "12", "11", "11.5"], ["10", "12", "9", "13"], ["10", "12", "9", "8"]],
)
def test_candle_that_contradicts_itself_is_refused(row: list[str]) -> None:
    with pytest.raises(BadAnswer, match="outside its low and high"):
        CANDLES["binance"].read(json.dumps([[START, *row]]).encode(), 300, START, END)


def test_candle_that_starts_off_its_interval_is_refused() -> None:
    with pytest.raises(BadAnswer, match="a candle of 86400 s starts at"):
        CANDLES["okx"].read(
            json.dumps({"data": [[str(START), "1", "1", "1", "1"]]}).encode(), 86400, START, END
        )


def test_price_written_as_a_json_number_keeps_every_digit() -> None:
    body = f"[[{S}, 0.000000012345678901, 0.000000012345678901, 1.2345678901e-8, 0.000000012345678901, 1]]"
    [bar] = CANDLES["coinbase"].read(body.encode(), 300, START, END)
    assert {bar.open, bar.high, bar.low, bar.close} == {
        Decimal("0.000000012345678901"),
        Decimal("1.2345678901E-8"),
    }


def test_missing_list_is_named() -> None:
    with pytest.raises(BadAnswer, match=r"result\.list: missing"):
        CANDLES["bybit"].read(b'{"result": {}}', 300, START, END)
