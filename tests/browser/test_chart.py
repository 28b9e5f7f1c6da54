"""The chart in a browser: what is read under the crosshair, and a last point that moves with the price."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise

import pytest
import pytest_asyncio

from tests.browser.conftest import Site
from tests.browser.test_element import STRICT, hosted
from ticker.model import Candle

pytestmark = pytest.mark.browser

ELEMENT = '<price-ticker kind="chart" asset="talus"></price-ticker>'
PRICES = [Decimal(10000 + number * 37 % 211) / 1_000_000 for number in range(289)]
POINT = re.compile(r"([\d.]+) (\d+)$")


class Past:
    """As many candles as a range has steps, up to now; the last one ends at the price that there is."""

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        if asset != "talus":
            return []
        step = interval * 1000
        newest = end - end % step
        count = min(288, (end - start) // step)
        pairs = list(pairwise(PRICES))[-count:]
        return [
            Candle(
                asset, currency, interval, newest - age * step, one, max(one, other), min(one, other), other
            )
            for age, (one, other) in zip(range(count, 0, -1), pairs, strict=True)
        ]


@pytest_asyncio.fixture(loop_scope="session")
async def site():
    site = Site()
    site.past = Past()
    await site.start()
    yield site
    await site.stop()


def plot(page):
    return page.locator("[data-plot]")


async def opened(site, page, query=""):
    """The chart as an iframe has it, with its script at work."""
    await page.goto(f"{site.url}/widgets/chart?asset=talus{query}")
    await page.locator("[role=slider]").wait_for()


async def values(page):
    """What is to be read now, if anything is."""
    reading = await page.locator("[data-reading]").count()
    return await page.locator("[data-cell]").all_inner_texts() if reading else []


async def series(page):
    return (await plot(page).get_attribute("data-series")).split("|")


async def point(page):
    """Where the line ends: steps across, thousandths down."""
    found = POINT.search(await page.locator(".line").get_attribute("d"))
    return float(found[1]), int(found[2])


async def test_pointer_reads_the_value_below_it_and_nothing_when_it_has_left(site, page):
    await opened(site, page)
    box = await plot(page).bounding_box()
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    time, price = await values(page)
    assert price in (await series(page))[142:146]
    assert re.fullmatch(r"[A-Z][a-z]{2} \d+, 20\d\d, \d\d:\d\d UTC", time)
    assert (await page.locator(".hair").get_attribute("d")).endswith(" 0V1000")
    await page.mouse.move(1, 1)
    assert await values(page) == []
    assert not await page.locator(".hair").get_attribute("d")


async def test_keys_move_over_the_values_and_a_screen_reader_is_told_which(site, page):
    await opened(site, page)
    closes = await series(page)
    await page.keyboard.press("Tab")
    while not await plot(page).evaluate("plot => plot.matches(':focus')"):
        await page.keyboard.press("Tab")
    assert await values(page) == []
    for key, slot in (("End", 287), ("ArrowLeft", 286), ("PageDown", 276), ("ArrowUp", 277), ("Home", 0)):
        await page.keyboard.press(key)
        time, price = await values(page)
        assert price == closes[slot]
        assert await plot(page).get_attribute("aria-valuenow") == str(slot)
        assert await plot(page).get_attribute("aria-valuetext") == f" {time}, Price {price}"
    await page.keyboard.press("ArrowLeft")
    assert (await values(page))[1] == closes[0]
    await page.keyboard.press("Escape")
    assert await values(page) == []


async def test_slider_has_a_name_and_bounds(site, page):
    await opened(site, page)
    named = plot(page).and_(page.get_by_role("slider", name=re.compile(r"^Talus \(US\) price chart, 1D: ")))
    assert await named.get_attribute("aria-valuemin") == "0"
    assert await named.get_attribute("aria-valuemax") == "287"
    assert await named.get_attribute("tabindex") == "0"


async def test_candles_are_read_with_open_high_low_and_close(site, page):
    await opened(site, page, "&type=candles")
    await plot(page).focus()
    await page.keyboard.press("Home")
    columns = [column.split("|") for column in (await plot(page).get_attribute("data-series")).split("~")]
    assert (await values(page))[1:] == [column[0] for column in columns]
    said = await plot(page).get_attribute("aria-valuetext")
    assert all(f"{name} $" in said for name in ("Open", "High", "Low", "Close"))


async def test_finger_reads_across_and_what_it_read_stays(site, browser):
    phone = await browser.new_context(has_touch=True, viewport={"width": 360, "height": 500})
    page = await phone.new_page()
    await opened(site, page)
    box = await plot(page).bounding_box()
    await page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + 30)
    assert (await values(page))[1] in (await series(page))[70:74]
    assert await plot(page).evaluate("plot => getComputedStyle(plot).touchAction") == "pan-y"
    await phone.close()


async def test_last_point_moves_with_the_price(site, page):
    await opened(site, page)
    await site.until(lambda: site.sockets)
    before = await point(page)
    await site.publish("talus", price="0.01015", as_of=site.clock.now())
    await page.wait_for_function(
        "was => !document.querySelector('.line').getAttribute('d').endsWith(was)", arg=f" {before[1]}"
    )
    across, down = await point(page)
    low, high = (float(end) for end in (await plot(page).get_attribute("data-plot")).split()[3:])
    assert abs(down - 1000 * (high - 0.01015) / (high - low)) <= 1
    assert 287 <= across <= 288
    assert await page.locator(".tip").get_attribute("d") == f"M{across:g} {down}h0"
    area = await page.locator(".area").get_attribute("d")
    assert area == f"{await page.locator('.line').get_attribute('d')}V1000H0z"
    await plot(page).focus()
    await page.keyboard.press("End")
    assert (await values(page))[1] == "$0.01015"


async def test_last_candle_moves_with_the_price(site, page):
    await opened(site, page, "&type=candles")
    await site.until(lambda: site.sockets)
    before = await page.locator(".last").get_attribute("d")
    await site.publish("talus", price="0.01015", as_of=site.clock.now())
    await page.wait_for_function(
        "was => document.querySelector('.last').getAttribute('d') !== was", arg=before
    )
    shape = r"M95\.5 \d+V\d+M95\.5 \d+V\d+M95\.2 \d+h\.6V\d+h-\.6z"
    assert re.fullmatch(shape, await page.locator(".last").get_attribute("d"))


async def test_price_off_the_axis_is_drawn_anew_by_the_server(site, page):
    await opened(site, page)
    await site.until(lambda: site.sockets)
    before = await plot(page).get_attribute("data-plot")
    await site.publish("talus", price="0.012", as_of=site.clock.now())
    await page.wait_for_function(
        "was => document.querySelector('[data-plot]').dataset.plot !== was", arg=before
    )
    assert float((await plot(page).get_attribute("data-plot")).split()[4]) > 0.012
    await page.locator("[role=slider]").wait_for()
    assert (await series(page))[-1] == "$0.01200"


async def test_price_off_the_axis_is_not_asked_about_again_and_again(site, page):
    """An answer may come out of the browser's cache, and be as old as the one before."""
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(hosted(site, ELEMENT))
    await page.locator("[role=slider]").wait_for()
    await site.until(lambda: site.sockets)
    for price in ("0.01200", "0.01300", "0.01400"):
        await site.publish("talus", price=price, as_of=site.clock.now())
        await page.locator('[data-f="price"]', has_text=f"${price}").wait_for()
        await page.locator("[role=slider]").wait_for()
    assert len([url for url in asked if "form=fragment" in url]) == 2


