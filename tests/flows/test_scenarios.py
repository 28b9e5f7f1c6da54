"""Days that went wrong, played by the embedded market to the whole service: what readers saw."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from tests.flows.conftest import HandClock, Stand, standing
from ticker.identity import AssetOptions
from ticker.market import Market
from ticker.market.scenarios import SCENARIOS
from ticker.model import Quote, State

ASSETS = {
    "talus": AssetOptions(symbol="US", name="Talus", pairs=("mexc:USUSDT",)),
    "bitcoin": AssetOptions(
        symbol="BTC", name="Bitcoin", pairs=("binance:BTCUSDT", "mexc:BTCUSDT", "coingecko:bitcoin")
    ),
    "tether": AssetOptions(symbol="USDT", name="Tether", pairs=("coingecko:tether",)),
    "usd-coin": AssetOptions(
        symbol="USDC", name="USD Coin", pairs=("binance:USDCUSDT", "coingecko:usd-coin")
    ),
}
BEGINS = 20


class Day:
    """The service on a market that plays a scenario, sampled after every round."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.seen: dict[str, list[Quote]] = {asset: [] for asset in ASSETS}

    async def until(self, second: int) -> None:
        """Let the market come to its `second`, a round at a time."""
        while self.stand.clock.now() // 1000 - self.stand.market.opened < second:
            await self.stand.clock.advance(2)
            for asset, quotes in self.seen.items():
                quotes.append(self.stand.service.book.quote(asset))

    def prices(self, asset: str) -> set[Decimal]:
        return {quote.price for quote in self.seen[asset] if quote.price is not None}

    def states(self, asset: str) -> set[State]:
        return {quote.state for quote in self.seen[asset]}

    def quote(self, asset: str) -> Quote:
        return self.stand.service.book.quote(asset)


@asynccontextmanager
async def day(clock: HandClock, name: str) -> AsyncIterator[Day]:
    market = Market(clock=clock, scenario=SCENARIOS[name])
    async with standing(clock, market, assets=ASSETS) as stand:
        played = Day(stand)
        await played.until(BEGINS - 2)
        assert {quote.state for quote in map(played.quote, ASSETS)} == {State.LIVE}
        yield played


def near(price: Decimal | None, wanted: str, percent: str = "3") -> bool:
    return price is not None and abs(price - Decimal(wanted)) <= Decimal(wanted) * Decimal(percent) / 100


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_scenario_plays_and_every_quote_is_a_demo_and_never_blank(clock: HandClock, name: str):
    async with day(clock, name) as played:
        await played.until(BEGINS + 60)
        quotes = [quote for quotes in played.seen.values() for quote in quotes]
        assert all(quote.price is not None and quote.demo for quote in quotes)


async def test_one_exchange_that_falls_for_a_minute_moves_nothing(clock: HandClock):
    async with day(clock, "flash-crash") as played:
        await played.until(BEGINS + 120)
        assert all(near(price, "73012") for price in played.prices("bitcoin"))
        assert played.states("bitcoin") == {State.LIVE}


async def test_a_shifted_decimal_point_of_the_only_source_holds_the_price_until_it_is_over(clock: HandClock):
    async with day(clock, "decimal-shift") as played:
        await played.until(BEGINS + 118)
        assert all(near(price, "0.01021", "10") for price in played.prices("talus"))
        assert played.quote("talus").state is State.HELD
        await played.until(BEGINS + 140)
        assert played.quote("talus").state is State.LIVE
        assert all(near(price, "73012") for price in played.prices("bitcoin"))


async def test_a_true_crash_is_followed_at_once_where_three_agree_and_when_it_lasts_where_one_speaks(
    clock: HandClock,
):
    async with day(clock, "crash") as played:
        # CoinGecko looks once a minute: until then two exchanges say it and one aggregator doesn't.
        await played.until(BEGINS + 80)
        assert near(played.quote("bitcoin").price, "43807")
        assert played.quote("bitcoin").state is State.LIVE
        assert near(played.quote("talus").price, "0.01021", "10")
        await played.until(BEGINS + 110)
        assert near(played.quote("talus").price, "0.006126", "10")
        assert played.quote("talus").state is State.LIVE


async def test_a_stablecoin_that_loses_its_peg_everywhere_is_shown_as_it_is(clock: HandClock):
    async with day(clock, "depeg") as played:
        await played.until(BEGINS + 150)
        assert near(played.quote("usd-coin").price, "0.88", "1")


async def test_an_aggregator_gone_mad_changes_neither_prices_nor_the_rate_of_usdt(clock: HandClock):
    async with day(clock, "poisoned-aggregator") as played:
        await played.until(BEGINS + 300)
        assert all(near(price, "73012") for price in played.prices("bitcoin"))
        assert all(near(price, "1", "1") for price in played.prices("tether"))
        assert all(near(price, "0.01021", "10") for price in played.prices("talus"))
        reasons = {o.source: o.reason for o in played.stand.service.book.observations("bitcoin")}
        assert "quarantine" in (reasons["coingecko"] or "")
        await played.until(BEGINS + 700)
        assert {played.quote(asset).state for asset in ASSETS} == {State.LIVE}
