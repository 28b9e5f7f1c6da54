"""Each fault of each venue in turn: prices stay and stay right, age is told, health turns and turns back."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.flows.conftest import ASSETS, HandClock, Stand, configured, standing, started
from ticker.app import running
from ticker.config import Currency
from ticker.identity import AssetOptions
from ticker.market import Fault, Market, serving

PEGGED = Currency(pegs={"USDT": "USD"})
# One asset a venue, so that nobody stands in for it.
ALONE = {
    "mexc": AssetOptions(symbol="US", name="Talus", pairs=("mexc:USUSDT",)),
    "binance": AssetOptions(symbol="BTC", name="Bitcoin", pairs=("binance:BTCUSDT",)),
    "coingecko": AssetOptions(symbol="ETH", name="Ethereum", pairs=("coingecko:ethereum",)),
}
TITLES = {"mexc": "MEXC", "binance": "Binance", "coingecko": "CoinGecko"}
# The ages (seconds) at which a price is past live and past delayed: 4 and 10 rounds, at least 30 and 120.
AGES = {"mexc": (30, 120), "binance": (30, 120), "coingecko": (240, 600)}
FAULTS = {
    "rate_limited": Fault.rate_limited(30),
    "rate_limited_page": Fault.rate_limited(30, page=True),
    "banned": Fault.banned(120),
    "geo_blocked": Fault.geo_blocked(),
    "server_error": Fault.server_error(500),
    "unavailable": Fault.server_error(503),
    "html": Fault.html(),
    "cut": Fault.cut(),
    "truncated": Fault.truncated(),
    "too_large": Fault.too_large(),
    "closed": Fault.closed(),
    "slow": Fault.slow(3000),
    "price_null": Fault.prices(None),
    "price_zero": Fault.prices("0.00000000"),
    "price_nan": Fault.prices("nan"),
    "price_negative": Fault.prices(-1),
}


@asynccontextmanager
async def alone(clock: HandClock) -> AsyncIterator[Stand]:
    async with standing(clock, assets=ALONE, currency=PEGGED, timeout=0.3) as stand:
        yield stand


def plausible(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """A walk of minutes doesn't move a price by a tenth; a wrong one would."""
    assert before.keys() == after.keys()
    for asset, quote in after.items():
        assert quote["price"] is not None
        assert abs(Decimal(quote["price"]) / Decimal(before[asset]["price"]) - 1) < Decimal("0.1")
        assert quote["demo"] is True


async def health(stand: Stand, venue: str) -> str:
    sources = (await stand.json("/v1/sources"))["sources"]
    return str(next(one["health"] for one in sources if one["source"] == venue))


@pytest.mark.parametrize("venue", ALONE)
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_ages_the_price_and_takes_nothing_else(
    clock: HandClock, caplog: pytest.LogCaptureFixture, venue: str, fault: str
) -> None:
    caplog.set_level(logging.INFO, "ticker.poller")
    late, stale = AGES[venue]
    async with alone(clock) as stand:
        before = await stand.quotes()
        assert {quote["state"] for quote in before.values()} == {"live"}
        stand.market.fail(venue, FAULTS[fault])
        states = [await state_at(stand, before, venue, age) for age in (late, late + 2, stale, stale + 2)]
        assert states == ["live", "delayed", "delayed", "stale"]
        assert await health(stand, venue) == "failing"
        stand.market.heal()
        await clock.advance(700)
        await clock.advance(130)
        for _ in range(5):  # an answer has 0.3 real seconds, which a busy machine may not keep at once
            if await health(stand, venue) == "up":
                break
            await clock.advance(130)
        after = await stand.quotes()
        plausible(before, after)
        assert {quote["state"] for quote in after.values()} == {"live"}
        assert await health(stand, venue) == "up"
    told = [record.getMessage() for record in caplog.records if record.name == "ticker.poller"]
    assert [TITLES[venue] in line for line in told] == [True, True], told
    assert told[0].startswith("no prices from")
    assert "answers again" in told[1]


async def state_at(stand: Stand, before: Mapping[str, Any], venue: str, age: int) -> str:
    """The state of the venue's own asset `age` seconds after its price; nothing else about it has changed."""
    due = before[venue]["as_of"] + age * 1000
    await stand.clock.advance((due - stand.clock.ms) / 1000)
    now = await stand.quotes()
    plausible(before, now)
    assert (now[venue]["price"], now[venue]["as_of"]) == (before[venue]["price"], before[venue]["as_of"])
    others = {quote["state"] for asset, quote in now.items() if asset != venue}
    assert others == {"live"}
    return str(now[venue]["state"])


