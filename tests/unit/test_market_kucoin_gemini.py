"""The market's KuCoin, Gate, Bitget, Crypto.com, Bitstamp and Gemini: each one's shape, units and words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.unit.conftest import NOW, ManualClock
from ticker.market import Market
from ticker.market.market import VENUES
from ticker.market.venue import Reply
from ticker.market.walk import HOUR

# Where a venue has bitcoin's row and its change, which is +1.12 % as the market opens.
CHANGES: dict[str, tuple[str, tuple[str, ...], str, str, str]] = {
    "kucoin": ("/api/v1/market/allTickers", ("data", "ticker"), "BTC-USDT", "changeRate", "0.0112"),
    "gate": ("/api/v4/spot/tickers", (), "BTC_USDT", "change_percentage", "1.12"),
    "bitget": ("/api/v2/spot/market/tickers", ("data",), "BTCUSDT", "change24h", "0.0112"),
    "cryptocom": ("/exchange/v1/public/get-tickers", ("result", "data"), "BTC_USD", "c", "0.0112"),
    "bitstamp": ("/api/v2/ticker/", (), "BTC/USD", "percent_change_24", "1.12"),
}
# Three hours' candles: where to ask for them, how, where they stand in the answer, and their columns.
BEGIN = (NOW // 1000 // HOUR - 3) * HOUR
END = BEGIN + 3 * HOUR - 1
CANDLES: dict[str, tuple[str, dict[str, str], tuple[Any, ...], str]] = {
    "kucoin": (
        "/api/v1/market/candles",
        {"symbol": "BTC-USDT", "type": "1hour", "startAt": f"{BEGIN}", "endAt": f"{END}"},
        ("data",),
        "start open close high low volume turnover",
    ),
    "gate": (
        "/api/v4/spot/candlesticks",
        {"currency_pair": "BTC_USDT", "interval": "1h", "from": f"{BEGIN}", "to": f"{END}"},
        (),
        "start turnover close high low open volume closed",
    ),
    "bitget": (
        "/api/v2/spot/market/candles",
        {"symbol": "BTCUSDT", "granularity": "1h", "startTime": f"{BEGIN}000", "endTime": f"{END}999"},
        ("data",),
        "start open high low close volume turnover turnover_usdt",
    ),
    "bitstamp": (
        "/api/v2/ohlc/{symbol}/",
        {"symbol": "btcusd", "step": "3600", "start": f"{BEGIN}", "end": f"{END}"},
        ("data", "ohlc"),
        "",
    ),
}


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(clock=ManualClock())


def reply(market: Market, venue: str, path: str, **params: str) -> Reply:
    return market.respond(VENUES[venue], VENUES[venue].routes[path], params).reply


def body(market: Market, venue: str, path: str, **params: str) -> Any:
    return msgspec.json.decode(msgspec.json.encode(reply(market, venue, path, **params).body))


def at(said: Any, *path: str | int) -> Any:
    for step in path:
        said = said[step]
    return said


@pytest.mark.parametrize("venue", CHANGES)
def test_change_is_text_in_the_venues_own_unit(market: Market, venue: str):
    path, where, bitcoin, field, change = CHANGES[venue]
    rows = at(body(market, venue, path), *where)
    [text] = [row[field] for row in rows if bitcoin in row.values()]
    assert isinstance(text, str)
    assert abs(Decimal(text) - Decimal(change)) <= Decimal(change) / 50


def test_day_opens_are_not_the_opens_of_24_hours_ago(market: Market):
    bitstamp = body(market, "bitstamp", "/api/v2/ticker/")
    bitget = body(market, "bitget", "/api/v2/spot/market/tickers")["data"]
    assert any(row["open"] != row["open_24"] for row in bitstamp)
    assert any(row["openUtc"] != row["open"] for row in bitget)


def test_each_venue_has_its_oddity(market: Market):
    kucoin = body(market, "kucoin", "/api/v1/market/allTickers")["data"]["ticker"]
    assert [row["symbol"] for row in kucoin if row["symbolName"] == "TON-USDT"] == ["TONCOIN-USDT"]
    assert [row["symbolName"] for row in kucoin if row["volValue"] is None] == ["XLM-USDT"]
    gate = body(market, "gate", "/api/v4/spot/tickers")
    assert [row["currency_pair"] for row in gate if row["quote_volume"] == "nan"] == ["XLM_USDT"]
    bitget = body(market, "bitget", "/api/v2/spot/market/tickers")["data"]
    assert [row["symbol"] for row in bitget if row["ts"] == "0"] == ["XLMUSDT"]
    bitstamp = body(market, "bitstamp", "/api/v2/ticker/")
    assert all(Decimal(row["last"]) < Decimal(row["bid"]) for row in bitstamp)


def test_gemini_answers_in_capitals_with_a_days_hours(market: Market):
    said = body(market, "gemini", "/v2/ticker/{symbol}", symbol="BtcUsd")
    assert said["symbol"] == "BTCUSD"
    assert len(said["changes"]) == 24
    assert said["changes"][0] == said["close"]


@pytest.mark.parametrize("venue", CANDLES)
def test_candles_are_the_same_hours_in_each_venues_columns(market: Market, venue: str):
    path, params, where, columns = CANDLES[venue]
    rows = at(body(market, venue, path, **params), *where)
    named = [dict(zip(columns.split(), row, strict=True)) if columns else row for row in rows]
    assert all(isinstance(value, str) for row in named for value in row.values())
    starts = [int(row.get("start") or row["timestamp"]) for row in named]
    unit = 1000 if venue == "bitget" else 1
    hours = [(BEGIN + HOUR * hour) * unit for hour in range(3)]
    assert starts == (hours[::-1] if venue == "kucoin" else hours)
    for row in named:
        low, high = Decimal(row["low"]), Decimal(row["high"])
        assert low < high
        assert low <= min(Decimal(row["open"]), Decimal(row["close"]))
        assert max(Decimal(row["open"]), Decimal(row["close"])) <= high
        # A price is near its token's; a volume is not.
        assert abs(low / Decimal("73012.40") - 1) < Decimal("0.2")
        assert "turnover" not in row or Decimal(row["turnover"]) > 10 * Decimal(row["volume"])


@pytest.mark.parametrize(
    ("venue", "word", "status", "answer"),
    [
        ("kucoin", "symbol", 200, {"code": "900001", "msg": "The symbol does not exist"}),
        (
            "gate",
            "currency_pair",
            400,
            {"label": "INVALID_CURRENCY_PAIR", "message": "Invalid currency pair NOSUCH"},
        ),
        ("bitget", "symbol", 400, {"code": "40034", "msg": "Parameter NOSUCH does not exist", "data": None}),
        (
            "bitstamp",
            "symbol",
            404,
            {"status": "error", "reason": "Currency pair is invalid.", "response_code": "404.002"},
        ),
    ],
)
def test_candles_of_an_unknown_pair_are_refused_in_the_venues_words(
    market: Market, venue: str, word: str, status: int, answer: object
):
    path, params, _, _ = CANDLES[venue]
    said = reply(market, venue, path, **(params | {word: "NOSUCH"}))
    assert (said.status, said.body) == (status, answer)


@pytest.mark.parametrize("venue", CANDLES)
@pytest.mark.parametrize("wrong", ["", "-1", "soon", "1" * 16])
def test_candles_of_no_interval_or_no_time_are_refused(market: Market, venue: str, wrong: str):
    path, params, _, _ = CANDLES[venue]
    interval, start = list(params)[1:3]
    for name in (interval, start):
        assert reply(market, venue, path, **(params | {name: wrong})).status == 400


def test_gate_refuses_a_range_of_more_than_a_thousand_candles(market: Market):
    path, params, _, _ = CANDLES["gate"]
    said = reply(market, "gate", path, **(params | {"interval": "1m", "from": str(END - 60 * 1002)}))
    assert (said.status, at(said.body, "label")) == (400, "INVALID_PARAM_VALUE")


def test_bitget_heeds_a_limit(market: Market):
    path, params, _, _ = CANDLES["bitget"]
    assert len(body(market, "bitget", path, **params, limit="2")["data"]) == 2


@pytest.mark.parametrize(
    ("venue", "path", "word", "status", "code"),
    [
        ("gate", "/api/v4/spot/tickers", "currency_pair", 400, "INVALID_CURRENCY_PAIR"),
        ("bitget", "/api/v2/spot/market/tickers", "symbol", 400, "40034"),
        ("cryptocom", "/exchange/v1/public/get-tickers", "instrument_name", 400, 40004),
        ("gemini", "/v2/ticker/{symbol}", "symbol", 400, "Bad Request"),
    ],
)
def test_an_unknown_pair_alone_is_refused_in_the_venues_words(
    market: Market, venue: str, path: str, word: str, status: int, code: str | int
):
    said = reply(market, venue, path, **{word: "NOSUCH"})
    assert said.status == status
    assert code in msgspec.to_builtins(said.body).values()
