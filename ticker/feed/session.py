"""One subscriber's websocket: RFC 6455 in, shared frames out.

The opening handshake was HTTP's; from there on this is the socket's protocol, and `websockets`' Sans-I/O
`Protocol` does the reading of frames. A session has no task, no timer and no queue of its own.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, cast

from msgspec import UNSET, UnsetType
from websockets.datastructures import Headers
from websockets.exceptions import InvalidState
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN, SERVER, Protocol
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ticker.errors import RequestError
from ticker.feed.codes import Code
from ticker.feed.framing import Framing
from ticker.feed.limits import Caller
from ticker.feed.subscriber import Subscriber
from ticker.feed.terms import Terms
from ticker.messages import JSON, MSGPACK, Ack, Command, Failure, Id, Pong, decode_command, parse_since

if TYPE_CHECKING:
    from ticker.feed.delivery import Feed

# websockets tells of each opening and closing at INFO; the feed counts them instead.
quiet = logging.getLogger("ticker.feed.websockets")
quiet.setLevel(logging.WARNING)

TEXT, PACKED = Subprotocol("ticker.v1.json"), Subprotocol("ticker.v1.msgpack")
FAMILY = "ticker.v"
# No context is kept between messages, neither way: it would cost every session tens of KiB.
DEFLATE = ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)
PING = Frame(Opcode.PING, b"").serialize(mask=False)
WINDOW_MS = 10_000


class Agreement(NamedTuple):
    """The outcome of an opening handshake: the answer to send, and what both sides speak after it."""

    response: Response
    subprotocol: Subprotocol | None
    extensions: list[Extension]

    @property
    def deflates(self) -> bool:
        """Whether shared frames go out deflated: they use the largest window, which not every client has."""
        return any(
            isinstance(extension, PerMessageDeflate) and extension.local_max_window_bits == zlib.MAX_WBITS
            for extension in self.extensions
        )


def negotiate(path: str, headers: Iterable[tuple[str, str]]) -> Agreement:
    """The answer to an opening handshake (RFC 6455, 4.2.2): status 101, or the HTTP error to send instead."""
    handshake = ServerProtocol(
        subprotocols=[TEXT, PACKED], select_subprotocol=_subprotocol, extensions=[DEFLATE], logger=quiet
    )
    response = handshake.accept(Request(path, Headers(headers)))
    return Agreement(response, handshake.subprotocol, handshake.extensions)


def _subprotocol(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The first that we speak; a client that names none, or none of ours, gets JSON all the same."""
    return next((name for name in offered if name in (TEXT, PACKED)), None)


def check_version(offered: str) -> None:
    """RequestError for a list of sub-protocols that are all other versions of this one."""
    names = [name.strip() for name in offered.split(",") if name.strip()]
    if names and all(name.startswith(FAMILY) and name not in (TEXT, PACKED) for name in names):
        raise RequestError("unsupported_version", f"spoken here are {TEXT} and {PACKED}, not {names[0][:32]}")


class Frames(Protocol):
    """RFC 6455's frames. `websockets` fails a connection that is closed inside a fragmented message."""

    def recv_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:  # as a control frame it may come between fragments (RFC 6455, 5.4)
            self.current_size = None
        super().recv_frame(frame)


