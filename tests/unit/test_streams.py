"""What each venue's frames mean, and what is said to it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.errors import BadAnswer, Refused, SourceError, UnknownSymbol
from ticker.model import Basis, Pair
from ticker.sources.base import Options
from ticker.sources.streams import STREAMS
from ticker.sources.streams.base import Stream

SEEN = 1_790_000_000_000
RECORDED = Path(__file__).parents[3] / "shared" / "recordings" / "bybit-stream.json"
SYMBOLS = {
    "binance": "BTCUSDT",
    "coinbase": "BTC-USD",
    "kraken": "XBTUSDT",
    "okx": "BTC-USDT",
    "bybit": "BTCUSDT",
}
FRAMES: dict[str, Any] = {
    "binance": {
        "stream": "btcusdt@miniTicker",
        "data": {"e": "24hrMiniTicker", "E": 1789999999000, "s": "BTCUSDT", "c": "101.5", "o": "100",
                 "h": "102", "l": "99", "v": "10", "q": "1005"},
    },
    "coinbase": {
        "type": "ticker", "product_id": "BTC-USD", "price": "101.5", "open_24h": "100", "high_24h": "102",
        "low_24h": "99", "volume_24h": "10", "best_bid": "101.4", "best_ask": "101.6",
        "time": "2026-09-21T14:13:19.000000Z",
    },
    "kraken": {
        "channel": "ticker", "type": "update",
        "data": [{"symbol": "BTC/USDT", "bid": 101.4, "ask": 101.6, "last": 101.5, "volume": 10,
                  "vwap": 100.5,
                  "low": 99, "high": 102, "change": 1.5, "change_pct": 1.5,
                  "timestamp": "2026-09-21T14:13:19.000000Z"}],
    },
    "okx": {
        "arg": {"channel": "tickers", "instId": "BTC-USDT"},
        "data": [{"instType": "SPOT", "instId": "BTC-USDT", "last": "101.5", "askPx": "101.6",
                  "bidPx": "101.4", "open24h": "100", "high24h": "102", "low24h": "99", "sodUtc0": "50",
                  "volCcy24h": "1005", "vol24h": "10", "ts": "1789999999000"}],
    },
    "bybit": {
        "topic": "tickers.BTCUSDT", "type": "snapshot", "ts": 1789999999000,
        "data": {"symbol": "BTCUSDT", "lastPrice": "101.5", "highPrice24h": "102", "lowPrice24h": "99",
                 "prevPrice24h": "100", "volume24h": "10", "turnover24h": "1005", "price24hPcnt": "0.0150"},
    },
}  # fmt: skip
PRICES = {"binance": "c", "coinbase": "price", "kraken": "last", "okx": "last", "bybit": "lastPrice"}
# Acknowledgements, heartbeats, answers to pings: a sign of life and no price.
SIGNS = {
    "binance": ['{"result":null,"id":1}', '{"result":true,"id":2}'],
    "coinbase": ['{"type":"subscriptions","channels":[]}', '{"type":"heartbeat","product_id":"BTC-USD"}'],
    "kraken": [
        '{"channel":"heartbeat"}',
        '{"channel":"status","type":"update","data":[{"system":"online"}]}',
        '{"method":"subscribe","success":true,"result":{"channel":"ticker","symbol":"BTC/USDT"}}',
    ],
    "okx": ["pong", '{"event":"subscribe","arg":{"channel":"tickers","instId":"BTC-USDT"}}'],
    "bybit": ['{"success":true,"ret_msg":"pong","conn_id":"1","op":"ping"}'],
}
REFUSALS: dict[str, tuple[str, type[SourceError]]] = {
    "binance": ('{"error":{"code":2,"msg":"Invalid request"},"id":1}', Refused),
    "coinbase": ('{"type":"error","message":"Failed","reason":"X is not a valid product"}', UnknownSymbol),
    "kraken": (
        '{"method":"subscribe","success":false,"error":"Currency pair not supported X"}',
        UnknownSymbol,
    ),
    "okx": ('{"event":"error","code":"60018","msg":"X doesn\'t exist"}', UnknownSymbol),
    "bybit": ('{"success":false,"ret_msg":"handler not found","op":"subscribe"}', UnknownSymbol),
}


def stream(venue: str, count: int = 0) -> Stream:
    quote = "USD" if venue == "coinbase" else "USDT"
    more = [Pair(venue, f"T{n}", f"T{n}", quote) for n in range(count)]
    return STREAMS[venue]([Pair(venue, SYMBOLS[venue], "BTC", quote), *more])


def spoiled(said: Any, field: str, value: object) -> Any:
    if isinstance(said, dict):
        return {key: value if key == field else spoiled(item, field, value) for key, item in said.items()}
    return [spoiled(item, field, value) for item in said] if isinstance(said, list) else said


@pytest.mark.parametrize("venue", STREAMS)
def test_a_ticker_reads_with_its_rolling_change_in_percent(venue: str):
    [tick] = stream(venue).read(json.dumps(FRAMES[venue]).encode(), SEEN)
    assert (tick.pair.symbol, tick.price) == (SYMBOLS[venue], Decimal("101.5"))
    assert tick.change_24h is not None
    assert (tick.change_24h.percent, tick.change_24h.basis) == (Decimal("1.5"), Basis.ROLLING)
    assert (tick.as_of, tick.seen) == (SEEN - 1000, SEEN)
    assert (tick.high_24h, tick.low_24h, tick.volume_24h) == (102, 99, 10)
    assert tick.turnover_24h == (None if venue == "coinbase" else 1005)
    assert tick.note is None


# Every field that a venue's rows have each time, beside the symbol and the price.
GIVEN = {
    "binance": {"o", "h", "l", "v", "q"},
    "coinbase": {"open_24h", "high_24h", "low_24h", "volume_24h", "best_bid", "best_ask", "time"},
    "kraken": {"bid", "ask", "high", "low", "volume", "vwap", "change_pct", "timestamp"},
    "okx": {"bidPx", "askPx", "open24h", "high24h", "low24h", "vol24h", "volCcy24h"},
    "bybit": {"prevPrice24h", "price24hPcnt", "highPrice24h", "lowPrice24h", "volume24h", "turnover24h"},
}


def without(said: Any, field: str) -> Any:
    if isinstance(said, dict):
        return {key: without(item, field) for key, item in said.items() if key != field}
    return [without(item, field) for item in said] if isinstance(said, list) else said


@pytest.mark.parametrize(
    ("venue", "field"), [(venue, name) for venue in STREAMS for name in sorted(GIVEN[venue])]
)
def test_a_field_that_is_always_given_is_missed_when_absent_not_when_null(venue: str, field: str):
    whole = FRAMES[venue]
    cases: list[tuple[Any, set[str]]] = [
        (whole, set()),
        (spoiled(whole, field, None), set()),
        (without(whole, field), {field}),
    ]
    for frame, absent in cases:
        reading = stream(venue)
        assert len(reading.read(json.dumps(frame).encode(), SEEN)) == 1
        assert reading.absent() == absent
        assert reading.absent() is None


@pytest.mark.parametrize("venue", STREAMS)
def test_what_one_of_many_rows_has_is_not_missed(venue: str):
    reading, field = stream(venue), min(GIVEN[venue])
    for frame in (FRAMES[venue], without(FRAMES[venue], field)):
        reading.read(json.dumps(frame).encode(), SEEN)
    assert reading.absent() == set()


def test_a_delta_misses_nothing_that_a_snapshot_had():
    reading = stream("bybit")
    reading.read(json.dumps(FRAMES["bybit"]).encode(), SEEN)
    reading.absent()
    delta = FRAMES["bybit"] | {"type": "delta", "data": {"symbol": "BTCUSDT", "lastPrice": "103"}}
    assert len(reading.read(json.dumps(delta).encode(), SEEN)) == 1
    assert reading.absent() == set()


@pytest.mark.parametrize("venue", STREAMS)
def test_a_sign_of_life_brings_no_price(venue: str):
    assert [stream(venue).read(sign.encode(), SEEN) for sign in SIGNS[venue]] == [[]] * len(SIGNS[venue])


@pytest.mark.parametrize("venue", STREAMS)
def test_a_subscription_turned_down_is_said(venue: str):
    frame, kind = REFUSALS[venue]
    with pytest.raises(kind):
        stream(venue).read(frame.encode(), SEEN)


@pytest.mark.parametrize("venue", STREAMS)
@pytest.mark.parametrize("value", ["0", "nan", "-1", "1,5", True, [], {}])
def test_a_price_that_is_none_names_its_field(venue: str, value: object):
    frame = json.dumps(spoiled(FRAMES[venue], PRICES[venue], value)).encode()
    with pytest.raises(BadAnswer, match=PRICES[venue]):
        stream(venue).read(frame, SEEN)


@pytest.mark.parametrize("venue", STREAMS)
def test_a_pair_nobody_asked_for_is_refused(venue: str):
    other = STREAMS[venue]([Pair(venue, "T1", "T1", "USD")])
    with pytest.raises(BadAnswer, match="not asked for"):
        other.read(json.dumps(FRAMES[venue]).encode(), SEEN)


@pytest.mark.parametrize("venue", STREAMS)
@given(frame=st.binary(max_size=60))
def test_whatever_comes_is_read_or_refused(venue: str, frame: bytes):
    try:
        assert stream(venue).read(frame, SEEN) == []
    except SourceError:
        return


@pytest.mark.parametrize("venue", STREAMS)
def test_every_pair_is_subscribed_once_in_chunks_the_venue_takes(venue: str):
    reading = stream(venue, 24)
    messages = reading.subscriptions()
    assert len(messages) == -(-25 // reading.chunk)
    text = "".join(messages).lower()
    assert all(text.count(f't{n}"' if venue not in ("binance", "kraken") else f"t{n}@" if venue == "binance"
               else f'"t{n}/usdt"') == 1 for n in range(10, 24))  # fmt: skip
    assert all(len(message) < 4096 for message in messages)


@pytest.mark.parametrize(
    ("symbol", "base", "quote", "name"),
    [
        ("XBTUSDT", "XBT", "USDT", "BTC/USDT"),
        ("XBTUSDT", "BTC", "USDT", "BTC/USDT"),
        ("BTC/USD", "BTC", "USD", "BTC/USD"),
        ("XBT/EUR", "BTC", "EUR", "BTC/EUR"),
        ("XDGUSD", "XDG", "USD", "DOGE/USD"),
    ],
)
def test_kraken_streams_under_the_common_names(symbol: str, base: str, quote: str, name: str):
    assert STREAMS["kraken"].symbol(Pair("kraken", symbol, base, quote)) == name


def test_a_delta_leaves_what_it_does_not_name():
    reading = stream("bybit")
    reading.read(json.dumps(FRAMES["bybit"]).encode(), SEEN)
    delta = {"topic": "tickers.BTCUSDT", "type": "delta", "ts": SEEN, "data": {"symbol": "BTCUSDT"}}
    delta["data"] |= {"lastPrice": "103"}  # type: ignore[operator]
    [tick] = reading.read(json.dumps(delta).encode(), SEEN)
    assert (tick.price, tick.as_of, tick.high_24h) == (103, SEEN, 102)
    assert tick.change_24h is not None
    assert tick.change_24h.percent == 3


def test_a_delta_without_a_snapshot_waits_for_one():
    frame = {"topic": "tickers.BTCUSDT", "type": "delta", "ts": SEEN, "data": {"symbol": "BTCUSDT"}}
    assert stream("bybit").read(json.dumps(frame).encode(), SEEN) == []


def test_another_connection_remembers_nothing():
    stream("bybit").read(json.dumps(FRAMES["bybit"]).encode(), SEEN)
    delta = json.dumps(FRAMES["bybit"] | {"type": "delta", "data": {"symbol": "BTCUSDT"}}).encode()
    assert stream("bybit").read(delta, SEEN) == []


@pytest.mark.skipif(not RECORDED.exists(), reason="the recordings are not here")
def test_recorded_frames_read_with_the_change_their_venue_says():
    frames = [record["message"] for record in json.loads(RECORDED.read_text())]
    frames = [frame for frame in frames if "prevPrice24h" in frame["data"]]
    assert len(frames) >= 4
    for frame in frames:
        row = frame["data"]
        reading = STREAMS["bybit"]([Pair("bybit", row["symbol"], "BTC", "USDT")])
        [tick] = reading.read(json.dumps(frame).encode(), SEEN)
        assert tick.price == Decimal(row["lastPrice"])
        assert tick.change_24h is not None
        assert abs(tick.change_24h.percent - Decimal(row["price24hPcnt"]) * 100) < Decimal("0.01")
        assert tick.note is None


@pytest.mark.parametrize(
    ("options", "address"),
    [
        (Options(), STREAMS["okx"].url),
        (Options(mode="poll", stream_url="wss://a"), None),
        (Options(stream_url="wss://a/b"), "wss://a/b"),
        (Options(base_url="https://mirror"), None),
        (Options(base_url="https://mirror", mode="stream"), STREAMS["okx"].url),
        (Options(base_url="https://mirror", stream_url="ws://a"), "ws://a"),
    ],
)
def test_a_mirror_for_questions_is_not_passed_by_unasked(options: Options, address: str | None):
    assert STREAMS["okx"].address(options) == address


@pytest.mark.parametrize("address", ["https://a", "wss://", "wss://a:x", "wss://a?b=c", "a"])
def test_a_stream_address_that_is_none_is_refused(address: str):
    with pytest.raises(ValueError, match=r"stream_url must look like wss://|Port could not"):
        Options(stream_url=address)
