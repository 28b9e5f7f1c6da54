"""The embedded market over real sockets: what a client sees of each fault, validators, gzip, the process."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from ticker.clock import SystemClock
from ticker.market import Fault, Market, serving

# A test that would wait for ever fails instead.
PATIENCE = aiohttp.ClientTimeout(total=20)
START = 1_790_000_123_456
BINANCE = "/binance/api/v3/ticker/24hr?symbol=BTCUSDT"
MEXC = "/mexc/api/v3/ticker/24hr?symbol=USUSDT"
COINGECKO = "/coingecko/simple/price?ids=bitcoin&vs_currencies=usd&include_last_updated_at=true"
PATHS = {"binance": BINANCE, "mexc": MEXC, "coingecko": COINGECKO}
# Whose shapes this file knows; test_venue_contract.py goes over all.
FIRST = ("binance", "mexc", "coingecko")


class HandClock:
    """Time moves when the test says so; sleepers wait for the test to wake them."""

    def __init__(self) -> None:
        self.ms = START
        self.asleep: asyncio.Queue[float] = asyncio.Queue(maxsize=8)
        self.wake = asyncio.Event()

    def now(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.asleep.put_nowait(seconds)
        await self.wake.wait()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def market(clock: HandClock) -> Market:
    return Market(seed=7, clock=clock)


@pytest.fixture
async def client(market: Market) -> AsyncIterator[aiohttp.ClientSession]:
    async with serving(market) as base, aiohttp.ClientSession(base, timeout=PATIENCE) as session:
        yield session


async def get(
    client: aiohttp.ClientSession, path: str, **headers: str
) -> tuple[aiohttp.ClientResponse, bytes]:
    async with client.get(path, headers=headers) as response:
        return response, await response.read()


async def load(client: aiohttp.ClientSession, path: str) -> Any:
    response, body = await get(client, path)
    assert response.status == 200
    return json.loads(body)


@pytest.mark.parametrize("venue", FIRST)
async def test_venue_answers_in_json_and_says_it_is_a_demo(client: aiohttp.ClientSession, venue: str) -> None:
    response, body = await get(client, PATHS[venue])
    assert response.status == 200
    assert response.content_type == "application/json"
    assert response.headers["Ticker-Demo"] == "1"
    assert json.loads(body)


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/mexc/api/v3/nothing", "/binance/api/v3/ticker/24hr?symbol=NOPE"]
)
async def test_every_other_answer_says_so_too(client: aiohttp.ClientSession, path: str) -> None:
    response, _ = await get(client, path)
    assert response.headers["Ticker-Demo"] == "1"


async def test_slow_answer_comes_after_the_stated_seconds(
    client: aiohttp.ClientSession, market: Market, clock: HandClock
) -> None:
    market.fail("mexc", Fault.slow(seconds=3, times=1))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        answer = group.create_task(get(client, MEXC))
        assert await clock.asleep.get() == 3
        assert not answer.done()
        assert (await load(client, BINANCE))["symbol"] == "BTCUSDT"
        clock.wake.set()
    response, body = answer.result()
    assert response.status == 200
    assert json.loads(body)["symbol"] == "USUSDT"


async def test_server_stops_at_once_while_an_answer_is_slow(market: Market, clock: HandClock) -> None:
    market.fail("mexc", Fault.slow(seconds=3))
    async with asyncio.timeout(20), aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        async with serving(market) as base:
            answer = group.create_task(_outcome(session, base + MEXC))
            await clock.asleep.get()
        assert isinstance(await answer, aiohttp.ClientError)


async def _outcome(session: aiohttp.ClientSession, url: str) -> int | aiohttp.ClientError:
    try:
        async with session.get(url) as response:
            return response.status
    except aiohttp.ClientError as problem:
        return problem


async def test_rate_limit_comes_with_retry_after_and_used_weight(
    client: aiohttp.ClientSession, market: Market
) -> None:
    market.fail("binance", Fault.rate_limited(retry_after=17))
    response, body = await get(client, BINANCE)
    assert response.status == 429
    assert response.headers["Retry-After"] == "17"
    assert response.headers["X-MBX-USED-WEIGHT-1M"] == "6001"
    assert json.loads(body)["code"] == -1003


async def test_rate_limit_may_be_a_page(client: aiohttp.ClientSession, market: Market) -> None:
    market.fail("coingecko", Fault.rate_limited(retry_after=119, page=True))
    response, body = await get(client, COINGECKO)
    assert response.status == 429
    assert response.headers["Retry-After"] == "119"
    assert response.content_type == "text/html"
    assert body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("fault", "status"), [(Fault.banned(), 418), (Fault.geo_blocked(), 451), (Fault.server_error(502), 502)]
)
async def test_refusals_have_the_venues_status(
    client: aiohttp.ClientSession, market: Market, fault: Fault, status: int
) -> None:
    market.fail("binance", fault)
    response, _ = await get(client, BINANCE)
    assert response.status == status


async def test_page_in_place_of_json(client: aiohttp.ClientSession, market: Market) -> None:
    market.fail("mexc", Fault.html())
    response, body = await get(client, MEXC)
    assert (response.status, response.content_type) == (200, "text/html")
    assert b"<html>" in body


@pytest.mark.parametrize("venue", FIRST)
async def test_cut_connection_breaks_the_body_in_the_middle(
    client: aiohttp.ClientSession, market: Market, venue: str
) -> None:
    market.fail(venue, Fault.cut())
    async with client.get(PATHS[venue]) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_closed_connection_gives_no_answer_at_all(
    client: aiohttp.ClientSession, market: Market
) -> None:
    market.fail("mexc", Fault.closed())
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(client, MEXC)
    assert (await load(client, BINANCE))["symbol"] == "BTCUSDT"


async def test_truncated_json_has_a_right_length(client: aiohttp.ClientSession, market: Market) -> None:
    market.fail("mexc", Fault.truncated())
    response, body = await get(client, MEXC)
    assert response.headers["Content-Length"] == str(len(body))
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_large_body_is_valid_json_as_large_as_stated(
    client: aiohttp.ClientSession, market: Market, coding: str
) -> None:
    market.fail("mexc", Fault.too_large(size=2_000_000))
    response, body = await get(client, MEXC, **{"Accept-Encoding": coding})
    assert len(body) == 2_000_000
    assert json.loads(body)["symbol"] == "USUSDT"
    assert response.headers.get("Content-Encoding", "identity") == coding


@pytest.mark.parametrize("venue", FIRST)
async def test_frozen_venue_repeats_itself_and_its_time(
    client: aiohttp.ClientSession, market: Market, clock: HandClock, venue: str
) -> None:
    before, first = await get(client, PATHS[venue])
    market.fail(venue, Fault.frozen())
    clock.ms += 3_600_000
    after, second = await get(client, PATHS[venue])
    assert after.status == 200
    assert second == first
    assert after.headers["Date"] == before.headers["Date"]
    market.heal(venue)
    assert (await get(client, PATHS[venue]))[1] != first


async def test_date_is_the_markets_own(client: aiohttp.ClientSession) -> None:
    response, _ = await get(client, BINANCE)
    assert int(parsedate_to_datetime(response.headers["Date"]).timestamp()) == START // 1000


async def test_limited_fault_ends_after_its_requests(client: aiohttp.ClientSession, market: Market) -> None:
    market.fail("mexc", Fault.server_error(times=2))
    assert [(await get(client, MEXC))[0].status for _ in range(3)] == [503, 503, 200]


async def test_validators_spare_an_unchanged_answer(
    client: aiohttp.ClientSession, market: Market, clock: HandClock
) -> None:
    first, body = await get(client, COINGECKO)
    etag = first.headers["ETag"]
    assert etag.startswith('W/"')
    assert first.headers["Cache-Control"] == "public, max-age=30"
    again, nothing = await get(client, COINGECKO, **{"If-None-Match": etag})
    assert (again.status, nothing, again.headers["ETag"]) == (304, b"", etag)
    assert again.headers["Ticker-Demo"] == "1"
    clock.ms += 30_000
    changed, other = await get(client, COINGECKO, **{"If-None-Match": etag})
    assert changed.status == 200
    assert other != body
    assert (market.requests["coingecko"].seen, market.requests["coingecko"].unchanged) == (3, 1)


async def test_last_modified_is_true_and_honoured(client: aiohttp.ClientSession, clock: HandClock) -> None:
    clock.ms += 12_000
    first, _ = await get(client, COINGECKO)
    modified = first.headers["Last-Modified"]
    assert int(parsedate_to_datetime(modified).timestamp()) == START // 1000
    assert (await get(client, COINGECKO, **{"If-Modified-Since": modified}))[0].status == 304
    # RFC 9110: an entity tag that doesn't match wins over a date that does.
    both = {"If-Modified-Since": modified, "If-None-Match": '"other"'}
    assert (await get(client, COINGECKO, **both))[0].status == 200


@pytest.mark.parametrize("path", [BINANCE, MEXC])
async def test_exchanges_send_no_validators(client: aiohttp.ClientSession, path: str) -> None:
    response, _ = await get(client, path)
    assert not {"ETag", "Last-Modified"} & set(response.headers)


async def test_gzip_is_sent_to_those_who_accept_it(market: Market) -> None:
    async with serving(market) as base, aiohttp.ClientSession(base, auto_decompress=False) as client:
        packed, body = await get(client, MEXC, **{"Accept-Encoding": "gzip, br"})
        plain, same = await get(client, MEXC, **{"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(body) == same


async def test_used_weight_adds_up_and_starts_anew_each_minute(
    client: aiohttp.ClientSession, clock: HandClock
) -> None:
    async def used(path: str) -> int:
        response, _ = await get(client, path)
        return int(response.headers["X-MBX-USED-WEIGHT-1M"])

    assert await used(BINANCE) == 2
    assert await used("/binance/api/v3/ticker/24hr") == 82
    clock.ms += 60_000
    assert await used(BINANCE) == 2


async def test_a_second_market_on_the_port_is_an_error(market: Market) -> None:
    async with serving(market) as base:
        port = int(base.rpartition(":")[2])
        with pytest.raises(OSError, match="address already in use"):
            async with serving(Market(seed=1, clock=SystemClock()), port=port):
                pytest.fail("two servers on one port")
