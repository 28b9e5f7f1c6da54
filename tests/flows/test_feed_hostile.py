"""Clients that break the rules, one at a time: each gets the answer it is due, its neighbour notices nothing.

All run beside a session that must get every update without a gap; afterwards that one alone is left.
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
import zlib
from contextlib import suppress

import pytest
from msgspec.structs import replace
from websockets.frames import Frame, Opcode

from tests.flows.conftest import UNLIMITED, HandClock, Reader, masked
from tests.flows.neighbour import beside
from tests.flows.test_feed_frames import stop_reading, twenty_assets
from ticker.config import Currency
from ticker.feed.framing import deflated
from ticker.feed.subscriber import HIGH_WATER
from ticker.rates import Options as RateOptions

DEFLATE = {"Sec_WebSocket_Extensions": "permessage-deflate"}
PEGGED = Currency(pegs={"USDT": "USD"}, rates=RateOptions(source="none"))


# Frames


def spoilt(frame: bytes, first: int) -> bytes:
    """The frame with another first byte."""
    return bytes([first]) + frame[1:]


def closing(payload: bytes) -> bytes:
    return b"\x88" + bytes([0x80 | len(payload)]) + bytes(4) + payload


COMMAND = masked('{"op":"ping"}')
MALFORMED = {
    "first reserved bit, nothing agreed": (spoilt(COMMAND, 0xC1), 1002),
    "second reserved bit": (spoilt(COMMAND, 0xA1), 1002),
    "third reserved bit": (spoilt(COMMAND, 0x91), 1002),
    **{f"opcode {code:x}": (spoilt(COMMAND, 0x80 | code), 1002) for code in (3, 7, 11, 15)},
    "unmasked": (Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
    "unmasked ping": (Frame(Opcode.PING, b"").serialize(mask=False), 1002),
    "ping of 126 bytes": (b"\x89\xfe\x00\x7e" + bytes(4) + bytes(126), 1002),
    "ping in fragments": (spoilt(Frame(Opcode.PING, b"x").serialize(mask=True), 0x09), 1002),
    "close in fragments": (spoilt(closing(b"\x03\xe8"), 0x08), 1002),
    "close of 126 bytes": (b"\x88\xfe\x00\x7e" + bytes(4) + b"\x03\xe8" + bytes(124), 1002),
    "close of one byte": (closing(b"\x03"), 1002),
    **{
        f"close with {code}": (closing(struct.pack("!H", code)), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535)
    },
    "close with a reason that is no text": (closing(b"\x03\xe8\xff"), 1007),
    "length beyond any": (b"\x81\xff" + b"\xff" * 8 + bytes(4), (1002, 1009)),
    "length of a terabyte": (b"\x81\xff" + (1 << 40).to_bytes(8, "big") + bytes(4), 1009),
    "length of one byte too much": (b"\x82\xfe" + struct.pack("!H", 4097) + bytes(4), 1009),
    "continuation of nothing": (Frame(Opcode.CONT, b"x").serialize(mask=True), 1002),
    "a message within a message": (
        Frame(Opcode.TEXT, b"x", fin=False).serialize(mask=True) + COMMAND,
        1002,
    ),
    "text that is none": (Frame(Opcode.TEXT, b'{"op":"\xc3\x28"}').serialize(mask=True), 1007),
    "text that ends in mid-letter": (Frame(Opcode.TEXT, b"\xe2\x82").serialize(mask=True), 1007),
    "text with a surrogate": (Frame(Opcode.TEXT, b'"\xed\xa0\x80"').serialize(mask=True), 1007),
    "text that is none, in fragments": (
        Frame(Opcode.TEXT, b"\xe2\x82", fin=False).serialize(mask=True)
        + Frame(Opcode.CONT, b"\x41").serialize(mask=True),
        1007,
    ),
    "another protocol's greeting": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 1002),
}


@pytest.mark.parametrize("violation", MALFORMED)
async def test_what_is_no_frame_closes_with_its_code(clock: HandClock, violation: str) -> None:
    data, code = MALFORMED[violation]
    async with beside(clock) as (stand, _), stand.reading("assets=bitcoin") as reader:
        await reader.message("snapshot")
        reader.writer.write(data)
        assert await reader.closed() in (code if isinstance(code, tuple) else (code,))


@pytest.mark.parametrize("violation", ["unmasked", "length of a terabyte", "another protocol's greeting"])
async def test_what_is_no_frame_may_come_behind_the_handshake(clock: HandClock, violation: str) -> None:
    data, code = MALFORMED[violation]
    async with beside(clock) as (stand, _), stand.reading("assets=bitcoin", data) as reader:
        assert reader.status == 101
        assert await reader.closed() == code


async def test_a_flood_behind_the_handshake_is_cut_off(clock: HandClock) -> None:
    """More than is read at once: what comes behind the first segment is the session's, too."""
    commands = masked('{"op":"ping"}') * 20_000
    async with beside(clock) as (stand, _), stand.reading("assets=bitcoin", commands) as reader:
        assert await ended(reader) in (4101, None)
        assert stand.service.feed.counters.closes[4101] == 1


