"""/feed.js: each rule of the feed's document, against a scripted server."""

from __future__ import annotations

import pytest

from tests.browser.scripted import NOW, backoffs, heard, live, opened, price_is, quote, state_is

pytestmark = pytest.mark.browser


async def test_quotes_come_by_listener_by_iteration_and_as_a_map(server, page):
    await live(server, page)
    await page.evaluate("() => { (async () => { for await (const quote of feed) prices.push(quote); })(); }")
    await page.wait_for_function("prices.length === 1")
    await server.update("1.01")
    await page.wait_for_function("prices.length === 2")
    assert await page.evaluate("prices.map((quote) => [quote.asset, quote.price])") == [
        ["talus", "1.00"],
        ["talus", "1.01"],
    ]
    assert await page.evaluate("seen") == [["quote", "1.00"], ["state", "live"], ["quote", "1.01"]]
    assert await page.evaluate("feed.quotes.get('talus').price") == "1.01"


async def test_terms_are_in_the_address_and_the_server_is_where_the_module_came_from(server, page):
    terms = {"currency": "eur", "interval": 250, "fields": ["price", "state"], "deadband": 0.1, "key": "a&b"}
    await live(server, page, assets="talus,pepe", **terms)
    fields = {"currency": "eur", "interval": "250", "fields": "price,state", "deadband": "0.1", "key": "a&b"}
    assert server.asked == [("feed", {"assets": "talus,pepe"} | fields)]


async def test_address_that_is_none_is_refused_at_once(server, page):
    await page.goto(f"{server.url}/page")
    said = await page.evaluate("""async () => { const { connect } = await import("/feed.js");
      const tried = (url) => { try { connect(url); } catch (error) { return error.name; } };
      return ["nothing", "ftp://host"].map(tried); }""")
    assert said == ["TypeError", "TypeError"]


async def test_assets_are_added_and_taken_away(server, page):
    await live(server, page)
    await page.evaluate("feed.subscribe(['pepe', 'talus'])")
    await price_is(page, "7", "pepe")
    await page.evaluate("feed.unsubscribe('talus')")
    await server.until(lambda: len(server.commands) == 2)
    assert server.commands == [
        {"op": "subscribe", "assets": ["pepe"]},
        {"op": "unsubscribe", "assets": ["talus"]},
    ]
    assert await page.evaluate("[...feed.quotes.keys()]") == ["pepe"]
    assert len(server.asked) == 1


async def test_asset_that_the_server_rejects_is_an_error_and_no_end(server, page):
    await live(server, page)
    await page.evaluate("feed.subscribe('nope')")
    await heard(page, "error", "unknown_asset")
    await server.update("1.01")
    await price_is(page, "1.01")


async def test_every_asset_and_its_resume(server, page):
    await live(server, page, assets="*")
    await price_is(page, "7", "pepe")
    await server.sockets[0].close()
    await server.until(lambda: len(server.asked) == 2)
    assert server.asked[1][1] == {"assets": "*", "since": "k3f9:100"}
    await server.until(lambda: server.sockets)
    await server.update("2", asset="newest")
    await price_is(page, "2", "newest")


async def test_slow_reader_gets_only_the_newest_of_each_asset(server, page):
    await live(server, page, assets=["talus", "pepe"])
    await page.evaluate("""() => { (async () => { for await (const quote of feed) {
      prices.push(quote.price); await new Promise((go) => (window.go = go)); } })(); }""")
    await page.wait_for_function("prices.length === 1")
    for number in range(50):
        await server.update(f"2.{number:02}")
    await server.update("8", asset="pepe")
    await price_is(page, "8", "pepe")
    for length in (2, 3):
        await page.evaluate("go()")
        await page.wait_for_function("(length) => prices.length === length", arg=length)
    assert sorted(await page.evaluate("prices")) == ["1.00", "2.49", "8"]


async def test_iteration_ends_when_the_feed_is_closed(server, page):
    await live(server, page)
    await page.evaluate("() => { (async () => { for await (const _ of feed); window.over = true; })(); }")
    await page.evaluate("() => { feed.close(); feed.close(); }")
    await page.wait_for_function("window.over")
    await server.until(lambda: not server.sockets)
    assert await page.evaluate("[feed.state, seen.at(-1)]") == ["closed", ["state", "closed"]]
    assert len(server.asked) == 1


async def test_listener_that_throws_stops_nobody(server, page):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await live(server, page)
    await page.evaluate("""() => { feed.on("quote", () => { throw new Error("theirs"); });
      feed.on("quote", (quote) => prices.push(quote.price)); }""")
    await server.update("1.01")
    await page.wait_for_function("prices.includes('1.01')")
    assert errors == ["theirs"]


async def test_listener_can_be_taken_away(server, page):
    await live(server, page)
    await page.evaluate("() => { window.off = feed.on('quote', (q) => prices.push(q.price)); }")
    await server.update("1.01")
    await page.wait_for_function("prices.length === 1")
    await page.evaluate("off()")
    await server.update("1.02")
    await price_is(page, "1.02")
    assert await page.evaluate("prices") == ["1.01"]


async def test_server_that_is_busy_is_asked_ever_more_slowly(server, page):
    server.closing = 4101
    await opened(server, page)
    await server.until(lambda: len(server.asked) >= 8)
    assert (await backoffs(page))[:7] == [100, 200, 400, 800, 1600, 3000, 3000]
    assert {way for way, _ in server.asked} == {"feed"}
    assert all(query["since"] == "k3f9:100" for _, query in server.asked[1:])


