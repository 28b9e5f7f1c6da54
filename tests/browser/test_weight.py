"""What a reader's browser asks for, by the browser's own log of the net: workers, frames and icons are in it.

Two requests before a widget is live, and nobody's host but the service's.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import async_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, Site
from tests.browser.every import FORMS, hosted, pasted
from widgets.kinds import KINDS

pytestmark = pytest.mark.browser

# What our pages load beside themselves, up to the feed: scripts, the builder's frame, the gallery's widgets.
PAGES = {"/": 2, "/assets/bitcoin": 3, "/builder": 3, "/gallery": 14, "/assets/nope": 2}
HERE = re.compile(r"(http|ws)://(localhost|127\.0\.0\.1):")
OUR_SITES = ("http://localhost", "http://127.0.0.1")


def asked(log: Path) -> list[str]:
    """What went out for a page of ours, in that order. What the browser asks for by itself, for updates or to
    fill in forms, no page began; what it had already was not asked for."""
    said = json.loads(log.read_text("utf-8"))
    kinds = said["constants"]["logEventTypes"]
    events = said["events"]
    begun = [
        event for event in events if event["type"] == kinds["URL_REQUEST_START_JOB"] and "params" in event
    ]
    ours = [one for one in begun if one["params"].get("network_isolation_key", "").startswith(OUR_SITES)]
    sent = {
        event["source"]["id"] for event in events if event["type"] == kinds["HTTP_TRANSACTION_SEND_REQUEST"]
    }
    away = [one["params"] for one in ours if not HERE.match(one["params"]["url"])]
    assert [one["url"] for one in away if one["initiator"].startswith(OUR_SITES)] == []
    return [
        one["params"]["url"]
        for one in ours
        if one["source"]["id"] in sent
        and HERE.match(one["params"]["url"])
        and urlsplit(one["params"]["url"]).path != "/favicon.svg"
    ]


def visits(log: Path, addresses: list[str]) -> dict[str, list[str]]:
    """The paths asked for after each address and before the next, up to the feed."""
    seen: dict[str, list[str]] = {}
    rest = iter(addresses)
    following: str | None = next(rest)
    for url in asked(log):
        if url == following:
            seen[url] = taken = []
            following = next(rest, None)
        else:
            taken.append(urlsplit(url).path)
    assert following is None
    return seen


async def test_two_requests_before_it_is_live_and_no_other_host(stage: Site, tmp_path: Path) -> None:
    log = tmp_path / "net.json"
    pasted_on = {
        hosted(stage, f"{kind}-{form}", pasted(stage, form, kind)): form for kind in KINDS for form in FORMS
    }
    addresses = [*pasted_on, *(stage.url + path for path in PAGES)]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, f"--log-net-log={log}"]
        )
        for address in addresses:
            # Each with a cache of its own.
            context = await browser.new_context(viewport={"width": 1000, "height": 1500})
            page = await context.new_page()
            await page.goto(address)
            if not address.endswith(("-image", "nope")):
                await stage.until(lambda: stage.sockets)
            await context.close()
            await stage.until(lambda: not stage.sockets)
        await browser.close()
    for address, paths in visits(log, addresses).items():
        before = paths[: paths.index("/v1/feed")] if "/v1/feed" in paths else paths
        if address in pasted_on:
            most = 1 if pasted_on[address] == "image" else 2
        else:
            most = PAGES[address.removeprefix(stage.url)]
        assert len(before) <= most, (address, before)