async def ended(reader: Reader) -> int | None:
    """The close code, or None where the server ended a connection that still sent."""
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        return await reader.closed()
    return None


@pytest.mark.parametrize("seed", range(6))
async def test_noise_ends_a_session_with_an_answer(clock: HandClock, seed: int) -> None:
    noise = random.Random(seed).randbytes(20_000)
    async with beside(clock) as (stand, _), stand.reading("assets=bitcoin") as reader:
        reader.writer.write(noise)
        assert await ended(reader) in (1002, 1007, 1009, None)


# Sizes


@pytest.mark.parametrize("size", [1 << 20, 64 << 20], ids=["1 MiB", "64 MiB"])
async def test_a_bomb_is_not_inflated(clock: HandClock, size: int) -> None:
    press = zlib.compressobj(9, wbits=-15)
    bomb = press.compress(bytes(size)) + press.flush(zlib.Z_SYNC_FLUSH)
    limits = replace(UNLIMITED, message_bytes=70_000)  # what is on the wire is smaller
    assert len(bomb) < limits.message_bytes
    async with beside(clock, limits=limits) as (stand, _), stand.reading(**DEFLATE) as reader:
        frame = Frame(Opcode.TEXT, bomb[:-4]).serialize(mask=True)
        reader.writer.write(spoilt(frame, 0xC1))
        assert await reader.closed() == 1009


@pytest.mark.parametrize("size", [4096, 4097])
async def test_a_deflated_message_is_as_long_as_it_is_inflated(clock: HandClock, size: int) -> None:
    text = b'{"op":"ping","id":1}'.ljust(size)
    async with beside(clock) as (stand, _), stand.reading(**DEFLATE) as reader:
        reader.writer.write(spoilt(Frame(Opcode.TEXT, deflated(text)).serialize(mask=True), 0xC1))
        if size == 4096:
            assert (await reader.message("pong"))["id"] == 1
        else:
            assert await reader.closed() == 1009


async def test_what_cannot_be_inflated_closes(clock: HandClock) -> None:
    async with beside(clock) as (stand, _), stand.reading(**DEFLATE) as reader:
        reader.writer.write(spoilt(Frame(Opcode.TEXT, b"\xff" * 40).serialize(mask=True), 0xC1))
        assert await reader.closed() == 1002


async def test_bombs_in_fragments_are_counted_together(clock: HandClock) -> None:
    press = zlib.compressobj(9, wbits=-15)
    parts = [press.compress(bytes(1500)) + press.flush(zlib.Z_SYNC_FLUSH) for _ in range(4)]
    async with beside(clock) as (stand, _), stand.reading(**DEFLATE) as reader:
        reader.writer.write(spoilt(Frame(Opcode.TEXT, parts[0], fin=False).serialize(mask=True), 0x41))
        for part in parts[1:]:
            reader.put(Opcode.CONT, part, fin=False)
        assert await reader.closed() == 1009


