"""Payloads as bytes for a socket, read back by others: websockets' client, zlib, HTML's own algorithm."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, OPEN, Protocol

from tests.unit.conftest import NOW
from tests.unit.quote_strategies import quotes
from ticker.feed.framing import DEFLATE_FROM, TAIL, Framing, deflated, event
from ticker.feed.sse import COMMENT
from ticker.messages import JSON, MSGPACK, Failure

WEBSOCKET = (Framing.TEXT, Framing.TEXT_DEFLATED, Framing.BINARY, Framing.BINARY_DEFLATED)
DEFLATED = (Framing.TEXT_DEFLATED, Framing.BINARY_DEFLATED)
# Text of a real kind, of one letter, and such as deflate can't make shorter.
texts = st.text(max_size=2000) | st.builds(
    lambda text, n: text * n, st.text(max_size=20), st.integers(0, 200)
)
payloads = st.binary(max_size=3000) | texts.map(str.encode)


def client(*, deflate: bool) -> Protocol:
    """A browser's side of a connection whose handshake is over, without context between messages."""
    protocol = Protocol(CLIENT, state=OPEN)
    if deflate:
        protocol.extensions = [
            PerMessageDeflate(
                remote_no_context_takeover=True,
                local_no_context_takeover=True,
                remote_max_window_bits=15,
                local_max_window_bits=15,
            )
        ]
    return protocol


def received(protocol: Protocol, data: bytes) -> list[tuple[Opcode, bytes]]:
    protocol.receive_data(data)
    frames: Any = protocol.events_received()
    assert protocol.parser_exc is None
    return [(frame.opcode, bytes(frame.data)) for frame in frames]


def body(frame: bytes) -> bytes:
    """What stands behind a server's frame's head (RFC 6455, 5.2)."""
    short = frame[1]
    assert not short & 0x80
    return frame[{126: 4, 127: 10}.get(short, 2) :]


# Websockets


@settings(deadline=None)
@given(st.sampled_from(WEBSOCKET), st.lists(payloads, max_size=4))
def test_a_client_reads_what_was_framed(framing: Framing, sent: list[bytes]) -> None:
    opcode = Opcode.TEXT if framing in (Framing.TEXT, Framing.TEXT_DEFLATED) else Opcode.BINARY
    protocol = client(deflate=framing in DEFLATED)
    stream = b"".join(framing.frame(payload) for payload in sent)
    assert received(protocol, stream) == [(opcode, payload) for payload in sent]


@pytest.mark.parametrize("framing", WEBSOCKET)
@pytest.mark.parametrize("size", [0, 1, 125, 126, 499, 500, 65_535, 65_536, 300_000])
def test_a_payload_of_any_size_is_one_frame(framing: Framing, size: int) -> None:
    payload = bytes(place * place % 251 for place in range(size))
    frame = framing.frame(payload)
    assert [data for _, data in received(client(deflate=framing in DEFLATED), frame)] == [payload]
    assert frame[0] & 0x80
    if framing not in DEFLATED:
        assert frame == Frame(Opcode(frame[0] & 0x0F), payload).serialize(mask=False)


@settings(deadline=None)
@given(st.sampled_from(WEBSOCKET), payloads)
def test_the_first_reserved_bit_is_set_on_deflated_frames_only(framing: Framing, payload: bytes) -> None:
    frame = framing.frame(payload, "k3f9", 2)
    if framing in DEFLATED and len(payload) >= DEFLATE_FROM:
        assert frame[0] & 0x70 == 0x40
        assert body(frame) == deflated(payload)
    else:
        assert frame[0] & 0x70 == 0
        assert body(frame) == payload
        assert frame == Frame(Opcode(frame[0] & 0x0F), payload).serialize(mask=False)


def test_below_500_bytes_a_message_is_plain() -> None:
    assert DEFLATE_FROM == 500
    for framing in DEFLATED:
        assert body(framing.frame(b"x" * 499)) == b"x" * 499
        assert len(framing.frame(b"x" * 500)) < 30


@settings(deadline=None)
@given(payloads)
def test_zlib_inflates_a_message_by_itself(payload: bytes) -> None:
    inflate = zlib.decompressobj(wbits=-15)
    assert inflate.decompress(deflated(payload) + TAIL) == payload
    assert (inflate.unused_data, inflate.unconsumed_tail, inflate.eof) == (b"", b"", False)


