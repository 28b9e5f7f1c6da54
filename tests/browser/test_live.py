"""Live: over the feed, through silence, gaps, refusals and restarts."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

PRICE = '[data-f="price"]'
STATUS = '[data-f="status"]'
STATES_SEEN = """() => {
  const root = document.querySelector(".pt"), seen = [root.dataset.state];
  new MutationObserver(() => seen.push(root.dataset.state)).observe(root, { attributes: true });
  return seen;
}"""


async def open_box(site, page, asset="talus"):
    await page.goto(f"{site.url}/widgets/quote?asset={asset}")
    await site.until(lambda: site.sockets)


async def state_is(page, state):
    await page.locator(f'.pt[data-state="{state}"]').wait_for()


async def test_update_changes_price_change_time_and_state(site, page):
    await open_box(site, page)
    await site.publish("talus", price="0.0000012345", change="-0.7", as_of=1_790_000_000_123, demo=True)
    await page.locator(PRICE, has_text="$0.000001235").wait_for()
    assert await page.locator(f"{PRICE} sub").inner_text() == "5"
    assert await page.locator(".chg").inner_text() == "▼\n−0.70%"
    assert await page.locator('.chg [role="img"]').get_attribute("aria-label") == "down"
    assert await page.locator("time").get_attribute("datetime") == "2026-09-21T14:13:20Z"
    assert await page.locator(".demo").is_visible()


async def test_currency_and_assumed_peg_follow_the_quote(site, page):
    await open_box(site, page)
    await site.publish("talus", price="0.5", currency="USDT")
    await page.locator('[data-f="currency"]', has_text="USDT").wait_for()
    assert await page.locator(PRICE).inner_text() == "0.5000"
    await site.publish("talus", price="0.5", currency="USD", assumed=True)
    starred = page.locator('[data-f="currency"]', has_text="USD*")
    await starred.wait_for()
    assert await starred.get_attribute("title") == "assumes 1 USDT = 1 USD"


async def test_price_that_becomes_unknown_is_a_dash_and_comes_back(site, page):
    await open_box(site, page)
    await site.send("update", prev=0, quotes=[site.board.lose("talus")])
    await state_is(page, "unavailable")
    assert "—" in await page.locator(PRICE).inner_text()
    text = await page.locator("body").inner_text()
    assert "NaN" not in text
    assert "undefined" not in text
    assert "null" not in text
    await site.publish("talus", price="0.02", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$0.02000").wait_for()
    await state_is(page, "live")


async def test_stopped_service_leaves_the_price_with_its_age_and_it_comes_back(site, page):
    await open_box(site, page)
    await site.stop()
    await state_is(page, "stale")
    first = await page.locator(STATUS).inner_text()
    assert first.endswith("old")
    await page.wait_for_function(
        "was => document.querySelector('[data-f=status]').innerText !== was", arg=first
    )
    assert await page.locator(PRICE).inner_text() == "$0.01021"
    await site.start()
    # It may have come to the other ways by now, which are not to be had here, and goes through them all.
    await site.until(lambda: site.sockets, seconds=60)
    await state_is(page, "live")
    assert len(site.handshakes) >= 2
    assert f"since=k3f9:{site.board.seq}" in site.handshakes[-1]


async def test_restarted_book_with_lower_numbers_is_believed(site, page):
    await open_box(site, page)
    await site.stop()
    site.board.epoch, site.board.seq = "next", 3
    site.board.set("talus", price="0.02", as_of=site.clock.now())
    await site.start()
    await page.locator(PRICE, has_text="$0.02000").wait_for()


async def test_document_whose_feed_never_answers_says_that_it_is_old(site, page):
    await page.add_init_script("delete globalThis.SharedWorker")  # a worker's sockets can't be routed
    await page.route_web_socket("**/v1/feed*", lambda socket: socket.close())
    await page.goto(f"{site.url}/widgets/quote?asset=talus")
    await state_is(page, "stale")
    assert await page.locator(PRICE).inner_text() == "$0.01021"


async def test_silence_of_two_heartbeats_is_stale_and_the_connection_is_renewed(site, page):
    site.heartbeat_ms = 1700
    await open_box(site, page)
    states = await page.evaluate_handle(STATES_SEEN)
    await site.until(lambda: len(site.handshakes) > 1)
    await state_is(page, "live")
    assert "stale" in await states.json_value()


async def test_heartbeats_keep_an_unchanged_price_live(site, page):
    site.heartbeat_ms = 700
    await open_box(site, page)
    states = await page.evaluate_handle(STATES_SEEN)
    for _ in range(8):
        await site.send("heartbeat")
        await page.wait_for_timeout(400)  # the passing of real time is what is tested
    assert set(await states.json_value()) == {"live"}
    assert len(site.handshakes) == 1


async def test_gap_is_noticed_and_resynced(site, page):
    await open_box(site, page)
    missed = site.board.set("talus", price="0.03", as_of=site.clock.now())
    before = missed.seq
    site.board.set("bitcoin", price="70000", as_of=site.clock.now())
    await site.send("update", prev=before, quotes=[])
    await page.locator(PRICE, has_text="$0.03000").wait_for()
    assert site.commands == [{"op": "resync"}]
    assert len(site.handshakes) == 1


async def test_older_value_never_replaces_a_newer(site, page):
    await open_box(site, page)
    old = site.board.set("talus", price="0.04", as_of=site.clock.now())
    new = site.board.set("talus", price="0.05", as_of=site.clock.now())
    await site.send("update", prev=0, quotes=[new])
    await site.send("update", prev=0, quotes=[old])
    marker = site.board.set("talus", price="0.05", change="9", as_of=site.clock.now())
    seen = await page.evaluate_handle("""() => {
      const seen = [], price = document.querySelector("[data-f=price]");
      new MutationObserver(() => seen.push(price.innerText))
        .observe(price, { childList: true, characterData: true, subtree: true });
      return seen;
    }""")
    await site.send("update", prev=0, quotes=[marker])
    await page.locator(".chg", has_text="+9.00%").wait_for()
    assert "$0.04000" not in await seen.json_value()
    assert await page.locator(PRICE).inner_text() == "$0.05000"


async def test_goodbye_is_answered_by_coming_back_as_told(site, page):
    await open_box(site, page)
    await site.send("goodbye", reason="drain", reconnect_in_ms=10)
    await site.publish("talus", price="0.03", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$0.03000").wait_for()
    assert len(site.handshakes) == 1  # the old connection is good until it closes
    [socket] = site.sockets
    await socket.close(code=4200)
    await site.until(lambda: len(site.handshakes) == 2)
    assert f"since=k3f9:{site.board.seq}" in site.handshakes[-1]


async def test_refusal_for_good_is_not_asked_again(site, page):
    await open_box(site, page)
    [socket] = site.sockets
    await socket.close(code=4003)
    await state_is(page, "stale")
    assert len(site.handshakes) == 1


async def test_reader_who_wants_stillness_gets_no_animation(site, page):
    await page.emulate_media(reduced_motion="reduce")
    await open_box(site, page)
    await site.publish("talus", price="0.02", as_of=site.clock.now())
    await site.publish("talus", price="0.03", as_of=site.clock.now())
    await page.locator(PRICE, has_text="$0.03000").wait_for()
    assert await page.evaluate("document.getAnimations().length") == 0
