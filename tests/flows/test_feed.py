"""The feed of the running service, message by message: what is said, in which order, and how it ends."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.flows.conftest import UNLIMITED, HandClock, Reader, configured, masked, standing
from ticker.app import running
from ticker.clock import SystemClock
from ticker.market import Fault, Market, serving


async def test_address_alone_brings_hello_snapshot_and_updates_in_order(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as reader:
        hello, snapshot = await reader.message(), await reader.message()
        assert (hello["type"], hello["v"], hello["intervals"]) == ("hello", 1, [250, 1000, 5000, 15000])
        assert (snapshot["type"], snapshot["id"], snapshot["recovered"]) == ("snapshot", None, False)
        assert list(snapshot["quotes"]) == ["talus"]
        assert snapshot["epoch"] == hello["epoch"]
        held = snapshot["seq"]
        for _ in range(3):
            await stand.tick()
            update = await reader.message("update")
            assert update["prev"] <= held < update["seq"]
            assert update["quotes"]["talus"]["demo"] is True
            held = update["seq"]


async def test_star_is_every_asset(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=*") as reader:
        assert list((await reader.message("snapshot"))["quotes"]) == ["talus", "bitcoin", "tether"]


async def test_commands_are_acknowledged_with_their_ids(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as reader:
        await reader.message("hello")
        ack = await reader.ask("ack", op="subscribe", id=1, assets=["talus", "nope"])
        told = {"assets": ["talus"], "rejected": {"nope": "unknown_asset"}}
        assert ack == {"type": "ack", "id": 1, "op": "subscribe", **told}
        assert list((await reader.message("snapshot"))["quotes"]) == ["talus"]
        assert (await reader.ask("ack", op="set", id="b", assets=["bitcoin", "tether"]))["id"] == "b"
        snapshot = await reader.message("snapshot")
        assert (snapshot["id"], list(snapshot["quotes"])) == ("b", ["bitcoin", "tether"])
        assert (await reader.ask("ack", op="unsubscribe", id=3, assets=["tether"]))["op"] == "unsubscribe"
        assert (await reader.message("snapshot"))["quotes"] == {}
        assert (await reader.ask("ack", op="list", id=4))["assets"] == ["bitcoin"]
        resynced = await reader.ask("snapshot", op="resync", id=5)
        assert (resynced["id"], list(resynced["quotes"])) == (5, ["bitcoin"])
        assert await reader.ask("pong", op="ping", id=6) == {"type": "pong", "id": 6, "time": clock.ms}


async def test_updates_follow_the_present_subscription(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as reader:
        await reader.ask("ack", op="set", id=1, assets=["bitcoin"])
        await stand.tick()
        assert list((await reader.message("update"))["quotes"]) == ["bitcoin"]
        await reader.ask("ack", op="unsubscribe", id=2, assets=["*"])
        await stand.tick()
        reader.say(op="ping", id=3)
        assert [(await reader.message())["type"] for _ in range(2)] == ["snapshot", "pong"]


async def test_subscribing_again_answers_again_and_harms_nothing(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as reader:
        await reader.message("snapshot")
        await reader.ask("ack", op="subscribe", id=1, assets=["talus"])
        assert (await reader.message())["type"] == "snapshot"
        await stand.tick()
        assert list((await reader.message("update"))["quotes"]) == ["talus"]


BAD = [
    ("{", "bad_json", None),
    ("[1]", "bad_op", None),
    ('{"op":"dance","id":7}', "bad_op", 7),
    ('{"op":"ping","id":[]}', "bad_id", None),
    (f'{{"op":"ping","id":"{"x" * 65}"}}', "bad_id", None),
    ('{"op":"subscribe","id":8,"assets":["talus","bitcoin","tether"]}', "too_many_assets", 8),
]


@pytest.mark.parametrize(("text", "code", "ref"), BAD, ids=lambda value: str(value)[:20])
async def test_a_bad_command_is_an_error_and_the_session_goes_on(
    clock: HandClock, text: str, code: str, ref: int | None
) -> None:
    limits = replace(UNLIMITED, assets_per_session=2)
    async with standing(clock, limits=limits) as stand, stand.reading() as reader:
        reader.writer.write(masked(text))
        error = await reader.message("error")
        assert (error["code"], error["id"]) == (code, ref)
        assert error["message"]
        assert (await reader.ask("pong", op="ping", id=1))["id"] == 1


async def test_unknown_keys_are_ignored(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus&colour=red") as reader:
        assert (await reader.ask("pong", op="ping", id=1, colour="red"))["id"] == 1


async def _too_many(reader: Reader) -> dict[str, Any]:
    for number in range(3):
        reader.say(op="ping", id=number)
    assert [(await reader.message("pong"))["id"] for _ in range(2)] == [0, 1]
    return await reader.message("error")


async def test_too_many_commands_are_told_when_to_come_back(clock: HandClock) -> None:
    limits = replace(UNLIMITED, commands_per_10s=2)
    async with standing(clock, limits=limits) as stand, stand.reading() as reader:
        error = await _too_many(reader)
        assert error["code"] == "rate_limited"
        assert error["retry_after_ms"] == 10_000
        await clock.advance(10)
        assert (await reader.ask("pong", op="ping", id=9))["id"] == 9


async def test_rate_limited_error_echoes_the_commands_id(clock: HandClock) -> None:
    limits = replace(UNLIMITED, commands_per_10s=2)
    async with standing(clock, limits=limits) as stand, stand.reading() as reader:
        assert (await _too_many(reader))["id"] == 2


async def test_a_client_that_goes_on_regardless_is_closed(clock: HandClock) -> None:
    limits = replace(UNLIMITED, commands_per_10s=2)
    async with standing(clock, limits=limits) as stand, stand.reading() as reader:
        for number in range(6):
            reader.say(op="ping", id=number)
        assert await reader.closed() == 4101


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("assets=nope", 404, "unknown_asset"),
        ("assets=talus&interval=7", 400, "bad_request"),
        ("assets=talus&currency=xyz", 400, "unknown_currency"),
    ],
)
async def test_a_wrong_address_is_refused_over_http(
    clock: HandClock, query: str, status: int, code: str
) -> None:
    async with standing(clock) as stand, stand.reading(query) as reader:
        assert reader.status == status
        body = json.loads(await reader.reader.readexactly(int(reader.header("Content-Length") or 0)))
        assert body["error"]["code"] == code


async def test_more_assets_than_a_session_may_hold_are_refused(clock: HandClock) -> None:
    limits = replace(UNLIMITED, assets_per_session=2)
    async with standing(clock, limits=limits) as stand, stand.reading("assets=*") as reader:
        assert reader.status == 400


async def test_an_unknown_asset_among_known_ones_is_told(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus,nope") as reader:
        assert (await reader.message("ack"))["rejected"] == {"nope": "unknown_asset"}
        assert list((await reader.message("snapshot"))["quotes"]) == ["talus"]


async def test_plain_get_needs_an_upgrade(clock: HandClock) -> None:
    async with standing(clock) as stand:
        response, body = await stand.get("/v1/feed?assets=talus")
        assert response.status == 426
        assert json.loads(body)["error"]["code"] == "upgrade_required"


async def test_426_names_the_protocol_to_upgrade_to(clock: HandClock) -> None:
    """RFC 9110, 15.5.22: the server MUST send an Upgrade field."""
    async with standing(clock) as stand:
        response, _ = await stand.get("/v1/feed")
        assert response.headers.get("Upgrade", "").lower() == "websocket"


@pytest.mark.parametrize("version", ["12", "0", "x"])
async def test_another_version_of_the_protocol_is_refused_with_ours(clock: HandClock, version: str) -> None:
    """RFC 6455, 4.4: the answer says which versions are spoken."""
    async with standing(clock) as stand, stand.reading(Sec_WebSocket_Version=version) as reader:
        assert reader.status in (400, 426)
        assert reader.header("Sec-WebSocket-Version") == "13"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, None),
        ("ticker.v1.json", "ticker.v1.json"),
        ("other, ticker.v1.json", "ticker.v1.json"),
        ("other", None),
    ],
)
async def test_subprotocol_is_ours_or_none(clock: HandClock, offered: str | None, chosen: str | None) -> None:
    headers = {} if offered is None else {"Sec_WebSocket_Protocol": offered}
    async with standing(clock) as stand, stand.reading("assets=talus", **headers) as reader:
        assert reader.status == 101
        assert reader.header("Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert reader.header("Sec-WebSocket-Protocol") == chosen
        assert (await reader.message("snapshot"))["quotes"]["talus"]["price"]


async def test_heartbeat_comes_only_in_silence(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as reader:
        await reader.message("snapshot")
        for _ in range(3):  # 21 seconds in which something is said
            await stand.tick()
        stand.market.fail("mexc", Fault.frozen())
        stand.market.fail("coingecko", Fault.frozen())
        await stand.tick()
        said = await said_so_far(reader)
        assert {message["type"] for message in said} == {"update"}
        await clock.advance(16)
        beat = await reader.message()
        assert beat == {"type": "heartbeat", "seq": said[-1]["seq"], "time": clock.ms}
        assert beat["time"] - said[-1]["time"] >= 15_000


async def said_so_far(reader: Reader) -> list[dict[str, Any]]:
    """What the server had said before it answered this."""
    said = []
    reader.say(op="ping")
    while (message := await reader.message())["type"] != "pong":
        said.append(message)
    return said


async def test_heartbeat_reaches_a_session_without_assets(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as reader:
        await reader.message("hello")
        await clock.advance(16)
        await clock.advance(1)
        reader.say(op="ping")
        assert (await reader.message())["type"] == "heartbeat"


async def test_resume_brings_only_what_changed(clock: HandClock) -> None:
    async with standing(clock) as stand:
        async with stand.reading("assets=*") as reader:
            held = await reader.message("snapshot")
        stand.market.fail("mexc", Fault.frozen())
        await stand.tick()
        since = f"{held['epoch']}:{held['seq']}"
        async with stand.reading(f"assets=*&since={since}") as reader:
            resumed = await reader.message("snapshot")
        assert resumed["recovered"] is True
        assert list(resumed["quotes"]) == ["bitcoin"]
        async with stand.reading(f"assets=*&since={resumed['epoch']}:{resumed['seq']}") as reader:
            nothing = await reader.message("snapshot")
            assert (nothing["recovered"], nothing["quotes"]) == (True, {})
            again = await reader.ask("snapshot", op="resync", id=1, since=since)
            assert list(again["quotes"]) == ["bitcoin"]


@pytest.mark.parametrize("since", ["other:1", "nonsense", "{epoch}:999999999"])
async def test_resume_from_elsewhere_is_a_whole_snapshot(clock: HandClock, since: str) -> None:
    async with standing(clock) as stand:
        since = since.format(epoch=stand.service.book.epoch)
        async with stand.reading(f"assets=*&since={since}") as reader:
            snapshot = await reader.message("snapshot")
        assert (snapshot["recovered"], len(snapshot["quotes"])) == (False, 3)


async def test_a_client_that_answers_no_ping_is_closed(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as reader:
        for _ in range(42):
            await clock.advance(1)
        assert await reader.closed() == 4201


async def test_a_client_that_vanishes_leaves_nothing(clock: HandClock) -> None:
    query = "assets=talus"
    async with standing(clock) as stand, stand.reading(query) as reader, stand.reading(query) as witness:
        await witness.message("snapshot")
        reader.transport.abort()
        await stand.tick()
        await witness.message("update")
        assert len(stand.service.feed) == 1


async def test_health_of_a_source_is_told_to_everyone(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading() as reader:
        stand.market.fail("mexc", Fault.server_error())
        await stand.tick()
        assert (await reader.message("status"))["sources"] == {"mexc": "failing"}


async def test_stopping_says_goodbye_and_when_to_come_back() -> None:
    clock = SystemClock()
    async with serving(Market(clock=clock)) as base:
        async with running(configured(base), clock=clock, rng=random.Random(1)) as service:
            subscriber = await connect(f"{service.url.replace('http', 'ws')}/v1/feed?assets=talus")
            epoch = json.loads(await subscriber.recv())["epoch"]
        with suppress(ConnectionClosed):
            while True:
                said = json.loads(await subscriber.recv())
        assert (said["type"], said["reason"]) == ("goodbye", "drain")
        assert said["reconnect_in_ms"] > 0
        assert said["resume"].startswith(f"{epoch}:")
        assert subscriber.close_code == 4200
        assert len(service.feed) == 0
        await subscriber.wait_closed()
