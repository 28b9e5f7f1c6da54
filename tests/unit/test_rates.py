"""Sources of exchange rates: what their answers say, what is refused, and how one is asked hour by hour."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.unit.rate_answers import BODIES, FRIDAY, MONDAY, SERIES
from ticker.currency import FiatRates
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, Unreachable
from ticker.model import SourceHealth
from ticker.rates import BACKOFF_CEILING, BODY_LIMIT, SOURCES, Options, RatePoller, RateStatus
from ticker.sources.http import new_session

NOW = int(datetime(2026, 3, 3, 9, tzinfo=UTC).timestamp() * 1000)
Reply = Callable[[web.Request], web.Response]


def saying(body: bytes, status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _request: web.Response(body=body, status=status, headers=named)


class HandClock:
    """Time stands still until `turn` of the bench lets the sleep in progress pass."""

    def __init__(self) -> None:
        self.time = NOW / 1000
        self.naps: asyncio.Queue[tuple[float, asyncio.Event]] = asyncio.Queue(1)

    def now(self) -> int:
        return round(self.time * 1000)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        over = asyncio.Event()
        self.naps.put_nowait((seconds, over))
        await over.wait()


class Bench:
    """A source of rates as a server plays it, who asks it, and all that came of it."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.reply: Reply = saying(SERIES)
        self.requests: list[web.Request] = []
        self.rates: list[FiatRates] = []
        self.healths: list[RateStatus] = []
        self.over = asyncio.Event()
        self.poller: RatePoller

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        return self.reply(request)

    async def turn(self) -> float:
        """Lets the present wait pass, and gives the seconds of the next."""
        self.over.set()
        async with asyncio.timeout(5):
            seconds, self.over = await self.clock.naps.get()
        self.clock.time += seconds
        return seconds


@pytest.fixture
def chosen() -> str:
    return "frankfurter"


@pytest.fixture
async def bench(chosen: str) -> AsyncIterator[Bench]:
    bench = Bench()
    app = web.Application()
    app.router.add_get("/{path:.*}", bench.answer)
    async with TestServer(app) as server, new_session() as session:
        bench.poller = RatePoller(
            SOURCES[chosen],
            Options(base_url=str(server.make_url("/mirror/"))),
            session,
            bench.clock,
            random.Random(7),
            bench.rates.append,
            bench.healths.append,
        )
        yield bench


@pytest.fixture
async def running(bench: Bench) -> AsyncIterator[Bench]:
    """The poller at work, having asked once."""
    task = asyncio.create_task(bench.poller.run())
    await bench.turn()
    yield bench
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


# Asking


@pytest.mark.parametrize("chosen", SOURCES)
async def test_rates_come_oldest_first_and_are_handed_on_once(bench: Bench, chosen: str):
    bench.reply = saying(BODIES[chosen])
    rates = await bench.poller.ask()
    await bench.poller.ask()
    assert [fixing.date for fixing in rates.fixings] == [FRIDAY, MONDAY]
    assert rates.currencies == {"EUR", "USD", "JPY"}
    assert bench.rates == [rates]
    assert not rates.demo
    assert (bench.poller.status.health, bench.poller.status.date) == (SourceHealth.UP, "2026-03-02")


async def test_the_source_is_asked_below_the_address_of_the_settings(bench: Bench):
    await bench.poller.ask()
    [request] = bench.requests
    assert request.path == "/mirror/2026-02-17.."
    assert (request.headers["Accept"], request.headers["User-Agent"]) == ("application/json", "price-ticker")


@pytest.mark.parametrize("chosen", ["ecb"])
async def test_the_ecb_is_asked_for_xml(bench: Bench):
    bench.reply = saying(BODIES["ecb"])
    await bench.poller.ask()
    [request] = bench.requests
    assert request.path == "/mirror/eurofxref-hist-90d.xml"
    assert request.headers["Accept"] == "application/xml, text/xml"


async def test_rates_that_did_not_change_are_not_sent_again(bench: Bench):
    bench.reply = saying(SERIES, ETag='W/"1"')
    rates = await bench.poller.ask()
    bench.reply = saying(b"", 304)
    bench.clock.time += 3600
    assert await bench.poller.ask() is rates
    assert bench.requests[1].headers["If-None-Match"] == 'W/"1"'
    assert bench.poller.status.last_answer == bench.clock.now()
    # Another day asks for another period.
    bench.clock.time += 86_400
    bench.reply = saying(SERIES)
    await bench.poller.ask()
    assert "If-None-Match" not in bench.requests[2].headers


async def test_an_answer_that_cannot_be_read_is_asked_for_again_in_full(bench: Bench):
    bench.reply = saying(b"{}", ETag='"1"')
    for _ in range(2):
        with pytest.raises(BadAnswer):
            await bench.poller.ask()
    assert "If-None-Match" not in bench.requests[1].headers


async def test_a_cache_that_is_behind_does_not_bring_back_older_rates(bench: Bench):
    rates = await bench.poller.ask()
    bench.reply = saying(SERIES.replace(b"2026-03-02", b"2026-02-26"))
    assert await bench.poller.ask() is rates
    assert bench.rates == [rates]


