"""Widgets that nobody can see ask for nothing, and are right again as soon as somebody can."""

from __future__ import annotations

import pytest

from tests.browser.scripted import HURRIED

pytestmark = pytest.mark.browser

PRICE = '[data-f="price"]'
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""


async def opened(site, page, *assets):
    gap = '<div style="height:4000px"></div>'
    tickers = gap.join(f'<price-ticker asset="{asset}"></price-ticker>' for asset in assets)
    script = f'<script type="module" src="{site.url}/embed.js"></script>'
    site.hosted["page"] = f"<!doctype html><title>Host</title>{script}{tickers}"
    await page.add_init_script(HURRIED)
    await page.goto(f"http://localhost:{site.port}/host/page")
    await site.until(lambda: site.sockets)


async def test_what_is_off_screen_is_not_asked_for(site, page):
    await opened(site, page, "talus", "bitcoin")
    assert "assets=talus" in site.handshakes[0]
    await page.locator("price-ticker[asset=bitcoin] [data-f=price]").wait_for(state="attached")
    await page.evaluate("scrollTo(0, 9999)")
    await site.until(lambda: {"op": "subscribe", "assets": ["bitcoin"]} in site.commands)
    await site.until(lambda: {"op": "unsubscribe", "assets": ["talus"]} in site.commands)
    await site.publish("bitcoin", price="70000", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$70,000.00").wait_for()
    await site.publish("talus", price="0.03", as_of=site.clock.now())
    await page.evaluate("scrollTo(0, 0)")
    await page.locator(PRICE, has_text="$0.03000").wait_for()
    assert len(site.handshakes) == 1


async def test_hidden_page_has_no_connection_and_is_right_when_it_is_back(site, page):
    await opened(site, page, "talus")
    await page.evaluate(HIDE, True)
    await site.until(lambda: not site.sockets)
    await site.publish("talus", price="0.03", as_of=site.clock.now())
    await page.evaluate(HIDE, False)
    await page.locator(PRICE, has_text="$0.03000").wait_for()
