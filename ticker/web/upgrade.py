"""The one door where an HTTP request becomes a feed session.

aiohttp reads the opening handshake, `websockets` answers it, and then the connection is the session's
alone: aiohttp's parser, request and task for it are let go, which is most of what a connection costs.
"""

from __future__ import annotations

import asyncio

from aiohttp import hdrs, web

from ticker.errors import RequestError
from ticker.feed import Feed
from ticker.feed.session import Session, negotiate
from ticker.feed.terms import parse_terms

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
    """The handler of the feed's address."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """101 and a session; 426 without an upgrade; 400, 404, 429 or 503 as FEED has them."""
        terms = parse_terms(request.query)
        response = negotiate(request.path_qs, request.headers.items())
        spoken = request.headers.get(hdrs.SEC_WEBSOCKET_VERSION, VERSION) == VERSION
        if response.status_code == 426 or not spoken:
            hint = (
                "this is a websocket: use ws:// or wss://"
                if spoken
                else f"only version {VERSION} is spoken here"
            )
            raise RequestError("upgrade_required", hint, status=426, **UPGRADE)
        if response.status_code != 101:
            raise RequestError("bad_request", response.body.decode().strip(), status=response.status_code)
        transport = request.transport
        if transport is None:
            return HandedOver()
        session = self._feed.accept(terms, request.remote or "unknown")
        hand_over(request, transport, session, response.serialize())
        return HandedOver()


def hand_over(request: web.Request, transport: asyncio.Transport, session: Session, handshake: bytes) -> None:
    """Make `session` the transport's protocol and let aiohttp forget the connection.

    No await in here: nothing may be read between the two owners.
    """
    handler, tail = request.protocol, Tail()
    handler.set_parser(tail)  # type: ignore[arg-type]  # gives up what it read ahead
    handler.transport = None  # so that its own farewell closes nothing
    handler.connection_lost(None)
    transport.set_protocol(session)
    transport.write(handshake)
    session.connection_made(transport)
    if tail.data:
        session.data_received(tail.data)


def route(feed: Feed) -> web.RouteDef:
    return web.get("/v1/feed", Upgrade(feed).handle, allow_head=False)
