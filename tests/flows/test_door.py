"""Who asks, over real sockets: keys, addresses behind proxies, origins, and what answers tell browsers."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from ticker.feed.limits import Limits
from ticker.web import application, serving
from ticker.web.access import failure
from ticker.web.admission import Door, Key, Options

WORD = "only-the-partner-knows"
KEYS = {"partner": Key(sha256=hashlib.sha256(WORD.encode()).hexdigest().upper(), sessions=500)}
BEHIND = Options(trusted_proxies=("127.0.0.1", "10.0.0.0/8", "2001:db8::/32"))
PICKY = Options(origins=("https://example.com", "https://*.example.org"))
Headers = Mapping[str, str] | Sequence[tuple[str, str]]


class Asked:
    """A server that tells what its door makes of a request."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http

    async def get(self, path: str = "/who", headers: Headers = ()) -> tuple[aiohttp.ClientResponse, Any]:
        async with self.http.get(self.url + path, headers=headers) as response:
            body = await response.read()
            return response, await response.json() if body and response.content_type.endswith(
                "json"
            ) else body

    async def told(self, path: str = "/who", headers: Headers = ()) -> Any:
        response, body = await self.get(path, headers)
        assert response.status == 200, body
        return body

    async def refused(self, path: str = "/who", headers: Headers = ()) -> tuple[int, str, str | None]:
        response, body = await self.get(path, headers)
        return response.status, body["error"]["code"], response.headers.get("WWW-Authenticate")


@asynccontextmanager
async def asked(
    options: Options | None = None, *, source: str = "127.0.0.1", public_url: str | None = None, **limits: int
) -> AsyncIterator[Asked]:
    door = Door(options, KEYS, Limits(**limits), public_url=public_url)

    async def who(request: web.Request) -> web.Response:
        caller = door.caller(request)
        return web.json_response({"account": caller.account, "sessions": caller.limits.sessions_per_address})

    async def where(request: web.Request) -> web.Response:
        return web.json_response([door.address(request), door.public_url(request)])

    async def fails(request: web.Request) -> web.Response:
        raise ZeroDivisionError

    routes = [
        web.get("/who", who),
        web.get("/where", where),
        web.get("/fails", fails),
    ]
    connector = aiohttp.TCPConnector(local_addr=(source, 0))
    async with (
        serving(application(routes, door), "127.0.0.1:0") as url,
        aiohttp.ClientSession(connector=connector) as http,
    ):
        yield Asked(url, http)


# Keys


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
async def test_a_key_opens_an_account_of_its_own_with_its_own_limits(scheme: str) -> None:
    async with asked(sessions_per_address=3) as at:
        keyed = {"account": "key:partner", "sessions": 500}
        assert await at.told(headers={"Authorization": f"{scheme} {WORD}"}) == keyed
        assert await at.told(f"/who?key={WORD}") == keyed
        assert await at.told() == {"account": "127.0.0.1", "sessions": 3}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/who?key=wrong", {}),
        (f"/who?key={WORD}x", {}),
        ("/who?key=%FF%FE", {}),
        ("/who", {"Authorization": "Bearer wrong"}),
        (f"/who?key={WORD}", {"Authorization": "Bearer wrong"}),
    ],
)
@pytest.mark.parametrize("required", [True, False])
async def test_a_wrong_key_is_refused_even_where_none_is_needed(
    path: str, headers: Headers, required: bool
) -> None:
    async with asked(Options(require_key=required)) as at:
        assert await at.refused(path, headers) == (401, "unauthorized", "Bearer")


async def test_a_key_of_bytes_that_are_no_text_is_a_wrong_one() -> None:
    async with asked() as at:
        host, _, port = at.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"GET /who HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer \xff\xed\xa0\r\n\r\n"
        )
        assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
        writer.close()
        await writer.wait_closed()


async def test_without_a_key_only_a_required_one_is_missing() -> None:
    async with asked(Options(require_key=True)) as at:
        for headers in ({}, {"Authorization": "Basic dXNlcjpwYXNz"}, {"Authorization": "Bearer "}):
            assert await at.refused(headers=headers) == (401, "unauthorized", "Bearer")
        assert (await at.refused("/who?key="))[0] == 401
    async with asked() as at:
        assert (await at.told("/who?key=", {"Authorization": "Basic dXNlcjpwYXNz"}))["account"] == "127.0.0.1"


@pytest.mark.parametrize("path", ["/who", "/fails", "/nothing", "/who?long=" + "x" * 9000 + "&"])
async def test_a_key_stands_in_no_log_and_goes_to_no_page_that_is_linked(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with asked() as at:
        for key in (WORD, f"{WORD}-wrong"):
            response, _ = await at.get(f"{path}{'&' if '?' in path else '?'}key={key}")
            if response.status != 400:
                assert response.headers["Referrer-Policy"] == "no-referrer"
    assert not [record for record in caplog.records if WORD in logging.Formatter().format(record)]


def test_a_failure_can_say_which_scheme_it_wants() -> None:
    assert (
        failure("unauthorized", "no", 401, WWW_Authenticate="Bearer").headers["WWW-Authenticate"] == "Bearer"
    )


# Addresses


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ((), "127.0.0.1"),
        (("192.0.2.7",), "192.0.2.7"),
        (("198.51.100.9, 192.0.2.7",), "192.0.2.7"),
        (("192.0.2.7, 10.1.1.1",), "192.0.2.7"),
        (("198.51.100.9, 192.0.2.7, 10.1.1.1,10.2.2.2",), "192.0.2.7"),
        (("198.51.100.9", "192.0.2.7", "10.1.1.1"), "192.0.2.7"),
        (("10.3.3.3, 10.1.1.1",), "10.3.3.3"),
        (("192.0.2.7:5678",), "192.0.2.7"),
        (("2001:0DB9::0001",), "2001:db9::1"),
        (("[2001:db9::1]",), "2001:db9::1"),
        (("[2001:db9::1]:443, 2001:db8::5",), "2001:db9::1"),
        (("::ffff:192.0.2.7",), "192.0.2.7"),
        (("192.0.2.7, ::ffff:10.1.1.1",), "192.0.2.7"),
        (("192.0.2.7, garbage, 10.1.1.1",), "10.1.1.1"),
        (("garbage",), "127.0.0.1"),
        (("192.0.2.7,",), "127.0.0.1"),
        (("192.0.2.7, ",), "127.0.0.1"),
        (("999.0.2.7",), "127.0.0.1"),
        (("[2001:db9::1]x",), "127.0.0.1"),
        (("192.0.2.7:x",), "127.0.0.1"),
    ],
)
async def test_the_address_is_the_rightmost_that_no_trusted_proxy_has(
    forwarded: Sequence[str], address: str
) -> None:
    async with asked(BEHIND) as at:
        headers = [("X-Forwarded-For", line) for line in forwarded]
        assert (await at.told("/where", headers))[0] == address


