"""Requests that are no handshakes, and connections that break: answered or let go, beside one that stays."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest
from websockets.frames import Frame, Opcode

from tests.flows.conftest import HANDSHAKE, HandClock, Stand, masked
from tests.flows.events import gone
from tests.flows.neighbour import beside

COMMAND = masked('{"op":"ping"}')
CLOSE = Frame(Opcode.CLOSE, struct.pack("!H", 1000)).serialize(mask=True)

# Handshakes


HOSTILE_REQUESTS: dict[str, tuple[bytes, int]] = {
    "noise": (b"\x00\xff\x16\x03\x01 what is this\r\n\r\n", 400),
    "no request line": (b"\r\n\r\n\r\n\r\nGET\r\n\r\n", 400),
    "header of 20 KB": (b"GET /v1/feed HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\n\r\n", 400),
    "address of 20 KB": (b"GET /v1/feed?assets=" + b"a," * 10_000 + b" HTTP/1.1\r\n\r\n", 400),
    "header without a name": (b"GET /v1/feed HTTP/1.1\r\n: x\r\n\r\n", 400),
    "a space before the colon": (b"GET /v1/feed HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    "an unheard-of version": (b"GET /v1/feed HTTP/9.9\r\nHost: x\r\n\r\n", 400),
    "a post": (b"POST /v1/feed HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405),
}


@pytest.mark.parametrize("request_", HOSTILE_REQUESTS)
async def test_what_is_no_request_is_refused(clock: HandClock, request_: str) -> None:
    data, status = HOSTILE_REQUESTS[request_]
    async with beside(clock) as (stand, _), connected(stand) as (reader, writer):
        writer.write(data)
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
        assert int(head.split()[1]) == status
        assert b"Traceback" not in head


HANDSHAKES: dict[str, tuple[dict[str, str | None], int]] = {
    "no key": ({"Sec-WebSocket-Key": None}, 400),
    "a short key": ({"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
    "a key that is no base64": ({"Sec-WebSocket-Key": "?" * 24}, 400),
    "two keys": (
        {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: " + "A" * 22 + "=="},
        400,
    ),
    "no upgrade": ({"Upgrade": None}, 426),
    "another upgrade": ({"Upgrade": "h2c"}, 426),
    "no connection": ({"Connection": "keep-alive"}, 426),
    "extensions that can't be read": ({"Sec-WebSocket-Extensions": "=;,;=\x7f"}, 400),
    "sub-protocols that can't be read": ({"Sec-WebSocket-Protocol": "a b, (c)"}, 400),
}


@pytest.mark.parametrize("name", HANDSHAKES)
async def test_a_handshake_that_is_none_is_refused(clock: HandClock, name: str) -> None:
    changed, status = HANDSHAKES[name]
    lines = {"Host": "x", **HANDSHAKE, **changed}
    head = "".join(f"{key}: {value}\r\n" for key, value in lines.items() if value is not None)
    async with beside(clock) as (stand, _), connected(stand) as (reader, writer):
        writer.write(f"GET /v1/feed?assets=talus HTTP/1.1\r\n{head}\r\n".encode())
        async with asyncio.timeout(5):
            answer = await reader.readuntil(b"\r\n\r\n")
        assert int(answer.split()[1]) == status


async def test_an_http_1_0_request_is_not_upgraded(clock: HandClock) -> None:
    """RFC 9110, 7.8: a server MUST ignore an Upgrade field that is received in an HTTP/1.0 request."""
    async with beside(clock) as (stand, _), connected(stand) as (reader, writer):
        writer.write(REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n")
        async with asyncio.timeout(5):
            answer = await reader.readuntil(b"\r\n\r\n")
        assert int(answer.split()[1]) == 426


# Connections that break


@asynccontextmanager
async def connected(stand: Stand) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = urlsplit(stand.service.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def half_closed(writer: asyncio.StreamWriter) -> None:
    writer.write_eof()


def reset(writer: asyncio.StreamWriter) -> None:
    """End it with an RST, which is what a machine that has lost the connection answers with."""
    own = writer.get_extra_info("socket")
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


REQUEST = b"GET /v1/feed?assets=bitcoin HTTP/1.1\r\nHost: x\r\n" + b"".join(
    f"{key}: {value}\r\n".encode() for key, value in HANDSHAKE.items()
)
STREAM = b"GET /v1/stream?assets=bitcoin HTTP/1.1\r\nHost: x\r\n\r\n"
FRAGMENT = Frame(Opcode.TEXT, b'{"op":', fin=False).serialize(mask=True)
CUTS = {
    "in mid-handshake": REQUEST,
    "with the handshake": REQUEST + b"\r\n",
    "in a frame's head": REQUEST + b"\r\n" + b"\x81",
    "in a frame's length": REQUEST + b"\r\n" + b"\x81\xfe\x00",
    "in mid-frame": REQUEST + b"\r\n" + COMMAND[:9],
    "in mid-message": REQUEST + b"\r\n" + FRAGMENT,
    "after its close frame": REQUEST + b"\r\n" + CLOSE,
    "in a stream": STREAM,
}


@pytest.mark.parametrize("how", [half_closed, reset])
@pytest.mark.parametrize("read", [False, True], ids=["at once", "once it was answered"])
@pytest.mark.parametrize("cut", CUTS)
async def test_a_connection_that_ends_anywhere_leaves_nothing(
    clock: HandClock, cut: str, how: Callable[[asyncio.StreamWriter], None], read: bool
) -> None:
    async with beside(clock) as (stand, neighbour):
        async with connected(stand) as (reader, writer):
            writer.write(CUTS[cut])
            if read and cut != "in mid-handshake":
                async with asyncio.timeout(5):
                    await reader.readuntil(b"\r\n\r\n")
            how(writer)
            with suppress(ConnectionError):
                async with asyncio.timeout(5):
                    await reader.read()
            await neighbour.goes_on(1)
        await gone(stand, 1)


async def test_many_that_break_off_at_once_leave_nothing(clock: HandClock) -> None:
    async with beside(clock) as (stand, neighbour):
        address = urlsplit(stand.service.url)
        for turn in range(5):
            writers = []
            for _ in range(20):
                _, writer = await asyncio.open_connection(address.hostname, address.port)
                writer.write(REQUEST + b"\r\n" + COMMAND[: turn * 3])
                writers.append(writer)
            await neighbour.goes_on(1)
            for writer in writers:
                reset(writer)
        await gone(stand, 1)
        assert stand.service.feed.counters.closes[1006] == 100
