"""The builder in a browser: with script and without, on grounds and at widths, and what a page may style."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.browser.conftest import Site

pytestmark = pytest.mark.browser

FRAME = ".frames iframe:only-child"
SHIFTS = """
window.shifts = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


async def src(page) -> str:
    return await page.locator(FRAME).get_attribute("src")


@pytest.mark.parametrize("kind", ["quote", "chart", "table"])
async def test_page_breaks_no_policy_and_asks_nobody_else(site: Site, page, kind):
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{site.url}/builder?kind={kind}")
    await page.frame_locator(FRAME).locator("[data-f=price]").first.wait_for()
    await page.select_option("#f-theme", "dark")
    await page.locator(f"{FRAME}[src*='theme=dark']").wait_for()
    assert said == []
    assert all(url.startswith(site.url) for url in asked)


async def test_every_change_is_followed_without_a_reload(site: Site, page):
    await page.goto(f"{site.url}/builder")
    await page.evaluate("window.same = true")
    await page.select_option("#f-asset", "bitcoin")
    await page.frame_locator(FRAME).get_by_text("Bitcoin", exact=True).wait_for()
    await page.select_option("#f-size", "large")
    await page.locator(f"{FRAME}[height='104']").wait_for()
    await page.uncheck("#f-logo")
    await page.locator(f"{FRAME}[src*='logo=0']").wait_for()
    code = await page.locator("#code-element").inner_text()
    assert 'asset="bitcoin" logo="0" size="large"' in code
    assert page.url == f"{site.url}/builder?kind=quote&asset=bitcoin&logo=0&size=large"
    assert await page.evaluate("window.same") is True
    await page.go_back()
    assert page.url == "about:blank", "what was tried isn't in the history"


async def test_a_reload_shows_the_same(site: Site, page):
    await page.goto(f"{site.url}/builder?kind=table")
    await page.get_by_label("Bitcoin (BTC)").check()
    await page.get_by_label("Pepe (PEPE)").check()
    await page.locator(f"{FRAME}[src*='assets=bitcoin']").wait_for()
    await page.wait_for_url("**/builder?kind=table&assets=bitcoin,pepe")
    await page.reload()
    assert await page.get_by_label("Pepe (PEPE)").is_checked()
    assert not await page.get_by_label("Talus (US)").is_checked()


async def test_a_mistake_is_told_at_its_field_and_kept(site: Site, page):
    await page.goto(f"{site.url}/builder")
    await page.fill("#f-link", "javascript:1")
    error = page.locator("#e-link", has_text="link can't be")
    await error.wait_for()
    assert await page.locator("#f-link").get_attribute("aria-invalid") == "true"
    assert await page.input_value("#f-link") == "javascript:1"
    await page.fill("#f-link", "/prices/{asset}")
    await page.locator("#e-link:empty").wait_for(state="attached")
    assert await page.locator("#f-link").get_attribute("aria-invalid") is None
    await page.locator("#code-element", has_text="/prices/{asset}").wait_for()


async def test_it_works_without_script(site: Site, browser):
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{site.url}/builder?kind=card")
    assert not await page.locator("[data-copy]").first.is_visible()
    await page.select_option("#f-asset", "bitcoin")
    await page.uncheck("#f-live")
    await page.fill("#f-link", "nowhere")
    await page.get_by_role("button", name="Show").click()
    assert "link can't be “nowhere”" in await page.locator("#e-link").inner_text()
    assert await page.input_value("#f-link") == "nowhere"
    await page.fill("#f-link", "none")
    await page.get_by_role("button", name="Show").click()
    assert await src(page) == "widgets/card?asset=bitcoin&link=none&live=0"
    assert 'link="none" live="0"' in await page.locator("#code-element").inner_text()
    await context.close()


async def test_another_kind_is_a_link_that_keeps_what_was_chosen(site: Site, page):
    await page.goto(f"{site.url}/builder")
    await page.select_option("#f-asset", "bitcoin")
    await page.wait_for_url("**asset=bitcoin")
    await page.get_by_role("link", name="Card", exact=True).click()
    await page.wait_for_url("**/builder?kind=card&asset=bitcoin")


