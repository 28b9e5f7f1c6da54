"""The hosted pages in a browser."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from tests.browser.conftest import Site
from ticker.model import Candle, State

pytestmark = pytest.mark.browser
# Before anything is drawn: what moved of the page itself. Widgets have a test of their own.
SHIFTS = """window.shifts = []; new PerformanceObserver((list) => {
  for (const { value, sources } of list.getEntries())
    for (const { node } of sources)
      if (!(node?.closest ? node : node?.parentElement)?.closest(".pt")) shifts.push(value, node?.outerHTML);
}).observe({ type: "layout-shift", buffered: true });"""


class Past:
    """A price that went up and down, for ever."""

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        step = interval * 1000
        starts = range(start + -start % step, end, step)
        prices = [(Decimal(100 + at // step % 7), Decimal(100 + (at // step + 1) % 7)) for at in starts]
        return [
            Candle(asset, currency, interval, at, first, max(first, last), min(first, last), last)
            for at, (first, last) in zip(starts, prices, strict=True)
        ]


@pytest_asyncio.fixture(loop_scope="session")
async def full() -> AsyncIterator[Site]:
    """The service with a past, in which every figure is known."""
    site = Site()
    site.past = Past()
    now = site.clock.now()
    figures = {"volume_24h": Decimal(451_000_000), "market_cap": Decimal("1.46e12")}
    site.board.set("bitcoin", high_24h=Decimal(73900), low_24h=Decimal(72000), as_of=now, **figures)
    site.board.set("pepe", state=State.STALE, as_of=now - 360_000)
    await site.start()
    yield site
    await site.stop()


@pytest.mark.parametrize("path", ["/", "/assets/talus", "/assets/bitcoin?range=7D", "/assets/nope", "/nope"])
async def test_page_breaks_no_policy_and_asks_nobody_else(full: Site, page: Page, path: str) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(full.url + path)
    if "nope" not in path:
        await full.until(lambda: full.sockets)
    assert [line for line in said if "404" not in line] == []
    assert all(url.startswith(full.url) for url in asked)


async def test_data_block_is_read_and_never_run(full: Site, page: Page) -> None:
    await page.goto(f"{full.url}/assets/long")
    block = await page.locator('script[type="application/ld+json"]').text_content()
    assert (
        json.loads(block or "")["name"]
        == "A Very Long Name of a Token & <b>Sons</b> (LONGEST) live price chart"
    )
    assert await page.locator("h1 b").count() == 0


async def test_market_is_live_over_one_connection(site: Site, page: Page) -> None:
    await page.goto(site.url)
    await site.until(lambda: site.sockets)
    await site.publish("bitcoin", price="70000", as_of=site.clock.now(), volume_24h=Decimal("1234567890.5"))
    row = page.locator('tr[data-price-ticker="bitcoin"]')
    await row.locator('[data-f="price"]', has_text="$70,000.00").wait_for()
    await row.locator('[data-amount="volume_24h"]', has_text="$1.23B").wait_for(state="attached")
    assert len(site.handshakes) == 1


async def test_market_works_without_script(full: Site, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(full.url)
    assert "$73,384.80" in await page.locator("table").inner_text()
    await page.locator("thead .c-price a").click()
    first = page.locator("tbody tr").first
    assert await first.get_attribute("data-price-ticker") == "long"
    await page.get_by_role("searchbox").fill("btc")
    await page.get_by_role("button", name="Search").click()
    assert await page.locator("tbody tr").count() == 1
    assert "sort=-price" in page.url
    await page.get_by_role("link", name="Bitcoin BTC").click()
    assert await page.locator("h1").inner_text() == "Bitcoin (BTC) live price chart"
    await page.get_by_role("link", name="7D", exact=True).click()
    assert "/assets/bitcoin?" in page.url
    assert await page.locator(".chart [aria-current]").first.inner_text() == "7D"
    await context.close()


async def test_currency_is_taken_as_soon_as_it_is_chosen(full: Site, page: Page) -> None:
    await page.goto(full.url)
    await full.until(lambda: full.sockets)
    await page.get_by_label("Currency").select_option("EUR")
    await page.wait_for_url("**currency=EUR")


async def test_renewal_brings_the_new_order_and_leaves_alone_what_is_being_typed(
    full: Site, page: Page
) -> None:
    await page.goto(f"{full.url}/?sort=-price")
    await full.until(lambda: full.sockets)
    await page.get_by_role("searchbox").fill("half a na")
    await full.publish("quiet", price="9999999", market_cap=Decimal(77_000), as_of=full.clock.now())
    await page.locator('tr[data-price-ticker="quiet"]', has_text="$9,999,999.00").wait_for()
    first = page.locator('tr:first-child[data-price-ticker="quiet"]', has_text="$77.00K")
    while not await first.count():  # a page is kept for a second
        async with page.expect_response("**/?sort=-price&form=fragment"):
            await page.locator("[data-kind=market]").dispatch_event("renew", {"bubbles": False})
        await page.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert await page.get_by_role("searchbox").input_value() == "half a na"
    assert await page.evaluate("document.activeElement.name") == "q"


async def test_snippet_is_copied(site: Site, browser: Browser) -> None:
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    await page.goto(f"{site.url}/assets/talus")
    await page.get_by_role("button", name="Copy Live element", exact=True).click()
    await page.get_by_text("Copied").wait_for()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f'<script type="module" src="{site.url}/embed.js">')
    await context.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1400])
@pytest.mark.parametrize("path", ["/", "/?q=nope", "/assets/bitcoin", "/assets/long", "/assets/nope"])
async def test_page_scrolls_down_only(full: Site, page: Page, path: str, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await page.goto(full.url + path)
    assert await page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("path", ["/", "/assets/bitcoin"])
async def test_nothing_moves_on_load_and_on_update(full: Site, page: Page, path: str, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 900})
    await page.add_init_script(SHIFTS)
    await page.goto(full.url + path)
    await full.until(lambda: full.sockets)
    for price, percent in (("9.5", "-0.01"), ("123456.78", "-12.34"), ("0.000001234", None)):
        moved = {"change": percent, "high_24h": Decimal(price) * 2}
        await full.publish("bitcoin", price=price, as_of=full.clock.now(), **moved)
        shown = {"9.5": "$9.50", "123456.78": "$123,456.78"}.get(price, "$0.000001234")
        root = page.locator('[data-price-ticker="bitcoin"]').first
        await root.locator('[data-f="price"]', has_text=shown).wait_for()
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    seen = await page.evaluate("shifts")
    # A page that is drawn before its last row has come may settle by a pixel or two: 0.000 all the same.
    assert sum(one for one in seen if not isinstance(one, str)) < 0.0005, seen


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/?q=nope", "/?sort=-price", "/assets/bitcoin", "/assets/nope"])
async def test_axe_finds_nothing(full: Site, browser: Browser, path: str, theme: str) -> None:
    # Reduced motion: a price that was just tinted is measured in the middle of its tint.
    context = await browser.new_context(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(full.url + path)
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    await context.close()
