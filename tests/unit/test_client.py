"""The client against a small real server: what it yields, how it comes back, and when it gives up."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from tests.unit.conftest import Upstream, hello, says, snapshot, update, wire
from ticker.client import FeedClient, connect, feed_address
from ticker.errors import FeedError
from ticker.wire import QuoteObject


class Enough(Exception):
    """The test has seen as many attempts as it wanted."""


class Impatient(random.Random):
    """Never waits, writes down how long it might have, and ends the test after `tries`."""

    def __init__(self, tries: int = 10) -> None:
        super().__init__(7)
        self.ceilings: list[float] = []
        self._tries = tries

    def uniform(self, a: float, b: float) -> float:
        assert a == 0
        self.ceilings.append(b)
        if len(self.ceilings) >= self._tries:
            raise Enough
        return 0.0


async def first(feed: FeedClient, count: int) -> list[QuoteObject]:
    quotes: list[QuoteObject] = []
    async for quote in feed:
        quotes.append(quote)
        if len(quotes) == count:
            break
    return quotes


async def prices(upstream: Upstream, count: int, rng: random.Random | None = None) -> list[str | None]:
    async with upstream.serving(), connect(upstream.url, ["talus"], rng=rng or Impatient()) as feed:
        return [quote.price for quote in await first(feed, count)]


# Quotes


async def test_it_yields_the_snapshot_and_each_change_with_the_asset_s_id() -> None:
    upstream = Upstream(says(hello(), snapshot("1"), update("2", 6, 5)))
    async with upstream.serving(), connect(upstream.url, ["talus"]) as feed:
        assert not feed.connected
        quotes = await first(feed, 2)
        assert [(quote.asset, quote.price) for quote in quotes] == [("talus", "1"), ("talus", "2")]
        assert feed.quotes["talus"] == quotes[-1]
        assert (feed.connected, feed.trouble) == (True, None)


async def test_what_it_does_not_know_is_ignored() -> None:
    news: list[dict[str, Any]] = [
        {"type": "news", "quotes": {}},
        {"type": "status", "sources": {"mexc": "up"}, "extra": [1.5]},
    ]
    odd = snapshot("1") | {"mood": {"a": 1}}
    assert await prices(Upstream(says(hello(), *news, odd)), 1) == ["1"]


async def test_a_frame_that_is_not_newer_is_dropped() -> None:
    frames = [update("0", 5, 4), update("0", 4, 3), update("2", 6, 5), update("0", 6, 5), update("3", 9, 6)]
    assert await prices(Upstream(says(hello(), snapshot("1"), *frames)), 3) == ["1", "2", "3"]


async def test_a_frame_from_before_its_snapshot_that_ends_after_it_is_taken() -> None:
    assert await prices(Upstream(says(hello(), snapshot("1"), update("2", 7, 3))), 2) == ["1", "2"]


async def test_a_gap_is_not_taken_but_asked_about() -> None:
    asked: list[Any] = []

    async def script(connection: ServerConnection) -> None:
        for message in (hello(), snapshot("1"), update("0", 9, 7)):
            await connection.send(json.dumps(message))
        asked.append(json.loads(await connection.recv()))
        for message in (snapshot("3", 9), update("4", 10, 9)):
            await connection.send(json.dumps(message))
        await connection.wait_closed()

    assert await prices(Upstream(script), 3) == ["1", "3", "4"]
    assert asked == [{"op": "resync", "since": "k3f9:5"}]


# The address


async def test_it_asks_for_its_assets_and_interval_and_for_no_resumption_at_first() -> None:
    upstream = Upstream(says(hello(), snapshot("1")))
    async with upstream.serving(), connect(upstream.url, ["talus", "bitcoin"], interval=250) as feed:
        await first(feed, 1)
    assert upstream.queries == [{"assets": "talus,bitcoin", "currency": "USD", "interval": "250"}]


async def test_its_terms_and_key_go_with_it() -> None:
    upstream = Upstream(says(hello(), snapshot("1")))
    terms: dict[str, Any] = {
        "currency": "EUR",
        "interval": 5000,
        "deadband": Decimal("1E-1"),
        "key": "s3cret",
    }
    async with upstream.serving(), connect(upstream.url, **terms) as feed:
        await first(feed, 1)
    assert upstream.queries == [{"assets": "*", "currency": "EUR", "interval": "5000", "deadband": "0.1"}]
    assert upstream.authorizations == ["Bearer s3cret"]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080/v1/feed"),
        ("https://prices.example.com/", "wss://prices.example.com/v1/feed"),
        ("https://example.com/below/", "wss://example.com/below/v1/feed"),
        ("ws://[::1]:80/v1/feed", "ws://[::1]:80/v1/feed"),
        ("wss://example.com/v1/feed?assets=x", "wss://example.com/v1/feed"),
    ],
)
def test_the_feed_is_found_below_the_service_s_address(url: str, address: str) -> None:
    assert feed_address(url) == address


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://example.com", "http://", "/v1/feed"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(FeedError, match="is not an address such as"):
        feed_address(url)


async def test_an_address_that_can_t_even_be_split_is_refused() -> None:
    with pytest.raises(FeedError):
        async with connect("http://[::1", ["talus"]):
            pass


async def test_an_address_with_no_port_number_is_refused() -> None:
    with pytest.raises(FeedError, match=r"no address|not an address"):
        async with connect("http://127.0.0.1:http", ["talus"]):
            pass


# Coming back


async def test_after_a_cut_it_resumes_from_the_last_seq_it_took() -> None:
    cut = says(hello(), snapshot("1"), update("2", 6, 5), close=(1011, ""))
    upstream = Upstream(cut, says(hello(), snapshot("3", 8, recovered=True)))
    assert await prices(upstream, 3) == ["1", "2", "3"]
    assert [query.get("since") for query in upstream.queries] == [None, "k3f9:6"]


async def test_another_epoch_is_another_count() -> None:
    cut = says(hello(), snapshot("1", 900), close=(4200, "drain"))
    reborn = says(hello(), snapshot("2", 3, "new1"), update("3", 4, 3), close=(4200, "drain"))
    upstream = Upstream(cut, reborn, says(hello(), snapshot("4", 9, "new1")))
    assert await prices(upstream, 4) == ["1", "2", "3", "4"]
    assert [query.get("since") for query in upstream.queries] == [None, "k3f9:900", "new1:4"]


async def test_it_backs_off_with_full_jitter_to_a_ceiling() -> None:
    rng = Impatient(8)
    with pytest.raises(Enough):
        await prices(Upstream(says(close=(4100, "full"))), 1, rng)
    assert rng.ceilings == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_a_snapshot_ends_the_backing_off() -> None:
    rng = Impatient(4)
    refuse = says(close=(4103, "broken"))
    with pytest.raises(Enough):
        await prices(Upstream(refuse, refuse, says(hello(), snapshot("1"), close=(1000, "")), refuse), 9, rng)
    assert rng.ceilings == [1, 2, 1, 2]


async def test_a_goodbye_says_when_to_come_back() -> None:
    rng = Impatient()
    goodbye = {"type": "goodbye", "reason": "drain", "reconnect_in_ms": 1, "resume": "k3f9:5"}
    upstream = Upstream(
        says(hello(), snapshot("1"), goodbye, close=(4200, "")), says(hello(), snapshot("2", 6))
    )
    assert await prices(upstream, 2, rng) == ["1", "2"]
    assert rng.ceilings == []


async def test_it_waits_for_a_server_that_is_not_there() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        async with connect(url, ["talus"], rng=(rng := Impatient(3))) as feed:
            with pytest.raises(Enough):
                await first(feed, 1)
    assert rng.ceilings == [1, 2, 4]
    assert not feed.connected
    assert feed.trouble


async def test_a_silent_server_is_left() -> None:
    # Silence is two heartbeats, which this server makes short.
    upstream = Upstream(says(hello(heartbeat_ms=20), snapshot("1")), says(hello(), snapshot("2", 6)))
    assert await prices(upstream, 3) == ["1", "1", "2"]


async def test_what_a_silent_server_said_is_stale_until_it_says_that_it_still_holds() -> None:
    resumed = snapshot("1") | {"quotes": {}, "recovered": True}
    upstream = Upstream(says(hello(heartbeat_ms=20), snapshot("1")), says(hello(), resumed))
    async with upstream.serving(), connect(upstream.url, ["talus"], rng=Impatient()) as feed:
        quotes = await first(feed, 3)
        assert [quote.state for quote in quotes] == ["live", "stale", "live"]
        assert feed.quotes["talus"].state == "live"


async def test_what_is_no_asset_any_more_after_a_silence_does_not_come_back() -> None:
    other = snapshot("2", 6) | {"epoch": "zzzz", "quotes": {"bitcoin": wire("2", 6)}}
    upstream = Upstream(says(hello(heartbeat_ms=20), snapshot("1")), says(hello(), other))
    async with upstream.serving(), connect(upstream.url, rng=Impatient()) as feed:
        quotes = await first(feed, 3)
        assert [(quote.asset, quote.state) for quote in quotes[1:]] == [
            ("talus", "stale"),
            ("bitcoin", "live"),
        ]
    assert upstream.queries[1]["since"] == "k3f9:5"


async def test_the_trouble_with_a_silent_server_is_told() -> None:
    upstream = Upstream(says(hello(heartbeat_ms=20), snapshot("1")))
    async with upstream.serving(), connect(upstream.url, ["talus"], rng=Impatient(1)) as feed:
        with pytest.raises(Enough):
            await first(feed, 3)
        assert (feed.connected, feed.trouble) == (False, "no answer")
        assert feed.quotes["talus"].price == "1"


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3999, 4100, 4101, 4102, 4103, 4200, 4201, 4202])
async def test_a_close_that_is_not_its_own_fault_is_waited_out(code: int) -> None:
    upstream = Upstream(says(close=(code, "later")), says(hello(), snapshot("1")))
    assert await prices(upstream, 1) == ["1"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503])
async def test_a_status_that_passes_is_waited_out(status: int) -> None:
    upstream = Upstream(says(hello(), snapshot("1")), statuses=[(status, b"<html>")])
    rng = Impatient()
    assert await prices(upstream, 1, rng) == ["1"]
    assert rng.ceilings == [1]


@pytest.mark.parametrize("body", [b"", b"<html>no such backend</html>"])
async def test_what_a_proxy_says_while_the_service_is_away_is_waited_out(body: bytes) -> None:
    upstream = Upstream(says(hello(), snapshot("1"), close=(4201, "drain")), says(hello(), snapshot("2", 6)))
    async with upstream.serving(), connect(upstream.url, ["talus"], rng=(rng := Impatient())) as feed:
        assert [quote.price for quote in await first(feed, 1)] == ["1"]
        upstream.statuses = [(404, body)]
        assert [quote.price for quote in await first(feed, 2)] == ["1", "2"]
        assert feed.connected
    assert rng.ceilings == [1, 2]


# Giving up


@pytest.mark.parametrize("code", [4000, 4001, 4003, 4004, 4005, 4099])
async def test_a_close_for_its_own_fault_ends_it(code: int) -> None:
    with pytest.raises(FeedError, match="not like that") as caught:
        await prices(Upstream(says(hello(), close=(code, "not like that"))), 1)
    assert caught.value.code == code


@pytest.mark.parametrize("status", [400, 401, 403, 404, 426])
async def test_a_status_for_its_own_fault_ends_it_in_the_server_s_words(status: int) -> None:
    body = b'{"error":{"code":"unknown_asset","message":"no such asset: nope"}}'
    with pytest.raises(FeedError, match=r"^no such asset: nope$") as caught:
        await prices(Upstream(statuses=[(status, body)]), 1)
    assert caught.value.code == status


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error":"x"}', b'{"error":{}}'])
async def test_a_refusal_without_words_says_its_status(body: bytes) -> None:
    with pytest.raises(FeedError, match=r"^the server answered with HTTP 404$"):
        await prices(Upstream(statuses=[(404, body)]), 1)


@pytest.mark.parametrize("code", ["unknown_asset", "too_many_assets"])
async def test_an_error_about_what_it_asked_for_ends_it(code: str) -> None:
    error = {"type": "error", "id": None, "code": code, "message": "no such asset: nope"}
    with pytest.raises(FeedError, match="no such asset: nope"):
        await prices(Upstream(says(hello(), error)), 1)


# Where it falls short


async def test_after_its_end_it_is_not_connected() -> None:
    upstream = Upstream(says(hello(), snapshot("1"), close=(4001, "gone")))
    async with upstream.serving(), connect(upstream.url, ["talus"]) as feed:
        with pytest.raises(FeedError):
            await first(feed, 2)
        assert not feed.connected


async def test_leaving_the_block_closes_the_connection() -> None:
    gone = asyncio.Event()

    async def script(connection: ServerConnection) -> None:
        await says(hello(), snapshot("1"))(connection)
        gone.set()

    async with Upstream(script).serving() as upstream:
        async with connect(upstream.url, ["talus"]) as feed:
            iterator = aiter(feed)
            await anext(iterator)
        assert not feed.connected
        await gone.wait()


async def test_an_asset_that_is_rejected_is_not_passed_over() -> None:
    ack = {"type": "ack", "id": None, "op": "subscribe", "assets": ["talus"]}
    said = says(hello(), ack | {"rejected": {"nope": "unknown_asset"}}, snapshot("1"))
    async with Upstream(said).serving() as upstream, connect(upstream.url, ["talus", "nope"]) as feed:
        await first(feed, 1)
        assert feed.rejected == {"nope": "unknown_asset"}


@pytest.mark.parametrize(
    "odd", [{"type": 5}, snapshot("1") | {"quotes": {"talus": wire("1") | {"state": "new"}}}]
)
async def test_a_message_that_can_t_be_read_is_an_error_of_the_feed(odd: dict[str, Any]) -> None:
    with pytest.raises((FeedError, Enough)):
        await prices(Upstream(says(hello(), odd)), 1, Impatient(1))
