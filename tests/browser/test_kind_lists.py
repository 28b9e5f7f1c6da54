"""Tape, table and heatmap on real pages: their room, their stillness, their keyboard."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ticker.model import State
from widgets.kinds import KINDS
from widgets.params import read

pytestmark = pytest.mark.browser

KINDS_HERE = ("tape", "table", "heatmap")
BOX = """(document) => {
  const box = document.querySelector(".pt").getBoundingClientRect();
  const root = document.documentElement ?? document.host;
  return [box.height, root.scrollHeight, root.scrollWidth <= root.clientWidth];
}"""
SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 100)));
})"""


def height(kind, **options):
    return KINDS[kind].size(read(options, KINDS[kind].options)).height


@pytest.mark.parametrize("kind", KINDS_HERE)
@pytest.mark.parametrize("size", ["small", "medium", "large"])
async def test_height_is_reserved_exactly_at_every_width_theme_and_state(site, page, kind, size):
    reserved = height(kind, size=size)
    for width, theme, locale, state in (
        (320, "light", "en", State.LIVE),
        (320, "dark", "ar", State.STALE),
        (480, "light", "de", State.DELAYED),
        (900, "dark", "th", State.STALE),
    ):
        for asset in ("talus", "long"):
            site.board.set(asset, state=state, demo=True)
        await page.set_viewport_size({"width": width, "height": reserved})
        await page.goto(f"{site.url}/widgets/{kind}?size={size}&theme={theme}&locale={locale}&live=0")
        assert await page.evaluate(f"({BOX})(document)") == [reserved, reserved, True]


@pytest.mark.parametrize("kind", KINDS_HERE)
async def test_element_takes_the_same_room(site, page, kind):
    site.hosted["element"] = (
        f'<!doctype html><body style="margin:0"><script type="module" src="{site.url}/embed.js"></script>'
        f'<price-ticker kind="{kind}" rows="4" style="display:block"></price-ticker>'
    )
    await page.set_viewport_size({"width": 480, "height": 600})
    await page.goto(f"{site.url}/host/element")
    await page.locator("price-ticker [data-price-ticker]").first.wait_for()
    got = await page.evaluate("document.querySelector('price-ticker').getBoundingClientRect().height")
    assert got == height(kind, rows="4")


@pytest.mark.parametrize("kind", KINDS_HERE)
async def test_new_price_is_written_and_nothing_moves(site, page, kind):
    await page.set_viewport_size({"width": 700, "height": 560})
    await page.goto(f"{site.url}/widgets/{kind}?theme=light")
    await site.until(lambda: site.sockets)
    await site.publish("bitcoin", price="73999.1", change="2.50", as_of=site.clock.now())
    change = page.locator('[data-price-ticker="bitcoin"] [data-f="change_24h"]', has_text="+2.50%")
    await change.first.wait_for()
    assert await page.evaluate(SHIFT) == 0
    if kind == "heatmap":
        assert await page.get_attribute('[data-price-ticker="bitcoin"]', "data-heat") == "2"
    else:
        assert await page.locator('[data-price-ticker="bitcoin"] .price').first.inner_text() == "$73,999.10"


@pytest.mark.parametrize("kind", KINDS_HERE)
async def test_hostile_names_are_text_and_no_policy_is_broken(site, page, kind):
    said = []
    page.on("console", lambda message: said.append(message.text))
    site.board.set("long", market_cap=None)
    await page.goto(f"{site.url}/widgets/{kind}?live=0")
    assert await page.locator("b b").count() == 0
    assert [text for text in said if "favicon" not in text] == []


async def test_tape_has_no_hole_at_any_width_with_one_asset(site, page):
    for width in (320, 2000):
        await page.set_viewport_size({"width": width, "height": 44})
        await page.goto(f"{site.url}/widgets/tape?assets=quiet&live=0&logo=0")
        seen = await page.evaluate("""() => {
          const items = [...document.querySelectorAll("li")].map((item) => item.getBoundingClientRect());
          const lists = [...document.querySelectorAll("ul")].map((list) => list.offsetWidth);
          const gaps = items.slice(1).map((item, at) => item.left - items[at].right);
          return { lists, widest: Math.max(...gaps) };
        }""")
        assert seen["lists"][0] == pytest.approx(seen["lists"][1], abs=0.1)
        assert seen["lists"][0] >= width - 60
        assert seen["widest"] < 200


