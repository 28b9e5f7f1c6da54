"""The ordinary sources of rates against the embedded market's, and a quote converted at what they say."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.flows.conftest import HandClock
from ticker.currency import converted
from ticker.errors import RequestError
from ticker.market import Market
from ticker.market.rates import VENUES, fixing
from ticker.market.venue import Answer, Venue
from ticker.model import Basis, Change, Quote, State, Window
from ticker.rates import SOURCES, Options, RatePoller
from ticker.sources.http import new_session

# A Wednesday, after that day's rates have come out.
NOW = int(datetime(2026, 11, 18, 16, tzinfo=UTC).timestamp() * 1000)
DAY = 86_400_000


class Stand:
    """The market's rates on a clock that stands still until it is set, and a way to ask for them."""

    def __init__(self, base: str, session: aiohttp.ClientSession, clock: HandClock) -> None:
        self.base = base
        self.session = session
        self.clock = clock

    def poller(self, name: str) -> RatePoller:
        options = Options(base_url=f"{self.base}/{name}")
        source = SOURCES[name]
        return RatePoller(source, options, self.session, self.clock, random.Random(1), ignore, ignore)

    async def get(self, path: str) -> tuple[int, bytes]:
        async with self.session.get(self.base + path) as response:
            return response.status, await response.read()


def ignore(_said: object) -> None:
    """Nobody listens: these tests ask and look at the answer."""


def endpoint(market: Market, venue: Venue, answer: Answer) -> web.RequestHandler:
    async def handle(request: web.Request) -> web.Response:
        try:
            reply = answer(market.view(venue), {**request.query, **request.match_info})
        except RequestError as problem:
            return web.json_response(venue.error(problem), status=problem.status)
        headers = {**venue.headers, **reply.headers, "Ticker-Demo": "1"}
        return web.Response(body=msgspec.json.encode(reply.body), headers=headers)

    return handle


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    clock = HandClock(NOW)
    market = Market(clock=clock)
    app = web.Application()
    for venue in VENUES:
        for path, answer in venue.routes.items():
            app.router.add_get(f"/{venue.name}{path}", endpoint(market, venue, answer))
    async with TestServer(app) as server, new_session() as session:
        yield Stand(str(server.make_url("")).rstrip("/"), session, clock)


@pytest.mark.parametrize("name", SOURCES)
async def test_the_market_speaks_as_the_source_does(stand: Stand, name: str):
    rates = await stand.poller(name).ask()
    assert rates.demo
    assert rates.latest.date == date(2026, 11, 18)
    assert {"USD", "EUR", "JPY", "CHF"} < rates.currencies
    assert all(f.date.weekday() < 5 for f in rates.fixings)
    week_ago = rates.at(datetime(2026, 11, 11, 16, tzinfo=UTC))
    assert week_ago is not None
    assert week_ago.date == date(2026, 11, 11)


async def test_both_sources_give_the_same_rates(stand: Stand):
    frankfurter = await stand.poller("frankfurter").ask()
    ecb = await stand.poller("ecb").ask()
    assert ecb == frankfurter
    assert ecb.latest.date - ecb.fixings[0].date == timedelta(days=14)


@pytest.mark.parametrize("name", SOURCES)
async def test_rates_come_out_on_working_days_at_four_in_the_afternoon(stand: Stand, name: str):
    poller = stand.poller(name)
    friday = int(datetime(2026, 11, 20, 14, 59, tzinfo=UTC).timestamp() * 1000)
    for moment, latest in (
        (friday, date(2026, 11, 19)),
        (friday + 60_000, date(2026, 11, 20)),
        (friday + 2 * DAY, date(2026, 11, 20)),
        (friday + 3 * DAY, date(2026, 11, 20)),
        (friday + 3 * DAY + 60_000, date(2026, 11, 23)),
    ):
        stand.clock.ms = moment
        assert (await poller.ask()).latest.date == latest


async def test_a_dollar_quote_becomes_a_yen_quote_with_the_rates_date(stand: Stand):
    rates = await stand.poller("ecb").ask()
    change = Change(Decimal("0.19"), Window.DAY, Basis.ROLLING)
    quote = Quote(
        asset="talus",
        symbol="US",
        name="Talus",
        currency="USD",
        price=Decimal("0.01021"),
        change_24h=change,
        state=State.LIVE,
    )
    result = converted(quote, "JPY", rates, {}, now=stand.clock.now())
    assert result is not None
    today, before = fixing(date(2026, 11, 18)), fixing(date(2026, 11, 17))
    now, then = today["JPY"] / today["USD"], before["JPY"] / before["USD"]
    assert result.price is not None
    assert abs(result.price - Decimal("0.01021") * now) < Decimal("1e-9")
    assert result.change_24h is not None
    expected = (Decimal("1.0019") * now / then - 1) * 100
    assert abs(result.change_24h.percent - expected) <= Decimal("0.005")
    assert result.change_24h != change
    assert (result.rate_date, result.change_currency, result.demo) == ("2026-11-18", None, True)


async def test_the_markets_frankfurter_takes_a_base_and_symbols(stand: Stand):
    status, body = await stand.get("/frankfurter/latest?base=USD&symbols=EUR,JPY")
    said = msgspec.json.decode(body)
    assert (status, said["base"], said["date"], set(said["rates"])) == (
        200,
        "USD",
        "2026-11-18",
        {"EUR", "JPY"},
    )
    assert said["rates"]["EUR"] == pytest.approx(1 / float(fixing(date(2026, 11, 18))["USD"]), rel=1e-4)
    status, body = await stand.get("/frankfurter/2026-11-14..2026-11-17?symbols=USD")
    said = msgspec.json.decode(body)
    # The 14th was a Saturday: Friday's rates were in force.
    assert list(said["rates"]) == ["2026-11-13", "2026-11-16", "2026-11-17"]
    assert (said["start_date"], said["end_date"]) == ("2026-11-13", "2026-11-17")


@pytest.mark.parametrize(
    "path", ["/latest?base=XTS", "/2026-11-17", "/someday..", "/2027-01-01..", "/2026-11-17..x"]
)
async def test_what_the_markets_frankfurter_has_not_is_not_found(stand: Stand, path: str):
    assert await stand.get(f"/frankfurter{path}") == (404, b'{"message": "not found"}')


async def test_the_markets_daily_file_is_the_first_day_of_the_long_one(stand: Stand):
    _, daily = await stand.get("/ecb/eurofxref-daily.xml")
    _, long = await stand.get("/ecb/eurofxref-hist-90d.xml")
    [only] = SOURCES["ecb"].read(daily)
    assert only == SOURCES["ecb"].read(long)[0]
    assert only.date == date(2026, 11, 18)