async def test_an_opened_form_stays_open(site: Site, page):
    await page.goto(f"{site.url}/builder")
    await page.locator("#d-iframe summary").click()
    await page.select_option("#f-size", "small")
    await page.locator("#code-iframe", has_text='height="48"').wait_for()
    assert await page.locator("#code-iframe").is_visible()


async def test_a_ground_of_its_own_shows_the_widget_as_it_is_there(site: Site, page):
    await page.goto(f"{site.url}/builder")
    await page.get_by_text("Dark", exact=True).first.click()
    await page.locator(f"{FRAME}[src$='theme=dark']").wait_for()
    assert 'theme="dark"' not in await page.locator("#code-element").inner_text()
    await page.select_option("#f-theme", "light")
    await page.locator(f"{FRAME}[src$='theme=light']").wait_for()


async def test_width_is_tried_on_fluid_kinds_only(site: Site, page):
    await page.goto(f"{site.url}/builder")
    assert await page.locator("[data-width]").count() == 0
    await page.goto(f"{site.url}/builder?kind=table")
    await page.locator("[data-width]").fill("300")
    assert await page.locator(FRAME).evaluate("(frame) => frame.offsetWidth") == 300
    await page.select_option("#f-theme", "dark")
    await page.locator(f"{FRAME}[src*='theme=dark'][width='300']").wait_for()


async def test_code_is_copied(site: Site, browser):
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    await page.goto(f"{site.url}/builder")
    await page.get_by_role("button", name="Copy Live element", exact=True).click()
    await page.get_by_text("Copied").wait_for()
    assert "<price-ticker" in await page.evaluate("navigator.clipboard.readText()")
    await context.close()


async def test_code_is_selected_where_the_clipboard_is_refused(site: Site, page):
    await page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await page.goto(f"{site.url}/builder")
    await page.get_by_role("button", name="Copy Live element", exact=True).click()
    await page.get_by_text("Selected").wait_for()
    assert "<price-ticker" in await page.evaluate("getSelection().toString()")


@pytest.mark.parametrize("width", [360, 768, 1400])
async def test_nothing_moves_and_nothing_sticks_out(site: Site, page, width):
    await page.add_init_script(SHIFTS)
    await page.set_viewport_size({"width": width, "height": 900})
    await page.goto(f"{site.url}/builder?kind=card")
    await page.frame_locator(FRAME).locator("[data-f=price]").wait_for()
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert await page.evaluate("window.shifts") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?kind=table&rows=x&link=javascript:1", "?kind=chart"])
async def test_axe_finds_nothing(site: Site, browser, query, theme):
    context = await browser.new_context(color_scheme=theme, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(f"{site.url}/builder{query}")
    await page.frame_locator(FRAME).locator("[data-f=price]").first.wait_for()
    for summary in await page.locator("summary").all():
        await summary.click()
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    await context.close()


STYLED = """<!doctype html><style>
price-ticker { --ticker-bg: rgb(1, 2, 3); --ticker-accent: light-dark(rgb(4, 5, 6), rgb(7, 8, 9)); }
price-ticker::part(price) { font-family: Georgia; }
price-ticker::part(name) { text-transform: uppercase; }
</style><script type="module" src="/embed.js"></script>
<price-ticker asset="talus" theme="dark"></price-ticker>"""


async def test_a_page_has_its_own_colours_and_parts(site: Site, page):
    site.hosted["styled"] = STYLED
    await page.goto(f"{site.url}/host/styled")
    await page.locator("price-ticker [data-f=price]").wait_for()

    async def style(inside, name):
        return await page.locator(f"price-ticker {inside}").evaluate(f"(one) => getComputedStyle(one).{name}")

    assert await style(".box", "backgroundColor") == "rgb(1, 2, 3)"
    assert await style(".go", "color") == "rgb(7, 8, 9)", "the dark one of the two"
    assert await style(".price", "fontFamily") == "Georgia"
    assert await style(".name b", "textTransform") == "uppercase"
