"""The ordinary sources against the embedded market: its prices, and each of its faults in turn."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import aiohttp
import pytest

from ticker.clock import SystemClock
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, Unreachable
from ticker.market import Fault, Market, serving
from ticker.model import Pair, SourceHealth
from ticker.poller import Poller
from ticker.sources import VENUES
from ticker.sources.base import Options
from ticker.sources.http import new_session

SYMBOLS = {
    "binance": ("BTCUSDT", "ETHUSDT"),
    "mexc": ("USUSDT", "BTCUSDT"),
    "coingecko": ("talus", "bitcoin"),
}


FAULTS: list[tuple[Fault, type[SourceError]]] = [
    (Fault.rate_limited(30), RateLimited),
    (Fault.rate_limited(30, page=True), RateLimited),
    (Fault.geo_blocked(), Refused),
    (Fault.server_error(500), Unreachable),
    (Fault.server_error(503), Unreachable),
    (Fault.html(), BadAnswer),
    (Fault.cut(), Unreachable),
    (Fault.closed(), Unreachable),
    (Fault.truncated(), BadAnswer),
    (Fault.too_large(), BadAnswer),
    (Fault.prices(None), BadAnswer),
    (Fault.prices(0), BadAnswer),
    (Fault.prices("0.00000000"), BadAnswer),
    (Fault.prices("nan"), BadAnswer),
    (Fault.prices(-1), BadAnswer),
]


def ignore(_said: object) -> None:
    """Nobody listens: these tests ask and look at the state."""


class Stand:
    """The market, and a way to point sources at it."""

    def __init__(self, market: Market, base: str, session: aiohttp.ClientSession) -> None:
        self.market = market
        self.base = base
        self.session = session

    def poller(self, venue: str, *extra: str, timeout: float = 10) -> Poller:
        return Poller(
            VENUES[venue],
            [Pair(venue, symbol, symbol, "USDT") for symbol in (*SYMBOLS[venue], *extra)],
            Options(base_url=f"{self.base}/{venue}", timeout=timeout),
            self.session,
            SystemClock(),
            random.Random(1),
            ignore,
            ignore,
        )


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    market = Market(clock=SystemClock())
    async with serving(market) as base, new_session() as session:
        yield Stand(market, base, session)


@pytest.mark.parametrize("venue", SYMBOLS)
async def test_the_market_speaks_as_its_venue_does(stand: Stand, venue: str):
    poller = stand.poller(venue)
    ticks = await poller.ask()
    assert {tick.pair.symbol for tick in ticks} == set(SYMBOLS[venue])
    assert all(tick.demo and tick.change_24h and tick.note is None for tick in ticks)
    assert poller.status.health is SourceHealth.UP


async def test_an_unchanged_answer_is_asked_for_and_still_a_price(stand: Stand):
    poller = stand.poller("coingecko")
    first = await poller.ask()
    again = await poller.ask()
    assert stand.market.requests["coingecko"].unchanged == 1
    assert [tick.price for tick in again] == [tick.price for tick in first]
    assert all(new.as_of >= old.as_of for new, old in zip(again, first, strict=True))
    assert all(tick.demo for tick in again)


@pytest.mark.parametrize("venue", SYMBOLS)
async def test_an_unknown_symbol_costs_the_others_nothing(stand: Stand, venue: str):
    poller = stand.poller(venue, "NOSUCH")
    assert {tick.pair.symbol for tick in await poller.ask()} == set(SYMBOLS[venue])
    assert poller.status.unknown == ("NOSUCH",)
    assert poller.status.health is SourceHealth.UP


async def test_many_pairs_of_binance_come_from_its_whole_list_at_its_weight(stand: Stand):
    listed, unlisted = SYMBOLS["binance"], tuple(f"NOSUCH{n}" for n in range(120))
    poller = stand.poller("binance", *unlisted)
    assert {tick.pair.symbol for tick in await poller.ask()} == set(listed)
    assert poller.status.unknown == unlisted
    assert stand.market.requests["binance"].seen == 1
    assert poller.allowance.used == 80


@pytest.mark.parametrize("venue", SYMBOLS)
async def test_a_symbol_that_disappears_costs_the_others_nothing(stand: Stand, venue: str):
    poller = stand.poller(venue)
    gone, *stays = SYMBOLS[venue]
    stand.market.fail(venue, Fault.unlisted(gone))
    assert [tick.pair.symbol for tick in await poller.ask()] == stays
    assert poller.status.unknown == (gone,)


@pytest.mark.parametrize("venue", SYMBOLS)
@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=lambda value: getattr(value, "kind", ""))
async def test_each_fault_is_an_error_of_its_kind_and_ends_with_it(
    stand: Stand, venue: str, fault: Fault, kind: type[SourceError]
):
    poller = stand.poller(venue)
    stand.market.fail(venue, fault)
    with pytest.raises(kind):
        await poller.ask()
    assert poller.status.health is SourceHealth.FAILING
    stand.market.heal()
    if kind is RateLimited:
        # Healed or not: it waits as it was told.
        with pytest.raises(RateLimited, match="asked us to wait"):
            await poller.ask()
        return
    assert len(await poller.ask()) == len(SYMBOLS[venue])
    assert poller.status.health is SourceHealth.UP


@pytest.mark.parametrize(("venue", "kind"), [("binance", RateLimited), ("mexc", Refused)])
async def test_a_ban_is_heeded(stand: Stand, venue: str, kind: type[SourceError]):
    stand.market.fail(venue, Fault.banned(120))
    with pytest.raises(kind):
        await stand.poller(venue).ask()


async def test_a_slow_venue_is_given_up_in_time(stand: Stand):
    stand.market.fail("mexc", Fault.slow(60))
    with pytest.raises(Unreachable, match=r"within 0\.2 s"):
        await stand.poller("mexc", timeout=0.2).ask()


async def test_a_failed_round_does_not_lose_the_unchanged_answer(stand: Stand):
    poller = stand.poller("coingecko")
    await poller.ask()
    stand.market.fail("coingecko", Fault.html(times=1))
    with pytest.raises(BadAnswer):
        await poller.ask()
    assert len(await poller.ask()) == 2
    assert stand.market.requests["coingecko"].unchanged == 1
