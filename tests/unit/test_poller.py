"""Cadence, backoff and health of one source, on a clock that the test turns by hand."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ticker.errors import BadAnswer, UnknownSymbol, Unreachable
from ticker.model import Pair, SourceHealth, Tick
from ticker.poller import BACKOFF_CEILING, REFUSED_CEILING, Poller, SourceStatus
from ticker.sources import VENUES
from ticker.sources.base import Options
from ticker.sources.http import RETRY_CEILING, new_session


class HandClock:
    """Time stands still until `wake`, which lets the sleep in progress pass and waits for the next one."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0
        self.naps: asyncio.Queue[tuple[float, asyncio.Event]] = asyncio.Queue()

    def now(self) -> int:
        return round(self.time * 1000)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        over = asyncio.Event()
        self.naps.put_nowait((seconds, over))
        await over.wait()

    async def nap(self) -> tuple[float, asyncio.Event]:
        async with asyncio.timeout(5):
            return await self.naps.get()


class Bench:
    """A poller, the venue it asks, and all it has said."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.replies: Callable[[Sequence[str]], web.Response] = prices
        self.requests = 0
        self.ticks: list[Sequence[Tick]] = []
        self.take: Callable[[Sequence[Tick]], None] = self.ticks.append
        self.healths: list[SourceStatus] = []
        self.poller: Poller
        self._over: asyncio.Event | None = None

    def on_ticks(self, ticks: Sequence[Tick]) -> None:
        self.take(ticks)

    async def batch(self, request: web.Request) -> web.Response:
        self.requests += 1
        return self.replies(json.loads(request.query["symbols"]))

    async def turn(self) -> float:
        """Lets the present wait pass and gives the seconds of the next."""
        if self._over is not None:
            self._over.set()
        seconds, self._over = await self.clock.nap()
        self.clock.time += seconds
        return seconds


# What a row has beside its symbol and its price.
REST = dict.fromkeys(
    ("openPrice", "priceChangePercent", "bidPrice", "askPrice", "highPrice", "lowPrice", "quoteVolume")
)


def row(symbol: str, price: str = "1.5") -> dict[str, object]:
    return {**REST, "closeTime": None, "symbol": symbol, "lastPrice": price}


def prices(symbols: Sequence[str]) -> web.Response:
    return web.json_response([row(symbol) for symbol in symbols])


def failing(status: int, **headers: str) -> Callable[[Sequence[str]], web.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _symbols: web.Response(status=status, headers=named)


def without(unknown: str) -> Callable[[Sequence[str]], web.Response]:
    """A venue that doesn't know one symbol."""

    def reply(symbols: Sequence[str]) -> web.Response:
        if unknown in symbols:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        return prices(symbols)

    return reply


def halted(symbol: str) -> Callable[[Sequence[str]], web.Response]:
    """A venue that has no price for one symbol."""
    return lambda symbols: web.json_response(
        [row(name, "0" if name == symbol else "1.5") for name in symbols]
    )


@pytest.fixture
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    bench = Bench()
    app = web.Application()
    app.router.add_get("/api/v3/ticker/24hr", bench.batch)
    server = TestServer(app)
    await server.start_server()
    pairs = [Pair("binance", symbol, symbol, "USDT") for symbol in ("A", "B")]
    options = Options(base_url=str(server.make_url("/")), interval=10)
    async with new_session() as session:
        bench.poller = Poller(
            VENUES["binance"],
            pairs,
            options,
            session,
            bench.clock,
            random.Random(7),
            bench.on_ticks,
            bench.healths.append,
        )
        yield bench
    await server.close()


@pytest.fixture
async def running(bench: Bench) -> AsyncIterator[Bench]:
    """The poller at work, about to ask for the first time."""
    task = asyncio.create_task(bench.poller.run())
    await bench.turn()
    yield bench
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_the_first_question_comes_within_a_tenth_of_a_second(bench: Bench):
    assert bench.poller.status.health is SourceHealth.STARTING
    task = asyncio.create_task(bench.poller.run())
    assert 0 <= await bench.turn() <= 0.1
    assert bench.requests == 0
    await bench.turn()
    assert [[tick.pair.symbol for tick in ticks] for ticks in bench.ticks] == [["A", "B"]]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_cadence_is_the_interval_give_or_take_a_tenth(running: Bench):
    waits = [await running.turn() for _ in range(30)]
    assert all(9 <= wait <= 11 for wait in waits)
    assert len(set(waits)) > 20
    assert len(running.ticks) == 30


async def test_a_slow_answer_does_not_delay_the_next_question(running: Bench):
    def late(symbols: Sequence[str]) -> web.Response:
        running.clock.time += 4
        return prices(symbols)

    running.replies = late
    assert all([5 <= await running.turn() <= 7 for _ in range(5)])


async def test_an_answer_that_outlasts_the_interval_is_followed_at_once(running: Bench):
    def later(symbols: Sequence[str]) -> web.Response:
        running.clock.time += 15
        return prices(symbols)

    running.replies = later
    assert await running.turn() == 0


async def test_the_state_shows_when_it_asks_next_and_what_it_spent(running: Bench):
    wait = await running.turn()
    status = running.poller.status
    assert (status.source, status.health, status.pairs) == ("binance", SourceHealth.UP, 2)
    assert status.next_try == pytest.approx(running.clock.now(), abs=1)
    assert status.last_answer == pytest.approx(running.clock.now() - wait * 1000, abs=1)
    assert (status.last_error, status.unknown) == (None, ())
    assert (status.budget.used, status.budget.limit, status.budget.per_seconds) == (2, 6000, 60)