async def test_server_that_says_come_back_is_asked_soon_each_time(server, page):
    server.closing = 4202
    await opened(server, page)
    await server.until(lambda: len(server.asked) >= 5)
    assert set(await backoffs(page)) == {100}
    assert server.asked[4][1]["since"] == "k3f9:100"


async def test_long_life_is_no_reason_to_wait_longer(server, page):
    server.closing = 4101
    await opened(server, page)
    await server.until(lambda: len(server.asked) >= 3)
    server.closing = None
    await server.until(lambda: server.sockets)
    asked = len(server.asked)
    before = len(await backoffs(page))
    await page.evaluate("() => { skip += 29000; }")
    await server.send("heartbeat", seq=100)
    await page.evaluate("() => { skip += 2000; }")
    await server.sockets[0].close()
    await server.until(lambda: server.sockets and len(server.asked) > asked)
    assert (await backoffs(page))[before:] == [100]


async def test_goodbye_is_obeyed_from_its_own_moment_and_the_old_connection_used_until_it_closes(
    server, page
):
    await live(server, page)
    await server.send("goodbye", reason="drain", reconnect_in_ms=7310, resume="k3f9:100")
    await page.wait_for_function("seen.some(([name]) => name === 'goodbye')")
    await server.update("1.01")
    await price_is(page, "1.01")
    assert len(server.asked) == 1
    await page.evaluate("() => { skip += 5000; waits.length = 0; }")
    await server.sockets[0].close(code=4200)
    await server.until(lambda: len(server.asked) == 2)
    [wait] = [wait for wait in await page.evaluate("waits") if wait > 1000]
    assert wait <= 2310
    assert server.asked[1][1]["since"] == "k3f9:101"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (4000, "bad_request"),
        (4001, "unauthorized"),
        (4003, "forbidden"),
        (4004, "quota"),
        (4005, "unsupported_version"),
    ],
)
async def test_refusal_for_good_is_an_error_and_the_end_until_something_else_is_asked(
    server, page, code, name
):
    await live(server, page)
    await page.evaluate("""() => { (async () => { for await (const _ of feed); })()
      .catch((error) => (window.thrown = [error.name, error.code])); }""")
    await server.sockets[0].close(code=code)
    await state_is(page, "closed")
    await heard(page, "error", name)
    await page.wait_for_function("window.thrown")
    assert await page.evaluate("thrown") == ["FeedError", name]
    assert await backoffs(page) == []
    assert len(server.asked) == 1
    await page.evaluate("feed.subscribe('pepe')")
    await state_is(page, "live")
    assert len(server.asked) == 2


async def test_gap_is_resynced_on_the_same_connection(server, page):
    await live(server, page, assets=["talus", "pepe"])
    server.quotes["pepe"] = quote("9", 103)
    server.seq = 103
    await server.update("1.01", prev=103)
    await price_is(page, "9", "pepe")
    assert server.commands == [{"op": "resync"}]
    await server.update("1.02")
    await price_is(page, "1.02")
    assert (len(server.asked), len(server.commands)) == (1, 1)


async def test_frame_that_is_not_newer_is_dropped(server, page):
    await live(server, page)
    await server.update("1.01")
    for seq in (101, 100):
        await server.send("update", seq=seq, prev=90, quotes={"talus": quote("0.50", seq)})
    await server.update("1.02")
    await price_is(page, "1.02")
    assert [event for event in await page.evaluate("seen") if event[0] == "quote"] == [
        ["quote", "1.00"],
        ["quote", "1.01"],
        ["quote", "1.02"],
    ]


async def test_quote_told_again_unchanged_is_not_told_again(server, page):
    await live(server, page)
    await server.send("snapshot", epoch="k3f9", seq=100, recovered=False, quotes=server.quotes)
    await server.update("1.01")
    await price_is(page, "1.01")
    assert [event[1] for event in await page.evaluate("seen") if event[0] == "quote"] == ["1.00", "1.01"]


async def test_new_epoch_with_lower_numbers_is_believed(server, page):
    await live(server, page)
    server.epoch, server.seq, server.quotes["talus"] = "next", 3, quote("5", 3)
    await server.sockets[0].close()
    await price_is(page, "5")
    await server.update("6")
    await price_is(page, "6")


async def test_silence_of_two_heartbeats_is_stale_and_the_connection_is_renewed(server, page):
    await live(server, page)
    await page.evaluate("() => { skip += 29000; }")
    assert await page.evaluate("feed.state") == "live"
    await page.evaluate("() => { skip += 1500; }")
    await server.until(lambda: len(server.asked) == 2)
    await state_is(page, "live")
    assert ["state", "stale"] in await page.evaluate("seen")
    assert server.asked[1][1]["since"] == "k3f9:100"


async def test_heartbeats_keep_it_live_and_the_servers_clock_is_known(server, page):
    await live(server, page)
    for _ in range(4):
        await page.evaluate("() => { skip += 20000; }")
        await server.send("heartbeat", seq=100)
        await server.send("status", sources={"mexc": "failing"})
        await page.wait_for_function("seen.length > 2 && !!seen.pop()")
    assert len(server.asked) == 1
    assert 0 <= await page.evaluate("feed.now()") - NOW < 60_000


async def test_refused_command_is_tried_again_when_told(server, page):
    await live(server, page)
    await server.send("error", code="rate_limited", message="slow down", retry_after_ms=4200)
    await server.until(lambda: server.commands)
    assert 4200 in await page.evaluate("waits")
    assert server.commands == [{"op": "subscribe", "assets": ["talus"]}]
    await heard(page, "error", "rate_limited")
