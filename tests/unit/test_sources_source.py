"""A round of questions: bisecting, what is remembered about symbols, unchanged answers, budget and pauses."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ticker.errors import BadAnswer, RateLimited, UnknownSymbol, Unreachable
from ticker.model import Pair, Tick
from ticker.sources import VENUES
from ticker.sources.base import Options, Outcome
from ticker.sources.http import new_session
from ticker.sources.source import HELD, Source

# What a row of Binance has beside its symbol and its price.
REST: dict[str, object] = dict.fromkeys(
    ("priceChangePercent", "bidPrice", "askPrice", "highPrice", "lowPrice", "quoteVolume", "closeTime")
)
REST["openPrice"] = "1"
RENAMED = {"open_price" if name == "openPrice" else name: value for name, value in REST.items()}


class StandingClock:
    def __init__(self) -> None:
        self.time = 1_790_000_000.0

    def now(self) -> int:
        return int(self.time * 1000)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


class Upstream:
    """Speaks Binance's batch (`/api/v3`) and CoinGecko's (`/simple`), and keeps what it was asked."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self.asked: list[tuple[str, ...]] = []
        self.headers: dict[str, str] = {}
        self.failure: web.Response | None = None
        self.fails = "A"
        self.rest: dict[str, dict[str, object]] = {}

    async def batch(self, request: web.Request) -> web.Response:
        symbols = json.loads(request.query["symbols"])
        self.asked.append(tuple(symbols))
        if self.failure and self.fails in symbols:
            return self.failure
        if self.unknown.intersection(symbols):
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        rows = [{"symbol": name, "lastPrice": "1.5", **self.rest.get(name, REST)} for name in symbols]
        return web.json_response(rows, headers=self.headers)

    async def coins(self, request: web.Request) -> web.Response:
        self.asked.append(tuple(request.query["ids"].split(",")))
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304, headers={"ETag": '"v1"', **self.headers})
        body = {"bitcoin": {"usd": 5, "last_updated_at": 1_789_999_000}, "bad": {"usd": None}}
        return web.json_response(body, headers={"ETag": '"v1"', **self.headers})


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
async def sources(upstream: Upstream, clock: StandingClock) -> AsyncIterator[object]:
    app = web.Application()
    app.router.add_get("/api/v3/ticker/24hr", upstream.batch)
    app.router.add_get("/simple/price", upstream.coins)
    server = TestServer(app)
    await server.start_server()
    async with new_session() as session:

        def source(venue: str, symbols: Sequence[str], timeout: float = 10) -> Source:
            pairs = [Pair(venue, symbol, symbol, "USD") for symbol in symbols]
            options = Options(base_url=str(server.make_url("/")), timeout=timeout)
            return Source(VENUES[venue], pairs, options, session, clock)

        yield source
    await server.close()


def by_symbol(outcomes: dict[Pair, Outcome]) -> dict[str, Outcome]:
    return {pair.symbol: outcome for pair, outcome in outcomes.items()}


def symbols(outcomes: dict[Pair, Outcome], kind: type[object]) -> set[str]:
    return {pair.symbol for pair, outcome in outcomes.items() if isinstance(outcome, kind)}


async def test_all_pairs_come_from_one_request(sources, upstream):
    outcomes = await sources("binance", ["A", "B", "A"]).ask()
    assert upstream.asked == [("A", "B")]
    assert symbols(outcomes, Tick) == {"A", "B"}


@pytest.mark.parametrize("unknown", [{"S0"}, {"S19"}, {"S3", "S4", "S17"}, {f"S{n}" for n in range(20)}])
async def test_unknown_symbols_cost_the_others_nothing(sources, upstream, unknown):
    upstream.unknown = unknown
    names = [f"S{n}" for n in range(20)]
    outcomes = await sources("binance", names).ask()
    assert symbols(outcomes, UnknownSymbol) == unknown
    assert symbols(outcomes, Tick) == set(names) - unknown


async def test_one_unknown_of_a_hundred_is_found_in_logarithmic_steps(sources, upstream):
    upstream.unknown = {"S42"}
    await sources("binance", [f"S{n}" for n in range(100)]).ask()
    assert len(upstream.asked) <= 15


async def test_a_known_unknown_is_left_out_for_ten_minutes_then_asked_alone(sources, upstream, clock):
    upstream.unknown = {"B"}
    source = sources("binance", ["A", "B", "C"])
    await source.ask()
    upstream.asked.clear()
    outcomes = await source.ask()
    assert upstream.asked == [("A", "C")]
    assert symbols(outcomes, UnknownSymbol) == {"B"}
    clock.time += 601
    upstream.asked.clear()
    assert symbols(await source.ask(), UnknownSymbol) == {"B"}
    assert sorted(upstream.asked) == [("A", "C"), ("B",)]


async def test_a_symbol_that_gets_listed_joins_the_batch_again(sources, upstream, clock):
    upstream.unknown = {"B"}
    source = sources("binance", ["A", "B"])
    await source.ask()
    upstream.unknown.clear()
    clock.time += 601
    assert symbols(await source.ask(), Tick) == {"A", "B"}
    upstream.asked.clear()
    await source.ask()
    assert upstream.asked == [("A", "B")]


async def test_rounds_that_overlap_find_the_same(sources, upstream):
    upstream.unknown = {"B"}
    source = sources("binance", ["A", "B", "C"])
    first, second = await asyncio.gather(source.ask(), source.ask())
    assert symbols(first, Tick) == symbols(second, Tick) == {"A", "C"}


async def test_bisecting_stays_within_the_budget(sources, upstream):
    upstream.unknown = {f"S{n}" for n in range(8)}
    source = sources("binance", [f"S{n}" for n in range(8)])
    await source.ask()
    assert source.allowance.used == 2 * len(upstream.asked)


