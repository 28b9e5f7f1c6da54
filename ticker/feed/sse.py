"""One subscriber over Server-Sent Events (HTML standard, 9.2): the feed's messages, one event each.

Nothing comes in. The browser's EventSource reconnects by itself and says in Last-Event-ID where it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.feed.codes import Code
from ticker.feed.framing import Framing
from ticker.feed.limits import Caller
from ticker.feed.subscriber import Subscriber
from ticker.feed.terms import Terms
from ticker.messages import JSON, Ack

if TYPE_CHECKING:
    from ticker.feed.delivery import Feed

# What every stream's answer says beside what the web adds; a proxy must not keep events back.
HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "Connection": "close",
    "X-Accel-Buffering": "no",
}
COMMENT = b":\n\n"


class Stream(Subscriber):
    """A subscriber that only listens. What the address asked for is all it gets."""

    __slots__ = ()

    def __init__(self, feed: Feed, terms: Terms, caller: Caller) -> None:
        super().__init__(feed, terms, caller, JSON, Framing.EVENTS)

    def _subscribe(self) -> None:
        # EventSource has no jitter of its own: each gets its own moment, lest all come back at once.
        self.write(b"retry: %d\n\n" % self._feed.retry_ms())
        known, rejected = self._feed.known(self._terms.assets)
        if rejected:
            self._send(Ack(id=None, op="subscribe", assets=sorted(known), rejected=rejected))
        if known:
            self._move(known)
        self._catch_up(None, since=self._terms.since)

    def data_received(self, data: bytes) -> None:
        """Nothing is expected, and nothing is kept."""

    def eof_received(self) -> None:
        self._transport.close()

    def ping(self) -> None:
        """Whether it is there shows when nothing more can be sent: it then lags."""
        self.write(COMMENT)

    def close(self, code: int, reason: str) -> None:
        if not self.closing:
            if code in (Code.DRAIN, Code.MAX_AGE):
                self.write(b"retry: %d\n\n" % self._feed.retry_ms(soon=True))
            self._end()
            self.code = code
            self._transport.close()
