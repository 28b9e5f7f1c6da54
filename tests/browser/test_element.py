"""<price-ticker> on other people's pages."""

from __future__ import annotations

import pytest

from ticker.model import State
from widgets.embed import embed
from widgets.kinds import KINDS
from widgets.params import AssetOptions
from widgets.snippets import snippet

pytestmark = pytest.mark.browser

PRICE = '[data-f="price"]'
STRICT = (
    "default-src 'none'; script-src {url}; connect-src {url} {feed}; style-src 'none'; "
    "require-trusted-types-for 'script'"
)


def hosted(site, body, *, script=True, headers=None):
    """Puts a page on another site (localhost and 127.0.0.1 are two) and says where it is."""
    tag = f'<script type="module" src="{site.url}/embed.js"></script>' if script else ""
    site.hosted["page"] = f"<!doctype html><title>Host</title>{tag}{body}"
    site.headers["page"] = headers or {}
    return f"http://localhost:{site.port}/host/page"


def ticker(asset="talus", more=""):
    style = 'style="display:block;height:72px"'
    return f'<price-ticker kind="quote" asset="{asset}" {more} {style}></price-ticker>'


async def test_element_shows_the_servers_markup_and_goes_live(site, page):
    await page.goto(hosted(site, ticker()))
    await page.locator(PRICE, has_text="$0.01021").wait_for()
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.01099", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$0.01099").wait_for()


async def test_link_leads_to_the_service_and_not_to_the_host(site, page):
    await page.goto(hosted(site, ticker()))
    link = page.locator("price-ticker a")
    await link.wait_for()
    assert await link.evaluate("link => link.href") == f"{site.url}/assets/talus"


async def test_works_under_a_strict_policy_with_trusted_types(site, page):
    feed = site.url.replace("http", "ws")
    policy = {"Content-Security-Policy": STRICT.format(url=site.url, feed=feed)}
    said = []
    page.on("console", lambda message: said.append(message.text))
    address = hosted(site, '<price-ticker asset="talus"></price-ticker>', headers=policy)
    await page.goto(address)
    await page.locator(PRICE, has_text="$0.01021").wait_for()
    await site.until(lambda: site.sockets)
    assert await page.evaluate("document.querySelector('price-ticker').offsetHeight") == 72
    assert [line for line in said if "favicon" not in line] == []


async def test_twenty_elements_share_one_connection(site, page):
    await page.set_viewport_size({"width": 800, "height": 1600})  # what is far off screen sleeps
    assets = [*site.board.assets] * 4
    await page.goto(hosted(site, "".join(ticker(asset) for asset in assets)))
    wanted = set(assets)
    await site.until(lambda: wanted == asked(site))
    assert len(site.sockets) == len(site.handshakes) == 1
    await site.publish("talus", price="0.01099", as_of=site.clock.now())
    await page.wait_for_function("""() => [...document.querySelectorAll("price-ticker[asset=talus]")].every(
      (element) => element.shadowRoot.querySelector("[data-f=price]")?.innerText === "$0.01099")""")


def asked(site):
    first = site.handshakes[0].split("assets=")[1].split("&")[0].split(",") if site.handshakes else []
    return set(first) | {asset for command in site.commands for asset in command["assets"]}


async def test_nothing_on_the_page_moves(site, page):
    body = f"<p>before</p>{ticker('bitcoin')}{ticker('nope')}<p>after</p>"
    await page.add_init_script("""
      window.shift = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => (shift += entry.value)))
        .observe({ type: "layout-shift", buffered: true });
    """)
    await page.goto(hosted(site, body))
    await site.until(lambda: site.sockets)
    for price, change, state in (
        ("73384.99", "-1.44", State.LIVE),
        ("81111.11", "1.11", State.DELAYED),
        ("80000", "9.99", State.STALE),
        ("99999.99", "0", State.LIVE),
    ):
        await site.publish("bitcoin", price=price, change=change, as_of=site.clock.now(), state=state)
        await page.locator(f'.pt[data-state="{state}"] .chg', has_text=change.strip("-")).wait_for()
    settled = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(shift))))"
    assert await page.evaluate(settled) < 0.0005  # 0.000: only the pill's own digits may move within it