async def test_backoff_grows_with_full_jitter_up_to_its_ceiling(running: Bench):
    running.replies = failing(500)
    waits = [await running.turn() for _ in range(40)]
    assert all(wait <= 2 ** (n + 1) for n, wait in enumerate(waits))
    assert all(0 <= wait <= BACKOFF_CEILING for wait in waits)
    assert max(waits) > BACKOFF_CEILING / 2
    assert min(waits[10:]) < BACKOFF_CEILING / 4


async def test_who_refuses_us_is_asked_ever_less(running: Bench):
    running.replies = failing(403)
    waits = [await running.turn() for _ in range(60)]
    assert BACKOFF_CEILING < max(waits) <= REFUSED_CEILING


async def test_an_answer_ends_the_backoff(running: Bench):
    running.replies = failing(500)
    for _ in range(8):
        await running.turn()
    running.replies = prices
    assert 9 <= await running.turn() <= 11
    running.replies = failing(500)
    assert await running.turn() <= 2


async def test_retry_after_is_honoured(running: Bench):
    running.replies = failing(429, Retry_After="300")
    assert 300 <= await running.turn() <= 301
    assert running.requests == 1
    running.replies = prices
    await running.turn()
    assert running.poller.status.health is SourceHealth.UP


async def test_a_silly_retry_after_stops_a_source_for_an_hour_at_most(running: Bench):
    running.replies = failing(418, Retry_After="604800")
    assert await running.turn() <= RETRY_CEILING + 1


async def test_health_is_told_and_logged_when_it_turns_and_never_between(
    running: Bench, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "ticker.poller")
    await running.turn()
    running.replies = failing(500)
    began = running.clock.now()
    for _ in range(5):
        await running.turn()
    ended = running.clock.now()
    running.replies = prices
    for _ in range(3):
        await running.turn()
    assert [status.health for status in running.healths] == ["up", "failing", "up"]
    assert running.healths[1].since == began
    assert "has trouble of its own (500)" in str(running.healths[1].last_error)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.messages[0].startswith("no prices from Binance: ")
    assert caplog.messages[1] == f"Binance answers again after {(ended - began) / 1000:.0f} s"


async def test_an_unknown_symbol_is_named_once_and_the_other_keeps_coming(
    running: Bench, caplog: pytest.LogCaptureFixture
):
    running.replies = without("B")
    for _ in range(3):
        await running.turn()
    status = running.poller.status
    assert (status.health, status.unknown) == (SourceHealth.UP, ("B",))
    assert "binance:B" in str(status.last_error)
    assert [[tick.pair.symbol for tick in ticks] for ticks in running.ticks] == [["A"]] * 3
    assert len(caplog.messages) == 1


async def test_an_unknown_symbol_stays_in_the_state_while_the_venue_is_down(running: Bench):
    running.replies = without("B")
    await running.turn()
    running.replies = failing(502)
    await running.turn()
    assert running.poller.status.unknown == ("B",)
    assert "502" in str(running.poller.status.last_error)


async def test_one_pair_without_a_price_is_in_the_state_and_named_once(
    running: Bench, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "ticker.poller")
    running.replies = halted("B")
    for _ in range(3):
        await running.turn()
    status = running.poller.status
    assert status.health is SourceHealth.UP
    assert status.last_error == "Binance B: lastPrice: expected a price above zero, got 0"
    running.replies = prices
    await running.turn()
    assert running.poller.status.last_error is None
    assert caplog.messages == [status.last_error, "Binance gives B again"]


async def test_a_round_asked_for_gives_ticks_or_says_why_not(bench: Bench):
    assert {tick.pair.symbol for tick in await bench.poller.ask()} == {"A", "B"}
    bench.replies = failing(500)
    with pytest.raises(Unreachable):
        await bench.poller.ask()
    bench.replies = halted("A")
    assert len(await bench.poller.ask()) == 1


async def test_the_gravest_error_speaks_for_the_source(bench: Bench):
    def reply(symbols: Sequence[str]) -> web.Response:
        return without("A")(symbols) if "A" in symbols else halted("B")(symbols)

    bench.replies = reply
    with pytest.raises(BadAnswer):
        await bench.poller.ask()


async def test_a_source_that_knows_none_of_its_symbols_fails(bench: Bench):
    bench.replies = lambda _symbols: web.json_response({"code": -1121, "msg": ""}, status=400)
    with pytest.raises(UnknownSymbol):
        await bench.poller.ask()
    assert bench.poller.status.health is SourceHealth.FAILING
    assert bench.poller.status.unknown == ("A", "B")


async def test_a_defect_in_whoever_takes_the_ticks_is_not_swallowed(bench: Bench):
    def broken(ticks: Sequence[Tick]) -> None:
        raise ZeroDivisionError

    bench.take = broken
    task = asyncio.create_task(bench.poller.run())
    await bench.turn()
    assert bench._over is not None
    bench._over.set()
    with pytest.raises(ZeroDivisionError):
        await task


async def test_a_poller_needs_something_to_ask_for():
    async with new_session() as session:
        with pytest.raises(ValueError, match="nothing to ask Binance for"):
            Poller(VENUES["binance"], [], Options(), session, HandClock(), random.Random(), print, print)


async def test_a_field_the_venue_no_longer_gives_is_in_the_status_and_no_failure(running: Bench):
    running.replies = lambda symbols: web.json_response(
        [{key: value for key, value in row(name).items() if key != "openPrice"} for name in symbols]
    )
    await running.turn()
    status = running.poller.status
    assert (status.missing, status.health, status.last_error) == (("openPrice",), SourceHealth.UP, None)