async def test_a_corrected_rate_of_the_same_day_is_taken(bench: Bench):
    await bench.poller.ask()
    bench.reply = saying(SERIES.replace(b"1.0840", b"1.0850"))
    assert (await bench.poller.ask()).latest.units["USD"] == Decimal("1.0850")
    assert len(bench.rates) == 2


async def test_made_up_rates_are_marked(bench: Bench):
    bench.reply = saying(SERIES, Ticker_Demo="1")
    assert (await bench.poller.ask()).demo


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"base":"EUR","rates":{}}', "no day with rates"),
        (b'{"base":"EUR","rates":{"2026-03-05":{"USD":1}}}', "2026-03-05: rates from the future"),
        (b'{"base":"EUR","rates":{"2026-03-02":{"JPY":1}}}', "2026-03-02 USD: missing"),
        (b'{"base":"EUR","rates":{"2026-03-02":{"USD":1,"<b>":1}}}', "'<b>' is no currency"),
    ],
)
async def test_rates_that_cannot_be_are_refused(bench: Bench, body: bytes, named: str):
    bench.reply = saying(body)
    with pytest.raises(BadAnswer) as caught:
        await bench.poller.ask()
    assert str(caught.value).startswith("Frankfurter sent an answer that can't be read: ")
    assert named in str(caught.value)
    assert bench.rates == []


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (saying(b"", 404), Refused),
        (saying(b"", 403), Refused),
        (saying(b"", 500), Unreachable),
        (saying(b"", 304), Refused),
        (saying(b"", 429, Retry_After="90"), RateLimited),
        (saying(b" " * (BODY_LIMIT + 1)), BadAnswer),
        (saying(b"", 302, Location="http://localhost.example/"), Refused),
    ],
)
async def test_a_failure_is_a_state_and_the_rates_stay(bench: Bench, reply: Reply, kind: type[SourceError]):
    rates = await bench.poller.ask()
    bench.reply = reply
    bench.clock.time += 86_400
    with pytest.raises(kind) as caught:
        await bench.poller.ask()
    assert type(caught.value) is kind
    status = bench.poller.status
    assert (status.health, status.last_error) == (SourceHealth.FAILING, str(caught.value))
    assert (bench.poller.rates, status.date) == (rates, "2026-03-02")
    assert "sources." not in str(caught.value)
    if kind is Refused:
        assert "currency.rates.base_url" in str(caught.value)


# Hour by hour


async def test_it_asks_at_once_and_then_every_hour_give_or_take_a_tenth(running: Bench):
    assert len(running.requests) == 1
    waits = [await running.turn() for _ in range(20)]
    assert len(running.requests) == 21
    assert all(0.9 * 3600 <= wait <= 1.1 * 3600 for wait in waits)
    assert max(waits) - min(waits) > 60
    assert running.poller.status.next_try == pytest.approx(running.clock.now(), abs=1)


async def test_backoff_grows_with_full_jitter_up_to_its_ceiling(running: Bench):
    running.reply = saying(b"", 500)
    waits = [await running.turn() for _ in range(40)]
    assert all(0 <= wait <= min(BACKOFF_CEILING, 2 ** (n + 1)) for n, wait in enumerate(waits))
    assert max(waits) > BACKOFF_CEILING / 2
    running.reply = saying(SERIES)
    assert await running.turn() >= 3000
    running.reply = saying(b"", 500)
    assert await running.turn() <= 2


async def test_a_source_that_says_when_is_believed(running: Bench):
    running.reply = saying(b"", 429, Retry_After="1800")
    assert 1800 <= await running.turn() <= 1802


async def test_a_failure_is_told_and_logged_when_it_begins_and_when_it_ends(
    running: Bench, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "ticker.rates")
    running.reply = saying(b"", 500)
    began = running.clock.now()
    for _ in range(5):
        await running.turn()
    ended = running.clock.now()
    running.reply = saying(SERIES)
    for _ in range(3):
        await running.turn()
    assert [status.health for status in running.healths] == ["up", "failing", "up"]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert caplog.messages[0].startswith("no exchange rates from Frankfurter: ")
    assert caplog.messages[1] == f"Frankfurter answers again after {(ended - began) / 1000:.0f} s"
    assert running.poller.status.last_error is None


async def test_a_defect_in_whoever_takes_the_rates_is_not_swallowed(bench: Bench):
    def broken(_rates: FiatRates) -> None:
        raise ZeroDivisionError

    bench.poller._on_rates = broken
    with pytest.raises(ZeroDivisionError):
        await bench.poller.run()


# Settings


def test_settings_that_cannot_be_are_refused():
    for wrong in (
        {"source": "bank"},
        {"interval": 1},
        {"base_url": "ftp://a"},
        {"base_url": "https://a/?b=1"},
    ):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, Options)
    assert msgspec.convert({"source": "off"}, Options).source not in SOURCES
