"""A reader's socket: bytes out, boundedly, and what to do about a reader that doesn't keep up.

No task, no timer, no queue: a reader above the high-water mark is passed over and catches up with one
snapshot. What the bytes mean is the transports' affair, in session.py and sse.py.
"""

from __future__ import annotations

import asyncio
import os
import socket
from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from msgspec import Struct
from msgspec.structs import replace

from ticker.feed.framing import Framing
from ticker.feed.limits import Caller
from ticker.feed.terms import Terms
from ticker.hub import CohortKey
from ticker.messages import Encoding, Id

if TYPE_CHECKING:
    from ticker.feed.delivery import Feed

# Bytes that may wait for a slow reader before its updates are skipped.
HIGH_WATER = 65536
# What the kernel may hold for it beyond that; left alone it would grow to megabytes.
KERNEL_BYTES = 65536


def fan_out(readers: Iterable[Subscriber], data: bytes, seq: int) -> int:
    """A shared frame to each of the readers: how many were not skipped.

    This is the hot path, so it does what `deliver` does without calling it, and writes to the sockets itself:
    a transport costs a tenth of the system call. A socket stays open until `connection_lost` has been called,
    and so long as nothing waits in its transport (`clear`), nothing can be overtaken.
    """
    sent, size, write = 0, len(data), os.write
    for reader in readers:
        if reader.clear and seq > reader.seq:
            try:
                written = write(reader.fd, data)
            except BlockingIOError:
                written = 0
            except OSError:  # the peer is gone
                reader.abort()
                continue
            reader.seq = seq
            sent += 1
            if written != size:
                reader.write(data[written:])
        else:
            sent += reader.deliver(data, seq)
    return sent


class Subscriber(asyncio.Protocol):
    """Someone who gets frames. `seq` is the version of the book it holds; `key` is its cohort.

    `clear`: nothing waits to be written, so a frame may go straight to the socket, `fd`. `expires` is when it
    has to go (monotonic seconds); `code` is what it was closed with.
    """

    __slots__ = (
        "_feed",
        "_terms",
        "_transport",
        "awaiting_pong",
        "caller",
        "clear",
        "closing",
        "code",
        "expires",
        "fd",
        "key",
        "lagging_since",
        "seq",
    )

    def __init__(
        self, feed: Feed, terms: Terms, caller: Caller, encoding: Encoding, framing: Framing
    ) -> None:
        self._feed = feed
        self._terms = terms
        self._transport: asyncio.Transport
        self.fd = -1
        self.caller = caller
        self.awaiting_pong = False
        self.clear = False
        self.closing = False
        self.code = 1006
        self.expires = feed.expiry()
        self.key = CohortKey(
            frozenset(), terms.currency, terms.interval, encoding, framing, terms.fields, terms.deadband
        )
        self.lagging_since: int | None = None
        self.seq = 0

    # The socket's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection whose HTTP is done: greet, and send what the address asked for."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BYTES)
        if transport.get_extra_info("sslcontext") is None:
            self.fd = raw.fileno()
            self.clear = True
        # The transport then tells when something begins to wait, and when nothing does any more.
        self._transport.set_write_buffer_limits(0)
        self._feed.opened(self)
        self._send(self._feed.hello(self.caller.limits))
        self._subscribe()

    @abstractmethod
    def _subscribe(self) -> None:
        """Send what the address asked for."""

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        self._feed.closed(self)

    def pause_writing(self) -> None:
        """The kernel takes no more for now: what is written waits."""
        self.clear = False

    def resume_writing(self) -> None:
        """Nothing waits any more; whoever was slow gets one snapshot of what it missed."""
        self.clear = self.fd >= 0 and not self.closing
        if self.lagging_since is not None and not self.closing:
            self.lagging_since = None
            self._transport.resume_reading()
            self._feed.counters.resyncs["lag"] += 1
            self._catch_up(None, since=(self._feed.book.epoch, self.seq))

    def lag(self) -> None:
        """The reader is slow: skip its updates, and take no commands whose answers would pile up."""
        if self.lagging_since is None:
            self.lagging_since = self._feed.clock.now()
            self._transport.pause_reading()

    # The hub's side

    def deliver(self, frame: bytes, seq: int) -> bool:
        """Write a shared frame that brings the reader to `seq`; False when it was skipped, being slow.

        One that was on its way while a snapshot overtook it is not sent: the reader holds what is in it.
        """
        if self.lagging_since is not None or self.closing:
            return False
        if seq > self.seq:
            self.seq = seq
            self.write(frame)
        return True

    def write(self, data: bytes) -> None:
        self._transport.write(data)
        if not self.clear and self._transport.get_write_buffer_size() > HIGH_WATER:
            self.lag()

    def tell(self, message: Struct) -> None:
        """A message that isn't an answer; not for one who lags."""
        if self.lagging_since is None:
            self._send(message)

    def ping(self) -> None:
        """Ask whether it is still there, where the transport can."""

    @abstractmethod
    def close(self, code: int, reason: str) -> None:
        """End it; `code` of FEED's table."""

    def abort(self) -> None:
        self._end()
        self._transport.abort()

    def _end(self) -> None:
        """Nothing shared is written any more."""
        self.closing = True
        self.clear = False

    # What it reads

    def _move(self, assets: frozenset[str]) -> None:
        """Into the cohort of these assets; a snapshot must follow."""
        self._feed.hub.leave(self.key, self)
        self.key = self._feed.hub.join(self.key._replace(assets=assets), self, self._feed.clock.now())

    def _catch_up(self, ref: Id, *, since: tuple[str, int] | None) -> None:
        self._snapshot(fresh=self.key.assets, kept=frozenset(), ref=ref, since=since)

    def _snapshot(
        self, *, fresh: frozenset[str], kept: frozenset[str], ref: Id, since: tuple[str, int] | None
    ) -> None:
        """Bring the reader to this moment: `fresh` whole or after `since`, `kept` where it has changed.

        With a deadband it holds prices older than its seq: it gets everything, and a cohort of this moment.
        """
        book = self._feed.book
        if self.key.deadband:
            fresh, kept, since = fresh | kept, frozenset(), None
            self._move(self.key.assets)
        snapshot = book.snapshot(fresh, since)
        missed = book.snapshot(kept, (book.epoch, self.seq))
        whole = replace(snapshot, quotes=snapshot.quotes + missed.quotes)
        payload = self._feed.hub.snapshot(whole, self.key, ref=ref, now=self._feed.clock.now())
        self._write_payload(payload, book.epoch, book.seq)
        self.seq = snapshot.seq

    def _send(self, message: Struct) -> None:
        self._write_payload(self.key.encoding.encode(message))

    def _write_payload(self, payload: bytes, epoch: str = "", seq: int = 0) -> None:
        if not self.closing:
            self.write(self.key.framing.frame(payload, epoch, seq))