async def test_where_a_reader_was_survives_a_renewal(site, page):
    await opened(site, page)
    await site.until(lambda: site.sockets)
    await plot(page).focus()
    for key in ("Home", "ArrowRight", "ArrowRight"):
        await page.keyboard.press(key)
    read = await values(page)
    await site.publish("talus", price="0.012", as_of=site.clock.now())
    await page.locator(".levels text", has_text="0.0120").wait_for()
    await page.locator("[role=slider]").wait_for()
    assert await values(page) == read
    assert await plot(page).evaluate("plot => plot.matches(':focus')")


async def test_another_currency_leaves_the_line_alone(site, page):
    await opened(site, page)
    await site.until(lambda: site.sockets)
    line = await page.locator(".line").get_attribute("d")
    quote = site.board.set("talus", price="0.0101", currency="EUR")
    await site.send("update", quotes=[quote], prev=site.board.seq - 1)
    await page.locator("[data-f=price]", has_text="0.0101").wait_for()
    assert await page.locator(".line").get_attribute("d") == line


async def test_element_loads_ranges_and_types_in_place_under_a_strict_policy(site, page):
    said = []
    page.on("console", lambda message: said.append(message.text))
    policy = STRICT.format(url=site.url, feed=site.url.replace("http", "ws"))
    await page.goto(hosted(site, ELEMENT, headers={"Content-Security-Policy": policy}))
    await page.locator("[role=slider]").wait_for()
    await page.get_by_role("link", name="7D").click()
    await page.locator("[role=slider][aria-label*='7D']").wait_for()
    await page.get_by_role("link", name="Candles").click()
    await page.locator("[role=slider] .last").wait_for(state="attached")
    assert await page.locator("price-ticker").evaluate("e => e.offsetHeight") == 360
    box = await plot(page).bounding_box()
    await page.mouse.move(box["x"] + 50, box["y"] + 50)
    assert len(await values(page)) == 5
    assert [line for line in said if "favicon" not in line] == []


