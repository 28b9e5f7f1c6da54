"""docs/feed-client.md is executed: its page in Chromium, its programs in Node, against the real service."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.boards import weight
from ticker.app import running
from ticker.client import connect
from ticker.clock import SystemClock
from ticker.config import load
from ticker.market import Market, serving
from ticker.sources import VENUES
from widgets.embed import embed, feed_client, feed_types

pytestmark = pytest.mark.browser

TEXT = (Path(__file__).parents[2] / "docs/feed-client.md").read_text("utf-8")
# Node 20 has a websocket, too, but only on demand. This is also what stands in for the `ws` package.
FLAG = "--experimental-websocket"
STAND_IN = "export default globalThis.WebSocket;"

BOTH = """async () => {
  const { connect } = await import("/feed.js"), feed = connect({ assets: ["talus", "bitcoin"] });
  for await (const _ of feed) if (feed.quotes.size === 2) break;
  feed.close();
  return feed.quotes.size;
}"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest_asyncio.fixture(loop_scope="session")
async def url() -> AsyncIterator[str]:
    """The service on the embedded market, once it has a price of each."""
    clock = SystemClock()
    async with serving(Market(seed=7, clock=clock)) as market:
        flags = {"server.listen": "127.0.0.1:0", "history.path": "", "currency.rates.source": "off"}
        flags |= {f"sources.{venue}.base_url": f"{market}/{venue}" for venue in VENUES}
        flags |= {f"sources.{venue}.interval": "0.5" for venue in ("binance", "mexc")}
        async with running(load(None, {}, flags), clock=clock, rng=random.Random(1)) as service:
            async with connect(service.url, ["talus", "bitcoin"]) as feed, asyncio.timeout(30):
                async for _ in feed:
                    if all(quote.price for quote in feed.quotes.values()) and len(feed.quotes) == 2:
                        break
            yield service.url


async def test_documented_page_shows_the_price(url, page):
    [text] = blocks("html")
    await page.set_content(text.replace("https://prices.example.com", url), wait_until="commit")
    await page.wait_for_function("/^0\\.\\d+ USD \\(live\\)$/.test(document.querySelector('output').value)")


async def test_feed_runs_through_the_real_service(url, page):
    await page.goto(f"{url}/favicon.svg")
    states = await page.evaluate("""async () => {
      const { connect } = await import("/feed.js"), states = [];
      const feed = connect({ assets: "bitcoin", interval: 250 });
      feed.on("state", (state) => states.push(state));
      feed.subscribe("talus");
      const seen = new Map();
      for await (const quote of feed) {
        seen.set(quote.asset, (seen.get(quote.asset) ?? 0) + 1);
        if (seen.get("talus") > 1 && seen.get("bitcoin") > 1) break;
      }
      feed.close();
      return states;
    }""")
    assert states == ["live", "closed"]


async def test_streams_and_polling_run_through_the_real_service(url, page):
    """The browser's websockets are cut; then it has no EventSource either."""
    await page.route_web_socket("**/v1/feed*", lambda socket: socket.close())
    for way, without in (("stream", ""), ("quotes", "delete globalThis.EventSource;")):
        async with page.expect_response(lambda answer, way=way: f"/v1/{way}?" in answer.url):
            await page.goto(f"{url}/favicon.svg")
            assert await page.evaluate(f"{without} ({BOTH})()") == 2


@pytest.mark.parametrize("program", blocks("js"), ids=["node22", "ws"])
async def test_documented_program_prints_prices_and_ends(url, program, tmp_path):
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    (tmp_path / "feed.mjs").write_bytes(feed_client().body)
    (tmp_path / "program.mjs").write_text(program.replace("https://prices.example.com", url))
    package = tmp_path / "node_modules/ws"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name":"ws","type":"module","exports":"./index.js"}')
    (package / "index.js").write_text(STAND_IN)
    command = [node, FLAG, "--no-warnings", str(tmp_path / "program.mjs")]
    started = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(30):
        said, _ = await started.communicate()
    lines = [line.split() for line in said.decode().splitlines()]
    assert started.returncode == 0
    assert {line[0] for line in lines} <= {"talus", "bitcoin"}
    assert all(float(line[1]) > 0 for line in lines)
    assert lines


def test_sizes_are_as_told_and_the_widgets_script_has_not_grown():
    [told] = re.findall(r"about (\d\.\d) KB \(brotli\)", TEXT)
    assert weight(feed_client().body) <= float(told) * 1000
    assert weight(embed().body) <= 7 * 1024


async def test_module_and_types_are_served_to_any_page(site, page):
    for path, kind in (("feed.js", "text/javascript"), ("feed.d.ts", "text/plain")):
        answer = await page.request.get(f"{site.url}/{path}")
        assert (answer.status, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        assert answer.headers["access-control-allow-origin"] == "*"
        tag = {"If-None-Match": answer.headers["etag"]}
        assert (await page.request.get(f"{site.url}/{path}", headers=tag)).status == 304


def test_documented_members_and_options_are_those_of_the_types():
    types = feed_types()
    for table, interface in (("option", "Options"), ("event", "Events")):
        [rows] = re.findall(rf"\| {table} \|.*?\n\n", TEXT, re.DOTALL)
        [body] = re.findall(rf"interface {interface} \{{(.*?)\n\}}", types, re.DOTALL)
        assert set(re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)) == set(
            re.findall(r"^  (\w+)\??:", body, re.MULTILINE)
        )