async def test_included_twice_it_still_opens_one_connection(site, page):
    # Its lasting address is another module to the browser.
    second = f'<script type="module" src="{site.url}/embed/{embed().name}"></script>'
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(hosted(site, second + ticker()))
    await page.locator(PRICE, has_text="$0.01021").wait_for()
    await site.until(lambda: site.sockets)
    assert (len(site.handshakes), errors) == (1, [])


async def test_pinned_script_passes_its_integrity_check(site, page):
    shown = [site.board.assets["talus"]]
    code = snippet("pinned", KINDS["quote"], AssetOptions(asset="talus"), site.url, shown).code
    await page.goto(hosted(site, code, script=False))
    await page.locator(PRICE, has_text="$0.01021").wait_for()


async def test_element_added_late_joins_the_open_connection(site, page):
    await page.goto(hosted(site, ticker()))
    await site.until(lambda: site.sockets)
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<price-ticker asset=bitcoin>')")
    await site.until(lambda: site.commands)
    assert site.commands == [{"op": "subscribe", "assets": ["bitcoin"]}]
    await site.publish("bitcoin", price="70000", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$70,000.00").wait_for()
    assert len(site.handshakes) == 1


async def test_removed_elements_leave_no_connection(site, page):
    await page.goto(hosted(site, ticker() + ticker("bitcoin")))
    await site.until(lambda: asked(site) == {"talus", "bitcoin"})
    await page.evaluate("document.querySelector('[asset=bitcoin]').remove()")
    await site.until(lambda: {"op": "unsubscribe", "assets": ["bitcoin"]} in site.commands)
    await page.evaluate("document.querySelector('[asset=talus]').remove()")
    await site.until(lambda: not site.sockets)


async def test_other_asset_is_shown_when_the_attribute_changes(site, page):
    await page.goto(hosted(site, ticker()))
    await page.locator(PRICE, has_text="$0.01021").wait_for()
    await page.evaluate("document.querySelector('price-ticker').setAttribute('asset', 'bitcoin')")
    await page.locator(PRICE, has_text="$73,384.80").wait_for()


async def test_theme_changes_without_a_request(site, page):
    await page.goto(hosted(site, ticker(more='theme="light"')))
    await page.locator(PRICE).wait_for()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    await page.evaluate("document.querySelector('price-ticker').setAttribute('theme', 'dark')")
    ground = "box => getComputedStyle(box).backgroundColor"
    assert await page.locator(".box").evaluate(ground) == "rgb(18, 22, 31)"
    assert asked == []


async def test_failed_request_shows_a_message_and_is_tried_again(site, page):
    failing = True

    async def fail(route):
        await (route.abort() if failing else route.continue_())

    await page.route("**/widgets/**", fail)
    await page.goto(hosted(site, ticker()))
    await page.get_by_text("Price unavailable").wait_for()
    assert await page.evaluate("document.querySelector('price-ticker').offsetHeight") == 72
    failing = False
    await page.locator(PRICE, has_text="$0.01021").wait_for()


async def test_unknown_asset_says_so_and_costs_the_others_nothing(site, page):
    await page.goto(hosted(site, ticker("<b>nope</b>") + ticker()))
    await page.get_by_text("No asset is called “<b>nope</b>” here").wait_for()
    await site.until(lambda: site.sockets)
    assert asked(site) == {"talus"}


async def test_page_is_told_by_events(site, page):
    await page.add_init_script("""
      window.told = [];
      addEventListener("DOMContentLoaded", () => { for (const name of ["load", "update", "stale", "error"])
        for (const element of document.querySelectorAll("price-ticker"))
          element.addEventListener(name, (event) => told.push([name, event.detail.asset])); });
    """)
    # Deferred scripts run before DOMContentLoaded, but an answer can't be there before this listener is.
    await page.goto(hosted(site, ticker() + ticker("nope")))
    await site.until(lambda: site.sockets)
    await page.wait_for_function("told.some(([name]) => name === 'update')")
    await site.stop()
    await page.wait_for_function("told.some(([name]) => name === 'stale')")
    told = {tuple(entry) for entry in await page.evaluate("told")}
    assert told == {("load", "talus"), ("error", "nope"), ("update", "talus"), ("stale", "talus")}
