"""KuCoin, Gate, Bitget, Crypto.com, Bitstamp and Gemini over real sockets: the embedded market, its faults,
and recorded answers of the venues themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.unit.conftest import ManualClock
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.market import Fault, Market, serving
from ticker.market.market import VENUES as MARKETS
from ticker.model import Basis, Pair, Tick
from ticker.sources import VENUES
from ticker.sources.base import Options, Outcome
from ticker.sources.http import new_session
from ticker.sources.source import Source

SYMBOLS = {
    "kucoin": ("BTC-USDT", "XLM-USDT"),
    "gate": ("BTC_USDT", "XLM_USDT"),
    "bitget": ("BTCUSDT", "XLMUSDT"),
    "cryptocom": ("BTC_USDT", "BTC_USD"),
    "bitstamp": ("BTC/USD", "USDT/USD"),
    "gemini": ("btcusd", "ETHUSD"),
}
FAULTS: list[tuple[Fault, type[SourceError]]] = [
    (Fault.rate_limited(30), RateLimited),
    (Fault.rate_limited(30, page=True), RateLimited),
    (Fault.banned(), Refused),
    (Fault.geo_blocked(), Refused),
    (Fault.server_error(500), Unreachable),
    (Fault.html(), BadAnswer),
    (Fault.cut(), Unreachable),
    (Fault.closed(), Unreachable),
    (Fault.truncated(), BadAnswer),
    (Fault.too_large(), BadAnswer),
    (Fault.prices(None), BadAnswer),
    (Fault.prices(0), BadAnswer),
    (Fault.prices("nan"), BadAnswer),
    (Fault.prices(-1), BadAnswer),
]
RECORDINGS = Path(__file__).parents[2].parent / "shared" / "recordings"
recorded_only = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings of real venues are not beside this repository"
)


class Stand:
    """The market, and a way to point a source at it."""

    def __init__(self, market: Market, base: str, session: aiohttp.ClientSession, clock: ManualClock) -> None:
        self.market, self.base, self.session, self.clock = market, base, session, clock

    def source(self, name: str, *extra: str) -> Source:
        return source(name, (*SYMBOLS[name], *extra), f"{self.base}/{name}", self.session, self.clock)


def source(
    name: str, symbols: tuple[str, ...], base: str, session: aiohttp.ClientSession, clock: ManualClock
) -> Source:
    spelled = {symbol: VENUES[name].currencies(symbol, None) or ("X", "USD") for symbol in symbols}
    pairs = [Pair(name, symbol, *currencies) for symbol, currencies in spelled.items()]
    return Source(VENUES[name], pairs, Options(base_url=base), session, clock)


@pytest.fixture(scope="module")
def market() -> Market:
    """One for all, its time standing still: to walk through the day before it opens is what takes long."""
    return Market(clock=ManualClock())


@pytest.fixture
async def stand(market: Market, clock: ManualClock) -> AsyncIterator[Stand]:
    market.heal()
    async with serving(market) as base, new_session() as session:
        yield Stand(market, base, session, clock)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def by_symbol(outcomes: Mapping[Pair, Outcome]) -> dict[str, Outcome]:
    return {pair.symbol: outcome for pair, outcome in outcomes.items()}


def percent(tick: Tick) -> Decimal:
    assert tick.change_24h is not None
    assert tick.change_24h.basis is Basis.ROLLING
    return tick.change_24h.percent


@pytest.mark.parametrize("name", SYMBOLS)
async def test_bitcoin_comes_out_as_the_market_opened(stand: Stand, name: str):
    said = by_symbol(await stand.source(name).ask())
    assert all(
        isinstance(outcome, Tick) and outcome.demo and outcome.note is None for outcome in said.values()
    )
    bitcoin = said[SYMBOLS[name][0]]
    assert isinstance(bitcoin, Tick)
    # The venue's own offset from the others is at most three hundredths of a percent.
    assert abs(bitcoin.price / Decimal("73012.40") - 1) <= Decimal("0.00031")
    assert abs(percent(bitcoin) - Decimal("1.12")) <= Decimal("0.02")
    assert abs(bitcoin.as_of - stand.clock.now()) < 1000


async def test_unknown_figures_of_the_market_are_unknown_and_cost_no_price(stand: Stand):
    for name, symbol in (("kucoin", "XLM-USDT"), ("gate", "XLM_USDT")):
        said = by_symbol(await stand.source(name).ask())[symbol]
        assert isinstance(said, Tick)
        assert said.turnover_24h is None


@pytest.mark.parametrize("name", SYMBOLS)
async def test_an_unknown_symbol_costs_the_others_nothing(stand: Stand, name: str):
    said = by_symbol(await stand.source(name, "NOSUCH").ask())
    assert isinstance(said.pop("NOSUCH"), UnknownSymbol)
    assert all(isinstance(outcome, Tick) for outcome in said.values())


@pytest.mark.parametrize("name", SYMBOLS)
async def test_an_unknown_symbol_alone_is_unknown(stand: Stand, name: str):
    alone = source(name, ("NOSUCH",), f"{stand.base}/{name}", stand.session, stand.clock)
    assert isinstance(by_symbol(await alone.ask())["NOSUCH"], UnknownSymbol)


@pytest.mark.parametrize("name", SYMBOLS)
@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=lambda value: getattr(value, "kind", ""))
async def test_each_fault_is_an_error_of_its_kind(
    stand: Stand, name: str, fault: Fault, kind: type[SourceError]
):
    asked = stand.source(name)
    stand.market.fail(name, fault)
    for outcome in (await asked.ask()).values():
        assert type(outcome) is kind
    stand.market.heal()
    healed = await asked.ask()
    # Healed or not: a venue that said when to come back is not asked before.
    assert {type(outcome) for outcome in healed.values()} == {RateLimited if kind is RateLimited else Tick}


@pytest.mark.parametrize("name", SYMBOLS)
async def test_a_rate_limit_is_heeded_for_as_long_as_it_lasts(stand: Stand, name: str):
    asked = stand.source(name)
    stand.market.fail(name, Fault.rate_limited(30))
    await asked.ask()
    assert asked.allowance.paused == 30
    stand.market.heal()
    stand.clock.advance(30_000)
    assert all(isinstance(outcome, Tick) for outcome in (await asked.ask()).values())


@pytest.mark.parametrize("name", ["kucoin", "bitget", "cryptocom"])
async def test_an_error_with_status_200_is_one(session: aiohttp.ClientSession, clock: ManualClock, name: str):
    code = 50001 if name == "cryptocom" else "50001"
    said = await answered(name, {"code": code, "msg": "no"}, SYMBOLS[name], session, clock)
    assert {type(outcome) for outcome in said.values()} == {Refused}
    assert "50001" in str(said[SYMBOLS[name][0]])


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with new_session() as session:
        yield session


async def answered(
    name: str,
    body: object,
    symbols: tuple[str, ...],
    session: aiohttp.ClientSession,
    clock: ManualClock,
    status: int = 200,
) -> dict[str, Outcome]:
    """What the source makes of `body`, whatever it asks for."""

    async def handler(_request: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    async with TestServer(app) as server:
        base = str(server.make_url("/")).rstrip("/")
        return by_symbol(await source(name, symbols, base, session, clock).ask())


def recorded(name: str, path: str) -> Any:
    entries = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    return next(entry for entry in entries if entry["path"] == path)


@recorded_only
async def test_recorded_kucoin_is_exact(session: aiohttp.ClientSession, clock: ManualClock):
    entry = recorded("kucoin", "/api/v1/market/allTickers")
    said = (await answered("kucoin", entry["body"], ("BTC-USDT",), session, clock))["BTC-USDT"]
    assert isinstance(said, Tick)
    assert (said.price, percent(said)) == (67193, Decimal("-0.14"))
    assert (said.bid, said.ask) == (Decimal("67192.5"), Decimal("67192.6"))
    assert said.turnover_24h == Decimal("124068431.06726933")
    assert said.as_of == 1729173207043


@recorded_only
async def test_recorded_gemini_is_exact(session: aiohttp.ClientSession, clock: ManualClock):
    entry = recorded("gemini", "/v2/ticker/BTCUSD")
    said = (await answered("gemini", entry["body"], ("btcusd",), session, clock))["btcusd"]
    assert isinstance(said, Tick)
    assert (said.price, round(percent(said), 2)) == (Decimal("9662.94"), Decimal("-4.79"))
    assert (said.bid, said.ask) == (Decimal("9662.94"), Decimal("9663.28"))
    assert (said.high_24h, said.low_24h) == (11000, 9210)


@recorded_only
async def test_recorded_gemini_refusal_is_an_unknown_symbol(
    session: aiohttp.ClientSession, clock: ManualClock
):
    entry = recorded("gemini", "/v2/ticker/bla")
    said = await answered("gemini", entry["body"], ("bla",), session, clock, entry["status"])
    assert isinstance(said["bla"], UnknownSymbol)


@recorded_only
@pytest.mark.parametrize(
    ("name", "route", "path", "symbol"),
    [
        ("kucoin", "/api/v1/market/allTickers", "/api/v1/market/allTickers", ""),
        ("gemini", "/v2/ticker/{symbol}", "/v2/ticker/BTCUSD", "BTCUSD"),
        ("gemini", "/v2/ticker/{symbol}", "/v2/ticker/bla", "bla"),
    ],
)
def test_the_market_has_the_recorded_shape(market: Market, name: str, route: str, path: str, symbol: str):
    entry, venue = recorded(name, path), MARKETS[name]
    market.heal()
    ours = market.respond(venue, venue.routes[route], {"symbol": symbol}).reply
    assert ours.status == entry["status"]
    assert shape(ours.body) == shape(entry["body"])


def shape(value: Any) -> Any:
    """Keys and the type of every value; of a list, those of its first."""
    match value:
        case dict():
            return {key: shape(item) for key, item in value.items()}
        case list():
            return [shape(item) for item in value[:1]]
    return type(value).__name__
