"""Real responses of real venues, served from a local server, come out right through the whole source."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ticker.clock import SystemClock
from ticker.model import Basis, Pair, Tick
from ticker.sources import VENUES
from ticker.sources.base import Options
from ticker.sources.http import new_session
from ticker.sources.source import Source

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "recordings"
pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings of real venues are not beside this repository"
)


def recorded(venue: str, path: str, *, query: str | None = None, rows: type | None = None) -> Any:
    """The body of the first recording that fits; `rows` is the type its JSON must have."""
    for entry in json.loads((RECORDINGS / f"{venue}.json").read_text(), parse_float=Decimal):
        fits = entry["path"] == path and query in (None, entry["query"])
        if fits and (rows is None or isinstance(entry["body"], rows)):
            return entry["body"]
    raise LookupError(f"no recording of {venue}{path} {query}")


def written(body: object) -> str:
    """JSON with the recording's own digits, which a float would lose."""
    exact = json.dumps(body, default=lambda number: f"<{number}>")
    return exact.replace('"<', "").replace('>"', "")


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with new_session() as session:
        yield session


async def served(
    session: aiohttp.ClientSession, venue: str, body: str, symbols: Sequence[str]
) -> dict[str, Tick]:
    """What the source makes of `body`, whatever it asks for."""

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    async with TestServer(app) as server:
        pairs = [Pair(venue, symbol, symbol, "USD") for symbol in symbols]
        options = Options(base_url=str(server.make_url("/")))
        outcomes = await Source(VENUES[venue], pairs, options, session, SystemClock()).ask()
    assert all(isinstance(outcome, Tick) for outcome in outcomes.values()), outcomes
    return {pair.symbol: tick for pair, tick in outcomes.items() if isinstance(tick, Tick)}


def percent(tick: Tick) -> Decimal:
    assert tick.change_24h is not None
    assert tick.change_24h.basis is Basis.ROLLING
    return round(tick.change_24h.percent, 2)


async def test_mexc_bitcoin_is_up_in_percent_and_not_in_a_fraction(session: aiohttp.ClientSession):
    body = recorded("mexc", "/api/v3/ticker/24hr", query="symbol=BTCUSDT")
    tick = (await served(session, "mexc", written(body), ["BTCUSDT"]))["BTCUSDT"]
    assert tick.price == Decimal("73397.77")
    assert percent(tick) == Decimal("1.73")
    assert tick.note is None
    assert (tick.bid, tick.ask) == (Decimal("73369.83"), Decimal("73369.84"))
    assert tick.turnover_24h == Decimal("554877037.44")
    assert tick.as_of == 1710328251172


@pytest.mark.parametrize("query", ["", "symbols=%5B%22BTCUSDT%22%2C%22ETHUSDT%22%5D"])
async def test_binance_batch_is_exact(session: aiohttp.ClientSession, query: str):
    body = recorded("binance", "/api/v3/ticker/24hr", query=query, rows=list)
    rows = {row["symbol"]: row for row in body}
    ticks = await served(session, "binance", written(body), list(rows)[:100])
    assert ticks
    for symbol, tick in ticks.items():
        row = rows[symbol]
        assert tick.price == Decimal(row["lastPrice"])
        assert tick.turnover_24h == Decimal(row["quoteVolume"])
        assert tick.as_of == int(row["closeTime"])
        assert abs(percent(tick) - Decimal(row["priceChangePercent"])) < Decimal("0.02")
        assert tick.note is None


async def test_coingecko_numbers_keep_every_digit(session: aiohttp.ClientSession):
    body = recorded("coingecko", "/simple/price")
    tick = (await served(session, "coingecko", written(body), ["bitcoin"]))["bitcoin"]
    assert tick.price == 76975
    assert tick.market_cap == Decimal("1542226908349.8406")
    assert percent(tick) == Decimal("-1.41")
    assert tick.as_of == 1779092258000


async def test_coingecko_tiny_price_is_written_without_an_exponent(session: aiohttp.ClientSession):
    body = recorded("coingecko", "/simple/price")
    tiny = written({**body, "tiny": {**body["bitcoin"], "usd": Decimal("1.234e-08")}})
    assert "1.234E-8" in tiny
    tick = (await served(session, "coingecko", tiny, ["bitcoin", "tiny"]))["tiny"]
    assert format(tick.price, "f") == "0.00000001234"
