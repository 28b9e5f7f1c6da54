"""The hosted pages in a browser."""

from __future__ import annotations

from decimal import Decimal

import pytest

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/", "/assets/talus", "/assets/nope"])
async def test_page_breaks_no_policy_and_asks_nobody_else(site, page, path):
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(site.url + path)
    if path != "/assets/nope":
        await site.until(lambda: site.sockets)
    assert [line for line in said if "404" not in line] == []
    assert all(url.startswith(site.url) for url in asked)


async def test_market_is_live_over_one_connection(site, page):
    await page.goto(site.url)
    await site.until(lambda: site.sockets)
    await site.publish("bitcoin", price="70000", as_of=site.clock.now(), volume_24h=Decimal("1234567890.5"))
    row = page.locator('tr[data-price-ticker="bitcoin"]')
    await row.locator('[data-f="price"]', has_text="$70,000.00").wait_for()
    assert await row.locator('[data-amount="volume_24h"]').inner_text() == "$1.23B"
    assert len(site.handshakes) == 1


async def test_market_is_complete_without_script(site, browser):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(site.url)
    text = await page.locator("table").inner_text()
    assert "$73,384.80" in text
    assert not await page.locator("button").first.is_visible()
    await context.close()


async def test_snippet_is_copied(site, browser):
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    await page.goto(f"{site.url}/assets/talus")
    await page.get_by_role("button", name="Copy Live element", exact=True).click()
    await page.get_by_text("Copied").wait_for()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f'<script type="module" src="{site.url}/embed.js">')
    await context.close()


@pytest.mark.parametrize("path", ["/", "/assets/talus"])
async def test_phone_scrolls_down_only(site, page, path):
    await page.set_viewport_size({"width": 390, "height": 800})
    await page.goto(site.url + path)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
