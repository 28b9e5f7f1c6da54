"""One subscriber's connection: RFC 6455 in, shared frames out.

The opening handshake was HTTP's; from there on this is the socket's protocol, and `websockets`' Sans-I/O
`Protocol` does the reading of frames. A session has no task, no timer and no queue of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, SERVER, Protocol
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ticker.errors import RequestError
from ticker.feed.terms import Terms
from ticker.hub import CohortKey
from ticker.wire import Ack, Command, Failure, Pong, decode_command, encode, parse_since

if TYPE_CHECKING:
    from ticker.feed.delivery import Feed

log = logging.getLogger("ticker.feed")
# websockets tells of each opening and closing at INFO; the feed counts them instead.
quiet = logging.getLogger("ticker.feed.websockets")
quiet.setLevel(logging.WARNING)

SUBPROTOCOLS = [Subprotocol("ticker.v1.json")]
PING = Frame(Opcode.PING, b"").serialize(mask=False)
# Bytes that may wait for a slow reader before its updates are skipped, and how few let it go on.
HIGH_WATER, LOW_WATER = 65536, 16384
WINDOW_MS = 10_000

RATE_LIMITED, SLOW_CONSUMER, DRAIN, PONG_TIMEOUT = 4101, 4102, 4200, 4201


def negotiate(path: str, headers: Iterable[tuple[str, str]]) -> Response:
    """The answer to an opening handshake (RFC 6455, 4.2.2): status 101, or the HTTP error to send instead."""
    handshake = ServerProtocol(subprotocols=SUBPROTOCOLS, select_subprotocol=_subprotocol, logger=quiet)
    return handshake.accept(Request(path, Headers(headers)))


def _subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The first that we speak; a client that names none, or none of ours, gets JSON all the same."""
    return next((name for name in offered if name in SUBPROTOCOLS), None)


