"""The gallery in a browser: every kind is alive, in the room that is kept for it."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.browser.conftest import Site
from widgets.kinds import KINDS

pytestmark = pytest.mark.browser

READY = """() => [...document.querySelectorAll("price-ticker")].every(
  (one) => one.shadowRoot?.querySelector(".pt[data-kind]"))"""
SIZES = """() => [...document.querySelectorAll("price-ticker")].map(
  (one) => [one.getAttribute("kind"), one.offsetHeight, one.shadowRoot.firstElementChild.offsetHeight])"""


async def test_every_kind_is_alive_in_its_room(site: Site, page):
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{site.url}/gallery")
    await page.wait_for_function(READY)
    for one in await page.locator(".ground").all():
        await one.scroll_into_view_if_needed()
    sizes = await page.evaluate(SIZES)
    assert {kind for kind, _, _ in sizes} == set(KINDS)
    assert [one for one in sizes if one[1] != one[2]] == []
    assert said == []
    assert all(url.startswith(site.url) for url in asked)


async def test_one_connection_serves_all_of_a_currency(site: Site, page):
    await page.goto(f"{site.url}/gallery")
    await page.wait_for_function(READY)
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.5", as_of=site.clock.now())
    first = page.locator("price-ticker[kind=quote] [data-f=price]")
    for at in range(2):
        await first.nth(at).get_by_text("$0.50").first.wait_for(state="attached")
    asked = [query for query in site.handshakes if "currency=USD" in query]
    assert len(asked) == 1


async def test_light_and_dark_are_side_by_side_where_there_is_room(site: Site, page):
    for width, beside in ((1280, True), (390, False)):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.goto(f"{site.url}/gallery")
        light, dark = [await page.locator(f".ground.{one}").first.bounding_box() for one in ("light", "dark")]
        assert (light["y"] == dark["y"]) is beside
        assert await page.evaluate("document.documentElement.scrollWidth") == width


async def test_every_kind_leads_to_its_builder(site: Site, page):
    await page.goto(f"{site.url}/gallery")
    await page.get_by_role("link", name="Build a chart").click()
    await page.wait_for_url("**/builder?kind=chart&asset=talus")


async def test_without_script_there_are_links(site: Site, browser):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site.url}/gallery")
    assert await page.get_by_role("link", name="Talus (US) live price").count() > 1
    await context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing(site: Site, browser, theme):
    context = await browser.new_context(color_scheme=theme, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(f"{site.url}/gallery")
    await page.wait_for_function(READY)
    found = (await Axe().run(page)).response["violations"]
    # The same table stands there twice, and its pages are a landmark of that name in both.
    assert [one for one in found if one["id"] != "landmark-unique"] == []
    await context.close()
