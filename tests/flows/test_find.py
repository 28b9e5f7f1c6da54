"""`ticker find`: what it prints can be pasted, and a symbol that several tokens share is never resolved."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from ticker.cli.find import find
from ticker.clock import SystemClock
from ticker.config import load
from ticker.market import Fault, Market, serving

COINS = {
    "coins": [
        {"id": "talus", "symbol": "US", "name": "Talus", "market_cap_rank": 1204},
        {"id": "unity-stake", "symbol": "us", "name": "Unity Stake", "market_cap_rank": None},
    ]
}
TICKERS = {
    "tickers": [
        {"base": "US", "target": "TRY", "market": {"identifier": "mxc"}},
        {"base": "US", "target": "USDT", "market": {"identifier": "mxc"}},
        {"base": "US", "target": "USDC", "market": {"identifier": "mxc"}},
        {"base": "US", "target": "USDT", "market": {"identifier": "some_dex"}},
    ]
}


def pointed_at(base: str):
    return load(None, {}, {"sources.coingecko.base_url": base})


@asynccontextmanager
async def gecko(**answers: object) -> AsyncIterator[str]:
    app = web.Application()

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(answers["search" if request.path == "/search" else "tickers"])

    app.add_routes([web.get("/search", answer), web.get("/coins/{id}/tickers", answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_what_it_prints_is_a_configuration_that_loads(capsys, tmp_path: Path):
    async with serving(Market(clock=SystemClock())) as base:
        assert await find(pointed_at(f"{base}/coingecko"), "talus") == 0
    printed = capsys.readouterr().out
    file = tmp_path / "ticker.toml"
    file.write_text(printed)
    [asset] = load(file, {}).identified()
    assert (asset.id, asset.symbol) == ("talus", "US")
    assert [pair.ref for pair in asset.pairs] == ["mexc:USUSDT", "coingecko:talus"]


async def test_a_symbol_of_several_tokens_is_printed_in_full_and_never_resolved(capsys):
    async with gecko(search=COINS, tickers=TICKERS) as base:
        assert await find(pointed_at(base), "us") == 0
    printed = capsys.readouterr().out
    assert "2 tokens have the symbol US: Talus, Unity Stake. Choose by name." in printed
    assert {"talus", "unity-stake"} == set(tomllib.loads(printed.rpartition("\n2 tokens")[0])["assets"])
    assert "mexc:USUSDT" in printed
    assert "TRY" not in printed


async def test_offline_it_searches_what_is_configured_and_says_so(capsys):
    market = Market(clock=SystemClock())
    market.fail("coingecko", Fault.server_error())
    async with serving(market) as base:
        assert await find(pointed_at(f"{base}/coingecko"), "talus") == 0
    said = capsys.readouterr()
    assert "searching what is configured" in said.err
    assert 'pairs = ["mexc:USUSDT"]' in said.out


@pytest.mark.parametrize("body", [{"coins": "none"}, {"other": []}])
async def test_an_answer_of_another_shape_is_told_and_not_fatal(capsys, body):
    async with gecko(search=body) as base:
        assert await find(pointed_at(base), "bitcoin") == 0
    assert "CoinGecko's search answered with something else" in capsys.readouterr().err


async def test_nothing_found_is_exit_status_1(capsys):
    async with gecko(search={"coins": []}) as base:
        assert await find(pointed_at(base), "nonesuch") == 1
    assert "nothing found for 'nonesuch'" in capsys.readouterr().err