def framed(payload: bytes) -> bytes:
    """A text message ready for the socket; the same bytes serve every session."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


class Session(asyncio.Protocol):
    """A subscriber. `seq` is the version of the book it holds; `key` is its cohort."""

    __slots__ = (
        "_commands",
        "_feed",
        "_fragments",
        "_protocol",
        "_terms",
        "_transport",
        "_window",
        "address",
        "awaiting_pong",
        "closing",
        "key",
        "lagging_since",
        "seq",
    )

    def __init__(self, feed: Feed, terms: Terms, address: str) -> None:
        self._feed = feed
        self._terms = terms
        self._protocol = Protocol(
            SERVER, state=OPEN, max_size=feed.limits.message_bytes or None, logger=quiet
        )
        self._transport: asyncio.Transport
        self._fragments: bytearray | None = None
        self._window = self._commands = 0
        self.address = address
        self.awaiting_pong = False
        self.closing = False
        self.key = CohortKey(frozenset(), terms.currency, terms.interval)
        self.lagging_since: int | None = None
        self.seq = 0

    # The socket's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over an upgraded connection: greet, and send what the address asked for."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self._transport.set_write_buffer_limits(HIGH_WATER, LOW_WATER)
        self._feed.opened(self)
        self._send(self._feed.hello())
        if self._terms.assets:
            self._change("subscribe", self._terms.assets, since=self._terms.since)

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._react()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._react()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closing = True
        self._feed.closed(self)

    def pause_writing(self) -> None:
        """The reader is slow: skip its updates, and take no commands whose answers would pile up."""
        self.lagging_since = self._feed.clock.now()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It has drained: one snapshot of what it missed."""
        self.lagging_since = None
        if not self.closing:
            self._transport.resume_reading()
            self._catch_up(None, since=(self._feed.book.epoch, self.seq))

    # The hub's side

    def deliver(self, frame: bytes, seq: int | None) -> bool:
        """Write a shared frame that brings the reader to `seq`, if to any; False when it was skipped."""
        if self.lagging_since is not None or self.closing:
            return False
        if seq is not None:
            self.seq = seq
        self._transport.write(frame)
        return True

    def ping(self) -> None:
        self.awaiting_pong = True
        self._transport.write(PING)

    def close(self, code: int, reason: str, farewell: bytes | None = None) -> None:
        """Say goodbye and start the closing handshake (RFC 6455, 7.1.2)."""
        if not self.closing:
            self.closing = True
            if farewell is not None:
                self._transport.write(farewell)
            try:
                self._protocol.send_close(code, reason)
            except ConnectionClosed:  # the peer was first
                self._transport.close()
            self._flush()

    def abort(self) -> None:
        self._transport.abort()

    # Frames in

    def _react(self) -> None:
        # A Request comes only before the handshake, which was over before this session began.
        for event in cast("list[Frame]", self._protocol.events_received()):
            if event.opcode is Opcode.PONG:
                self.awaiting_pong = False
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._assemble(event)
        self._flush()

    def _assemble(self, frame: Frame) -> None:
        """Join a fragmented message; the protocol has checked order and size."""
        if frame.fin and self._fragments is None:
            self._message(bytes(frame.data))
            return
        # One buffer, so that empty fragments, which no size limit meets, leave nothing behind.
        self._fragments = self._fragments or bytearray()
        self._fragments += frame.data
        if frame.fin:
            message, self._fragments = bytes(self._fragments), None
            self._message(message)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:  # the closing handshake is over, and the server closes first
                self.closing = True
                self._transport.close()

    # Commands

    def _message(self, data: bytes) -> None:
        if self.closing:
            return
        if self.lagging_since is not None:  # it asks on and reads no answers: they would pile up
            self.close(SLOW_CONSUMER, "reads no answers")
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.closing = True
            self._protocol.fail(CloseCode.INVALID_DATA, "text must be UTF-8")
            return
        ref = None
        try:
            try:
                command = decode_command(text)
                ref = command.id
            finally:
                self._count()
            self._obey(command)
        except RequestError as error:
            self._send(
                Failure(id=ref, code=error.code, message=str(error), retry_after_ms=self._retry(error))
            )

    def _count(self) -> None:
        """RequestError rate_limited for a command too many; one that goes on regardless is closed."""
        limit, now = self._feed.limits.commands_per_10s, self._feed.clock.now()
        if now - self._window >= WINDOW_MS:
            self._window, self._commands = now, 0
        self._commands += 1
        if limit and self._commands > 2 * limit:
            self.close(RATE_LIMITED, "too many commands")
        if limit and self._commands > limit:
            raise RequestError("rate_limited", f"more than {limit} commands in 10 s", status=429)

    def _obey(self, command: Command) -> None:
        match command.op:
            case "subscribe" | "unsubscribe" | "set":
                since = parse_since(command.since)
                self._change(command.op, command.assets, ref=command.id, since=since, by_command=True)
            case "list":
                self._send(Ack(id=command.id, op="list", assets=sorted(self.key.assets), rejected={}))
            case "resync":
                self._catch_up(command.id, since=parse_since(command.since))
            case "ping":
                self._send(Pong(id=command.id, time=self._feed.clock.now()))
            case other:
                known = "subscribe, unsubscribe, set, list, resync, ping"
                raise RequestError("bad_op", f"unknown op {other[:32]!r}; known are {known}")

    def _change(
        self,
        op: str,
        asked: Iterable[str],
        *,
        ref: int | str | None = None,
        since: tuple[str, int] | None = None,
        by_command: bool = False,
    ) -> None:
        """Another set of assets: ack, then one snapshot of those asked for and of what was on its way."""
        held = self.key.assets
        known, rejected = self._feed.known(asked)
        wanted = {"subscribe": held | known, "unsubscribe": held - known, "set": known}[op]
        self._feed.limit(wanted)
        if by_command or rejected:
            self._send(Ack(id=ref, op=op, assets=sorted(known), rejected=rejected))
        self._move(wanted)
        self._snapshot(fresh=wanted & known, kept=wanted - known, ref=ref, since=since)

    def _move(self, assets: frozenset[str]) -> None:
        self._feed.hub.leave(self.key, self)
        self.key = self.key._replace(assets=assets)
        self._feed.hub.join(self.key, self, self._feed.clock.now())

    def _catch_up(self, ref: int | str | None, *, since: tuple[str, int] | None) -> None:
        self._snapshot(fresh=self.key.assets, kept=frozenset(), ref=ref, since=since)

    def _snapshot(
        self,
        *,
        fresh: frozenset[str],
        kept: frozenset[str],
        ref: int | str | None,
        since: tuple[str, int] | None,
    ) -> None:
        """Bring the reader to this moment: `fresh` whole or after `since`, `kept` where it has changed."""
        book = self._feed.book
        snapshot = book.snapshot(fresh, since)
        missed = book.snapshot(kept, (book.epoch, self.seq))
        whole = replace(snapshot, quotes=snapshot.quotes + missed.quotes)
        self._write(self._feed.hub.snapshot(whole, self.key.currency, ref=ref, now=self._feed.clock.now()))
        self.seq = snapshot.seq

    def _send(self, message: Struct) -> None:
        self._write(encode(message))

    def _write(self, payload: bytes) -> None:
        if not self.closing:
            self._transport.write(framed(payload))

    def _retry(self, error: RequestError) -> int | UnsetType:
        if error.code != "rate_limited":
            return UNSET
        return max(0, self._window + WINDOW_MS - self._feed.clock.now())
