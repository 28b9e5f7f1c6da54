"""The embedded market as a process of its own, and the requests that set and heal its faults."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from ticker.clock import SystemClock
from ticker.market import Fault, Market, serving
from ticker.market.market import VENUES

MEXC = "/mexc/api/v3/ticker/24hr?symbol=USUSDT"


@pytest.fixture
def market() -> Market:
    return Market(seed=7, clock=SystemClock())


@pytest.fixture
async def client(market: Market) -> AsyncIterator[aiohttp.ClientSession]:
    async with serving(market) as base, aiohttp.ClientSession(base) as session:
        yield session


async def status(client: aiohttp.ClientSession, path: str) -> int:
    async with client.get(path) as response:
        return response.status


async def load(client: aiohttp.ClientSession, path: str) -> Any:
    async with client.get(path) as response:
        assert response.status == 200
        return json.loads(await response.read())


async def test_faults_are_set_and_healed_over_http(client: aiohttp.ClientSession) -> None:
    async with client.post("/faults/mexc", json={"kind": "server_error", "status": 500}) as response:
        assert response.status == 204
    assert await status(client, MEXC) == 500
    assert (await load(client, "/"))["venues"]["mexc"]["fault"] == {"kind": "server_error", "status": 500}
    async with client.delete("/faults/mexc") as response:
        assert response.status == 204
    assert await status(client, MEXC) == 200


async def test_all_faults_are_healed_over_http(client: aiohttp.ClientSession, market: Market) -> None:
    market.fail("mexc", Fault.html())
    market.fail("binance", Fault.html())
    async with client.delete("/faults") as response:
        assert response.status == 204
    assert market.faults() == {}


@pytest.mark.parametrize(
    ("venue", "body", "kind", "refusal", "code"),
    [
        ("mexc", '{"kind":"boring"}', "application/json", 400, "bad_fault"),
        ("mexc", '{"kind":"slow","secs":1}', "application/json", 400, "bad_fault"),
        ("mexc", '{"kind":"slow","seconds":-1}', "application/json", 400, "bad_fault"),
        ("mexc", "{", "application/json", 400, "bad_fault"),
        ("nowhere", '{"kind":"slow"}', "application/json", 404, "unknown_venue"),
        ("mexc", '{"kind":"slow"}', "text/plain", 415, "bad_type"),
    ],
)
async def test_bad_fault_is_refused_with_a_code(
    client: aiohttp.ClientSession, market: Market, venue: str, body: str, kind: str, refusal: int, code: str
) -> None:
    async with client.post(f"/faults/{venue}", data=body, headers={"Content-Type": kind}) as response:
        assert response.status == refusal
        assert (await response.json())["error"]["code"] == code
    assert market.faults() == {}


async def test_index_says_what_this_is(client: aiohttp.ClientSession) -> None:
    await status(client, MEXC)
    index = await load(client, "/")
    assert index["demo"] is True
    assert index["seed"] == 7
    assert set(index["venues"]) == set(VENUES)
    assert index["venues"]["mexc"]["requests"] == 1


async def _market_process(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ticker.market", *arguments, stdout=pipe, stderr=pipe
    )


async def test_process_serves_until_it_is_told_to_stop() -> None:
    process = await _market_process("--listen", "127.0.0.1:0", "--seed", "9")
    assert process.stdout is not None
    async with asyncio.timeout(20):
        base = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession(base) as client:
            assert (await load(client, "/"))["seed"] == 9
            assert (await load(client, MEXC))["symbol"] == "USUSDT"
        process.send_signal(signal.SIGTERM)
        _, complaints = await process.communicate()
    assert (process.returncode, complaints) == (0, b"")


async def test_process_says_why_it_cannot_listen(market: Market) -> None:
    async with serving(market) as base, asyncio.timeout(20):
        process = await _market_process("--listen", base.removeprefix("http://"))
        _, complaints = await process.communicate()
    assert process.returncode == 1
    assert b"address already in use" in complaints
    assert b"Traceback" not in complaints


async def test_process_refuses_an_address_without_a_port() -> None:
    process = await _market_process("--listen", "localhost")
    async with asyncio.timeout(20):
        _, complaints = await process.communicate()
    assert process.returncode == 2
    assert b"'localhost' is not HOST:PORT" in complaints
