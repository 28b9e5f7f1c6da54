"""Connections whose request never ends, over real sockets: each goes in time, and nobody else is touched.

The time is short here; nothing is asked of how long anything takes, only of what ends and what doesn't.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest
import uvloop
from aiohttp import web

from ticker.errors import ConfigError
from ticker.web import application, serving
from ticker.web.app import Listening
from ticker.web.heads import Heads
from ticker.web.upgrade import HandedOver, hand_over

SOON = 0.1
NEVER = 3600.0
HEAD = b"GET /here HTTP/1.1\r\nHost: x\r\n"
WHOLE = HEAD + b"\r\n"


class Line:
    """One connection, and what comes back on it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, request: bytes = WHOLE) -> int:
        """Send it; the status of the next answer, whose body is read."""
        self.writer.write(request)
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next(line for line in head.splitlines() if line.startswith("content-length: "))
            await self.reader.readexactly(int(length.split()[1]))
        return int(head.split()[1])

    async def ended(self) -> bytes:
        """What came before the server ended it."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def dribble(self, data: bytes) -> bytes:
        """Send `data` over and over, a byte at a time, until the server ends the connection."""
        answer = asyncio.ensure_future(self.ended())
        with suppress(ConnectionError):
            while not answer.done():
                for byte in data:
                    self.writer.write(bytes([byte]))
                    await self.writer.drain()
                    await asyncio.wait([answer], timeout=SOON / 20)
        return await answer


@asynccontextmanager
async def line(url: str) -> AsyncIterator[Line]:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


class Gate:
    """A page that is answered when the test says so."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.open = asyncio.Event()

    async def page(self, request: web.Request) -> web.Response:
        self.asked.set()
        await self.open.wait()
        return web.Response(text="at last")


async def here(request: web.Request) -> web.Response:
    return web.Response(text="here")


@asynccontextmanager
async def served(
    head_seconds: float = SOON, gate: Gate | None = None, listen: str = "127.0.0.1:0", **more: bool
) -> AsyncIterator[Listening]:
    routes = [web.get("/here", here), *([web.get("/gate", gate.page)] if gate else [])]
    async with serving(application(routes), listen, head_seconds=head_seconds, **more) as url:
        yield url


# What never ends


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /here", HEAD, HEAD + b"X-Long: " + b"x" * 4000])
async def test_a_head_that_stops_ends_with_its_connection(sent: bytes) -> None:
    async with served() as url, line(url) as late:
        late.writer.write(sent)
        assert await late.ended() == b""


async def test_a_head_that_dribbles_ends_however_much_still_comes() -> None:
    async with served() as url, line(url) as late:
        late.writer.write(HEAD)
        assert await late.dribble(b"X-More: y\r\n") == b""


async def test_a_second_head_has_no_longer_than_the_first() -> None:
    async with served() as url, line(url) as late:
        assert await late.ask() == 200
        late.writer.write(HEAD)
        assert await late.ended() == b""


