"""Layout shift is 0.000 in every kind and form: on load, and over as many updates as come in a minute.

Shifts are reported by frame, so each frame counts its own and the page around counts, too.
"""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.browser.conftest import Site
from tests.browser.every import FORMS, hosted, pasted
from ticker.model import State
from widgets.kinds import KINDS

pytestmark = pytest.mark.browser

# What moved is found by its place, since what is in a shadow tree isn't told.
COUNT = """window.shifts = []; new PerformanceObserver((list) => {
  const at = ({ x, y, width, height }) => {
    let [found, root] = [null, document];
    while (root && root !== found?.getRootNode()) {
      found = root.elementFromPoint(x + width / 2, y + height / 2);
      root = found?.shadowRoot;
    }
    return [found?.closest(".pt")?.dataset.kind, found?.outerHTML.slice(0, 200)].join(" ");
  };
  const rect = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(" ");
  for (const { value, sources } of list.getEntries()) shifts.push([value, ...sources.map(
    ({ previousRect, currentRect }) => `${rect(previousRect)} > ${rect(currentRect)} ${at(currentRect)}`)]);
}).observe({ type: "layout-shift", buffered: true });"""
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
STATES = (State.LIVE, State.LIVE, State.LIVE, State.DELAYED, State.STALE)


async def shifts(page: Page) -> list[Any]:
    """In the page and in each frame, once all is drawn."""
    seen: list[Any] = []
    for frame in page.frames:
        await frame.evaluate(DRAWN)
        seen += await frame.evaluate("shifts")
    return seen


async def minute(site: Site, page: Page, price: Decimal) -> None:
    """Forty updates, each drawn: a price that wanders, and changes of every length, sign and state."""
    for at in range(40):
        price, step = moved(price, at), price / 100
        change = None if at % 8 == 7 else f"{(at % 5 - 2) * 10 ** (at % 2)}.{at:02}"
        said = {"as_of": site.clock.now() - 1000 * at, "high_24h": price + step, "low_24h": price - step}
        state = State.LIVE if at == 39 else STATES[at % 5]
        await site.publish("bitcoin", price=f"{price:f}", change=change, state=state, **said)
        await asyncio.gather(*(frame.evaluate(DRAWN) for frame in page.frames))


def moved(price: Decimal, at: int) -> Decimal:
    """A few in a thousand away; each third is round, and is written with fewer digits if it's a small one."""
    by = price * (at * 317 % 11 - 5) / 1000
    return (price + by).quantize(Decimal(1 if at % 3 == 0 else "0.1" if at % 3 == 1 else "0.0001"))


@pytest.mark.parametrize("price", ["73000", "34.5678"])
@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("form", FORMS)
async def test_nothing_moves_on_load_and_over_updates(
    stage: Site, browser: Browser, form: str, width: int, price: str
) -> None:
    for asset in ("bitcoin", "talus", "pepe"):
        stage.board.set(asset, price=price)
    stage.past.bitcoin = int(Decimal(price))  # a chart that is renewed meanwhile has the same past
    # What is off screen sleeps, and would not move.
    page = await browser.new_page(viewport={"width": width, "height": 3000})
    await page.add_init_script(COUNT)
    await page.goto(hosted(stage, "shift", *(pasted(stage, form, kind) for kind in KINDS)))  # type: ignore[arg-type]
    if form != "image":
        await stage.until(lambda: stage.sockets)
        await minute(stage, page, Decimal(price))
        for frame in page.frames[1:] or page.frames:
            for root in await frame.locator('[data-price-ticker="bitcoin"]').all():
                await root.locator("xpath=self::*[@data-state='live']").wait_for(state="attached")
    seen = await shifts(page)
    # A dot beside a price that loses digits goes with it: 0.00001 or so.
    assert sum(value for value, *_ in seen) < 0.0005, "\n".join(map(str, seen))
    await page.close()
