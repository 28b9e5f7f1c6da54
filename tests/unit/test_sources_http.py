"""The HTTP layer against real servers: limits of time and size, validators, refusals, no key in any text."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ticker.clock import SystemClock
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, Unreachable
from ticker.model import Pair
from ticker.sources import VENUES
from ticker.sources.base import Options
from ticker.sources.http import RETRY_CEILING, Answer, Validator, fetch, new_session

VENUE = VENUES["coingecko"]
[REQUEST] = VENUE.requests([Pair("coingecko", "bitcoin", "BTC", "USD")])
KEY = "s3cret-key"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Ask = Callable[..., Awaitable[Answer]]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Serves one handler under every path and asks it once."""
    servers: list[TestServer] = []
    async with new_session() as session:

        async def once(handler: Handler, *, options: dict[str, Any] | None = None, **given: Any) -> Answer:
            app = web.Application()
            app.router.add_get("/{path:.*}", handler)
            server = TestServer(app)
            servers.append(server)
            await server.start_server()
            chosen = Options(base_url=str(server.make_url("/")), key=KEY, **(options or {}))
            return await fetch(session, VENUE, chosen, REQUEST, SystemClock(), **given)

        yield once
    for server in servers:
        await server.close()


def saying(status: int = 200, body: bytes | str = b"{}", **headers: str) -> Handler:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers=named)

    return handler


async def failing(ask: Ask, handler: Handler, kind: type[SourceError], **given: Any) -> Any:
    """The error the handler leads to; one that names the venue and not the key."""
    with pytest.raises(kind) as caught:
        await ask(handler, **given)
    assert type(caught.value) is kind
    assert "CoinGecko" in str(caught.value)
    assert KEY not in str(caught.value)
    return caught.value


async def test_the_venue_sees_the_query_the_key_and_the_product(ask: Ask):
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({})

    answer = await ask(handler)
    [request] = seen
    assert (answer.body, answer.unchanged, answer.demo) == (b"{}", False, False)
    assert request.path == "/simple/price"
    assert list(request.query.items()) == list(REQUEST.query)
    assert request.headers["User-Agent"] == "price-ticker"
    assert request.headers["Accept-Encoding"] == "gzip, br"
    assert request.headers["x-cg-demo-api-key"] == KEY


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("br", brotli.compress)])
async def test_compressed_answers_are_read(ask: Ask, coding: str, pack: Callable[[bytes], bytes]):
    answer = await ask(saying(body=pack(b'{"bitcoin":{"usd":1}}'), Content_Encoding=coding))
    assert answer.body == b'{"bitcoin":{"usd":1}}'


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("br", brotli.compress)])
async def test_a_bomb_is_dropped_at_the_limit(ask: Ask, coding: str, pack: Callable[[bytes], bytes]):
    bomb = pack(bytes(16 * 2**20))
    assert len(bomb) < 20_000
    error = await failing(ask, saying(body=bomb, Content_Encoding=coding), BadAnswer, body_limit=2**20)
    assert "more than 1048576 bytes" in str(error)


async def test_a_body_without_end_is_dropped_at_the_limit(ask: Ask):
    ended = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 65536)
        finally:
            ended.set()

    await failing(ask, handler, BadAnswer, body_limit=2**20)
    async with asyncio.timeout(5):
        await ended.wait()


async def test_a_body_at_the_limit_is_taken(ask: Ask):
    assert len((await ask(saying(body=b" " * 1000), body_limit=1000)).body) == 1000


async def test_garbage_under_a_coding_is_no_answer(ask: Ask):
    await failing(ask, saying(body=b"no gzip at all", Content_Encoding="gzip"), Unreachable)


