"""Listeners that are slow, silent, gone or old, and requests no EventSource makes: how streams end."""

from __future__ import annotations

import asyncio
import json

import pytest
from msgspec.structs import replace

from tests.flows.conftest import UNLIMITED, HandClock, standing
from tests.flows.events import gone, listening
from tests.flows.test_feed_frames import lag, stop_reading, twenty_assets
from ticker.config import Currency
from ticker.feed.framing import Framing
from ticker.feed.subscriber import HIGH_WATER
from ticker.market import Fault
from ticker.rates import Options as RateOptions

PEGGED = Currency(pegs={"USDT": "USD"}, rates=RateOptions(source="none"))

# Connections


async def test_an_http_1_0_client_is_served(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus", request="GET {} HTTP/1.0") as reader:
            assert reader.status == 200
            assert reader.header("Connection") == "close"
            await reader.message("snapshot")
            await stand.tick()
            await reader.message("update")
        await gone(stand)


PIPELINED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("number", [1, 50])
async def test_requests_behind_the_streams_are_not_answered(clock: HandClock, number: int) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus", PIPELINED * number) as reader:
            await reader.message("snapshot")
            reader.writer.write(PIPELINED)
            await stand.tick()
            await reader.message("update")
        await gone(stand)


async def test_what_a_listener_says_is_of_no_account(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus") as reader:
            await reader.message("snapshot")
            reader.writer.write(bytes(1 << 20))
            await reader.writer.drain()
            await stand.tick()
            await reader.message("update")
        await gone(stand)


async def test_a_request_with_a_body_is_served(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus", b"x" * 40, Content_Length="100") as reader:
            await reader.message("snapshot")
            reader.writer.write(b"x" * 60)
            await stand.tick()
            await reader.message("update")
        await gone(stand)


async def test_a_stream_is_longer_than_any_body_may_be(clock: HandClock) -> None:
    """aiohttp lets no request be longer than 64 KiB; an answer has no such end."""
    async with standing(clock, assets=twenty_assets(), currency=PEGGED) as stand:
        async with listening(stand, "assets=*") as reader:
            read = len(json.dumps(await reader.message("snapshot")))
            while read < 4 * 65536:
                await stand.tick()
                read += len((await reader.event()).get("data", ""))
        await gone(stand)


async def test_heartbeat_comes_only_in_silence(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus") as reader:
            await reader.message("snapshot")
            for _ in range(3):
                await stand.tick()
                assert (await reader.message())["type"] == "update"
            stand.market.fail("mexc", Fault.frozen())
            stand.market.fail("coingecko", Fault.frozen())
            await stand.tick()
            await clock.advance(16)
            await clock.advance(1)
            while (said := await reader.message())["type"] == "update":
                pass
            assert said["type"] == "heartbeat"
        await gone(stand)


async def test_a_comment_asks_in_silence_whether_the_reader_is_there(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus") as reader:
            for _ in range(41):
                await clock.advance(1)
            assert (
                await reader.until_event(lambda fields: "data" not in fields and "retry" not in fields)
            ) == {"": ""}
        await gone(stand)


async def test_a_listener_that_vanishes_leaves_nothing(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as witness:
        await witness.message("snapshot")
        async with listening(stand, "assets=talus") as reader:
            await reader.message("snapshot")
            reader.transport.abort()
        await stand.tick()
        await witness.message("update")
        await gone(stand, 1)


async def test_a_listener_that_says_no_more_is_let_go(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus") as reader:
            await reader.message("snapshot")
            reader.writer.write_eof()
            await reader.ended()
        assert len(stand.service.feed) == 0


async def test_a_slow_listener_is_skipped_and_then_gets_one_snapshot(clock: HandClock) -> None:
    async with standing(clock, assets=twenty_assets(), currency=PEGGED) as stand:
        async with listening(stand, "assets=*") as slow:
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
                    await quick.message("update")
                assert session._transport.get_write_buffer_size() == waiting
                assert stand.service.feed.counters.skipped == 3
            slow.resume()
            held = 0
            while (said := await slow.message())["type"] == "update":
                assert said["prev"] <= (held or said["prev"])
                held = said["seq"]
            assert (said["type"], said["recovered"], said["seq"]) == (
                "snapshot",
                True,
                stand.service.book.seq,
            )
            await stand.tick()
            update = await slow.message()
            assert (update["type"], update["prev"] <= said["seq"] < update["seq"]) == ("update", True)
        await gone(stand)


async def test_a_listener_that_lags_for_long_is_closed(clock: HandClock) -> None:
    async with standing(clock, assets=twenty_assets(), currency=PEGGED) as stand:
        async with listening(stand, "assets=*") as slow, stand.reading("assets=*") as quick:
            await slow.message("snapshot")
            [session] = (s for s in stand.service.feed._sessions if s.key.framing is Framing.EVENTS)
            stop_reading(slow, session)
            await lag(stand, session, slow, quick)
            for _ in range(
                71
            ):  # half a minute, and up to a turn of the wheel until it is seen, and one to go
                await clock.advance(1)
                quick.writer.write(b"\x8a\x80\x00\x00\x00\x00")
            assert stand.service.feed.counters.closes[4102] == 1
            slow.resume()
        await gone(stand)


# The end


async def test_draining_says_goodbye_and_to_come_back_soon(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus") as reader:
            await reader.message("snapshot")
            draining = asyncio.create_task(stand.service.feed.drain(30))
            goodbye = await reader.message("goodbye")
            assert (goodbye["reason"], goodbye["reconnect_in_ms"]) == ("drain", 10)
            assert goodbye["resume"] == reader.last
            await clock.advance(0.01)
            assert 50 <= int((await reader.event())["retry"]) <= 250
            assert await reader.ended() == b""
            await clock.advance(0.02)
            await draining
        assert stand.service.feed.counters.closes == {4200: 1}


async def test_one_that_is_old_is_told_to_come_back_soon(clock: HandClock) -> None:
    async with standing(clock, limits=replace(UNLIMITED, max_age=1)) as stand:
        async with listening(stand, "assets=talus") as reader:
            await reader.message("snapshot")
            for _ in range(21):
                await clock.advance(1)
            goodbye = await reader.message("goodbye")
            assert (goodbye["reason"], goodbye["reconnect_in_ms"]) == ("max_age", 0)
            assert 50 <= int((await reader.event())["retry"]) <= 250
            assert await reader.ended() == b""
        assert stand.service.feed.counters.closes == {4202: 1}