@pytest.mark.parametrize("venue", ALONE)
async def test_a_venue_whose_time_stands_still_goes_stale_though_it_answers(
    clock: HandClock, venue: str
) -> None:
    late, stale = AGES[venue]
    async with alone(clock) as stand:
        stand.market.fail(venue, Fault.frozen())
        await clock.advance(late - 5)
        frozen = (await stand.quotes())[venue]
        for age, state in ((late + 2, "delayed"), (stale + 2, "stale")):
            await clock.advance((frozen["as_of"] + age * 1000 - clock.ms) / 1000)
            now = (await stand.quotes())[venue]
            assert (now["state"], now["price"], now["as_of"]) == (state, frozen["price"], frozen["as_of"])
        assert await health(stand, venue) == "up"
        stand.market.heal()
        await clock.advance(700)
        assert (await stand.quotes())[venue]["state"] == "live"


async def test_an_unlisted_symbol_ages_alone(clock: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    assets = ALONE | {"ethereum": AssetOptions(symbol="ETH", name="Ethereum", pairs=("binance:ETHUSDT",))}
    async with standing(clock, assets=assets, currency=PEGGED) as stand:
        before = await stand.quotes()
        stand.market.fail("binance", Fault.unlisted("BTCUSDT"))
        for _ in range(12):
            await stand.clock.advance(11)
        after = await stand.quotes()
        plausible(before, after)
        assert (after["binance"]["state"], after["ethereum"]["state"]) == ("stale", "live")
        sources = {one["source"]: one for one in (await stand.json("/v1/sources"))["sources"]}
        assert (sources["binance"]["health"], sources["binance"]["unknown"]) == ("up", ["BTCUSDT"])
    assert len([record for record in caplog.records if "BTCUSDT" in record.getMessage()]) == 1


async def test_a_slow_answer_within_its_time_is_a_price(clock: HandClock) -> None:
    async with alone(clock) as stand:
        stand.market.fail("mexc", Fault.slow(0))
        await stand.tick()
        assert await health(stand, "mexc") == "up"
        assert (await stand.quotes())["mexc"]["state"] == "live"


async def test_another_venue_stands_in_for_one_that_fails(clock: HandClock) -> None:
    async with standing(clock) as stand:
        stand.market.fail("binance", Fault.html())
        for _ in range(14):
            await clock.advance(10)
        bitcoin = await stand.json("/v1/quotes/bitcoin")
        assert (bitcoin["state"], bitcoin["sources"], bitcoin["confidence"]) == ("live", 1, "single")
        seen = {one["source"]: one for one in bitcoin["observations"]}
        assert (seen["coingecko"]["used"], seen["binance"]["used"]) == (True, False)


async def test_a_market_that_restarts_on_its_port_is_found_again(clock: HandClock) -> None:
    market = Market(clock=clock)
    async with serving(market) as base:
        port = urlsplit(base).port or 0
    config = configured(base, assets=ALONE, currency=PEGGED)
    async with running(config, clock=clock) as service, aiohttp.ClientSession() as http:
        await started(clock)
        stand = Stand(service, market, clock, http)
        assert (await stand.quotes())["mexc"]["price"] is None
        for _ in range(2):
            async with serving(market, port=port):
                await clock.advance(70)
                quotes = await stand.quotes()
                assert {quote["state"] for quote in quotes.values()} == {"live"}
            await clock.advance(70)
            assert {one["health"] for one in (await stand.json("/v1/sources"))["sources"]} == {"failing"}
            plausible(quotes, await stand.quotes())


async def test_without_a_measure_of_usdt_the_price_is_in_usdt(clock: HandClock) -> None:
    async with standing(clock, assets={"talus": ASSETS["talus"]}) as stand:
        quote = await stand.json("/v1/quotes/talus")
        assert quote["currency"] == "USDT"
        assert quote["price"] == quote["observations"][0]["price"]
        assert "conversion" not in quote


async def test_a_peg_is_said_to_be_assumed(clock: HandClock) -> None:
    async with standing(clock, assets={"talus": ASSETS["talus"]}, currency=PEGGED) as stand:
        quote = await stand.json("/v1/quotes/talus")
        assert (quote["currency"], quote["conversion"]) == ("USD", "assumed")
        assert quote["price"] == quote["observations"][0]["price"]


async def test_a_rate_that_ages_makes_its_prices_delayed_not_wrong(clock: HandClock) -> None:
    async with standing(clock) as stand:
        before = await stand.quotes()
        stand.market.fail("coingecko", Fault.server_error())
        await clock.advance(610)
        await stand.tick()
        after = await stand.quotes()
        plausible(before, after)
        assert after["tether"]["state"] == "stale"
        assert after["talus"]["state"] == "delayed"
        await clock.advance(3600)
        await stand.tick()
        assert (await stand.quotes())["talus"]["state"] == "stale"
