"""The real service on the embedded market in a real browser: the box through every fault of its source.

Hours pass in seconds: service and market share a clock that the test moves, and the browser's ages follow the
server's time.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import pytest
from playwright.async_api import Page

from ticker.app import Service, running
from ticker.clock import SystemClock
from ticker.config import load
from ticker.market import Fault, Market, serving
from ticker.sources import VENUES

pytestmark = pytest.mark.browser

FAULTS = {
    "bad symbol": Fault.unlisted("USUSDT"),
    "429 with Retry-After": Fault.rate_limited(30),
    "429 as a page": Fault.rate_limited(30, page=True),
    "418 ban": Fault.banned(120),
    "451 geo block": Fault.geo_blocked(),
    "500": Fault.server_error(500),
    "slow": Fault.slow(3600),
    "cut": Fault.cut(),
    "truncated": Fault.truncated(),
    "HTML": Fault.html(),
    "too large": Fault.too_large(),
    "closed": Fault.closed(),
    "frozen": Fault.frozen(),
    "null prices": Fault.prices(None),
    "zero prices": Fault.prices("0.00000000"),
    "nan prices": Fault.prices("nan"),
}


class MovableClock(SystemClock):
    """The machine's clock, which a test can move ahead; whoever sleeps wakes up for it."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._moved = asyncio.Event()

    def now(self) -> int:
        return super().now() + int(self._ahead * 1000)

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead

    async def sleep(self, seconds: float) -> None:
        deadline = self.monotonic() + seconds
        await asyncio.sleep(0)
        while (left := deadline - self.monotonic()) > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), left)

    def move(self, seconds: float) -> None:
        self._ahead += seconds
        self._moved.set()
        self._moved = asyncio.Event()


@asynccontextmanager
async def service_on(market: str, clock: MovableClock, **settings: str) -> AsyncIterator[Service]:
    flags = {"server.listen": "127.0.0.1:0", "history.path": ""}
    for venue in VENUES:
        flags |= {f"sources.{venue}.base_url": f"{market}/{venue}", f"sources.{venue}.timeout": "0.5"}
        flags[f"sources.{venue}.interval"] = "0.2" if venue in ("binance", "mexc") else "20"
    async with running(load(None, {}, flags | settings), clock=clock, rng=random.Random(1)) as service:
        yield service


async def shown(page: Page) -> str:
    """All that a reader of the box sees."""
    return await page.locator(".pt").inner_text()


def sane(text: str) -> bool:
    return bool(re.search(r"\d", text)) and not re.search(r"NaN|undefined|null|Infinity|\[object", text)


async def recovers(page: Page, clock: MovableClock) -> None:
    """Let time pass until the box is live again: past any backoff, ban or Retry-After there may be."""
    async with asyncio.timeout(20):
        while not await page.locator('.pt[data-state="live"]').count():
            clock.move(20)
            await asyncio.sleep(0.2)


async def heard_again(service: Service, clock: MovableClock) -> None:
    """Until the sources that are well have spoken since the clock moved; not for one that backs off."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.2):
            while (service.book.quote("bitcoin").as_of or 0) < clock.now() - 9_000:  # noqa: ASYNC110  # no event
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", FAULTS)
async def test_box_keeps_its_price_and_says_how_old_it_is(name: str, page: Page):
    clock = MovableClock()
    market = Market(seed=7, clock=clock)
    async with serving(market) as upstream, service_on(upstream, clock) as service:
        await page.goto(f"{service.url}/widgets/quote?asset=talus")
        box = page.locator(".pt")
        await page.locator('.pt[data-state="live"]').wait_for()
        market.fail("mexc", FAULTS[name])
        # One round under the fault, then three minutes of them.
        await asyncio.sleep(0.5)
        before = service.book.quote("talus").price
        for _ in range(18):
            clock.move(10)
            await heard_again(service, clock)
        await page.locator('.pt[data-state="stale"]').wait_for()
        text = await shown(page)
        assert sane(text), text
        assert re.search(r"[23] min", text), text
        after = service.book.quote("talus").price
        assert before is not None
        assert after is not None
        # A venue that stands still goes on being converted at the USDT rate of the moment, until it is stale.
        assert abs(after - before) / before < Decimal("0.001")
        assert re.search(r"\$0\.01\d{3}", text), text
        # Bitcoin has other sources, and doesn't notice.
        assert service.book.quote("bitcoin").state in ("live", "delayed")
        # What is loaded now says the same without any script.
        page_without = await page.context.request.get(f"{service.url}/widgets/quote?asset=talus&live=0")
        assert "stale" in await page_without.text()
        market.heal()
        await recovers(page, clock)
        assert sane(await box.inner_text())


async def test_box_that_loads_before_any_price_says_so_and_then_shows_it(page: Page):
    clock = MovableClock()
    market = Market(seed=7, clock=clock)
    for venue in VENUES:
        market.fail(venue, Fault.closed())
    async with serving(market) as upstream, service_on(upstream, clock) as service:
        await page.goto(f"{service.url}/widgets/quote?asset=talus")
        text = await shown(page)
        assert "Talus" in text
        assert not re.search(r"NaN|undefined|null|\$", text), text
        market.heal()
        await recovers(page, clock)
        assert "$0.01" in await shown(page)
        assert "Demo" in await shown(page) or "DEMO" in await shown(page)


async def test_no_layout_shift_over_updates(page: Page):
    clock = MovableClock()
    async with serving(Market(seed=7, clock=clock)) as upstream, service_on(upstream, clock) as service:
        await page.goto(f"{service.url}/widgets/quote?asset=talus")
        await page.evaluate(
            """() => { window.shift = 0; new PerformanceObserver((list) => {
              for (const entry of list.getEntries()) window.shift += entry.value;
            }).observe({ type: "layout-shift", buffered: true }); }"""
        )
        seen = set()
        async with asyncio.timeout(60):
            while len(seen) < 5:
                clock.move(1)
                await asyncio.sleep(0.1)
                seen.add(await page.locator("[data-f=price]").inner_text())
        assert await page.evaluate("window.shift") == 0
