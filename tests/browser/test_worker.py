"""One connection for all tabs of the service's own origin, and the ways around blocked websockets."""

from __future__ import annotations

import pytest

from tests.browser.scripted import HURRIED

pytestmark = pytest.mark.browser

PRICE = '[data-f="price"]'


def asked(site):
    first = {
        asset for query in site.handshakes for asset in query.split("assets=")[1].split("&")[0].split(",")
    }
    return first | {asset for command in site.commands for asset in command["assets"]}


async def test_three_tabs_share_one_connection(site, browser):
    context = await browser.new_context()
    tabs = [await context.new_page() for _ in range(3)]
    for tab, asset in zip(tabs, ("talus", "bitcoin", "talus"), strict=True):
        await tab.goto(f"{site.url}/widgets/quote?asset={asset}")
    await site.until(lambda: asked(site) == {"talus", "bitcoin"})
    await site.publish("talus", price="0.03", as_of=site.clock.now())
    await site.publish("bitcoin", price="70000", as_of=site.clock.now())
    for tab, text in zip(tabs, ("$0.03000", "$70,000.00", "$0.03000"), strict=True):
        await tab.locator(PRICE, has_text=text).wait_for()
    assert len(site.handshakes) == len(site.sockets) == 1
    await tabs[1].close()
    await site.until(lambda: {"op": "unsubscribe", "assets": ["bitcoin"]} in site.commands)
    await site.publish("talus", price="0.04", as_of=site.clock.now())
    await tabs[2].locator(PRICE, has_text="$0.04000").wait_for()
    await context.close()
    await site.until(lambda: not site.sockets)


async def test_each_currency_has_its_connection(site, browser):
    context = await browser.new_context()
    page, other = [await context.new_page() for _ in range(2)]
    await page.goto(f"{site.url}/widgets/quote?asset=talus&currency=EUR")
    await site.until(lambda: site.sockets)
    await other.goto(f"{site.url}/widgets/quote?asset=talus")
    await site.until(lambda: len(site.sockets) == 2)
    assert [query.partition("currency=")[2] for query in site.handshakes] == ["EUR", "USD"]
    await context.close()


async def test_widgets_go_on_by_themselves_when_the_worker_is_gone(site, browser, page):
    await page.goto(f"{site.url}/widgets/quote?asset=talus")
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.03", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$0.03000").wait_for()
    session = await browser.new_browser_cdp_session()
    targets = (await session.send("Target.getTargets"))["targetInfos"]
    [worker] = [target["targetId"] for target in targets if target["type"] == "shared_worker"]
    await session.send("Target.closeTarget", {"targetId": worker})
    await site.until(lambda: len(site.handshakes) == 2 and len(site.sockets) == 1)
    await site.publish("talus", price="0.05", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$0.05000").wait_for()


async def test_sandboxed_frame_has_its_own_connection(site, page):
    source = f"{site.url}/widgets/quote?asset=talus"
    site.hosted["page"] = (
        f'<!doctype html><title>Host</title><iframe sandbox="allow-scripts" src="{source}"></iframe>'
    )
    await page.goto(f"http://localhost:{site.port}/host/page")
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.03", as_of=site.clock.now())
    await page.frame_locator("iframe").locator(PRICE, has_text="$0.03000").wait_for()


# What a timer begins comes late, as in browsers once timers are nested; a message's own timers don't.
NESTED = """
  const later = setTimeout, often = setInterval; let nested = false;
  window.setTimeout = (does, ms = 0) => later(does, nested ? ms + 200 : ms);
  window.setInterval = (does, ms) => often(() => { nested = true; does(); nested = false; }, ms / 20);
"""


async def show(server, page, timers=HURRIED):
    await page.add_init_script(timers)
    await page.goto(f"http://localhost:{server.port}/page")
    await page.evaluate(
        """(url) => import(`${url}/embed.js`).then(() => document.body.append(
          Object.assign(document.createElement("price-ticker"), { style: "display:block" })))""",
        server.url,
    )


async def test_what_is_newest_is_said_last_whenever_timers_run(server, page):
    await show(server, page, NESTED)
    await server.until(lambda: server.sockets)
    await server.update("1.01", state="stale")  # told again at each turn of the clock
    await page.locator(f'.pt[data-state="stale"] {PRICE}', has_text="$1.01").wait_for()
    await server.update("1.25")
    await page.locator(f'.pt[data-state="live"] {PRICE}', has_text="$1.25").wait_for()
    await page.wait_for_timeout(500)
    assert await page.locator(f'.pt[data-state="live"] {PRICE}').inner_text() == "$1.25"


@pytest.mark.parametrize(("refused", "way"), [(("feed",), "stream"), (("feed", "stream"), "quotes")])
async def test_other_ways_take_over_where_websockets_are_blocked(server, page, refused, way):
    server.refused |= dict.fromkeys(refused, 403)
    await show(server, page)
    await server.until(lambda: server.count(way))
    assert [asked for asked, _ in server.asked[:3]] == ["feed", "feed", "stream"]
    await server.update("1.25")
    await page.locator(PRICE, has_text="$1.25").wait_for()


@pytest.mark.parametrize(("refused", "way"), [(("feed",), "stream"), (("feed", "stream"), "quotes")])
async def test_websockets_that_get_through_again_are_found(server, page, refused, way):
    server.refused |= dict.fromkeys(refused, 403)
    await show(server, page)
    await server.until(lambda: server.count(way))
    # It looks, in vain and with nothing lost, and looks again. Meanwhile a minute goes by.
    await server.until(lambda: server.count("feed") > 2)
    for price in ("1.01", "1.02", "1.03"):
        await page.evaluate("() => { skip += 21000; }")
        await server.update(price)
        await page.locator(PRICE, has_text=f"${price}").wait_for()
    server.refused.clear()
    resumed = {"assets": "talus", "since": "k3f9:103", "currency": "USD"}
    await server.until(lambda: server.asked[-1] == ("feed", resumed) and server.sockets)
    await server.update("1.25")
    await page.locator(PRICE, has_text="$1.25").wait_for()
