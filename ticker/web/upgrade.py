"""The one door where an HTTP request becomes a feed session: a websocket, or a stream of events.

aiohttp reads the request, `websockets` answers its handshake, and then the connection is the session's
alone: aiohttp's parser, request and task for it are let go, which is most of what a connection costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from aiohttp import HttpVersion11, hdrs, web
from msgspec.structs import replace

from ticker.errors import RequestError
from ticker.feed import Feed
from ticker.feed.limits import Caller
from ticker.feed.session import Agreement, check_version, negotiate
from ticker.feed.sse import HEADERS
from ticker.feed.subscriber import Subscriber
from ticker.feed.terms import Terms, parse_terms
from ticker.messages import parse_since

VERSION = "13"
UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": VERSION}


class HandedOver(web.StreamResponse):
    """Stands in for a response where the connection is no longer aiohttp's: writes nothing."""

    async def prepare(self, request: web.BaseRequest) -> None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


class Tail:
    """Takes the bytes that were read behind the upgrade request."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        return None


class Upgrade:
    """The handlers of the feed's two addresses.

    `caller` tells who asks (RequestError 401, 403), `headers` what an answer says to pages of other sites.
    """

    def __init__(
        self,
        feed: Feed,
        caller: Callable[[web.BaseRequest], Caller],
        headers: Callable[[web.BaseRequest], Mapping[str, str]],
    ) -> None:
        self._feed = feed
        self._caller = caller
        self._headers = headers

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """101 and a session; 426 without an upgrade; 400, 401, 403, 404, 429 or 503 as FEED has them."""
        with self._counting():
            terms, agreed = parse_terms(request.query), _agreed(request)
            caller = self._caller(request)
        return self._hand_over(request, terms, caller, agreed)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """200 and events without end; else as `socket`. Last-Event-ID comes before `since`."""
        with self._counting():
            terms = parse_terms(request.query)
            if seen := parse_since(request.headers.get("Last-Event-ID")):
                terms = replace(terms, since=seen)
            caller = self._caller(request)
        return self._hand_over(request, terms, caller, None)

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """What is refused before the feed has a say is counted with what it refuses."""
        try:
            yield
        except RequestError as refusal:
            self._feed.counters.refused[refusal.code] += 1
            raise

    def _hand_over(
        self, request: web.Request, terms: Terms, caller: Caller, agreed: Agreement | None
    ) -> web.StreamResponse:
        transport = request.transport
        if transport is not None and not transport.is_closing():
            session = self._feed.accept(terms, caller, agreed)
            head = agreed.response.serialize() if agreed else _head(HEADERS | dict(self._headers(request)))
            hand_over(request, transport, session, head)
        return HandedOver()


def _agreed(request: web.Request) -> Agreement:
    """The opening handshake's outcome. RequestError 426 for what is none, 400 for a bad one."""
    if request.version < HttpVersion11:  # which knows no upgrade (RFC 9110, 7.8)
        raise RequestError("upgrade_required", "a websocket needs HTTP/1.1", status=426, **UPGRADE)
    if request.headers.get(hdrs.SEC_WEBSOCKET_VERSION, VERSION) != VERSION:
        hint = f"only version {VERSION} is spoken here"
        raise RequestError("upgrade_required", hint, status=426, **UPGRADE)
    check_version(",".join(request.headers.getall(hdrs.SEC_WEBSOCKET_PROTOCOL, ())))
    agreed = negotiate(request.path_qs, request.headers.items())
    if agreed.response.status_code == HTTPStatus.UPGRADE_REQUIRED:
        raise RequestError(
            "upgrade_required", "this is a websocket: use ws:// or wss://", status=426, **UPGRADE
        )
    if agreed.response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        message = agreed.response.body.decode().strip()
        raise RequestError("bad_request", message, status=agreed.response.status_code)
    return agreed


def _head(headers: Mapping[str, str]) -> bytes:
    """The head of an answer that ends with its connection (RFC 9112, 6.3)."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()


def hand_over(request: web.Request, transport: asyncio.Transport, session: Subscriber, head: bytes) -> None:
    """Make `session` the transport's protocol and let aiohttp forget the connection.

    No await in here: nothing may be read between the two owners.
    """
    handler, tail = request.protocol, Tail()
    handler.set_parser(tail)  # type: ignore[arg-type]  # gives up what it read ahead
    handler.transport = None  # so that its own farewell closes nothing
    handler.connection_lost(None)
    transport.set_protocol(session)
    transport.write(head)
    session.connection_made(transport)
    if tail.data:
        session.data_received(tail.data)


def routes(
    feed: Feed,
    caller: Callable[[web.BaseRequest], Caller],
    headers: Callable[[web.BaseRequest], Mapping[str, str]],
) -> list[web.RouteDef]:
    upgrade = Upgrade(feed, caller, headers)
    return [
        web.get("/v1/feed", upgrade.socket, allow_head=False),
        web.get("/v1/stream", upgrade.stream, allow_head=False),
    ]
