"""/v1/stream of the running service: what an EventSource sees, how it resumes, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from tests.flows.conftest import UNLIMITED, HandClock, standing
from tests.flows.events import gone, listening
from ticker.market import Fault

# What is said


async def test_head_is_that_of_events_without_end(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus", Accept_Encoding="gzip, br") as reader:
            assert reader.head.startswith("HTTP/1.1 200 OK\r\n")
            assert reader.header("Content-Type") == "text/event-stream"
            assert reader.header("Cache-Control") == "no-store"
            assert reader.header("Access-Control-Allow-Origin") == "*"
            assert reader.header("X-Accel-Buffering") == "no"
            # RFC 9112, 6.3: without a length and without chunks the answer ends with its connection.
            assert reader.header("Connection") == "close"
            for name in ("Content-Length", "Transfer-Encoding", "Content-Encoding"):
                assert reader.header(name) is None
        await gone(stand)


async def test_hello_retry_snapshot_and_updates_come_in_order_with_their_points(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus") as reader:
            fields, hello = await reader.next()
            assert (hello["type"], list(fields)) == ("hello", ["data"])
            assert 1_000 <= int((await reader.event())["retry"]) <= 5_000
            fields, snapshot = await reader.next()
            assert (snapshot["type"], snapshot["recovered"]) == ("snapshot", False)
            assert fields["id"] == f"{hello['epoch']}:{snapshot['seq']}"
            held = snapshot["seq"]
            for _ in range(3):
                await stand.tick()
                fields, update = await reader.next()
                assert fields["id"] == f"{hello['epoch']}:{update['seq']}"
                assert update["prev"] <= held < update["seq"]
                held = update["seq"]
        await gone(stand)


async def test_only_what_a_reader_can_resume_from_has_an_id(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus,nope") as reader:
            stand.market.fail("mexc", Fault.frozen())
            stand.market.fail("coingecko", Fault.server_error())
            for _ in range(12):
                await stand.tick()
            seen: dict[str, bool] = {}
            while {"hello", "ack", "snapshot", "update", "status", "heartbeat"} - seen.keys():
                fields, said = await reader.next()
                seen[said["type"]] = "id" in fields
            assert {kind for kind, has in seen.items() if has} == {"snapshot", "update"}
        await gone(stand)


async def test_streams_of_the_same_terms_share_their_events(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus") as one, listening(stand, "assets=talus") as other:
            for reader in (one, other):
                await reader.message("snapshot")
            assert stand.service.feed.cohorts == 1
            for _ in range(3):
                await stand.tick()
                assert await one.event() == await other.event()
        await gone(stand)


async def test_a_stream_and_a_socket_are_told_the_same(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=*") as session:
        async with listening(stand, "assets=*") as reader:
            assert await reader.message("snapshot") == await session.message("snapshot")
            for _ in range(3):
                await stand.tick()
                assert await reader.message() == await session.message()
        await gone(stand, 1)


# Resume


async def test_last_event_id_resumes_with_what_changed_and_comes_before_since(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=*") as reader:
            await reader.message("snapshot")
        stand.market.fail("mexc", Fault.frozen())
        await stand.tick()
        async with listening(stand, "assets=*&since=other:1", Last_Event_ID=reader.last or "") as resumed:
            snapshot = await resumed.message("snapshot")
            assert snapshot["recovered"] is True
            assert list(snapshot["quotes"]) == ["bitcoin"]
        async with listening(stand, "assets=*", Last_Event_ID=resumed.last or "") as again:
            nothing = await again.message("snapshot")
            assert (nothing["recovered"], nothing["quotes"]) == (True, {})
        await gone(stand)


@pytest.mark.parametrize("seen", ["", "nonsense", "\u00ff:1", "0" * 4000])
async def test_since_counts_where_the_last_id_says_nothing(clock: HandClock, seen: str) -> None:
    async with standing(clock) as stand:
        book = stand.service.book
        since = f"since={book.epoch}:{book.seq}"
        async with listening(stand, f"assets=*&{since}", Last_Event_ID=seen) as reader:
            assert (await reader.message("snapshot"))["recovered"] is True
        await gone(stand)


async def test_an_id_of_another_life_brings_everything(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=*", Last_Event_ID="zzzzzz:1") as reader:
            snapshot = await reader.message("snapshot")
            assert (snapshot["recovered"], len(snapshot["quotes"])) == (False, 3)
        await gone(stand)


# Terms


async def test_fields_narrow_what_is_sent(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus&fields=change_24h,price") as reader:
            said = await reader.message("snapshot")
            await stand.tick()
            for message in (said, await reader.message("update")):
                assert list(message["quotes"]["talus"]) == ["price", "change_24h", "demo"]
        await gone(stand)


async def test_currency_is_that_asked_for(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=bitcoin&currency=eur") as reader:
            quote = (await reader.message("snapshot"))["quotes"]["bitcoin"]
            assert quote["currency"] == "EUR"
            assert quote["price"] != (await stand.quotes())["bitcoin"]["price"]
        await gone(stand)


async def test_interval_is_that_asked_for(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus&interval=15000") as reader:
            await reader.message("snapshot")
            for _ in range(9):
                await stand.tick()
            slots = [(await reader.message("update"))["time"] // 15_000 for _ in range(3)]
            assert len(set(slots)) == len(slots)
        await gone(stand)


async def test_deadband_holds_small_moves_back(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with (
            listening(stand, "assets=talus&deadband=0.2") as calm,
            listening(stand, "assets=talus") as all_of_it,
        ):
            told = (await calm.message("snapshot"))["quotes"]["talus"]["price"]
            await all_of_it.message("snapshot")
            expected = []
            for _ in range(60):
                await stand.tick()
                moved = (await all_of_it.message("update"))["quotes"]["talus"]["price"]
                if abs(Decimal(moved) - Decimal(told)) * 100 >= Decimal("0.2") * Decimal(told):
                    expected.append(told := moved)
            assert 0 < len(expected) < 60
            sent = [(await calm.message("update"))["quotes"]["talus"]["price"] for _ in expected]
            assert sent == expected
        await gone(stand)


async def test_an_unknown_asset_among_known_ones_is_told(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with listening(stand, "assets=talus,nope") as reader:
            ack = await reader.message("ack")
            assert (ack["op"], ack["assets"], ack["rejected"]) == (
                "subscribe",
                ["talus"],
                {"nope": "unknown_asset"},
            )
            assert list((await reader.message("snapshot"))["quotes"]) == ["talus"]
        await gone(stand)


# Refusals


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("assets=nope", 404, "unknown_asset"),
        ("assets=talus&interval=7", 400, "bad_request"),
        ("assets=talus&fields=smell", 400, "bad_request"),
        ("assets=talus&deadband=-1", 400, "bad_request"),
        ("assets=talus&currency=xyz", 400, "unknown_currency"),
    ],
)
async def test_a_wrong_address_is_refused(clock: HandClock, query: str, status: int, code: str) -> None:
    async with standing(clock) as stand:
        response, body = await stand.get(f"/v1/stream?{query}")
        assert response.status == status
        assert json.loads(body)["error"]["code"] == code
        assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_streams_and_sockets_of_one_address_are_counted_together(clock: HandClock) -> None:
    limits = replace(UNLIMITED, sessions_per_address=2)
    async with standing(clock, limits=limits) as stand, stand.reading("assets=talus"):
        async with listening(stand, "assets=talus"), listening(stand, "assets=talus") as refused:
            assert refused.status == 429
            assert int(refused.header("Retry-After") or 0) > 0
        await gone(stand, 1)
        async with listening(stand, "assets=talus") as admitted:
            assert admitted.status == 200
        await gone(stand, 1)


async def test_streams_of_one_address_are_limited_by_the_minute(clock: HandClock) -> None:
    limits = replace(UNLIMITED, handshakes_per_minute=2)
    async with standing(clock, limits=limits) as stand:
        for status in (200, 200, 429):
            async with listening(stand, "assets=talus") as reader:
                assert reader.status == status
        assert 0 < int(reader.header("Retry-After") or 0) <= 61
        await clock.advance(61)
        async with listening(stand, "assets=talus") as reader:
            assert reader.status == 200
        await gone(stand)


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
async def test_only_get_is_served(clock: HandClock, method: str) -> None:
    async with standing(clock) as stand:
        async with stand.http.request(method, f"{stand.service.url}/v1/stream?assets=talus") as response:
            assert response.status == 405
            assert response.headers["Allow"] == "GET"
        assert stand.service.feed.counters.opened == 0