async def test_a_head_begun_while_another_request_was_answered_has_no_longer_either() -> None:
    gate = Gate()
    async with served(gate=gate) as url, line(url) as late:
        late.writer.write(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")
        await gate.asked.wait()
        late.writer.write(HEAD)
        gate.open.set()
        assert (await late.ended()).endswith(b"at last")


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"X-Long: " + b"x" * 9000,
        b"GET /" + b"x" * 9000,
        HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(200)) + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"not http at all\r\n\r\n",
        HEAD + b"Content-Length: x\r\n\r\n",
    ],
    ids=["long header", "long address", "many headers", "tls", "words", "bad length"],
)
async def test_what_is_too_long_or_no_http_is_refused_at_once_and_not_logged(
    sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(NEVER) as url, line(url) as wrong:
        wrong.writer.write(sent)
        head, _, body = (await wrong.ended()).partition(b"\r\n\r\n")
    assert head.split()[1] == b"400"
    assert json.loads(body)["error"]["code"] == "bad_request"
    assert not caplog.records


# What is left alone


async def test_an_idle_connection_is_kept_between_requests() -> None:
    async with served() as url, line(url) as early, line(url) as late:
        assert await early.ask() == 200
        assert await late.ended() == b""
        assert await early.ask() == 200


async def test_an_answer_may_take_longer_than_a_head() -> None:
    gate = Gate()
    async with served(gate=gate) as url, line(url) as patient, line(url) as late:
        patient.writer.write(b"GET /gate HTTP/1.1\r\nHost: x\r\n\r\n")
        await gate.asked.wait()
        assert await late.ended() == b""
        gate.open.set()
        assert await patient.ask() == 200  # the page
        assert await patient.ask() == 200


class Echo(asyncio.Protocol):
    """Owns a connection that was a request before."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())


async def test_a_connection_that_was_handed_over_is_not_waited_for() -> None:
    async def upgrade(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        hand_over(request, request.transport, cast("Any", Echo()), b"HTTP/1.1 101 Yours\r\n\r\n")
        return HandedOver()

    app = application([web.get("/yours", upgrade)])
    async with serving(app, "127.0.0.1:0", head_seconds=SOON) as url, line(url) as session, line(url) as late:
        session.writer.write(
            b"GET /yours HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nbehind"
        )
        async with asyncio.timeout(5):
            assert (await session.reader.readuntil(b"BEHIND")).startswith(b"HTTP/1.1 101 ")
            assert await late.ended() == b""
            session.writer.write(b"later")
            assert await session.reader.readexactly(5) == b"LATER"


async def test_requests_sent_together_are_answered_together() -> None:
    async with served() as url, line(url) as eager:
        assert [await eager.ask(WHOLE * 3), await eager.ask(b""), await eager.ask(b"")] == [200, 200, 200]


async def test_neighbours_are_served_while_many_hang() -> None:
    async with served(NEVER) as url, asyncio.timeout(20):
        hanging = [
            await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2])) for _ in range(300)
        ]
        for _, writer in hanging:
            writer.write(HEAD)
        async with line(url) as neighbour:
            assert await neighbour.ask() == 200
        for _, writer in hanging:
            writer.close()
            await writer.wait_closed()


async def test_one_that_comes_just_before_a_turn_has_its_whole_time() -> None:
    heads = Heads(NEVER)
    slot = heads.newest()
    for _ in range(10):
        heads._timer.cancel()
        heads._turn()
        assert any(slot is one for one in heads._wheel)
    heads._timer.cancel()
    heads._turn()
    assert not any(slot is one for one in heads._wheel)
    heads.stop()


# Listening


async def test_when_it_stops_listening_those_there_are_go_on() -> None:
    async with served(NEVER) as url:
        assert isinstance(url, str)
        assert url == url.url
        async with line(url) as old:
            assert await old.ask() == 200
            await url.stop_listening()
            await url.stop_listening()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            assert await old.ask() == 200
        # The port is free, while the block still serves.
        async with served(listen=url.removeprefix("http://")) as again, line(again) as new:
            assert await new.ask() == 200


async def test_a_port_is_shared_only_by_those_who_say_so() -> None:
    async with served(reuse_port=True) as first:
        address = first.removeprefix("http://")
        async with served(listen=address, reuse_port=True) as second, line(second) as reader:
            assert await reader.ask() == 200
        with pytest.raises(ConfigError, match=f"can't listen on {address}"):
            async with served(listen=address):
                pass


@pytest.mark.parametrize(
    "scenario",
    [
        test_a_head_that_dribbles_ends_however_much_still_comes,
        test_a_second_head_has_no_longer_than_the_first,
        test_an_idle_connection_is_kept_between_requests,
        test_a_connection_that_was_handed_over_is_not_waited_for,
        test_when_it_stops_listening_those_there_are_go_on,
        test_a_port_is_shared_only_by_those_who_say_so,
    ],
    ids=lambda scenario: scenario.__name__,
)
def test_uvloop_agrees(scenario: Callable[[], asyncio.Future[None]]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