async def test_removed_element_leaves_nothing_running(site, page):
    await page.goto(hosted(site, ELEMENT))
    await page.locator("[role=slider]").wait_for()
    await page.evaluate(
        """async () => {
          const ticker = document.querySelector("price-ticker");
          window.plot = ticker.shadowRoot.querySelector("[data-plot]");
          ticker.remove();
          await new Promise((done) => setTimeout(done));
          plot.dispatchEvent(new KeyboardEvent("keydown", { key: "Home" }));
        }"""
    )
    assert await page.evaluate("plot.closest('.pt').hasAttribute('data-reading')") is False


async def test_without_script_the_chart_is_a_picture_with_a_name_and_a_table(site, browser):
    quiet = await browser.new_context(java_script_enabled=False)
    page = await quiet.new_page()
    await page.goto(f"{site.url}/widgets/chart?asset=talus")
    assert await page.get_by_role("img", name=re.compile("price chart, 1D: ")).count() == 1
    assert 10 < await page.get_by_role("row").count() <= 26
    await page.get_by_role("link", name="1Y").click()
    assert await page.locator("[aria-current]").first.inner_text() == "1Y"
    await quiet.close()


async def test_no_history_is_said_and_nothing_fails(site, page):
    failed = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    await page.goto(f"{site.url}/widgets/chart?asset=bitcoin")
    await page.get_by_text("No history yet").wait_for()
    await site.until(lambda: site.sockets)
    await site.publish("bitcoin", price="73400", as_of=site.clock.now())
    await page.locator("[data-f=price]", has_text="73,400").wait_for()
    assert failed == []


@pytest.mark.parametrize("width", [200, 320, 900])
@pytest.mark.parametrize("size", ["small", "medium", "large"])
async def test_height_is_what_was_reserved_and_nothing_overflows(site, page, width, size):
    height = {"small": 260, "medium": 360, "large": 480}[size]
    await page.set_viewport_size({"width": width, "height": height})
    for style in ("line", "candles"):
        await opened(site, page, f"&size={size}&type={style}")
        await plot(page).focus()
        await page.keyboard.press("End")
        page_size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        assert await page.evaluate(page_size) == [width, height]
        assert (await plot(page).bounding_box())["height"] > 40
