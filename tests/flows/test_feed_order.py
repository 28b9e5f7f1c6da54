"""What comes in one segment is answered in its order, and a peer that closes amid it is let go in peace."""

from __future__ import annotations

import json
import logging
import struct
import zlib

import pytest
from msgspec.structs import replace
from websockets.frames import Frame, Opcode

from tests.flows.conftest import UNLIMITED, HandClock, masked, standing
from ticker.feed.framing import DEFLATE_FROM, TAIL

CLOSE = Frame(Opcode.CLOSE, struct.pack("!H", 1000)).serialize(mask=True)
PING = Frame(Opcode.PING, b"between").serialize(mask=True)
EVERY = "assets=*"


def opening(text: bytes) -> bytes:
    """The first fragment of a message."""
    return Frame(Opcode.TEXT, text, fin=False).serialize(mask=True)


async def test_pings_among_commands_are_answered_in_their_turn(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as reader:
        await reader.message("hello")
        reader.writer.write(masked('{"op":"ping","id":1}') + PING + masked('{"op":"ping","id":2}'))
        first, pong, second = await reader.frame(), await reader.frame(), await reader.frame()
        assert pong == (Opcode.PONG, b"between")
        assert [json.loads(first[1])["id"], json.loads(second[1])["id"]] == [1, 2]


async def test_a_close_between_fragments_is_a_closing_handshake(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as reader:
        reader.leaving = True
        reader.writer.write(opening(b'{"op":') + CLOSE)
        assert await reader.closed() == 1000


@pytest.mark.parametrize(
    ("last", "code"), [(CLOSE, 1000), (b"\x83\x80\0\0\0\0", 1002)], ids=["closed", "broken"]
)
async def test_a_command_too_many_before_the_peers_own_end_is_no_error(
    clock: HandClock, caplog: pytest.LogCaptureFixture, last: bytes, code: int
) -> None:
    limits = replace(UNLIMITED, commands_per_10s=1)
    async with standing(clock, limits=limits) as stand, stand.reading() as reader:
        reader.leaving = True
        reader.writer.write(masked('{"op":"ping"}') * 3 + last)
        assert await reader.closed() == code
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(("bits", "deflated"), [("15", True), ("9", False)])
async def test_a_client_with_a_smaller_window_gets_its_frames_plain(
    clock: HandClock, bits: str, deflated: bool
) -> None:
    offer = f"permessage-deflate; server_max_window_bits={bits}"
    async with standing(clock) as stand, stand.reading(EVERY, Sec_WebSocket_Extensions=offer) as reader:
        assert f"server_max_window_bits={bits}" in (reader.header("Sec-WebSocket-Extensions") or "")
        await reader.message("hello")
        first, _, length = struct.unpack("!BBH", await reader.reader.readexactly(4))
        snapshot = await reader.reader.readexactly(length)
        assert first == (0xC1 if deflated else 0x81)
        if deflated:
            snapshot = zlib.decompressobj(wbits=-15).decompress(snapshot + TAIL)
        assert len(snapshot) >= DEFLATE_FROM
        assert json.loads(snapshot)["quotes"].keys() == {"talus", "bitcoin", "tether"}
