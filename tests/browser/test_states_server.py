"""Every kind while something is wrong behind it: a source says no, the server is away, a price is old, an
asset isn't there. What the reader sees keeps its room, says what it is, and heals by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from socket import AF_INET, socket

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Route

from tests.browser.conftest import Site
from tests.browser.reading import Reading, Seen, reading
from tests.browser.test_service import MovableClock, heard_again, service_on
from ticker.market import Fault, Market, serving
from ticker.model import State
from ticker.sources import VENUES
from widgets.embed import embed

pytestmark = pytest.mark.browser

BOTH = ("element", "iframe")
PRICE, MOVED = "$1,035.50", "1.43%"
ANYWHERE = {"access-control-allow-origin": "*"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def publisher() -> AsyncIterator[Site]:
    """Whose pages the widgets are on: it is there when the service isn't."""
    site = Site()
    await site.start()
    yield site
    await site.stop()


def quoted(stage: Site, state: State = State.LIVE, seconds: int = 0) -> None:
    """What both assets are now."""
    as_of = stage.clock.now() - seconds * 1000
    for asset, price in (("bitcoin", "1035.5"), ("talus", "0.01021")):
        stage.board.set(asset, price=price, change="-1.43", state=state, as_of=as_of)


async def published(stage: Site, price: str) -> None:
    for asset in ("bitcoin", "talus"):
        await stage.publish(asset, price=price, change="2.5", state=State.LIVE, as_of=stage.clock.now())


def priced(found: list[Seen], price: str = PRICE, moved: str = MOVED) -> bool:
    """Each has the price, or what it shows instead of one: how far it moved."""
    return all(price in one.text or moved in one.text for one in found)


def aged(found: list[Seen], age: str) -> bool:
    """Each that has words for it says how old every price is."""
    return all(re.search(age, said) for one in found for said in one.ages) and any(one.ages for one in found)


def marked(found: list[Seen]) -> set[str]:
    """The marks of prices that are not as they should be: every one of them has one."""
    assert all(one.marks and all(one.marks) for one in found), found
    return {mark for one in found for mark in one.marks}


def marks(found: list[Seen]) -> set[str]:
    return {mark for one in found for mark in one.marks}


