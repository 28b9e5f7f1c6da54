"""The sources that gather others' prices, against the embedded market over real sockets, faults included."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import aiohttp
import pytest

from tests.clocks import StillClock
from ticker.clock import SystemClock
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.market import Fault, Market, serving
from ticker.market.market import VENUES as MARKET
from ticker.model import Pair, Tick
from ticker.sources import VENUES
from ticker.sources.base import Options, Outcome
from ticker.sources.http import new_session
from ticker.sources.source import Source

NAMES = ("coinpaprika", "coinmarketcap", "defillama", "pyth")
FAULTS: list[tuple[Fault, type[SourceError]]] = [
    (Fault.rate_limited(30), RateLimited),
    (Fault.rate_limited(30, page=True), RateLimited),
    (Fault.banned(), Refused),
    (Fault.geo_blocked(), Refused),
    (Fault.server_error(500), Unreachable),
    (Fault.html(), BadAnswer),
    (Fault.truncated(), BadAnswer),
    (Fault.too_large(), BadAnswer),
    (Fault.prices(None), BadAnswer),
    (Fault.prices(0), BadAnswer),
    (Fault.prices("nan"), BadAnswer),
    (Fault.prices(-1), BadAnswer),
]


def symbol(venue: str, token: str) -> str:
    """The venue's spelling of a token of the embedded market."""
    return next(name for name, listing in MARKET[venue].listings.items() if listing.token.id == token)


class Stand:
    def __init__(self, market: Market, base: str, session: aiohttp.ClientSession) -> None:
        self.market = market
        self.base = base
        self.session = session

    async def ask(self, venue: str, *symbols: str) -> dict[str, Outcome]:
        pairs = [Pair(venue, spelling, spelling, "USD") for spelling in symbols]
        options = Options(base_url=f"{self.base}/{venue}", key="k")
        outcomes = await Source(VENUES[venue], pairs, options, self.session, SystemClock()).ask()
        return {pair.symbol: outcome for pair, outcome in outcomes.items()}


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    market = Market(clock=SystemClock())
    async with serving(market) as base, new_session() as session:
        yield Stand(market, base, session)


@pytest.mark.parametrize("venue", NAMES)
@pytest.mark.parametrize("tokens", [("bitcoin",), ("talus", "bitcoin", "pepe")], ids=len)
async def test_prices_are_the_markets(stand: Stand, venue: str, tokens: tuple[str, ...]):
    said = await stand.ask(venue, *(symbol(venue, token) for token in tokens))
    for token in tokens:
        tick = said[symbol(venue, token)]
        assert isinstance(tick, Tick), tick
        started = MARKET[venue].listings[tick.pair.symbol].token
        assert abs(tick.price / started.price - 1) < Decimal("0.01")
        assert tick.demo
        if venue in ("coinpaprika", "coinmarketcap"):
            assert tick.change_24h is not None
            assert abs(tick.change_24h.percent - started.change) < Decimal("0.5")
        else:
            assert tick.change_24h is None


@pytest.mark.parametrize("venue", NAMES)
async def test_all_pairs_cost_one_request(stand: Stand, venue: str):
    await stand.ask(venue, *MARKET[venue].listings)
    assert stand.market.requests[venue].seen == 1


@pytest.mark.parametrize("venue", NAMES)
@pytest.mark.parametrize("strange", ["NOSUCH", "0" * 63 + "1"], ids=["misspelt", "unlisted"])
async def test_an_unknown_symbol_costs_the_others_nothing(stand: Stand, venue: str, strange: str):
    known = [symbol(venue, token) for token in ("bitcoin", "ethereum")]
    said = await stand.ask(venue, *known, strange)
    assert all(isinstance(said[spelling], Tick) for spelling in known)
    assert isinstance(said[strange], UnknownSymbol)


@pytest.mark.parametrize("venue", NAMES)
async def test_an_unknown_symbol_alone_is_unknown(stand: Stand, venue: str):
    assert isinstance((await stand.ask(venue, "NOSUCH"))["NOSUCH"], UnknownSymbol)


@pytest.mark.parametrize("venue", NAMES)
async def test_a_symbol_that_disappears_costs_the_others_nothing(stand: Stand, venue: str):
    gone, stays = symbol(venue, "bitcoin"), symbol(venue, "ethereum")
    stand.market.fail(venue, Fault.unlisted(gone))
    said = await stand.ask(venue, gone, stays)
    assert isinstance(said[gone], UnknownSymbol)
    assert isinstance(said[stays], Tick)


@pytest.mark.parametrize("venue", NAMES)
@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=lambda value: getattr(value, "kind", ""))
async def test_each_fault_is_an_error_of_its_kind(
    stand: Stand, venue: str, fault: Fault, kind: type[SourceError]
):
    stand.market.fail(venue, fault)
    bitcoin = symbol(venue, "bitcoin")
    assert type((await stand.ask(venue, bitcoin, symbol(venue, "talus")))[bitcoin]) is kind


@pytest.mark.parametrize("venue", NAMES)
async def test_a_frozen_venue_is_told_by_its_own_time(venue: str):
    clock = StillClock()
    market = Market(clock=clock)
    bitcoin = symbol(venue, "bitcoin")
    async with serving(market) as base, new_session() as session:
        stand = Stand(market, base, session)
        market.fail(venue, Fault.frozen())
        clock.time += 3_600_000
        said = (await stand.ask(venue, bitcoin))[bitcoin]
    assert isinstance(said, Tick), said
    assert clock.now() - said.as_of >= 3_600_000
