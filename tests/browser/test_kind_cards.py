"""Box, card, converter and badge on real pages: their room, stillness and form, with and without script."""

from __future__ import annotations

from decimal import Decimal

import pytest
import pytest_asyncio

from tests.browser.conftest import Past, Site
from tests.browser.test_box import LOW_CONTRAST
from ticker.model import State
from widgets.kinds import KINDS
from widgets.kinds.converter import quotient, read_amount
from widgets.locales import TAGS, find
from widgets.params import read

pytestmark = pytest.mark.browser

HERE = ("quote", "card", "converter", "badge")
SIZES = ("small", "medium", "large")
SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 100)));
})"""
ROOM = """() => {
  const root = document.documentElement, box = document.querySelector(".pt").getBoundingClientRect();
  return [box.height, root.scrollHeight, root.scrollWidth <= root.clientWidth];
}"""
# What is not as wide as its place is: texts that are cut, but for those that may be.
CUT = """() => [...document.querySelectorAll(".price, .cur, .chg, .status, .range span")]
  .filter((part) => part.checkVisibility() && part.getBoundingClientRect().width > 0)
  .filter((part) => {
    const inner = part.getBoundingClientRect();
    const outer = document.querySelector(".box").getBoundingClientRect();
    return inner.left < outer.left - 1 || inner.right > outer.right + 1;
  }).map((part) => part.className)"""


@pytest_asyncio.fixture(loop_scope="session")
async def site():
    site = Site()
    site.past = Past()
    now = site.clock.now()
    site.board.set("talus", price="0.01021", as_of=now, low_24h=Decimal("0.0100"), high_24h=Decimal("0.0104"))
    site.board.set("long", price="1234567.89", as_of=now, low_24h=Decimal(1200000), high_24h=Decimal(1300000))
    await site.start()
    yield site
    await site.stop()


def reserved(kind, **options):
    return KINDS[kind].size(read({"asset": "talus", **options}, KINDS[kind].options))


def shown(page):
    return page.locator('[data-f="converted"]')


async def embedded(site, page, kind, more=""):
    site.hosted["element"] = (
        f'<!doctype html><body style="margin:0"><script type="module" src="{site.url}/embed.js"></script>'
        f'<price-ticker kind="{kind}" asset="talus" {more} style="display:block"></price-ticker>'
    )
    await page.goto(f"{site.url}/host/element")
    await page.locator("price-ticker .box:not(.msg)").wait_for()


@pytest.mark.parametrize("kind", HERE)
@pytest.mark.parametrize("size", SIZES)
async def test_height_is_reserved_exactly_at_every_width_theme_and_state(site, page, kind, size):
    height = reserved(kind, size=size).height
    for width, theme, locale, state in (
        (220, "light", "en", State.LIVE),
        (320, "dark", "ar", State.STALE),
        (400, "light", "th", State.DELAYED),
        (500, "dark", "de", State.LIVE),
    ):
        await page.set_viewport_size({"width": width, "height": height})
        for asset in ("talus", "long", "quiet"):
            site.board.set(asset, state=state if asset != "quiet" else State.UNAVAILABLE, demo=True)
            query = f"asset={asset}&size={size}&theme={theme}&locale={locale}&live=0"
            await page.goto(f"{site.url}/widgets/{kind}?{query}")
            assert await page.evaluate(ROOM) == [height, height, True], query
            assert await page.evaluate(LOW_CONTRAST) == [], query


@pytest.mark.parametrize("kind", HERE)
@pytest.mark.parametrize("size", SIZES)
async def test_every_figure_is_whole_at_the_width_that_snippets_reserve(site, page, kind, size):
    wide = reserved(kind, size=size)
    await page.set_viewport_size({"width": wide.width, "height": wide.height})
    for asset in ("talus", "long", "bitcoin"):
        for locale in ("en", "ar", "fa", "hu"):
            await page.goto(f"{site.url}/widgets/{kind}?asset={asset}&size={size}&locale={locale}&live=0")
            assert await page.evaluate(CUT) == [], (asset, locale)


@pytest.mark.parametrize("kind", HERE)
@pytest.mark.parametrize("size", SIZES)
async def test_element_takes_the_same_room_and_nothing_moves_with_a_price(site, page, kind, size):
    await embedded(site, page, kind, f'size="{size}"')
    ticker = page.locator("price-ticker")
    height = reserved(kind, size=size).height
    assert (await ticker.bounding_box())["height"] == height
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.01099", change="-3.5", as_of=site.clock.now())
    await ticker.locator('[data-f="price"], [data-f="converted"]', has_text="$0.01099").first.wait_for()
    assert (await ticker.bounding_box())["height"] == height
    assert await page.evaluate(SHIFT) == 0


@pytest.mark.parametrize("kind", HERE)
async def test_hostile_names_are_text_and_no_policy_is_broken(site, page, kind):
    said = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(f"{site.url}/widgets/{kind}?asset=long&live=0")
    assert await page.locator("b b").count() == 0
    assert [text for text in said if "favicon" not in text] == []


@pytest.mark.parametrize("kind", HERE)
async def test_picture_draws_as_an_image_of_its_size(site, page, kind):
    sizes = [reserved(kind, size=size) for size in SIZES]
    site.hosted["img"] = "".join(
        f'<img src="/widgets/{kind}.svg?asset=talus&amp;size={size}" alt="">' for size in SIZES
    )
    await page.goto(f"{site.url}/host/img")
    seen = "[...document.images].map((image) => [image.complete, image.naturalWidth, image.naturalHeight])"
    assert await page.evaluate(seen) == [[True, size.width, size.height] for size in sizes]


async def test_card_draws_its_line_across_its_whole_width(site, page):
    for width in (240, 320, 480):
        await page.set_viewport_size({"width": width, "height": 176})
        await page.goto(f"{site.url}/widgets/card?asset=talus&live=0")
        line = await page.locator(".spark path").last.bounding_box()
        ground = await page.locator(".spark").bounding_box()
        assert line["width"] > ground["width"] * 0.95
        assert 0 < line["height"] <= ground["height"] + 2


async def test_range_points_the_way_of_reading(site, page):
    site.board.set("talus", price="0.0103")
    for locale, right in (("en", True), ("ar", False)):
        await page.goto(f"{site.url}/widgets/card?asset=talus&locale={locale}&live=0")
        track = await page.locator(".range svg").bounding_box()
        place = await page.locator(".range circle").bounding_box()
        assert (place["x"] > track["x"] + track["width"] / 2) == right


async def test_form_works_without_script(site, browser):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site.url}/widgets/converter?asset=talus&locale=de")
    await page.get_by_label("Betrag").fill("1.000,5")
    await page.locator("button").click()
    assert (await shown(page).inner_text()).replace("\u00a0", " ") == "10,2151 $"
    await page.locator("a[data-go]").click()
    assert await shown(page).inner_text() == "97.992,165"
    assert await page.locator("input[name=amount]").input_value() == "1000,5"
    await context.close()


async def test_amount_is_converted_as_it_is_typed_and_again_with_every_price(site, page):
    await page.goto(f"{site.url}/widgets/converter?asset=talus")
    await site.until(lambda: site.sockets)
    amount = page.get_by_label("Amount")
    await amount.fill("1,000.5")
    assert await shown(page).inner_text() == "$10.2151"
    await amount.fill("what")
    assert await amount.get_attribute("aria-invalid") == "true"
    assert await shown(page).inner_text() == "$10.2151"
    await amount.fill("2")
    await site.publish("talus", price="0.02", as_of=site.clock.now())
    await page.locator('[data-f="converted"]', has_text="$0.04000").wait_for()


async def test_link_turns_it_round_in_place_and_by_keyboard(site, page):
    await embedded(site, page, "converter", 'amount="100"')
    address = page.url
    await page.get_by_label("Amount").focus()
    for _ in range(2):
        await page.keyboard.press("Tab")
        if await page.evaluate(
            "document.querySelector('price-ticker').shadowRoot.activeElement.matches('a')"
        ):
            break
    await page.keyboard.press("Enter")
    await page.locator("price-ticker [data-inverse]").wait_for()
    assert await page.locator('price-ticker [data-f="converted"]').inner_text() == "9,794.3193"
    assert page.url == address


async def test_everything_that_is_pressed_is_large_enough_for_a_finger(site, page):
    for size in SIZES:
        await page.goto(f"{site.url}/widgets/converter?asset=talus&size={size}&live=0")
        for part in await page.locator("form a, button, select, .field").all():
            box = await part.bounding_box()
            assert min(box["height"], box["width"]) >= 44


async def test_script_reads_amounts_and_divides_as_the_server_does(site, page):
    texts = [
        *("1", "1,5", "1.5", "1.234", "1,234", "1,234.5", "1.234,5", "12,34,567", " 7 ", ".5", "5.", ""),
        *(".", ",", "1e5", "-1", "abc", "0.125", "1\u202f234,5", "1.2340", "1.2.3", "1,23,4"),
        *("\u06f1\u066b\u06f5", "\u09e7.\u09eb"),
    ]
    sums = [("1", "3"), ("2", "3"), ("1.00000005", "1"), ("1", "0.000001234"), ("0", "7"),
            ("9" * 30, "0.01021"), ("0.00001", "73384.8"), ("99999999.5", "1")]  # fmt: skip
    await page.goto(f"{site.url}/favicon.svg")
    typed, divided = await page.evaluate(
        """async ([texts, notations, sums]) => {
          const { divide, typed } = await import("/static/convert.js");
          return [notations.map((how) => texts.map((text) => typed(text, how) ?? null)),
            sums.map(([amount, price]) => divide(amount, price))];
        }""",
        [texts, [[[find(tag).zero, find(tag).decimal, find(tag).group]] for tag in TAGS], sums],
    )
    for tag, theirs in zip(TAGS, typed, strict=True):
        for text, found in zip(texts, theirs, strict=True):
            zero = ord(find(tag).zero)
            if any(not 0 <= ord(sign) - zero < 10 for sign in text if sign > "~" and sign.isdecimal()):
                continue  # the server reads the digits of every script
            ours = read_amount(text, find(tag))
            assert (found and Decimal(found)) == (ours and Decimal(ours)), (tag, text)
    assert [Decimal(found) for found in divided] == [quotient(one, Decimal(other)) for one, other in sums]
