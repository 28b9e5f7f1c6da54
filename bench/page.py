"""How long widgets keep a page busy: a browser's long tasks at a quarter of its speed, beside an empty page.

`python -m bench.page`, with nothing else running. Each page is opened anew on `ticker demo`, whose prices
move, and looked at for some seconds. Blocking is what its tasks took beyond 50 ms, in all (Long Tasks API);
a frame is of another site than its page, and blocks a process of its own, which is not slowed.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle, islice
from statistics import median
from typing import NamedTuple, cast

from aiohttp import web
from playwright.async_api import Browser, async_playwright

from widgets.kinds import KINDS, Size
from widgets.params import read

CHROMIUM = "/usr/bin/chromium"
THROTTLE, SECONDS, ROUNDS = 4, 8, 5
HEAD = '<!doctype html><title>Page</title><link rel="icon" href="data:,">'
WATCH = """window.tasks = []; window.shift = 0;
new PerformanceObserver((list) => { for (const task of list.getEntries()) tasks.push(task.duration); })
  .observe({ type: "longtask", buffered: true });
new PerformanceObserver((list) => { for (const one of list.getEntries()) shift += one.value; })
  .observe({ type: "layout-shift", buffered: true });"""
SEEN = "[tasks.reduce((sum, task) => sum + task - 50, 0), Math.max(0, ...tasks), shift]"


class Seen(NamedTuple):
    """Milliseconds: of the page itself, and of the worst of its frames; and layout shift."""

    blocking: float
    longest: float
    framed: float
    shift: float


def reserved(kind: str) -> Size:
    """As each snippet reserves it."""
    return KINDS[kind].size(read({"asset": "bitcoin", "rows": "5"}, KINDS[kind].options))


def pages(url: str) -> dict[str, str]:
    script = f'<script type="module" src="{url}/embed.js"></script>'

    def ticker(kind: str) -> str:
        size = reserved(kind)
        style = f"display:block;width:{size.width}px;height:{size.height}px"
        return f'<price-ticker kind="{kind}" asset="bitcoin" rows="5" style="{style}"></price-ticker>'

    def frame(kind: str) -> str:
        size, source = reserved(kind), f"{url}/widgets/{kind}?asset=bitcoin&rows=5"
        style = f"display:block;width:{size.width}px;height:{size.height}px"
        return f'<iframe src="{source}" loading="lazy" style="{style}"></iframe>'

    kinds = list(islice(cycle(KINDS), 20))
    made = {"an empty page": "", "one quote": script + ticker("quote")}
    made |= {f"one {kind}": script + ticker(kind) for kind in KINDS if kind != "quote"}
    made["twenty quotes"] = script + ticker("quote") * 20
    made["twenty of all kinds"] = script + "".join(map(ticker, kinds))
    made["twenty frames of all kinds"] = "".join(map(frame, kinds))
    return made


async def looked_at(browser: Browser, address: str) -> Seen:
    context = await browser.new_context(viewport={"width": 1000, "height": 1600})
    page = await context.new_page()
    await page.add_init_script(WATCH)
    session = await context.new_cdp_session(page)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
    await page.goto(address)
    await asyncio.sleep(SECONDS)
    for ticker in await page.locator("price-ticker").all():
        await ticker.locator("[data-price-ticker]").first.wait_for(state="attached")
    seen = [cast("list[float]", await frame.evaluate(SEEN)) for frame in page.frames]
    await context.close()
    blocking, longest, shift = zip(*seen, strict=True)
    # Frames of one origin share a thread, not the page's, and each of them is told of its long tasks.
    return Seen(blocking[0], longest[0], max(blocking[1:], default=0), sum(shift))


@asynccontextmanager
async def demo() -> AsyncIterator[str]:
    """The address of a service on made-up prices, until the block ends."""
    command = (sys.executable, "-m", "ticker", "demo", "--listen", "127.0.0.1:0")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    assert process.stdout is not None
    said = b""
    while not (found := re.search(rb"http://127\.0\.0\.1:\d+", said)):
        said = await process.stdout.readline()
        assert said, "the service did not start"
    rest = asyncio.ensure_future(process.stdout.read())
    yield found[0].decode()
    process.terminate()
    await process.wait()
    await rest


@asynccontextmanager
async def hosted(bodies: dict[str, str]) -> AsyncIterator[dict[str, str]]:
    """The addresses of pages with these bodies, on another site than the service's."""
    names = list(bodies)

    async def page(request: web.Request) -> web.Response:
        body = bodies[names[int(request.match_info["at"])]]
        return web.Response(text=f"{HEAD}{body}", content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/{at}", page)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield {name: f"http://localhost:{runner.addresses[0][1]}/{at}" for at, name in enumerate(names)}
    await runner.cleanup()


async def measured() -> None:
    async with demo() as url, hosted(pages(url)) as shown, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        rounds = [{name: await looked_at(browser, shown[name]) for name in shown} for _ in range(ROUNDS)]
        await browser.close()
    print(f"{'':28}{'blocking, ms':>14}{'longest task, ms':>18}{'in frames, ms':>15}{'layout shift':>14}")
    for name in shown:
        columns = zip(*(one[name] for one in rounds), strict=True)
        blocking, longest, framed, shift = (median(column) for column in columns)
        print(f"{name:28}{blocking:14.0f}{longest:18.0f}{framed:15.0f}{shift:14.4f}")


def main() -> None:
    asyncio.run(measured())


if __name__ == "__main__":
    main()