@pytest.mark.parametrize(("locale", "way"), [("en", -1), ("ar", 1)])
async def test_tape_goes_by_in_the_direction_of_reading_and_can_be_paused(site, page, locale, way):
    await page.goto(f"{site.url}/widgets/tape?locale={locale}&live=0")
    shift = "new DOMMatrix(getComputedStyle(document.querySelector('.track')).transform).m41"
    # A function, as the page's policy lets nobody evaluate a text.
    await page.wait_for_function(f"() => {shift} * {way} > 1")
    assert await page.evaluate("document.getAnimations()[0].playState") == "running"
    await page.keyboard.press("Tab")
    while not await page.evaluate("document.activeElement.matches('input')"):
        assert await page.evaluate("document.getAnimations().length") == 0  # a link inside has the focus
        box = await page.evaluate("document.activeElement.getBoundingClientRect().toJSON()")
        assert box["left"] >= 0
        assert box["right"] <= 800
        await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    assert await page.evaluate("document.getAnimations()[0].playState") == "paused"
    assert await page.get_by_role("checkbox").count() == 1


async def test_tape_under_reduced_motion_stands_still_wraps_and_keeps_its_height(site, page):
    await page.emulate_media(reduced_motion="reduce")
    await page.set_viewport_size({"width": 320, "height": 44})
    await page.goto(f"{site.url}/widgets/tape?live=0")
    seen = await page.evaluate("""() => ({
      moving: document.getAnimations().length, high: document.documentElement.scrollHeight,
      items: [...document.querySelectorAll("li")].filter((item) => item.checkVisibility()).length,
      lines: document.querySelector(".way").scrollHeight / document.querySelector(".way").clientHeight,
      wide: document.querySelector(".way").scrollWidth <= document.querySelector(".way").clientWidth,
    })""")
    assert seen["moving"] == 0
    assert seen["high"] == 44
    assert seen["items"] == len(site.board.assets)
    assert seen["lines"] >= 3
    assert seen["wide"]


async def test_table_sorts_and_pages_without_script(site, browser):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site.url}/widgets/table?rows=2")
    await page.get_by_role("link", name="Price").click()
    assert await page.locator("tbody th b").all_inner_texts() == [site.board.assets["long"].name, "Bitcoin"]
    assert await page.get_by_role("columnheader", name="Price").get_attribute("aria-sort") == "descending"
    await page.get_by_role("link", name="Next").click()
    assert await page.locator("tbody th b").all_inner_texts() == ["Talus", "Pepe"]
    await context.close()


async def test_narrow_table_keeps_asset_price_and_day(site, page):
    await page.set_viewport_size({"width": 320, "height": 518})
    await page.goto(f"{site.url}/widgets/table?live=0&theme=light")
    names = page.get_by_role("columnheader")
    assert [await names.nth(at).inner_text() for at in range(3)] == ["Asset", "Price", "24h"]
    seen = await page.evaluate("""() => [...document.querySelectorAll("tbody tr")].map((row) => {
      const [name, price] = ["b", ".price"].map((part) => row.querySelector(part).getBoundingClientRect());
      const change = row.querySelectorAll("td")[2].getBoundingClientRect();
      return [name.right <= price.left, price.right <= change.left, name.width > 20];
    })""")
    assert seen == [[True, True, True]] * 5


async def test_tile_is_reached_by_keyboard_and_named_even_when_it_has_no_text(site, page):
    site.board.set("bitcoin", market_cap=Decimal(10**12))
    await page.set_viewport_size({"width": 320, "height": 200})
    await page.goto(f"{site.url}/widgets/heatmap?live=0&size=small")
    session = await page.context.new_cdp_session(page)
    nodes = (await session.send("Accessibility.getFullAXTree"))["nodes"]
    links = [node["name"]["value"] for node in nodes if node.get("role", {}).get("value") == "link"]
    assert len(links) == 5
    assert any(name.startswith("Pepe (PEPE) $0.000008412 USD, +4.10% (24h)") for name in links)
    await page.keyboard.press("Tab")
    stroke = "getComputedStyle(document.activeElement.querySelector('rect')).strokeWidth"
    assert await page.evaluate(stroke) == "3px"
    assert await page.evaluate("document.activeElement.href.baseVal") == "../assets/bitcoin"