async def test_an_answer_that_never_comes_ends_in_time(ask: Ask):
    async def handler(request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    error = await failing(ask, handler, Unreachable, options={"timeout": 0.1})
    assert "0.1 s" in str(error)


async def test_a_body_that_stalls_ends_in_time(ask: Ask):
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        await asyncio.Event().wait()
        raise AssertionError

    await failing(ask, handler, Unreachable, within=0.1)


async def test_an_answer_cut_short_is_no_answer(ask: Ask):
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        assert request.transport is not None
        request.transport.close()
        return response

    assert "broke off" in str(await failing(ask, handler, Unreachable))


async def test_nobody_listening_is_said_plainly():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        async with new_session() as session:
            with pytest.raises(Unreachable, match="CoinGecko: no connection"):
                await fetch(session, VENUE, Options(base_url=base, key=KEY), REQUEST, SystemClock())


async def test_a_validator_goes_back_and_304_means_unchanged(ask: Ask):
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(status=304, headers={"Date": "Sun, 06 Nov 1994 08:49:37 GMT"})

    answer = await ask(handler, validator=Validator('W/"7"', "Sun, 06 Nov 1994 08:00:00 GMT"))
    assert seen[0].headers["If-None-Match"] == 'W/"7"'
    assert seen[0].headers["If-Modified-Since"] == "Sun, 06 Nov 1994 08:00:00 GMT"
    assert answer.unchanged
    assert answer.date == 784111777000


async def test_an_answer_brings_its_validator(ask: Ask):
    assert (await ask(saying(ETag='"1"'))).validator == Validator('"1"', None)
    assert (await ask(saying())).validator is None


async def test_304_to_an_unconditional_request_is_refused(ask: Ask):
    await failing(ask, saying(304, b""), Refused)


async def test_made_up_prices_are_marked(ask: Ask):
    assert (await ask(saying(Ticker_Demo="1"))).demo


@pytest.mark.parametrize("status", [429, 418, 503])
async def test_retry_after_in_seconds(ask: Ask, status: int):
    assert (await failing(ask, saying(status, Retry_After="17"), RateLimited)).retry_after == 17


@pytest.mark.parametrize("status", [429, 418, 503])
async def test_retry_after_as_a_date_counts_from_the_venues_clock(ask: Ask, status: int):
    handler = saying(
        status, Date="Sun, 06 Nov 1994 08:49:37 GMT", Retry_After="Sun, 06 Nov 1994 08:50:07 GMT"
    )
    assert (await failing(ask, handler, RateLimited)).retry_after == 30


@pytest.mark.parametrize("said", ["604800", "9999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_silly_retry_after_is_bounded(ask: Ask, said: str):
    assert (await failing(ask, saying(429, Retry_After=said), RateLimited)).retry_after == RETRY_CEILING


@pytest.mark.parametrize("said", ["", "soon", "-5", "1e9", "9" * 100, "32 Foo 1994"])
async def test_an_unreadable_retry_after_is_not_known(ask: Ask, said: str):
    assert (await failing(ask, saying(429, Retry_After=said), RateLimited)).retry_after is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, Refused) for status in (204, 400, 401, 403, 404, 451)),
        *((status, Unreachable) for status in (500, 502, 503, 504)),
        *((status, RateLimited) for status in (418, 429)),
    ],
)
async def test_a_status_becomes_an_error_that_names_a_setting(ask: Ask, status: int, kind: type[SourceError]):
    error = await failing(ask, saying(status, b""), kind)
    assert str(status) in str(error)
    if kind is Refused:
        assert "sources.coingecko." in str(error)


async def test_a_page_instead_of_json_is_recognised(ask: Ask):
    page = b"\n<!DOCTYPE html><title>Just a moment</title>"
    assert "web page" in str(await failing(ask, saying(body=page), BadAnswer))
    assert "web page" in str(await failing(ask, saying(body=b"hello", Content_Type="text/html"), BadAnswer))
    await failing(ask, saying(429, page, Content_Type="text/html"), RateLimited)


async def test_a_redirect_on_the_same_host_is_followed(ask: Ask):
    async def handler(request: web.Request) -> web.Response:
        if request.path != "/moved":
            raise web.HTTPFound("/moved")
        return web.json_response({"key": request.headers["x-cg-demo-api-key"]})

    assert KEY.encode() in (await ask(handler)).body


async def test_a_redirect_to_another_host_is_not_followed(ask: Ask):
    error = await failing(ask, saying(302, Location="http://localhost.example/"), Refused)
    assert "localhost.example" in str(error)


@pytest.mark.parametrize("location", ["/again", "http://["])
async def test_redirects_that_lead_nowhere_end(ask: Ask, location: str):
    kind = Refused if location == "/again" else BadAnswer
    await failing(ask, saying(302, Location=location), kind)


async def test_a_venue_that_repeats_our_key_does_not_get_it_into_the_error(ask: Ask):
    await failing(ask, saying(401, f'{{"error":"bad key {KEY}"}}'), Refused)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes this test's certificate")
async def test_a_certificate_nobody_vouches_for_is_not_trusted(tmp_path: Path):
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    subprocess.run(  # noqa: ASYNC221, S603
        [*request, "-keyout", "key.pem", "-out", "cert.pem"], cwd=tmp_path, check=True, capture_output=True
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    async with TestServer(web.Application(), scheme="https") as server, new_session() as session:
        await server.start_server(ssl=context)
        options = Options(base_url=f"https://localhost:{server.port}", key=KEY)
        with pytest.raises(Unreachable, match="its certificate can't be trusted"):
            await fetch(session, VENUE, options, REQUEST, SystemClock())