async def test_stale_price_has_its_age_and_a_mark_until_there_is_another(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    quoted(stage, State.STALE, 200)
    async with reading(browser, publisher, stage.url, *BOTH) as reader:
        old = await reader.until("stale")
        assert priced(old)
        assert aged(old, "3 min")
        warned = marked(old)
        await stage.until(lambda: stage.sockets)
        await published(stage, "1036.25")
        new = await reader.until("live", "$1,036.25", without="heatmap")
        assert not warned & marks(new)


async def test_price_that_was_never_known_is_said_to_be_unavailable(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    stage.board.lose("quiet")
    async with reading(browser, publisher, stage.url, *BOTH, asset="quiet", more="") as reader:
        none = await reader.until("unavailable")
        assert all("—" in one.text or "unavailable" in one.text for one in none)
        assert not any(re.search(r"[$▲▼]\s*\d", one.text) for one in none)
        await stage.until(lambda: stage.sockets)
        await stage.publish("quiet", price="0.5", change="1", state=State.LIVE, as_of=stage.clock.now())
        await reader.until("live")
    stage.board.lose("quiet")


async def test_unknown_asset_is_named_in_the_room_of_every_kind(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    def renamed(page: str) -> str:
        return page.replace("bitcoin", "nope")

    before = len(stage.handshakes)
    async with reading(browser, publisher, stage.url, *BOTH, edit=renamed) as reader:
        found = await reader.until(text="No asset is called “nope” here")
        assert {one.text for one in found} == {"No asset is called “nope” here"}
        assert len(stage.handshakes) == before


async def test_service_that_goes_leaves_prices_with_their_age_and_comes_back(
    publisher: Site, browser: Browser
) -> None:
    clock = MovableClock()
    with closing(socket(AF_INET)) as free:
        free.bind(("127.0.0.1", 0))
        there = {"server.listen": f"127.0.0.1:{free.getsockname()[1]}", "server.drain_seconds": "0"}
    async with serving(Market(seed=7, clock=clock)) as upstream, AsyncExitStack() as kept:
        async with service_on(upstream, clock, **there) as service:
            opened = reading(browser, publisher, service.url, *BOTH, asset="talus", more="")
            reader = await kept.enter_async_context(opened)
            await reader.until("live")
        old = await reader.until("stale")
        assert priced(old, "$0.01", "%")
        assert aged(old, r"\d+ s old")
        warned = marked(old)
        async with service_on(upstream, clock, **there):
            new = await reader.until("live")
            assert not warned & marks(new)


async def test_markup_whose_feed_never_answers_is_stale_too(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    async def refused(context: BrowserContext) -> None:
        await context.add_init_script("delete globalThis.SharedWorker")  # a worker's sockets can't be routed
        await context.route_web_socket("**/v1/feed*", lambda socket: socket.close())

    quoted(stage)
    async with reading(browser, publisher, stage.url, *BOTH, prepare=refused) as reader:
        old = await reader.until("stale")
        assert priced(old)
        marked(old)


async def test_element_whose_server_is_away_says_so_and_comes_when_it_is_back(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    async def cached(route: Route) -> None:
        await route.fulfill(body=embed().body, content_type="text/javascript", headers=ANYWHERE)

    quoted(stage)
    await stage.stop()
    script = f"{stage.url}/embed.js"
    async with reading(
        browser, publisher, stage.url, "element", prepare=lambda context: context.route(script, cached)
    ) as reader:
        found = await reader.until(text="Price unavailable")
        assert {one.text for one in found} == {"Price unavailable"}
        await stage.start()
        assert priced(await reader.until("live"))


async def test_element_that_an_edge_turns_away_says_so_and_comes_when_it_is_let(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    async def limited(route: Route) -> None:
        await route.fulfill(status=429, body="<h1>Slow down</h1>", content_type="text/html", headers=ANYWHERE)

    quoted(stage)
    markup = f"{stage.url}/widgets/*"
    async with reading(
        browser, publisher, stage.url, "element", prepare=lambda context: context.route(markup, limited)
    ) as reader:
        found = await reader.until(text="Price unavailable")
        assert {one.text for one in found} == {"Price unavailable"}
        await reader.page.context.unroute(markup)
        assert priced(await reader.until("live"))


async def test_source_that_answers_429_ages_every_kind_and_takes_no_price(
    publisher: Site, browser: Browser
) -> None:
    clock = MovableClock()
    market = Market(seed=7, clock=clock)
    async with (
        serving(market) as upstream,
        service_on(upstream, clock) as service,
        reading(browser, publisher, service.url, *BOTH, asset="talus", more="") as reader,
    ):
        await reader.until("live")
        market.fail("mexc", Fault.rate_limited(600))
        for state, seconds, age in (("delayed", 60, r"[3-9]\d s|1 min"), ("stale", 90, "[23] min")):
            for _ in range(0, seconds, 10):
                clock.move(10)
                await heard_again(service, clock)
            found = await reader.until(state)
            assert priced(found, "$0.01", "%")
            assert aged(found, age)
        marked(found)
        market.heal()
        await healed(reader, clock)


async def test_source_that_answers_429_from_the_start_has_no_price_until_it_answers(
    publisher: Site, browser: Browser
) -> None:
    clock = MovableClock()
    market = Market(seed=7, clock=clock)
    for venue in VENUES:
        market.fail(venue, Fault.rate_limited(30))
    async with (
        serving(market) as upstream,
        service_on(upstream, clock) as service,
        reading(browser, publisher, service.url, *BOTH, asset="talus", more="") as reader,
    ):
        await reader.until("unavailable")
        market.heal()
        await healed(reader, clock)


async def healed(reader: Reading, clock: MovableClock) -> None:
    """Time passes until all is live again: past any backoff or Retry-After there may be, and another
    if a source that was asked did not answer in time.
    """

    async def passes() -> None:
        while True:
            clock.move(700)
            await asyncio.sleep(5)

    passing = asyncio.create_task(passes())
    try:
        await reader.until("live")
    finally:
        passing.cancel()