async def test_weight_the_venue_counts_is_learnt(sources, upstream):
    upstream.headers = {"X-MBX-USED-WEIGHT-1M": "4321"}
    source = sources("binance", ["A"])
    await source.ask()
    assert source.allowance.used == 4321


async def test_a_failure_stands_for_every_pair_of_its_request(sources, upstream):
    upstream.failure = web.Response(status=500)
    outcomes = await sources("binance", ["A", "B"]).ask()
    assert symbols(outcomes, Unreachable) == {"A", "B"}


@pytest.mark.parametrize(("headers", "pause"), [({"Retry-After": "90"}, 90), ({}, 60)])
async def test_a_rate_limited_venue_is_not_asked_again_before_its_time(
    sources, upstream, clock, headers, pause
):
    upstream.failure = web.Response(status=429, headers=headers)
    source = sources("binance", ["A"])
    await source.ask()
    upstream.failure = None
    clock.time += pause - 1
    assert symbols(await source.ask(), RateLimited) == {"A"}
    assert len(upstream.asked) == 1
    clock.time += 1
    assert symbols(await source.ask(), Tick) == {"A"}


async def test_an_unchanged_answer_is_handed_out_again_as_fresh(sources, upstream, clock):
    source = sources("coingecko", ["bitcoin"])
    [first] = (await source.ask()).values()
    clock.time += 60
    upstream.headers = {"Date": "Mon, 21 Sep 2026 14:14:00 GMT"}
    [again] = (await source.ask()).values()
    assert isinstance(first, Tick)
    assert isinstance(again, Tick)
    assert first.as_of == 1_789_999_000_000
    assert (again.price, again.as_of, again.seen) == (Decimal(5), 1_790_000_040_000, clock.now())


async def test_an_unchanged_bad_pair_stays_bad(sources):
    source = sources("coingecko", ["bitcoin", "bad"])
    await source.ask()
    said = by_symbol(await source.ask())
    assert isinstance(said["bitcoin"], Tick)
    assert isinstance(said["bad"], BadAnswer)


async def test_what_is_kept_for_unchanged_answers_is_bounded(sources, clock):
    source = sources("coingecko", ["bitcoin"])
    for n in range(HELD + 5):
        source.pairs = (*source.pairs, Pair("coingecko", f"coin{n}", "X", "USD"))
        clock.time += 60
        await source.ask()
    assert len(source._held) == HELD


async def test_prices_made_up_are_marked_on_every_tick(sources, upstream):
    upstream.headers = {"Ticker-Demo": "1"}
    assert all(tick.demo for tick in (await sources("binance", ["A", "B"]).ask()).values())
    upstream.headers = {}
    assert not any(tick.demo for tick in (await sources("binance", ["A", "B"]).ask()).values())


async def test_a_used_up_budget_asks_nothing(sources, upstream, clock):
    source = sources("binance", ["A"])
    source.allowance.learn(6000)
    outcomes = await source.ask()
    assert symbols(outcomes, RateLimited) == {"A"}
    assert upstream.asked == []


async def test_a_round_asks_nothing_after_its_deadline(sources, upstream):
    source = sources("binance", ["A"], timeout=30)
    source.allowance.learn(6000)
    [late] = (await source.ask()).values()
    assert isinstance(late, Unreachable)
    assert "the round took too long" in str(late)
    assert upstream.asked == []


async def test_a_chunk_that_fails_costs_the_other_chunk_nothing(sources, upstream):
    upstream.failure, upstream.fails = web.Response(status=500), "S110"
    outcomes = await sources("binance", [f"S{n}" for n in range(120)]).ask()
    assert symbols(outcomes, Tick) == {f"S{n}" for n in range(100)}
    assert symbols(outcomes, Unreachable) == {f"S{n}" for n in range(100, 120)}


# A changed schema


async def test_a_field_that_every_row_lacks_is_missing_until_one_has_it_again(sources, upstream, caplog):
    caplog.set_level(logging.INFO, "ticker.sources.lapses")
    source = sources("binance", ["A", "B"])
    upstream.rest = {"A": RENAMED, "B": RENAMED}
    for _ in range(2):
        assert symbols(await source.ask(), Tick) == {"A", "B"}
        assert source.missing == ("openPrice",)
    upstream.rest = {"A": RENAMED}
    for _ in range(2):
        await source.ask()
        assert source.missing == ()
    assert caplog.messages == [
        "Binance: no row has openPrice; the venue may have renamed it",
        "Binance gives openPrice again",
    ]


async def test_one_answer_that_has_a_field_is_enough_in_a_round(sources, upstream):
    source = sources("binance", [f"S{n}" for n in range(110)])
    upstream.rest = {f"S{n}": RENAMED for n in range(100)}
    await source.ask()
    assert source.missing == ()
    upstream.rest = {f"S{n}": RENAMED for n in range(110)}
    await source.ask()
    assert source.missing == ("openPrice",)


async def test_a_round_without_a_price_tells_nothing_of_its_fields(sources, upstream):
    source = sources("binance", ["A"])
    upstream.rest = {"A": RENAMED}
    await source.ask()
    upstream.rest = {"A": REST | {"lastPrice": "0"}}
    assert symbols(await source.ask(), BadAnswer) == {"A"}
    upstream.failure = web.Response(status=500)
    await source.ask()
    assert source.missing == ("openPrice",)


async def test_an_unchanged_answer_lacks_what_it_lacked(sources):
    source = sources("coingecko", ["bitcoin"])
    for _ in range(2):
        await source.ask()
        assert source.missing == ("usd_24h_change", "usd_24h_vol", "usd_market_cap")
