"""The service as a process of its own: killed under load and started again, and asked to stop.

The market is in the test's process. Its clock starts as far behind as is still fresh and runs fast until it
has caught up with ours: so a minute or two close in seconds. Many minutes are test_history_kill.py's.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.flows.conftest import environment
from ticker.clock import SystemClock
from ticker.history import Options as HistoryOptions
from ticker.history import opening
from ticker.market import Fault, Market, serving

VENUES = ("binance", "mexc")
BEHIND, SPEED = 110.0, 60.0
READERS = 50


class FastClock(SystemClock):
    """Wall time of two minutes ago; from `go` on a minute a second, until it has caught up."""

    def __init__(self) -> None:
        self._began: float | None = None

    def go(self) -> None:
        self._began = time.monotonic()

    def now(self) -> int:
        return super().now() - round(1000 * self._behind)

    @property
    def caught_up(self) -> bool:
        return self._behind == 0

    @property
    def _behind(self) -> float:
        passed = 0.0 if self._began is None else time.monotonic() - self._began
        return max(BEHIND - (SPEED - 1) * passed, 0)


def config_file(folder: Path, base: str, *, flush_seconds: float) -> Path:
    file = folder / "ticker.toml"
    sources = "".join(f'[sources.{v}]\nbase_url = "{base}/{v}"\ninterval = 0.25\n' for v in VENUES)
    file.write_text(
        f"""
[server]
listen = "127.0.0.1:0"
[history]
path = "{folder / "history.sqlite"}"
flush_seconds = {flush_seconds}
[currency]
pegs = {{ USDT = "USD" }}
[limits]
sessions_per_address = 0
handshakes_per_minute = 0
{sources}
[assets.talus]
symbol = "US"
name = "Talus"
pairs = ["mexc:USUSDT"]
[assets.bitcoin]
symbol = "BTC"
name = "Bitcoin"
pairs = ["binance:BTCUSDT"]
""",
        "utf-8",
    )
    return file


class Process:
    """A running `ticker serve`: its address, and what it has logged."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log = ""
        self.url = ""

    async def listen(self) -> None:
        """Wait until it says where it listens."""
        assert self.process.stderr is not None
        while not self.url:
            line = (await self.process.stderr.readline()).decode()
            assert line, self.log
            self.log += line
            if found := re.search(r"listening on (http://\S+)", line):
                self.url = found[1]

    async def end(self, number: signal.Signals) -> int:
        """Send the signal, read the rest of the log; the exit status."""
        assert self.process.stderr is not None
        self.process.send_signal(number)
        self.log += (await self.process.stderr.read()).decode()
        return await self.process.wait()


@asynccontextmanager
async def served(config: Path) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ticker", "serve", "--config", str(config),
        cwd=config.parent, env=environment(), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        service = Process(process)
        async with asyncio.timeout(10):
            await service.listen()
        yield service
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def feed(service: Process, query: str = "assets=*&interval=250") -> connect:
    return connect(f"{service.url.replace('http', 'ws')}/v1/feed?{query}", close_timeout=1)


async def until_state(subscriber: ClientConnection, state: str) -> dict[str, Any]:
    """Read on until every asset is in this state; the quotes then."""
    quotes: dict[str, Any] = {}
    async with asyncio.timeout(15):
        while len(quotes) < 2 or any(quote["state"] != state for quote in quotes.values()):
            quotes |= json.loads(await subscriber.recv()).get("quotes", {})
    return quotes


async def read_feed(service: Process) -> None:
    with suppress(ConnectionClosed):
        async with feed(service) as subscriber:
            async for _ in subscriber:
                pass


async def read_http(service: Process, http: aiohttp.ClientSession, path: str) -> None:
    with suppress(aiohttp.ClientError):
        while True:
            async with http.get(service.url + path) as response:
                assert response.status == 200
                await response.read()
            await asyncio.sleep(0.02)  # a reader's pace, not a wait for anything


async def get(http: aiohttp.ClientSession, service: Process, path: str) -> Any:
    async with http.get(service.url + path) as response:
        assert response.status == 200
        return await response.json()


async def quotes_of(http: aiohttp.ClientSession, service: Process) -> dict[str, Any]:
    return {quote["asset"]: quote for quote in (await get(http, service, "/v1/quotes"))["quotes"]}


async def candles(http: aiohttp.ClientSession, service: Process, asset: str) -> list[Any]:
    return list((await get(http, service, f"/v1/candles/{asset}"))["candles"])