@pytest.mark.parametrize("size", [1, 100, 4000])
async def test_fragments_without_end_are_cut_off(clock: HandClock, size: int) -> None:
    async with beside(clock) as (stand, _), stand.reading() as reader:
        reader.put(Opcode.TEXT, b" " * size, fin=False)
        for _ in range(4096 // size):
            reader.put(Opcode.CONT, b" " * size, fin=False)
        assert await reader.closed() == 1009


# Commands


@pytest.mark.parametrize(
    "command",
    ['{"op":"ping"}', '{"op":"resync"}', '{"op":"subscribe","assets":["*"]}', "{", '{"op":"x"}'],
)
async def test_a_flood_of_commands_is_told_and_then_closed(clock: HandClock, command: str) -> None:
    """Whether they can be understood or not: reading them is what costs."""
    async with beside(clock) as (stand, _), stand.reading("assets=bitcoin") as reader:
        for _ in range(60):
            reader.writer.write(masked(command))
        codes = []
        while (frame := await reader.frame())[0] is Opcode.TEXT:
            said = json.loads(frame[1])
            if said["type"] == "error":
                codes.append(said["code"])
        assert frame == (Opcode.CLOSE, struct.pack("!H", 4101) + b"too many commands")
        assert codes[-20:] == ["rate_limited"] * 20
        assert codes.count("rate_limited") == 20


async def test_a_flood_whose_answers_nobody_reads_is_bounded_and_closed(clock: HandClock) -> None:
    limits = replace(UNLIMITED, commands_per_10s=0)
    many = {"assets": twenty_assets(), "currency": PEGGED, "limits": limits}
    async with (
        beside(clock, "bitcoin", **many) as (stand, neighbour),
        stand.reading("assets=*") as reader,
    ):
        await reader.message("snapshot")
        session = next(s for s in stand.service.feed._sessions if len(s.key.assets) > 1)
        stop_reading(reader, session)
        for number in range(2000):
            reader.say(op="resync", id=number)
        async with asyncio.timeout(5):
            while not session.closing:  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.01)
        assert session.code == 4102
        assert session._transport.get_write_buffer_size() < HIGH_WATER + 32_768
        await neighbour.goes_on()
        for _ in range(21):  # a turn of the wheel is what it has for its farewell, and it says none
            await clock.advance(1)
        assert stand.service.feed.counters.closes[4102] == 1
        reader.resume()


async def test_pings_whose_answers_nobody_reads_are_bounded(clock: HandClock) -> None:
    async with beside(clock) as (stand, neighbour), stand.reading("assets=bitcoin") as reader:
        await reader.message("snapshot")
        session = next(s for s in stand.service.feed._sessions if "bitcoin" in s.key.assets)
        stop_reading(reader, session)
        ping = Frame(Opcode.PING, b"x" * 125).serialize(mask=True)
        for _ in range(3):  # 5 MB, in less time than it may lag
            reader.writer.write(ping * 14_000)
            await neighbour.goes_on(1)
        assert not session.closing
        # What was read at once before the socket was found to be full.
        assert session._transport.get_write_buffer_size() < HIGH_WATER + 262_144
        reader.transport.abort()


@pytest.mark.parametrize(
    "text", ["[" * 4000, '{"op":' * 600, '{"op":"ping","x":' + "[" * 2000 + "]" * 2000 + "}"]
)
async def test_a_deep_command_is_an_error(clock: HandClock, text: str) -> None:
    async with beside(clock) as (stand, _), stand.reading() as reader:
        reader.writer.write(masked(text))
        assert (await reader.message("error"))["code"] in ("bad_json", "bad_op")
        assert (await reader.ask("pong", op="ping", id=1))["id"] == 1
