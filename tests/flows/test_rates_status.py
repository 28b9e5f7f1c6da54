"""The exchange rates' source as `/v1/sources` shows it, from its first question to a failure and back."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator

from tests.flows.conftest import HandClock
from ticker import history
from ticker.book import QuoteBook
from ticker.errors import RateLimited, Unreachable
from ticker.history import Recorder, Saved
from ticker.market import Fault, Market
from ticker.market import serving as market_serving
from ticker.rates import SOURCES, Options, RatePoller, RateStatus
from ticker.sources.http import new_session
from ticker.web import application, serving
from ticker.web.api import Api
from ticker.web.openapi import document

# A Friday, after that day's rates have come out.
NOW = int(datetime(2026, 11, 20, 16, tzinfo=UTC).timestamp() * 1000)
SCHEMA = {"$ref": "#/components/schemas/Sources", "components": document()["components"]}


class Stand:
    """The API over one source of rates, the market that plays it, and the clock of both."""

    def __init__(self, name: str, clock: HandClock, base: str, session: aiohttp.ClientSession) -> None:
        self.name = name
        self.clock = clock
        self.told: list[RateStatus] = []
        options = Options(base_url=f"{base}/{name}")
        self.poller = RatePoller(
            SOURCES[name], options, session, clock, random.Random(1), lambda _: None, self.told.append
        )
        self.session = session
        self.url = ""

    async def said(self) -> Any:
        """The answer's `rates`, held to the document."""
        async with self.session.get(f"{self.url}/v1/sources") as response:
            assert response.status == 200
            body = json.loads(await response.read())
        Draft202012Validator(SCHEMA).validate(body)
        assert body["sources"] == []
        return body["rates"]


@pytest.fixture(params=SOURCES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def market() -> Market:
    return Market(clock=HandClock(NOW))


def api(clock: HandClock, recorder: Recorder, poller: RatePoller | None) -> Api:
    book = QuoteBook([], clock=clock, epoch="rates", ages={})
    if poller is None:
        return Api(book, recorder, list, (), clock)
    return Api(book, recorder, list, (), clock, rates=lambda: poller.status)


@pytest.fixture
async def stand(name: str, market: Market) -> AsyncIterator[Stand]:
    clock = HandClock(NOW)
    options = history.Options(path=None)
    async with (
        market_serving(market) as base,
        new_session() as http,
        history.opening(options, clock) as store,
    ):
        stand = Stand(name, clock, base, http)
        recorder = Recorder(store, clock, options, epoch="rates", saved=Saved())
        async with serving(application(api(clock, recorder, stand.poller).routes()), "127.0.0.1:0") as url:
            stand.url = url
            yield stand


async def test_before_the_first_answer_it_is_starting_and_has_no_date(stand: Stand):
    assert await stand.said() == {
        "source": stand.name,
        "health": "starting",
        "since": NOW,
        "last_answer": None,
        "last_error": None,
        "next_try": None,
        "date": None,
    }


async def test_an_answer_is_told_with_its_time_and_the_day_of_the_rates(stand: Stand):
    stand.clock.ms += 1500
    await stand.poller.ask()
    said = await stand.said()
    assert (said["health"], said["since"], said["last_answer"]) == ("up", NOW + 1500, NOW + 1500)
    assert (said["date"], said["last_error"]) == ("2026-11-20", None)
    stand.clock.ms += 3_600_000
    await stand.poller.ask()
    said = await stand.said()
    assert (said["since"], said["last_answer"]) == (NOW + 1500, NOW + 3_601_500)


async def test_a_failure_is_told_and_the_rates_keep_their_date(stand: Stand, market: Market):
    await stand.poller.ask()
    market.fail(stand.name, Fault.server_error(500))
    stand.clock.ms += 60_000
    with pytest.raises(Unreachable) as failed:
        await stand.poller.ask()
    said = await stand.said()
    assert (said["health"], said["since"]) == ("failing", NOW + 60_000)
    assert (said["last_answer"], said["date"]) == (NOW, "2026-11-20")
    assert said["last_error"] == str(failed.value)
    market.heal()
    stand.clock.ms += 60_000
    await stand.poller.ask()
    said = await stand.said()
    assert (said["health"], said["last_error"], said["since"]) == ("up", None, NOW + 120_000)
    assert [status.health for status in stand.told] == ["up", "failing", "up"]


async def test_a_source_that_never_answered_has_an_error_and_no_date(stand: Stand, market: Market):
    market.fail(stand.name, Fault.rate_limited(retry_after=90))
    with pytest.raises(RateLimited):
        await stand.poller.ask()
    said = await stand.said()
    assert (said["health"], said["last_answer"], said["date"]) == ("failing", None, None)
    assert SOURCES[stand.name].title in said["last_error"]


async def test_where_rates_are_off_there_is_no_source():
    clock, options = HandClock(NOW), history.Options(path=None)
    async with history.opening(options, clock) as store, new_session() as http:
        recorder = Recorder(store, clock, options, epoch="rates", saved=Saved())
        async with (
            serving(application(api(clock, recorder, None).routes()), "127.0.0.1:0") as url,
            http.get(f"{url}/v1/sources") as response,
        ):
            assert json.loads(await response.read()) == {"sources": [], "rates": None}
