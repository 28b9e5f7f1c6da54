"""Every kind on every page there is: without script or motion, in a sandbox, under the strictest policy, with
the script there twice, added late, moved and removed.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.browser.conftest import Site
from tests.browser.reading import HOST, reading
from tests.browser.test_element import STRICT
from tests.browser.test_states_server import BOTH, PRICE, priced, published, quoted
from widgets.embed import embed
from widgets.kinds import KINDS

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def publisher() -> AsyncIterator[Site]:
    site = Site()
    await site.start()
    yield site
    await site.stop()


async def test_without_script_frames_have_prices_and_elements_their_link(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    quoted(stage)
    async with reading(browser, publisher, stage.url, *BOTH, java_script_enabled=False) as reader:
        assert priced(await reader.seen())
        links = await reader.page.locator("price-ticker a:visible").all()
        said = [(await link.inner_text(), await link.get_attribute("href")) for link in links]
        assert len(said) == len(KINDS)
        assert {href for _, href in said} == {f"{stage.url}/", f"{stage.url}/assets/bitcoin"}
        assert all(text for text, _ in said)


async def test_without_script_one_can_go_from_the_market_to_an_asset_and_its_year(
    stage: Site, browser: Browser
) -> None:
    quoted(stage)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(stage.url)
    assert PRICE in await page.locator("main").inner_text()
    await page.get_by_role("link", name="Bitcoin").first.click()
    assert page.url == f"{stage.url}/assets/bitcoin"
    assert PRICE in await page.locator("main").inner_text()
    await page.get_by_role("link", name="1Y", exact=True).click()
    assert PRICE in await page.locator("main").inner_text()
    await context.close()


async def test_reader_who_wants_stillness_sees_nothing_move_and_all_of_the_tape(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    quoted(stage)
    async with reading(browser, publisher, stage.url, *BOTH) as reader:
        assert {one.kind for one in await reader.until("live") if one.moving} == {"tape"}
    async with reading(browser, publisher, stage.url, *BOTH, reduced_motion="reduce") as reader:
        await reader.until("live")
        await stage.until(lambda: stage.sockets)
        await published(stage, "1036.25")
        found = await reader.until("live", "$1,036.25", without="heatmap")
        assert {one.moving for one in found} == {0}
        tapes = [re.findall(r"BTC|US\b", one.text) for one in found if one.kind == "tape"]
        assert [len(set(said)) for said in tapes] == [2, 2]


async def test_sandbox_without_an_origin_is_as_live_as_any_page(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    """Frames of ours in a sandbox, and somebody's whole page in one with elements on it."""
    inner: list[str] = []

    def sandboxed(page: str) -> str:
        elements = re.findall("<price-ticker.*?</price-ticker>", page, re.DOTALL)
        script = f'<script type="module" src="{stage.url}/embed.js"></script>'
        publisher.hosted["inner"] = HOST.format(script + "".join(elements))
        inner.extend(elements)
        outer = re.sub("<script.*?</script>|<price-ticker.*?</price-ticker>", "", page, flags=re.DOTALL)
        frame = '<iframe src="/host/inner" style="border:0;width:1304px;height:1100px"></iframe>'
        return (outer + frame).replace("<iframe ", '<iframe sandbox="allow-scripts" ')

    quoted(stage)
    async with reading(browser, publisher, stage.url, *BOTH, edit=sandboxed, high=2800) as reader:
        assert len(inner) == len(KINDS)
        assert {await frame.evaluate("origin") for frame in reader.page.frames[1:]} == {"null"}
        await reader.until("live")
        await stage.until(lambda: stage.sockets)
        await published(stage, "1036.25")
        found = await reader.until("live", "$1,036.25", without="heatmap")
        assert len(found) == 2 * len(KINDS)


async def test_strictest_policy_is_not_broken_by_any_kind(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    """No inline style is allowed on that page, so a bare element has to keep its height by itself."""

    def bare(page: str) -> str:
        return re.sub(r"<style>.*?</style>|<link[^>]*>| style=\"[^\"]*\"", "", page)

    quoted(stage)
    policy = STRICT.format(url=stage.url, feed=stage.url.replace("http", "ws"))
    headers = {"Content-Security-Policy": policy}
    async with reading(browser, publisher, stage.url, "element", edit=bare, headers=headers) as reader:
        await reader.until("live")
        await stage.until(lambda: stage.sockets)
        await published(stage, "1036.25")
        await reader.until("live", "$1,036.25", without="heatmap")
        plot = reader.page.locator("price-ticker [data-plot]")
        await plot.hover()  # the chart's own script is there, too
        await reader.page.locator("price-ticker .chart[data-reading]").wait_for()
        assert await reader.page.evaluate("reported") == []
        assert reader.faults == []
        await reader.page.evaluate("document.head.append(document.createElement('style'))")
        await reader.page.wait_for_function("reported.splice(0).length === 1")  # what is broken would be told
        reader.faults.clear()


async def test_script_that_is_there_twice_opens_one_connection(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    """Its lasting address is another module to the browser."""

    def doubled(page: str) -> str:
        return f'{page}<script type="module" src="{stage.url}/embed/{embed().name}"></script>'

    quoted(stage)
    await stage.until(lambda: not stage.sockets)
    before = len(stage.handshakes)
    async with reading(browser, publisher, stage.url, "element", edit=doubled) as reader:
        await reader.until("live")
        await stage.until(lambda: stage.sockets)
        await published(stage, "1036.25")
        await reader.until("live", "$1,036.25", without="heatmap")
        assert len(stage.handshakes) == before + 1


async def test_widgets_come_late_move_leave_nothing_behind_and_come_again(
    stage: Site, publisher: Site, browser: Browser
) -> None:
    late: list[str] = []

    def emptied(page: str) -> str:
        script, markup = re.split("(?=<div>)", page, maxsplit=1)
        late.append(re.sub("<script.*?</script>", "", markup))
        return f'{script}<script type="module" src="{stage.url}/embed.js"></script><!-- <price-ticker -->'

    quoted(stage)
    await stage.until(lambda: not stage.sockets)
    async with reading(browser, publisher, stage.url, *BOTH, edit=emptied) as reader:
        page = reader.page
        await page.evaluate("customElements.whenDefined('price-ticker').then(() => 0)")
        assert not stage.sockets
        await page.evaluate("(markup) => document.body.insertAdjacentHTML('beforeend', markup)", late[0])
        assert len(await reader.until("live")) == 2 * len(KINDS)

        # The page has a connection, its frames have theirs: both are there when all have heard of a price.
        await published(stage, "1030.5")
        await reader.until("live", "$1,030.50", without="heatmap")
        before, asked = len(stage.handshakes), []
        page.on("request", lambda request: asked.append(request.url))
        await page.evaluate("document.body.append(...document.querySelectorAll('div:has(> price-ticker)'))")
        await published(stage, "1036.25")
        await reader.until("live", "$1,036.25", without="heatmap")
        assert stage.handshakes[before:] == []
        assert asked == []

        await page.evaluate("""() => {
          window.all = [...document.querySelectorAll("price-ticker")];
          document.body.replaceChildren();
        }""")
        await stage.until(lambda: not stage.sockets)
        await page.wait_for_function("timers.size === 0")

        await page.evaluate("document.body.append(...all)")
        await reader.until("live", "$1,036.25", without="heatmap")
