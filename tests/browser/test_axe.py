"""Accessibility: axe finds nothing in any kind, neither in a page's shadow roots nor in frames.

Our own pages are looked at where they are tested."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page

from tests.browser.conftest import Site
from tests.browser.every import hosted, pasted
from ticker.model import State
from widgets.kinds import KINDS

pytestmark = pytest.mark.browser

AXE = AXE_FILE_PATH.read_text("utf-8")
# Without this axe passes by frames of another origin, and says nothing of it; so it does by slow ones.
CONFIGURE = "axe.configure({ allowedOrigins: ['<unsafe_all_origins>'] })"
RUN = """async () => {
  const { violations, passes } = await axe.run(document, { pingWaitTime: 20000 });
  const frames = new Set(passes.flatMap(({ nodes }) => nodes.filter(({ target }) => target[1])
    .map(({ target }) => `${target[0]}`)));
  return [frames.size, violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, failureSummary }) =>
    [id, target.join(" "), html.slice(0, 300), failureSummary].join("\\n")))];
}"""


async def found(page: Page) -> Any:
    """How many frames axe looked into, and what it found wrong."""
    for frame in page.frames:
        await frame.evaluate(AXE)
        await frame.evaluate(CONFIGURE)
    return await page.evaluate(RUN)


@pytest.mark.parametrize(
    ("theme", "locale", "motion"),
    [("light", "en", "no-preference"), ("dark", "en", "reduce"), ("light", "ar", "reduce")],
)
async def test_axe_finds_nothing_in_any_kind(
    stage: Site, browser: Browser, theme: str, locale: str, motion: Any
) -> None:
    stage.board.set("talus", state=State.LIVE)
    stage.board.set("pepe", state=State.STALE, assumed=True, demo=True)
    said = {"theme": theme, "locale": locale}
    elements = [
        pasted(stage, "element", kind, asset, **said)
        for kind in KINDS
        for asset in ("talus", "pepe", "quiet")
    ]
    frames = [pasted(stage, "iframe", kind, "pepe", **said) for kind in KINDS]
    pictures = [pasted(stage, "image", kind, "talus", **said) for kind in KINDS]
    context = await browser.new_context(viewport={"width": 900, "height": 9000}, reduced_motion=motion)
    page = await context.new_page()
    await page.goto(hosted(stage, "axe", *elements, *frames, *pictures))
    for ticker in await page.locator("price-ticker").all():
        await ticker.locator(".box:not(.msg)").wait_for(state="attached")
    assert await found(page) == [len(KINDS), []]
    await context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_axe_finds_nothing_in_what_can_not_be_shown(stage: Site, browser: Browser, theme: str) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    nope = "asset=nope&assets=nope"
    wrong = "".join(
        f'<price-ticker kind="{kind}" asset="nope" assets="nope" theme="{theme}"></price-ticker>'
        f'<iframe title="{kind}" src="{stage.url}/widgets/{kind}?{nope}&theme={theme}"></iframe>'
        for kind in KINDS
    )
    await page.goto(
        hosted(stage, "wrong", f'<script type="module" src="{stage.url}/embed.js"></script>', wrong)
    )
    for ticker in await page.locator("price-ticker").all():
        await ticker.get_by_text("nope").wait_for()
    assert (await found(page))[1] == []
    await context.close()
