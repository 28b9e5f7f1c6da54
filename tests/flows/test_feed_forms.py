"""The forms a session may take: MessagePack or JSON, deflated or not, narrowed or calm. All say the same."""

from __future__ import annotations

import asyncio
import json
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from websockets.frames import Frame, Opcode

from tests.flows.conftest import UNLIMITED, HandClock, Reader, Stand, standing
from tests.flows.contract import check
from tests.flows.test_feed_frames import twenty_assets
from ticker.config import Currency
from ticker.feed.framing import DEFLATE_FROM, deflated
from ticker.market import Fault
from ticker.messages import FIELDS
from ticker.rates import Options as RateOptions
from ticker.web.asyncapi import document

PACKED = {"Sec_WebSocket_Protocol": "ticker.v1.msgpack"}
DEFLATE = {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits"}
PEGGED = Currency(pegs={"USDT": "USD"}, rates=RateOptions(source="none"))


async def all_that_is_said(stand: Stand, reader: Reader) -> list[dict[str, Any]]:
    """Every type of message but goodbye, of a session that began before anything of this happened."""
    commands: list[dict[str, Any]] = [
        {"op": "list", "id": 1},
        {"op": "subscribe", "id": "two", "assets": ["tether", "nope"]},
        {"op": "resync", "id": 3, "since": f"{stand.service.book.epoch}:1"},
        {"op": "ping", "id": 4},
        {"op": "dance", "id": 5},
        {"op": "ping", "id": []},
    ]
    packs = reader.header("Sec-WebSocket-Protocol") == "ticker.v1.msgpack"
    for command in commands:
        if packs:
            reader.put(Opcode.BINARY, msgspec.msgpack.encode(command))
        else:
            reader.say(**command)
    said = [await reader.message()]
    while said[-1].get("code") != "bad_id":
        said.append(await reader.message())
    return said


@pytest.mark.parametrize("extra", [{}, DEFLATE], ids=["plain", "deflated"])
async def test_messagepack_and_json_say_the_same(clock: HandClock, extra: dict[str, str]) -> None:
    async with (
        standing(clock) as stand,
        stand.reading("assets=talus,bitcoin", **extra) as text,
        stand.reading("assets=talus,bitcoin", **PACKED, **extra) as packed,
    ):
        for _ in range(2):
            await stand.tick()
        stand.market.fail("mexc", Fault.server_error())
        await stand.tick()
        for reader in (text, packed):
            reader.put(Opcode.PONG)  # both are there, and read later
        stand.market.fail("binance", Fault.frozen())
        stand.market.fail("coingecko", Fault.frozen())
        for seconds in (16, 1, 16, 1):
            await clock.advance(seconds)
        said = [await all_that_is_said(stand, reader) for reader in (text, packed)]
        assert said[0] == said[1]
        types = {message["type"] for message in said[0]}
        assert types == {"hello", "snapshot", "update", "status", "heartbeat", "ack", "pong", "error"}


async def test_goodbye_is_the_same_in_both(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as text, stand.reading(**PACKED) as packed:
        draining = asyncio.create_task(stand.service.feed.drain(30))
        told = [await reader.message("goodbye") for reader in (text, packed)]
        assert sorted(goodbye.pop("reconnect_in_ms") for goodbye in told) == [10, 20]
        assert told[0] == told[1]
        for _ in range(2):
            await clock.advance(0.01)
        assert [await reader.closed() for reader in (text, packed)] == [4200, 4200]
        await clock.advance(0.02)
        await draining


async def test_messagepack_is_binary_and_nothing_else(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus", **PACKED) as reader:
        for _ in range(2):
            assert (await reader.frame())[0] is Opcode.BINARY
        await stand.tick()
        assert (await reader.frame())[0] is Opcode.BINARY


async def test_a_command_is_read_by_its_own_opcode(clock: HandClock) -> None:
    """JSON in a text frame, MessagePack in a binary one, whatever the answers are in."""
    async with standing(clock) as stand:
        for headers in ({}, PACKED):
            async with stand.reading(**headers) as reader:
                reader.say(op="ping", id=1)
                assert (await reader.message("pong"))["id"] == 1
                reader.put(Opcode.BINARY, msgspec.msgpack.encode({"op": "ping", "id": 2}))
                assert (await reader.message("pong"))["id"] == 2
                reader.put(Opcode.BINARY, b'{"op":"ping"}')
                assert (await reader.message("error"))["code"] in ("bad_json", "bad_op")


# Compression


@asynccontextmanager
async def twenty(clock: HandClock) -> AsyncIterator[Stand]:
    async with standing(clock, assets=twenty_assets(), currency=PEGGED) as stand:
        yield stand


async def test_compression_is_agreed_on_without_context_either_way(clock: HandClock) -> None:
    async with twenty(clock) as stand, stand.reading("assets=*", **DEFLATE) as reader:
        agreed = (reader.header("Sec-WebSocket-Extensions") or "").split(";")
        assert agreed[0] == "permessage-deflate"
        named = {part.strip().partition("=")[0] for part in agreed[1:]}
        assert {"server_no_context_takeover", "client_no_context_takeover"} <= named


async def test_only_large_frames_are_deflated(clock: HandClock) -> None:
    async with twenty(clock) as stand, stand.reading("assets=*", **DEFLATE) as reader:
        kinds: dict[bool, set[str]] = {False: set(), True: set()}
        reader.say(op="ping", id=1)
        for number in range(4):
            first, payload = await reader.raw()
            marked = bool(first & 0x40)
            data = (
                zlib.decompressobj(wbits=-15).decompress(payload + b"\x00\x00\xff\xff") if marked else payload
            )
            assert marked == (len(data) >= DEFLATE_FROM)
            said = json.loads(data)
            check(said)
            kinds[marked].add(said["type"])
            if number == 2:
                await stand.tick()
        assert kinds == {True: {"snapshot", "update"}, False: {"hello", "pong"}}


async def test_one_deflated_frame_serves_all(clock: HandClock) -> None:
    async with (
        twenty(clock) as stand,
        stand.reading("assets=*", **DEFLATE) as one,
        stand.reading("assets=*", **DEFLATE) as other,
    ):
        for reader in (one, other):
            await reader.message("snapshot")
        assert stand.service.feed.cohorts == 1
        for _ in range(3):
            await stand.tick()
            first, payload = await one.raw()
            assert first == 0xC1
            assert await other.raw() == (first, payload)


async def test_deflated_is_much_smaller_and_says_the_same(clock: HandClock) -> None:
    async with (
        twenty(clock) as stand,
        stand.reading("assets=*") as plain,
        stand.reading("assets=*", **DEFLATE) as pressed,
    ):
        for reader in (plain, pressed):
            await reader.message("snapshot")
        await stand.tick()
        _, whole = await plain.raw()
        _, small = await pressed.raw()
        assert zlib.decompressobj(wbits=-15).decompress(small + b"\x00\x00\xff\xff") == whole
        assert len(small) * 2 < len(whole)


def pressed_command(opcode: Opcode, data: bytes) -> bytes:
    return marked(Frame(opcode, deflated(data)))


def marked(frame: Frame) -> bytes:
    """A client's frame with the bit that says it is deflated."""
    first, *others = frame.serialize(mask=True)
    return bytes([first | 0x40, *others])


async def test_deflated_commands_are_read(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading(**DEFLATE) as reader:
        for number in range(3):  # each by itself: no context is kept
            command = {"op": "ping", "id": number, "padding": "x" * 900}
            reader.writer.write(pressed_command(Opcode.TEXT, json.dumps(command).encode()))
            assert (await reader.message("pong"))["id"] == number
        reader.writer.write(pressed_command(Opcode.BINARY, msgspec.msgpack.encode({"op": "ping", "id": 7})))
        assert (await reader.message("pong"))["id"] == 7
        reader.say(op="ping", id=8)  # and one that isn't, on the same connection
        assert (await reader.message("pong"))["id"] == 8


async def test_a_deflated_command_may_come_in_fragments(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading(**DEFLATE) as reader:
        data = deflated(b'{"op":"ping","id":"%b"}' % (b"ab" * 30))
        reader.writer.write(marked(Frame(Opcode.TEXT, data[:5], fin=False)))
        reader.put(Opcode.PING, b"between")
        reader.put(Opcode.CONT, data[5:])
        assert (await reader.message("hello"))["type"] == "hello"
        assert await reader.frame() == (Opcode.PONG, b"between")
        assert (await reader.message("pong"))["id"] == "ab" * 30


@pytest.mark.parametrize(
    ("offer", "compresses", "deflates"),
    [
        ("permessage-deflate", True, True),
        ("permessage-deflate; client_max_window_bits=9", True, True),
        ("permessage-deflate; server_max_window_bits=15", True, True),
        ("permessage-deflate; server_max_window_bits=10", True, False),  # shared frames use the largest
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", True, False),
        ("permessage-deflate; server_max_window_bits=7", False, False),
        ("permessage-deflate; server_max_window_bits=16", False, False),
        ("permessage-deflate; server_max_window_bits=x", False, False),
        ("permessage-deflate; client_max_window_bits=7", False, False),
        ("permessage-deflate; server_max_window_bits=7, permessage-deflate", True, True),
        ("permessage-deflate; unheard_of", False, False),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", False, False),
        ("x-webkit-deflate-frame", False, False),
        ("permessage-brotli, permessage-deflate", True, True),
    ],
)
async def test_an_offer_is_taken_or_left_and_the_session_works(
    clock: HandClock, offer: str, compresses: bool, deflates: bool
) -> None:
    async with twenty(clock) as stand, stand.reading("assets=*", Sec_WebSocket_Extensions=offer) as reader:
        assert reader.status == 101
        answer = reader.header("Sec-WebSocket-Extensions")
        assert (answer is not None) == compresses
        await reader.message("snapshot")
        await stand.tick()
        first, _ = await reader.raw()
        assert bool(first & 0x40) == deflates


# Sub-protocols


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("ticker.v1.msgpack, ticker.v1.json", "ticker.v1.msgpack"),
        ("ticker.v1.json, ticker.v1.msgpack", "ticker.v1.json"),
        ("ticker.v9.json, ticker.v1.msgpack", "ticker.v1.msgpack"),
        ("ticker.v9.json, graphql-ws", None),
        ("TICKER.V1.MSGPACK", None),  # they are compared as they are (RFC 6455, 4.1)
    ],
)
async def test_the_first_of_ours_is_taken_and_json_where_there_is_none(
    clock: HandClock, offered: str, chosen: str | None
) -> None:
    headers = {"Sec_WebSocket_Protocol": offered}
    async with standing(clock) as stand, stand.reading("assets=talus", **headers) as reader:
        assert (reader.status, reader.header("Sec-WebSocket-Protocol")) == (101, chosen)
        opcode = Opcode.BINARY if chosen == "ticker.v1.msgpack" else Opcode.TEXT
        assert (await reader.frame())[0] is opcode


@pytest.mark.parametrize("offered", ["ticker.v9", "ticker.v9.json", "ticker.v9.json, ticker.v2.msgpack"])
async def test_only_other_versions_are_refused(clock: HandClock, offered: str) -> None:
    async with standing(clock) as stand:
        async with stand.reading("assets=talus", Sec_WebSocket_Protocol=offered) as reader:
            assert reader.status == 400
            body = json.loads(await reader.reader.readexactly(int(reader.header("Content-Length") or 0)))
            assert body["error"]["code"] == "unsupported_version"
            assert "ticker.v1.json" in body["error"]["message"]
        assert stand.service.feed.counters.refused == {"unsupported_version": 1}


# Terms


@pytest.mark.parametrize(
    "headers", [{}, PACKED, PACKED | DEFLATE], ids=["json", "packed", "packed, deflated"]
)
async def test_fields_narrow_a_quote_and_keep_its_marks(clock: HandClock, headers: dict[str, str]) -> None:
    async with standing(clock) as stand, stand.reading("assets=*&fields=state,price", **headers) as reader:
        said = [await reader.message("snapshot")]
        await stand.tick()
        said.append(await reader.message("update"))
        for message in said:
            assert message["quotes"]
            for quote in message["quotes"].values():
                assert [name for name in quote if name in FIELDS] == ["price", "state"]
                assert quote["demo"] is True


async def test_a_narrowed_quote_is_as_documented(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus&fields=price") as reader:
        said = await reader.message("snapshot")
        check(said, narrowed=True)
        with pytest.raises(AssertionError, match="required"):
            check(said)


async def test_nothing_is_sent_while_the_fields_asked_for_stay_the_same(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus&fields=symbol,name") as reader:
        await reader.message("snapshot")
        for _ in range(3):
            await stand.tick()
        reader.say(op="ping", id=1)
        assert (await reader.message())["type"] != "update"


@pytest.mark.parametrize("headers", [{}, PACKED], ids=["json", "packed"])
async def test_deadband_sends_what_has_left_it(clock: HandClock, headers: dict[str, str]) -> None:
    query = "assets=talus,bitcoin"
    async with (
        standing(clock) as stand,
        stand.reading(f"{query}&deadband=0.15", **headers) as calm,
        stand.reading(query) as witness,
    ):
        held = (await calm.message("snapshot"))["quotes"]
        await witness.message("snapshot")
        left = {}
        expected: list[dict[str, Any]] = []
        for number in range(40):
            if number == 30:
                stand.market.fail("mexc", Fault.frozen())
            await stand.tick()
            calm.put(Opcode.PONG)  # it is there, and reads later
            quotes = (await witness.message("update"))["quotes"]
            left = {asset: quote for asset, quote in quotes.items() if has_left(held[asset], quote)}
            held |= left
            expected += [left] if left else []
        assert 5 < len(expected) < 40
        assert [(await calm.message("update"))["quotes"] for _ in expected] == expected


def has_left(held: dict[str, Any], quote: dict[str, Any]) -> bool:
    before, now = Decimal(held["price"]), Decimal(quote["price"])
    return held["state"] != quote["state"] or abs(now - before) * 100 >= Decimal("0.15") * before


async def test_a_readers_own_terms_hold_after_a_command(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("fields=price&currency=eur", **PACKED) as reader:
        await reader.ask("ack", op="subscribe", id=1, assets=["bitcoin"])
        assert set((await reader.message("snapshot"))["quotes"]["bitcoin"]) <= {"price", "demo", "rate_date"}


# The document


async def test_the_document_served_is_the_one_messages_are_held_to(clock: HandClock) -> None:
    async with standing(clock) as stand:
        served = await stand.json("/asyncapi.json")
        assert served == json.loads(json.dumps(document()))
        assert served["asyncapi"] == "3.0.0"


async def test_commands_as_documented_are_understood(clock: HandClock) -> None:
    described = document()["components"]["schemas"]["Command"]["properties"]
    limits = replace(UNLIMITED, commands_per_10s=0)
    async with standing(clock, limits=limits) as stand, stand.reading() as reader:
        assert set(described) == {"op", "id", "assets", "since"}
        for ref in (1, -1, 2**53, "x" * 64, None):
            assert (await reader.ask("pong", op="ping", id=ref, assets=["talus"], since=None))["id"] == ref


async def test_close_frame_of_any_form_is_plain(clock: HandClock) -> None:
    """RFC 7692, 6: control frames are never compressed."""
    async with standing(clock) as stand, stand.reading("assets=talus", **PACKED, **DEFLATE) as reader:
        await reader.message("snapshot")
        reader.put(Opcode.CLOSE, struct.pack("!H", 1000))
        first, payload = await reader.raw()
        assert (first, payload) == (0x88, struct.pack("!H", 1000))