class Session(Subscriber):
    """A subscriber over a websocket."""

    __slots__ = ("_commands", "_fragments", "_protocol", "_text", "_window")

    def __init__(self, feed: Feed, terms: Terms, caller: Caller, agreed: Agreement) -> None:
        packed = agreed.subprotocol == PACKED
        if agreed.deflates:
            framing = Framing.BINARY_DEFLATED if packed else Framing.TEXT_DEFLATED
        else:
            framing = Framing.BINARY if packed else Framing.TEXT
        super().__init__(feed, terms, caller, MSGPACK if packed else JSON, framing)
        self._protocol = Frames(
            SERVER, state=OPEN, max_size=caller.limits.message_bytes or None, logger=quiet
        )
        self._protocol.extensions = agreed.extensions
        self._fragments: bytearray | None = None
        self._text = True
        self._window = self._commands = 0

    def _subscribe(self) -> None:
        if self._terms.assets:
            self._change("subscribe", self._terms.assets, since=self._terms.since)

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._react()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._react()

    def ping(self) -> None:
        self.awaiting_pong = True
        self.write(PING)

    def close(self, code: int, reason: str) -> None:
        """Start the closing handshake (RFC 6455, 7.1.2)."""
        if not self.closing:
            self._end()
            self.code = code
            with suppress(InvalidState):  # the peer was first, and has its answer
                self._protocol.send_close(code, reason)
            self._put(self._protocol.data_to_send())

    # Frames in

    def _react(self) -> None:
        """Answer in the order in which things came; pongs and a close frame are written already, apart."""
        written = iter(self._protocol.data_to_send())
        # A Request comes only before the handshake, which was over before this session began.
        for event in cast("list[Frame]", self._protocol.events_received()):
            if event.opcode is Opcode.PING:
                self._put([next(written)])
            elif event.opcode is Opcode.PONG:
                self.awaiting_pong = False
            elif event.opcode is Opcode.CLOSE:
                self.code = self._protocol.close_rcvd.code if self._protocol.close_rcvd else self.code
            elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._assemble(event)
        self._put(written)
        self._put(self._protocol.data_to_send())

    def _assemble(self, frame: Frame) -> None:
        """Join a fragmented message; the protocol has checked order and size."""
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
        if frame.fin and self._fragments is None:
            self._received(bytes(frame.data))
            return
        # One buffer, so that empty fragments, which no size limit meets, leave nothing behind.
        self._fragments = self._fragments or bytearray()
        self._fragments += frame.data
        if frame.fin:
            message, self._fragments = bytes(self._fragments), None
            self._received(message)

    def _put(self, written: Iterable[bytes]) -> None:
        for data in written:
            if data:
                self.write(data)
            else:  # the closing handshake is over, and the server closes first
                self._end()
                self._transport.close()

    # Commands

    def _received(self, data: bytes) -> None:
        """A whole message. Not while closing, nor while what it asks for could not be sent."""
        if self.closing:
            return
        if self.lagging_since is not None:  # it asks on and reads no answers: they would pile up
            self.close(Code.SLOW_CONSUMER, "reads no answers")
            return
        if self._text and not _is_utf8(data):
            self._end()
            self._protocol.fail(CloseCode.INVALID_DATA, "text must be UTF-8")
            return
        self._message(data)

    def _message(self, data: bytes) -> None:
        ref = None
        try:
            try:
                command = decode_command(data, packed=not self._text)
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
        limit, now = self.caller.limits.commands_per_10s, self._feed.clock.now()
        if now - self._window >= WINDOW_MS:
            self._window, self._commands = now, 0
        self._commands += 1
        if limit and self._commands > 2 * limit:
            self.close(Code.RATE_LIMITED, "too many commands")
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
                self._feed.counters.resyncs["asked"] += 1
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
        ref: Id = None,
        since: tuple[str, int] | None = None,
        by_command: bool = False,
    ) -> None:
        """Another set of assets: ack, then one snapshot of those asked for and of what was on its way."""
        held = self.key.assets
        known, rejected = self._feed.known(asked)
        wanted = {"subscribe": held | known, "unsubscribe": held - known, "set": known}[op]
        self.caller.limits.check_assets(wanted)
        if by_command or rejected:
            self._send(Ack(id=ref, op=op, assets=sorted(known), rejected=rejected))
        self._move(wanted)
        self._snapshot(fresh=wanted & known, kept=wanted - known, ref=ref, since=since)

    def _retry(self, error: RequestError) -> int | UnsetType:
        if error.code != "rate_limited":
            return UNSET
        return max(0, self._window + WINDOW_MS - self._feed.clock.now())


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