def test_a_deflated_message_is_as_the_standard_shows_it() -> None:
    # RFC 7692, 7.2.3.1 and 7.2.3.6
    assert deflated(b"Hello") == bytes.fromhex("f248cdc9c90700")
    assert deflated(b"") == b"\0"


@settings(deadline=None)
@given(st.lists(payloads, min_size=1, max_size=3), payloads)
def test_nothing_of_one_message_is_needed_for_the_next(before: list[bytes], payload: bytes) -> None:
    alone = deflated(payload)
    for other in before:
        deflated(other)
    assert deflated(payload) == alone
    frame = Framing.TEXT_DEFLATED.frame(payload)
    assert received(client(deflate=True), frame) == [(Opcode.TEXT, payload)]


@settings(deadline=None)
@given(st.lists(quotes, unique_by=lambda quote: quote.asset, max_size=4))
def test_an_update_comes_through_every_framing(changed: list[Any]) -> None:
    found = []
    for framing in WEBSOCKET:
        of = JSON if framing in (Framing.TEXT, Framing.TEXT_DEFLATED) else MSGPACK
        payload = of.update([of.piece(quote) for quote in changed], seq=2, prev=1, time=NOW)
        ((_, data),) = received(client(deflate=framing in DEFLATED), framing.frame(payload))
        found.append((msgspec.json if of is JSON else msgspec.msgpack).decode(data))
    assert all(update == found[0] for update in found)


# Server-Sent Events


@dataclass
class EventSource:
    """Interprets a stream as the HTML standard says (9.2.6): CR, LF and both together end a line."""

    last_id: str = ""
    retry: int | None = None
    events: list[tuple[str, str, str]] = field(default_factory=list)

    def read(self, stream: bytes) -> EventSource:
        kind, data, last_id = "", [], self.last_id
        text = stream.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        for line in text.split("\n")[:-1]:
            name, colon, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                self.last_id = last_id
                if data:
                    self.events.append((kind or "message", "\n".join(data), last_id))
                kind, data = "", []
            elif colon and not name:
                continue
            elif name == "event":
                kind = value
            elif name == "data":
                data.append(value)
            elif name == "id" and "\0" not in value:
                last_id = value
            elif name == "retry" and value.isascii() and value.isdigit():
                self.retry = int(value)
        return self


LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\0\ufeff:"
awkward = st.text(st.sampled_from(LINE_ENDS) | st.characters(exclude_categories=("Cs",)), max_size=60)
points = st.from_regex(r"[0-9a-z]{1,16}:[0-9]{1,18}", fullmatch=True)


@given(st.lists(st.tuples(awkward, st.none() | points), max_size=5))
def test_every_message_is_one_event(said: list[tuple[str, str | None]]) -> None:
    messages = [JSON.encode(Failure(id=text, code="bad_op", message=text)) for text, _ in said]
    stream = b"retry: 1234\n\n"
    for message, (_, point) in zip(messages, said, strict=True):
        stream += event(message, point or "") + COMMENT
    source = EventSource().read(stream)
    assert source.retry == 1234
    assert [data for _, data, _ in source.events] == [message.decode() for message in messages]
    assert {kind for kind, _, _ in source.events} <= {"message"}
    last = ""
    for (_, _, found), (_, point) in zip(source.events, said, strict=True):
        last = point or last
        assert found == last


@given(st.lists(quotes, unique_by=lambda quote: quote.asset, max_size=3), awkward)
def test_data_is_one_line_whatever_is_said(changed: list[Any], text: str) -> None:
    told = [msgspec.structs.replace(quote, name=text, symbol=text) for quote in changed]
    payload = JSON.update([JSON.piece(quote) for quote in told], seq=2, prev=1, time=NOW)
    framed = Framing.EVENTS.frame(payload, "k3f9", 2)
    assert framed == event(payload, "k3f9:2") == b"id: k3f9:2\ndata: " + payload + b"\n\n"
    assert not {b"\n", b"\r", b"\0"} & {bytes([byte]) for byte in payload}
    assert EventSource().read(framed).events == [("message", payload.decode(), "k3f9:2")]


def test_an_event_without_a_point_leaves_the_last_one() -> None:
    stream = event(b"1", "k3f9:1") + event(b"2")
    assert EventSource().read(stream).events == [("message", "1", "k3f9:1"), ("message", "2", "k3f9:1")]


def test_a_comment_is_no_event() -> None:
    assert EventSource().read(COMMENT * 3).events == []
