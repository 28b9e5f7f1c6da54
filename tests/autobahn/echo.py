"""The feed's own session and hand-over, echoing: what Autobahn's fuzzing client talks to.

Only what a message means is replaced. The port, the handshake, the frames read, the closing handshake and the
way a shared frame goes out are the service's own.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from ticker.book import QuoteBook
from ticker.clock import SystemClock
from ticker.feed import Feed, Limits
from ticker.feed.framing import Framing
from ticker.feed.limits import Caller
from ticker.feed.session import Agreement, Session
from ticker.feed.subscriber import Subscriber
from ticker.feed.terms import Terms
from ticker.hub import Hub
from ticker.messages import Id
from ticker.web import application, serving
from ticker.web.upgrade import routes

# For binary messages; text goes as the session's own do.
BINARY = {Framing.TEXT: Framing.BINARY, Framing.TEXT_DEFLATED: Framing.BINARY_DEFLATED}
UNLIMITED = Limits(
    message_bytes=0, commands_per_10s=0, sessions_per_address=0, handshakes_per_minute=0, max_age=0
)


class Echo(Session):
    """Sends each message back as one shared frame. It greets nobody and tells nothing of its own."""

    __slots__ = ()

    def _message(self, data: bytes) -> None:
        framing = self.key.framing if self._text else BINARY[self.key.framing]
        self.deliver(framing.frame(data), self.seq + 1)

    def _send(self, message: Struct) -> None:
        return None

    def _catch_up(self, ref: Id, *, since: tuple[str, int] | None) -> None:
        return None


class EchoFeed(Feed):
    """Accepts everyone, without counting."""

    def accept(self, terms: Terms, caller: Caller, agreed: Agreement | None) -> Subscriber:
        assert agreed
        return Echo(self, terms, caller, agreed)


@asynccontextmanager
async def echoing() -> AsyncIterator[str]:
    """The feed's address, ws://host:port/path, for as long as the block runs."""
    clock, hub = SystemClock(), Hub[Subscriber]()
    book = QuoteBook([], clock=clock, epoch="echo", ages={})
    feed = EchoFeed(book, hub, clock, UNLIMITED, random.Random(1))
    caller = Caller("autobahn", UNLIMITED)
    async with serving(application(routes(feed, lambda _: caller, lambda _: {})), "127.0.0.1:0") as url:
        yield f"{url}/v1/feed".replace("http", "ws", 1)
        await feed.drain(0)