async def closed_minutes(http: aiohttp.ClientSession, service: Process) -> dict[str, list[Any]]:
    """Candles of each asset but the newest, which is still open."""
    return {asset: (await candles(http, service, asset))[:-1] for asset in ("talus", "bitcoin")}


async def caught_up(http: aiohttp.ClientSession, service: Process, clock: FastClock) -> None:
    """The market's time is ours, and each asset has a closed minute."""
    async with asyncio.timeout(10), feed(service) as subscriber:
        while not (clock.caught_up and all((await closed_minutes(http, service)).values())):
            await subscriber.recv()


async def written(http: aiohttp.ClientSession, service: Process) -> None:
    """A write has begun and ended since this was called."""
    now = time.time_ns() // 1_000_000
    async with asyncio.timeout(5), feed(service) as subscriber:
        while ((await get(http, service, "/healthz"))["history"]["last_write"] or 0) < now + 300:
            await subscriber.recv()


async def test_killed_under_load_it_comes_back_with_the_last_prices(tmp_path: Path) -> None:
    clock = FastClock()
    market = Market(clock=clock)
    async with serving(market) as base, aiohttp.ClientSession() as http:
        config = config_file(tmp_path, base, flush_seconds=0.2)
        async with served(config) as service, asyncio.TaskGroup() as load:
            async with feed(service) as subscriber:
                await until_state(subscriber, "delayed")
            clock.go()
            for _ in range(READERS):
                load.create_task(read_feed(service))
            for path in ("/v1/quotes", "/v1/candles/bitcoin", "/widgets/quote?asset=talus"):
                load.create_task(read_http(service, http, path))
            await caught_up(http, service, clock)
            # What was closed for less than flush_seconds is the one thing that may be in memory only.
            minutes, quotes = await closed_minutes(http, service), await quotes_of(http, service)
            await written(http, service)
            assert await service.end(signal.SIGKILL) == -signal.SIGKILL
        for venue in VENUES:  # told when to come back, the service doesn't back off further and further
            market.fail(venue, Fault.rate_limited(1))
        async with served(config) as service:
            first = await quotes_of(http, service)
            for asset, quote in first.items():
                assert quote["state"] == "stale"
                assert quote["demo"] is True
                assert abs(Decimal(quote["price"]) / Decimal(quotes[asset]["price"]) - 1) < Decimal("0.05")
                assert quotes[asset]["as_of"] <= quote["as_of"] <= clock.now()
            await kept(http, service, minutes)
            assert await quotes_of(http, service) == first
            market.heal()
            async with feed(service) as subscriber:
                live = await until_state(subscriber, "live")
            assert all(live[asset]["as_of"] > first[asset]["as_of"] for asset in first)
            assert all(live[asset]["seq"] > first[asset]["seq"] for asset in first)
            await kept(http, service, minutes)
            assert await service.end(signal.SIGTERM) == 0


async def kept(http: aiohttp.ClientSession, service: Process, minutes: dict[str, list[Any]]) -> None:
    for asset, before in minutes.items():
        now = await candles(http, service, asset)
        # An answer holds the newest so many: a minute later the oldest is no longer in it.
        known = [candle for candle in before if candle["start"] >= now[0]["start"]]
        assert known
        assert [candle for candle in now if candle["start"] <= before[-1]["start"]] == known


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_properly_within_two_seconds(tmp_path: Path, number: signal.Signals) -> None:
    async with serving(Market(clock=SystemClock())) as base, aiohttp.ClientSession() as http:
        # It writes once a minute: what is in the file afterwards was written because it stopped.
        config = config_file(tmp_path, base, flush_seconds=60)
        async with served(config) as service, feed(service) as subscriber:
            live = await until_state(subscriber, "live")
            assert (await get(http, service, "/healthz"))["history"]["last_write"] is None
            began = time.monotonic()
            async with asyncio.TaskGroup() as group:
                said = group.create_task(last_words(subscriber))
                assert await service.end(number) == 0
            assert time.monotonic() - began < 2
            assert said.result()["type"] == "goodbye"
            assert subscriber.close_code == 4200
            assert "Traceback" not in service.log, service.log[-3000:]
    async with opening(HistoryOptions(path=str(tmp_path / "history.sqlite")), SystemClock()) as store:
        saved = await store.load()
    assert saved.seq >= max(quote["seq"] for quote in live.values())
    assert {quote.asset for quote in saved.quotes} == {"talus", "bitcoin"}
    assert {candle.asset for candle in saved.candles} == {"talus", "bitcoin"}


async def last_words(subscriber: ClientConnection) -> Any:
    said = None
    with suppress(ConnectionClosed):
        while True:
            said = json.loads(await subscriber.recv())
    return said
