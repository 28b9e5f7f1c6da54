"""/feed.js where websockets are blocked, the server is away, and pages are many or out of sight."""

from __future__ import annotations

import pytest

from tests.browser.scripted import heard, live, opened, price_is, quote, state_is

pytestmark = pytest.mark.browser


async def test_events_take_over_where_websockets_fail_and_hand_back_later(server, page):
    server.refused["feed"] = 403
    await live(server, page)
    assert [way for way, _ in server.asked] == ["feed", "feed", "stream"]
    await server.update("1.01")
    await price_is(page, "1.01")
    await page.evaluate("feed.subscribe('pepe')")
    await price_is(page, "7", "pepe")
    assert ("stream", {"assets": "talus,pepe"}) in server.asked
    server.streams.clear()
    await server._notice()
    await server.until(lambda: server.streams)
    assert ("stream", {"assets": "talus,pepe", "since": "k3f9:101"}) in server.asked
    tried = server.count("feed")
    await server.until(lambda: server.count("feed") > tried)  # and fails again, which nobody notices
    server.refused.clear()
    await server.until(lambda: server.sockets and server.asked[-1][1])
    await state_is(page, "live")
    await server.update("1.02")
    await price_is(page, "1.02")
    assert server.asked[-1] == ("feed", {"assets": "talus,pepe", "since": "k3f9:101"})


async def test_polling_takes_over_where_both_fail_and_asks_with_the_etag(server, page):
    server.refused |= {"feed": 403, "stream": 403}
    await live(server, page)
    assert [way for way, _ in server.asked][:5] == ["feed", "feed", "stream", "stream", "quotes"]
    server.quotes["talus"], server.seq = quote("1.01", 101), 101
    await price_is(page, "1.01")
    await server.until(lambda: '"k3f9-101"' in server.tags)
    assert ("quotes", {"assets": "talus", "since": "k3f9:101"}) in server.asked
    assert await page.evaluate("[...feed.quotes.keys()]") == ["talus"]
    assert 5000 in await page.evaluate("waits")
    server.refused.clear()
    await server.until(lambda: server.sockets)
    await server.update("1.02")
    await price_is(page, "1.02")


async def test_reason_for_a_refusal_is_learned_by_asking_in_the_end(server, page):
    server.refused |= {"feed": 404, "stream": 404, "quotes": 404}
    await opened(server, page)
    await state_is(page, "closed")
    await heard(page, "error", "unknown_asset")
    assert server.count("quotes") == 1


async def test_what_a_proxy_says_while_the_service_is_away_is_waited_out(server, page):
    await live(server, page)
    server.refused |= {"feed": 404, "stream": 404, "quotes": 404}
    server.refusal = "<h1>no such backend</h1>"
    await server.sockets[0].close(code=4201)
    await server.until(lambda: server.count("quotes") > 1)
    server.quotes["talus"], server.seq = quote("1.05", 105), 105
    server.refused.clear()
    await price_is(page, "1.05")
    await state_is(page, "live")


async def test_polling_waits_as_long_as_retry_after_says(server, page):
    server.refused |= {"feed": 429, "stream": 429, "quotes": 429}
    server.retry_after = "17"
    await opened(server, page)
    await server.until(lambda: server.count("quotes") > 1)
    assert any(16_000 < wait <= 17_000 for wait in await page.evaluate("waits"))


async def test_server_gone_and_back_is_resumed(server, page):
    await live(server, page)
    await server.stop()
    await page.evaluate("() => { skip += 3500; }")
    await state_is(page, "stale")
    assert await page.evaluate("feed.quotes.get('talus').price") == "1.00"
    server.quotes["talus"], server.seq = quote("1.05", 105), 105
    await server.start()
    await price_is(page, "1.05")
    await state_is(page, "live")
    # Whichever way it came back on, it is on a websocket in the end.
    await server.until(lambda: server.sockets)
    assert server.asked[1][1]["since"] == "k3f9:100"


async def test_two_feeds_of_a_page_share_one_connection(server, page):
    await live(server, page)
    await page.evaluate("""async () => { const { connect } = await import("/feed.js");
      window.other = connect({ assets: ["talus", "pepe"] });
      window.euros = connect({ assets: ["talus"], currency: "eur" });
      other.on("quote", (quote) => prices.push(quote.asset)); }""")
    await page.wait_for_function("prices.length === 2 && euros.state === 'live'")
    assert [query.get("currency") for _, query in server.asked] == [None, "eur"]
    assert server.commands == [{"op": "subscribe", "assets": ["pepe"]}]
    await page.evaluate("() => { euros.close(); feed.close(); }")
    await server.until(lambda: len(server.sockets) == 1)
    await server.update("1.01")
    await page.wait_for_function("other.quotes.get('talus').price === '1.01'")
    assert await page.evaluate("feed.quotes.get('talus').price") == "1.00"
    await page.evaluate("other.close()")
    await server.until(lambda: not server.sockets)


async def test_two_tabs_have_a_connection_each(server, page, browser):
    other = await browser.new_page()
    await live(server, page)
    await live(server, other)
    assert len(server.sockets) == 2
    await other.close()
    await server.until(lambda: len(server.sockets) == 1)
    await server.update("1.01")
    await price_is(page, "1.01")


async def test_page_that_was_frozen_out_of_sight_catches_up(server, page):
    await live(server, page)
    session = await page.context.new_cdp_session(page)
    await session.send("Page.setWebLifecycleState", {"state": "frozen"})
    for number in range(20):
        await server.update(f"3.{number:02}")
    await server.sockets[0].close(code=4201)
    server.quotes["talus"], server.seq = quote("4", 130), 130
    await session.send("Page.setWebLifecycleState", {"state": "active"})
    await price_is(page, "4")
    await state_is(page, "live")
    assert server.asked[-1][1]["since"].startswith("k3f9:1")
