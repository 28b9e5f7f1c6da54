"""Recorded answers of real venues through the whole service: what /v1/quotes says of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.flows.conftest import HandClock, configured, started
from ticker.app import running
from ticker.identity import AssetOptions, PairOptions

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "recordings"
pytestmark = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings of real venues are not beside this repository"
)


def recorded(venue: str, path: str, query: str = "", kind: type = dict) -> Any:
    """The body of the first recording that fits, its numbers with the digits they came with."""
    entries = json.loads((RECORDINGS / f"{venue}.json").read_text("utf-8"), parse_float=Decimal)
    wanted = (path, query)
    return next(
        one["body"]
        for one in entries
        if (one["path"], one["query"]) == wanted and isinstance(one["body"], kind)
    )


def written(body: object) -> str:
    """JSON with the recording's own digits, which a float would lose."""
    return json.dumps(body, default=lambda number: f"<{number}>").replace('"<', "").replace('>"', "")


@asynccontextmanager
async def venue(path: str, body: object) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A server that has this one answer; its address, and the requests it has seen."""
    seen: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(text=written(body), content_type="application/json")

    app = web.Application()
    app.router.add_get(path, answer)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/"), seen


async def quotes(base: str, now: int, assets: dict[str, AssetOptions]) -> dict[str, Any]:
    """What the whole service says at `now`, of which `base` is every venue's address."""
    clock = HandClock(now)
    config = configured(base, assets=assets)
    async with running(config, clock=clock) as service, aiohttp.ClientSession() as http:
        await started(clock)
        async with http.get(f"{service.url}/v1/quotes") as response:
            said = await response.json()
    return {quote["asset"]: quote for quote in said["quotes"]}


async def test_mexc_bitcoin_is_up_by_percents_not_by_a_fraction() -> None:
    body = recorded("mexc", "/api/v3/ticker/24hr", "symbol=BTCUSDT")
    assets = {"bitcoin": AssetOptions(symbol="BTC", name="Bitcoin", pairs=("mexc:BTCUSDT",))}
    async with venue("/mexc/api/v3/ticker/24hr", body) as (base, seen):
        quote = (await quotes(base, int(body["closeTime"]) + 500, assets))["bitcoin"]
    assert dict(seen[0].query) == {"symbol": "BTCUSDT"}
    assert (quote["price"], quote["currency"]) == ("73397.77", "USDT")
    assert (quote["change_24h"], quote["change_24h_basis"]) == ("1.73", "rolling")
    assert (quote["high_24h"], quote["low_24h"]) == ("73639.99", "68629.42")
    assert quote["volume_24h"] == "554877037.44"
    assert (quote["state"], quote["as_of"]) == ("live", 1710328251172)
    assert "demo" not in quote


BATCHES = ["", "symbols=%5B%22BTCUSDT%22%2C%22ETHUSDT%22%5D"]


@pytest.mark.parametrize("query", BATCHES, ids=["everything", "two symbols"])
async def test_binance_batch_comes_out_exactly(query: str) -> None:
    rows = recorded("binance", "/api/v3/ticker/24hr", query, list)
    traded = {row["symbol"]: row for row in rows}
    assets = {
        symbol.lower(): AssetOptions(
            symbol=symbol, name=symbol, pairs=(PairOptions(pair=f"binance:{symbol}", quote="XTS"),)
        )
        for symbol in traded
    }
    newest = max(int(row["closeTime"]) for row in rows)
    async with venue("/binance/api/v3/ticker/24hr", rows) as (base, seen):
        said = await quotes(base, newest + 500, assets)
    assert len(json.loads(seen[0].query["symbols"])) == len(rows)
    for symbol, row in traded.items():
        quote = said[symbol.lower()]
        assert (quote["price"], quote["currency"]) == (row["lastPrice"], "XTS")
        assert abs(Decimal(quote["change_24h"]) - Decimal(row["priceChangePercent"])) < Decimal("0.01")
        assert (quote["high_24h"], quote["low_24h"]) == (row["highPrice"], row["lowPrice"])
        assert (quote["volume_24h"], quote["as_of"]) == (row["quoteVolume"], int(row["closeTime"]))


async def test_coingecko_tiny_numbers_have_no_exponent() -> None:
    body = recorded("coingecko", "/simple/price")
    tiny = {
        "usd": Decimal("1.234e-08"),
        "usd_24h_vol": Decimal("4.5e-07"),
        "usd_24h_change": Decimal("-1e-05"),
    }
    answer = {**body, "tiny": {**body["bitcoin"], **tiny}}
    assert "1.234E-8" in written(answer)
    assets = {
        "bitcoin": AssetOptions(symbol="BTC", name="Bitcoin", pairs=("coingecko:bitcoin",)),
        "tiny": AssetOptions(symbol="TINY", name="Tiny", pairs=("coingecko:tiny",)),
    }
    async with venue("/coingecko/simple/price", answer) as (base, _):
        said = await quotes(base, body["bitcoin"]["last_updated_at"] * 1000 + 500, assets)
    bitcoin, small = said["bitcoin"], said["tiny"]
    assert (bitcoin["price"], bitcoin["currency"], bitcoin["change_24h"]) == ("76975", "USD", "-1.41")
    assert bitcoin["market_cap"] == "1542226908349.8406"
    assert (small["price"], small["volume_24h"]) == ("0.00000001234", "0.00000045")
    assert small["change_24h"] == "0.00"


async def test_a_venue_sees_our_name_and_no_cookie_of_its_own() -> None:
    body = recorded("mexc", "/api/v3/ticker/24hr", "symbol=BTCUSDT")
    assets = {"bitcoin": AssetOptions(symbol="BTC", name="Bitcoin", pairs=("mexc:BTCUSDT",))}
    async with venue("/mexc/api/v3/ticker/24hr", body) as (base, seen):
        await quotes(base, int(body["closeTime"]) + 500, assets)
    assert seen[-1].headers["User-Agent"] == "price-ticker"
    assert set(seen[-1].headers["Accept-Encoding"].replace(" ", "").split(",")) == {"gzip", "br"}
    assert "Cookie" not in seen[-1].headers