async def test_whoever_is_no_trusted_proxy_says_in_vain_who_he_is() -> None:
    forged = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Host": "evil.net", "X-Forwarded-Proto": "https"}
    async with asked(BEHIND, source="127.0.0.2") as at:
        assert await at.told("/where", forged) == ["127.0.0.2", at.url]
        assert (await at.told(headers=forged))["account"] == "127.0.0.2"
    async with asked() as at:
        assert await at.told("/where", forged) == ["127.0.0.1", at.url]


async def test_an_ipv6_reader_behind_a_proxy_is_counted_by_its_64() -> None:
    async with asked(BEHIND) as at:
        assert (await at.told(headers={"X-Forwarded-For": "2001:db9:1:2::3"}))[
            "account"
        ] == "2001:db9:1:2::/64"


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        (
            {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "prices.example.com"},
            "https://prices.example.com",
        ),
        ({"X-Forwarded-Proto": "https", "Host": "prices.example.com"}, "https://prices.example.com"),
        ({"X-Forwarded-Proto": "gopher", "Host": "prices.example.com"}, "http://prices.example.com"),
        ({"X-Forwarded-Host": "evil.net, prices.example.com:8443"}, "http://prices.example.com:8443"),
    ],
)
async def test_the_public_address_is_the_one_that_a_trusted_proxy_was_asked_at(
    headers: Headers, url: str
) -> None:
    async with asked(BEHIND) as at:
        assert (await at.told("/where", headers))[1] == url


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host"])
async def test_what_is_no_host_becomes_no_address(name: str) -> None:
    async with asked(BEHIND) as at:
        assert (await at.refused("/where", {name: 'x"><script>'}))[:2] == (400, "bad_request")


# Origins


@pytest.mark.parametrize("origin", ["https://example.com", "https://www.example.org", None])
async def test_pages_of_allowed_origins_and_whatever_is_no_browser_pass(origin: str | None) -> None:
    async with asked(PICKY) as at:
        response, body = await at.get(headers={"Origin": origin} if origin else {})
        assert (response.status, body["account"]) == (200, "127.0.0.1")
        assert response.headers.get("Access-Control-Allow-Origin") == origin
        assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.net", "null", "https://example.org", ""])
async def test_pages_of_other_origins_are_refused_and_may_not_read_that_either(origin: str) -> None:
    async with asked(PICKY) as at:
        response, body = await at.get(headers={"Origin": origin})
        assert (response.status, body["error"]["code"]) == (403, "forbidden")
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Origin" in response.headers["Vary"]


async def test_our_own_pages_are_never_foreign() -> None:
    async with asked(PICKY, public_url="https://prices.example.net") as at:
        for origin in (at.url, "https://prices.example.net"):
            assert (await at.told(headers={"Origin": origin}))["account"] == "127.0.0.1"
        forged = {"Origin": "https://evil.net", "X-Forwarded-Host": "evil.net"}
        assert (await at.refused(headers=forged))[0] == 403
    proxied = Options(origins=(), trusted_proxies=("127.0.0.1",))
    async with asked(proxied) as at:
        own = {"Origin": "https://prices.example.com", "X-Forwarded-Host": "prices.example.com"}
        assert (await at.told(headers=own))["account"] == "127.0.0.1"


async def test_a_sandboxed_page_is_not_ours_because_neither_has_a_host() -> None:
    async with asked(Options(origins=())) as at:
        assert (await at.refused(headers={"Origin": "null"}))[0] == 403


@pytest.mark.parametrize("path", ["/who", "/where", "/nothing", "/fails"])
@pytest.mark.parametrize(("origin", "echoed"), [("https://example.com", True), ("https://evil.net", False)])
async def test_every_answer_follows_the_list(path: str, origin: str, echoed: bool) -> None:
    async with asked(PICKY) as at:
        response, _ = await at.get(path, {"Origin": origin})
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if echoed else None)
        assert "Origin" in response.headers["Vary"]
    async with asked() as at:
        response, _ = await at.get(path, {"Origin": origin})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Origin" not in response.headers.get("Vary", "")


@pytest.mark.parametrize(("origin", "echoed"), [("https://example.com", True), ("https://evil.net", False)])
async def test_a_preflight_follows_the_list_and_allows_a_key(origin: str, echoed: bool) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    async with asked(PICKY) as at, at.http.options(f"{at.url}/who", headers=headers) as response:
        assert response.status == 204
        assert response.headers.get("Access-Control-Allow-Origin") == (origin if echoed else None)
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
