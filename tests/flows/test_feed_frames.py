"""The feed of the running service, byte by byte: framing, closing, limits, shared frames, slow readers."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest
from msgspec.structs import replace
from websockets.frames import Frame, Opcode

from tests.flows.conftest import UNLIMITED, HandClock, Reader, Stand, masked, standing
from ticker.config import Currency, load
from ticker.feed import Limits
from ticker.feed.session import Session
from ticker.feed.subscriber import HIGH_WATER
from ticker.identity import AssetOptions


async def test_bytes_in_the_handshakes_own_segment_are_not_lost(clock: HandClock) -> None:
    behind = [masked('{"op":"ping","id":1}'), masked('{"op":"list","id":2}')]
    async with standing(clock) as stand, stand.reading("assets=talus", *behind) as reader:
        assert (await reader.message("pong"))["id"] == 1
        assert (await reader.message("ack"))["assets"] == ["talus"]


async def test_a_frame_cut_by_the_end_of_the_segment_is_joined(clock: HandClock) -> None:
    frame = masked('{"op":"ping","id":1}')
    async with standing(clock) as stand, stand.reading("assets=talus", frame[:9]) as reader:
        await reader.message("snapshot")
        reader.writer.write(frame[9:])
        assert (await reader.message("pong"))["id"] == 1


async def test_a_fragmented_message_is_one_command(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as reader:
        await reader.message("hello")
        reader.put(Opcode.TEXT, b'{"op":', fin=False)
        reader.put(Opcode.PING, b"between")
        assert await reader.frame() == (Opcode.PONG, b"between")
        reader.put(Opcode.CONT, b'"ping","id":"\xc3', fin=False)
        reader.put(Opcode.CONT, b'\xa9"}')
        assert (await reader.message("pong"))["id"] == "é"


async def test_pong_carries_the_pings_payload(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as reader:
        await reader.message("hello")
        reader.put(Opcode.PING, b"\x00\xff" * 60)
        assert await reader.frame() == (Opcode.PONG, b"\x00\xff" * 60)


@pytest.mark.parametrize("code", [1000, 1001, 4321])
async def test_closing_handshake_echoes_the_code(clock: HandClock, code: int) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as reader:
        reader.put(Opcode.CLOSE, struct.pack("!H", code) + b"bye")
        assert await reader.closed() == code


VIOLATIONS = {
    "invalid UTF-8": (Frame(Opcode.TEXT, b'{"op":"\xff"}').serialize(mask=True), 1007),
    "oversized": (Frame(Opcode.TEXT, b"x" * 4097).serialize(mask=True), 1009),
    "oversized in fragments": (
        Frame(Opcode.TEXT, b"x" * 4000, fin=False).serialize(mask=True)
        + Frame(Opcode.CONT, b"x" * 97).serialize(mask=True),
        1009,
    ),
    "unmasked": (Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
    "reserved bit": (b"\xc1" + masked("{}")[1:], 1002),
    "continuation of nothing": (Frame(Opcode.CONT, b"x").serialize(mask=True), 1002),
    "close code that isn't one": (Frame(Opcode.CLOSE, struct.pack("!H", 1005)).serialize(mask=True), 1002),
}


@pytest.mark.parametrize("violation", VIOLATIONS)
async def test_a_violation_of_the_protocol_closes_with_its_code(clock: HandClock, violation: str) -> None:
    data, code = VIOLATIONS[violation]
    async with standing(clock) as stand, stand.reading("assets=talus") as reader:
        reader.writer.write(data)
        assert await reader.closed() == code


async def test_a_message_of_just_the_limit_is_read(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as reader:
        text = '{"op":"ping","id":1}'
        reader.writer.write(masked(text + " " * (4096 - len(text))))
        assert (await reader.message("pong"))["id"] == 1


async def test_empty_fragments_do_not_pile_up(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as reader:
        await reader.message("hello")
        reader.put(Opcode.TEXT, b"", fin=False)
        for _ in range(5000):
            reader.put(Opcode.CONT, b"", fin=False)
        reader.put(Opcode.PING, b"behind them")
        while (await reader.frame())[0] not in (Opcode.PONG, Opcode.CLOSE):
            pass
        assert all(len(session._fragments or ()) < 5000 for session in stand.service.feed._sessions)


async def test_sessions_of_one_address_are_limited_and_a_closed_one_makes_room(clock: HandClock) -> None:
    limits = replace(UNLIMITED, sessions_per_address=2)
    async with standing(clock, limits=limits) as stand, stand.reading("assets=talus"):
        async with stand.reading("assets=talus"), stand.reading("assets=talus") as refused:
            assert refused.status == 429
            assert int(refused.header("Retry-After") or 0) > 0
        async with stand.reading("assets=talus") as admitted:
            assert admitted.status == 101


async def test_no_limit_of_sessions_when_turned_off(clock: HandClock) -> None:
    async with standing(clock) as stand, asyncio.TaskGroup() as group:
        full = asyncio.Barrier(40)

        async def read() -> None:
            async with stand.reading("assets=talus") as reader:
                await reader.message("snapshot")
                await full.wait()

        for _ in range(40):
            group.create_task(read())


async def test_handshakes_of_one_address_are_limited_by_the_minute(clock: HandClock) -> None:
    async with standing(clock, limits=Limits(handshakes_per_minute=2)) as stand:
        for status in (101, 101, 429):
            async with stand.reading("assets=talus") as reader:
                assert reader.status == status
        assert 0 < int(reader.header("Retry-After") or 0) <= 61
        await clock.advance(61)
        async with stand.reading("assets=talus") as reader:
            assert reader.status == 101


async def test_one_cohort_gets_the_same_bytes(clock: HandClock) -> None:
    async with standing(clock) as stand:
        queries = ("assets=talus,bitcoin", "assets=bitcoin,%20talus,talus")
        async with stand.reading(queries[0]) as one, stand.reading(queries[1]) as other:
            for reader in (one, other):
                await reader.message("snapshot")
            assert stand.service.feed.hub.cohorts == 1
            for _ in range(3):
                await stand.tick()
                assert await one.frame() == await other.frame()


def twenty_assets() -> dict[str, AssetOptions]:
    built_in = load(None, {}).assets
    traded = {a: o for a, o in built_in.items() if any("binance:" in str(pair) for pair in o.pairs)}
    return {a: replace(o, pairs=(f"binance:{o.symbol}USDT",)) for a, o in traded.items()}


def stop_reading(reader: Reader, session: Session) -> None:
    """A client that takes nothing any more, and kernel buffers as small as they get."""
    own, servers = (t.get_extra_info("socket") for t in (reader.writer.transport, session._transport))
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    servers.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    reader.pause()


async def test_a_slow_reader_is_skipped_and_then_gets_one_snapshot(clock: HandClock) -> None:
    pegged = Currency(pegs={"USDT": "USD"})
    async with (
        standing(clock, assets=twenty_assets(), currency=pegged) as stand,
        stand.reading("assets=*") as slow,
    ):
        await slow.message("snapshot")
        [session] = stand.service.feed._sessions
        stop_reading(slow, session)
        async with stand.reading("assets=*") as quick:
            await quick.message("snapshot")
            await lag(stand, session, slow, quick)
            waiting = session._transport.get_write_buffer_size()
            assert 0 < waiting < HIGH_WATER + 16_384
            for _ in range(3):
                await stand.tick()
                assert len((await quick.message("update"))["quotes"]) > 10
            assert session._transport.get_write_buffer_size() == waiting
            assert stand.service.feed.counters.skipped == 3
        slow.resume()
        held = 0
        while (said := await slow.message())["type"] == "update":
            assert said["prev"] <= (held or said["prev"])
            held = said["seq"]
        assert (said["type"], said["recovered"], said["seq"]) == ("snapshot", True, stand.service.book.seq)
        await stand.tick()
        update = await slow.message()
        assert update["type"] == "update"
        assert update["prev"] <= said["seq"] < update["seq"]


async def lag(stand: Stand, session: Session, slow: Reader, quick: Reader) -> None:
    """Tick until the session's reader is found to be slow."""
    for _ in range(200):
        slow.put(Opcode.PONG)  # it is there, and takes nothing
        await stand.tick()
        await quick.message("update")
        if session.lagging_since is not None:
            return
    raise AssertionError("200 updates fit into the buffers")
