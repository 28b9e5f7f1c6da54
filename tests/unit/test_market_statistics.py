"""24 h statistics and candles of each venue agree with the walk, each other and the venue's units."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clocks import LeapingClock
from ticker.market import Market
from ticker.market.market import VENUES
from ticker.market.tokens import TOKENS
from ticker.market.walk import DAY

START = 1_790_000_123_456
EXCHANGES = ("binance", "mexc")

seeds = st.integers(min_value=0, max_value=10_000)
delays = st.integers(min_value=0, max_value=40 * DAY * 1000)
tokens = st.sampled_from([token for token in TOKENS if token.id not in {"talus", "tether"}])
exchanges = st.sampled_from(EXCHANGES)


def ask(market: Market, venue: str, path: str, params: Mapping[str, str]) -> Any:
    """What a client decodes, with the JSON numbers as Decimal."""
    reply = market.respond(VENUES[venue], VENUES[venue].routes[path], params).reply
    assert reply.status == 200, reply.body
    return msgspec.json.decode(msgspec.json.encode(reply.body), type=_decimals(venue))


def _decimals(venue: str) -> Any:
    return dict[str, dict[str, Decimal]] if venue == "coingecko" else Any


def ticker(market: Market, venue: str, symbol: str) -> dict[str, Any]:
    body: dict[str, Any] = ask(market, venue, "/api/v3/ticker/24hr", {"symbol": symbol})
    return body


def klines(market: Market, venue: str, symbol: str, interval: str, **more: str) -> list[list[Any]]:
    params = {"symbol": symbol, "interval": interval, **more}
    rows: list[list[Any]] = ask(market, venue, "/api/v3/klines", params)
    return rows


@settings(max_examples=60, deadline=None)
@given(seed=seeds, delay=delays, token=tokens, venue=exchanges)
def test_day_of_an_exchange_is_consistent(seed: int, delay: int, token: Any, venue: str) -> None:
    clock = LeapingClock(START)
    market = Market(seed=seed, clock=clock)
    clock.time += delay
    body = ticker(market, venue, f"{token.symbol}USDT")
    last, opened, high, low, volume = (
        Decimal(body[key]) for key in ("lastPrice", "openPrice", "highPrice", "lowPrice", "volume")
    )
    assert high >= max(opened, last) >= min(opened, last) >= low > 0
    assert Decimal(body["bidPrice"]) <= last <= Decimal(body["askPrice"])
    assert Decimal(body["priceChange"]) == last - opened
    assert body["closeTime"] == clock.time
    assert body["closeTime"] - body["openTime"] == DAY * 1000
    unit, digits = (1, "0.0001") if venue == "mexc" else (100, "0.001")
    expected = ((last / opened - 1) * unit).quantize(Decimal(digits))
    assert Decimal(body["priceChangePercent"]) == expected
    if body["quoteVolume"] is not None:
        rounding = Decimal("0.01")
        assert low * volume - rounding <= Decimal(body["quoteVolume"]) <= high * volume + rounding


@settings(max_examples=30, deadline=None)
@given(seed=seeds, delay=delays, token=tokens, venue=exchanges)
def test_open_is_the_last_price_of_a_day_ago(seed: int, delay: int, token: Any, venue: str) -> None:
    clock = LeapingClock(START + delay)
    market = Market(seed=seed, clock=clock)
    before = ticker(market, venue, f"{token.symbol}USDT")["lastPrice"]
    clock.time += DAY * 1000
    assert ticker(market, venue, f"{token.symbol}USDT")["openPrice"] == before


@settings(max_examples=30, deadline=None)
@given(seed=seeds, delay=delays, token=tokens, venue=exchanges, limit=st.integers(min_value=1, max_value=40))
def test_candles_agree_with_the_day_and_each_other(
    seed: int, delay: int, token: Any, venue: str, limit: int
) -> None:
    clock = LeapingClock(START)
    market = Market(seed=seed, clock=clock)
    clock.time += delay
    symbol = f"{token.symbol}USDT"
    day = ticker(market, venue, symbol)
    rows = klines(market, venue, symbol, "1m", limit=str(limit))
    assert len(rows) == limit
    assert rows[-1][4] == day["lastPrice"]
    assert rows[-1][0] == clock.time - clock.time % 60_000
    assert all(after[0] - before[0] == 60_000 for before, after in pairwise(rows))
    for _, opened, high, low, close, volume, _, turnover, *_ in (map(Decimal, row) for row in rows):
        assert high >= max(opened, close) >= min(opened, close) >= low
        assert low * volume - 1 <= turnover <= high * volume + 1
        assert Decimal(day["lowPrice"]) <= low
        assert high <= Decimal(day["highPrice"])


def test_an_hour_is_its_sixty_minutes() -> None:
    clock = LeapingClock(1_790_002_799_000)
    market = Market(seed=3, clock=clock)
    hour = klines(market, "mexc", "BTCUSDT", "60m", limit="1")[0]
    minutes = klines(market, "mexc", "BTCUSDT", "1m", startTime=str(hour[0]), limit="60")
    assert (minutes[0][1], minutes[-1][4]) == (hour[1], hour[4])
    assert max(Decimal(row[2]) for row in minutes) == Decimal(hour[2])
    assert min(Decimal(row[3]) for row in minutes) == Decimal(hour[3])
    assert sum(Decimal(row[5]) for row in minutes) == pytest.approx(Decimal(hour[5]), abs=Decimal("0.000001"))


@pytest.mark.parametrize(("venue", "interval", "most"), [("binance", "1m", 1000), ("mexc", "1m", 500)])
def test_limit_of_candles_is_the_venues(venue: str, interval: str, most: int) -> None:
    market = Market(seed=7, clock=LeapingClock(START))
    assert len(klines(market, venue, "BTCUSDT", interval, limit="5000")) == most
    assert len(klines(market, venue, "BTCUSDT", interval)) == 500


def test_start_and_end_bound_the_candles() -> None:
    market = Market(seed=7, clock=LeapingClock(START))
    end = START - START % 60_000 - 60_000 * 10
    rows = klines(market, "binance", "BTCUSDT", "1m", startTime=str(end - 120_000), endTime=str(end))
    assert [row[0] for row in rows] == [end - 120_000, end - 60_000, end]
    newest = klines(market, "binance", "BTCUSDT", "1m", endTime=str(end), limit="2")
    assert [row[0] for row in newest] == [end - 60_000, end]
    assert klines(market, "binance", "BTCUSDT", "1m", startTime=str(START + 60_000)) == []


def test_history_goes_back_thirty_days() -> None:
    market = Market(seed=7, clock=LeapingClock(START))
    rows = klines(market, "binance", "BTCUSDT", "1d", startTime="0", limit="1000")
    assert 29 <= len(rows) <= 31
    assert klines(market, "binance", "BTCUSDT", "1d", endTime="1600000000000") == []


@pytest.mark.parametrize("seed", range(20))
def test_talus_opens_where_it_is_known_to_stand(seed: int) -> None:
    market = Market(seed=seed, clock=LeapingClock(START))
    body = ticker(market, "mexc", "USUSDT")
    last, opened = Decimal(body["lastPrice"]), Decimal(body["openPrice"])
    assert last.quantize(Decimal("0.00001")) == Decimal("0.01021")
    assert ((last / opened - 1) * 100).quantize(Decimal("0.01")) == Decimal("0.19")
    assert body["priceChangePercent"] == "0.0019"


def test_talus_moves_visibly_within_seconds() -> None:
    clock = LeapingClock(START)
    market = Market(seed=7, clock=clock)
    shown = set()
    for _ in range(30):
        shown.add(Decimal(ticker(market, "mexc", "USUSDT")["lastPrice"]).quantize(Decimal("0.00001")))
        clock.time += 1000
    assert len(shown) >= 3


def test_stablecoins_nearly_stand_still() -> None:
    clock = LeapingClock(START)
    market = Market(seed=7, clock=clock)
    prices = []
    for _ in range(60):
        prices.append(simple(market, "tether")["tether"]["usd"])
        clock.time += DAY * 1000
    assert all(Decimal("0.99") < price < Decimal("1.01") for price in prices)
    assert len(set(prices)) > 1


def simple(market: Market, ids: str, **more: str) -> dict[str, dict[str, Decimal]]:
    params = {"ids": ids, "vs_currencies": "usd", "precision": "full", **more}
    body: dict[str, dict[str, Decimal]] = ask(market, "coingecko", "/simple/price", params)
    return body


@settings(max_examples=30, deadline=None)
@given(seed=seeds, delay=delays, token=tokens)
def test_venues_are_a_few_basis_points_apart(seed: int, delay: int, token: Any) -> None:
    clock = LeapingClock(START)
    market = Market(seed=seed, clock=clock)
    # The aggregator looks every half minute, so only then do all see the same second.
    clock.time += delay - delay % 30_000
    prices = [Decimal(ticker(market, venue, f"{token.symbol}USDT")["lastPrice"]) for venue in EXCHANGES]
    prices.append(simple(market, token.id)[token.id]["usd"])
    # Six basis points between offsets, and half a tick of rounding on either side.
    tick = VENUES["binance"].listings[f"{token.symbol}USDT"].tick
    assert max(prices) - min(prices) <= min(prices) * Decimal("0.0006") + tick


def test_same_seed_and_times_give_the_same_answers() -> None:
    clock = LeapingClock(START)
    one, two, other = (Market(seed=seed, clock=clock) for seed in (7, 7, 8))
    clock.time += 3_600_000
    for _ in range(3):
        clock.time += 61_000
        assert ticker(one, "binance", "BTCUSDT") == ticker(two, "binance", "BTCUSDT")
    assert ticker(one, "binance", "BTCUSDT") != ticker(other, "binance", "BTCUSDT")


def test_aggregator_states_change_in_percent_and_seconds() -> None:
    clock = LeapingClock(START)
    market = Market(seed=7, clock=clock)
    flags = {"include_24hr_change": "true", "include_last_updated_at": "true"}
    coin = simple(market, "talus", **flags)["talus"]
    assert round(coin["usd_24h_change"], 6) == Decimal("0.19")
    assert coin["last_updated_at"] == START // 1000
    clock.time += 29_000
    assert simple(market, "talus", **flags)["talus"] == coin
    clock.time += 1_000
    assert simple(market, "talus", **flags)["talus"]["last_updated_at"] == START // 1000 + 30


@pytest.mark.parametrize("symbol", ["USDCUSDT", "BTCUSDT", "PEPEUSDT"])
def test_turnover_of_one_second_is_its_volume_at_its_price(symbol: str) -> None:
    market = Market(seed=7, clock=LeapingClock(START))
    for _, opened, high, low, close, volume, _, turnover, *_ in klines(
        market, "binance", symbol, "1s", limit="50"
    ):
        assert opened == high == low == close
        assert abs(Decimal(turnover) - Decimal(volume) * Decimal(close)) <= Decimal("0.00000001")
