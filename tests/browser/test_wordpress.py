"""An address alone on a line in WordPress: what its rules leave of our answer works, for every kind."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.test_snippets import INSIDE, PRICE, box, heard, hosted, pasted, unexpected
from tests.unit.test_oembed import discovered, wordpress
from widgets.kinds import KINDS
from widgets.oembed import NARROWEST, answer, discovery
from widgets.params import read

pytestmark = pytest.mark.browser


def asked_by_wordpress(site, address, room):
    """What WordPress gets for an address that somebody put on a line of its own."""
    where = discovered(f"<head>{discovery(address, site.url, 'Talus')}</head>")
    query = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
    body = answer(query | {"maxwidth": str(room), "maxheight": "750"}, site.url, KINDS, site.board).body
    return json.loads(body)


@pytest.mark.parametrize("room", [500, NARROWEST])
async def test_address_in_wordpress_becomes_a_working_sandboxed_frame(site, page, room):
    said = heard(page)
    one = pasted(site, "wordpress")
    found = asked_by_wordpress(site, one.code, room)
    await page.goto(hosted(site, wordpress(found), one.policy))
    await page.frame_locator("iframe").locator(PRICE, has_text="$0.01021").wait_for()
    assert await box(page, "iframe") == [min(room, 320), 72] == [found["width"], found["height"]]
    inside = page.frames[1]
    assert await inside.evaluate("origin") == "null"
    assert (await inside.evaluate("location.hash")).startswith("#?secret=")
    assert await inside.evaluate(INSIDE) == [found["width"], found["height"]]
    price = inside.locator(PRICE)
    assert await price.evaluate("price => price.scrollWidth <= price.clientWidth || price.clientWidth === 0")
    await site.until(lambda: site.sockets)
    await site.publish("talus", price="0.01099", as_of=site.clock.now())
    await page.frame_locator("iframe").locator(PRICE, has_text="$0.01099").wait_for()
    assert unexpected(said) == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
async def test_every_kind_is_whole_in_what_wordpress_leaves_of_the_answer(site, page, kind):
    one = pasted(site, "wordpress", kind=kind)
    found = asked_by_wordpress(site, one.code, 600)
    size = kind.size(read({"asset": "talus"}, kind.options))
    assert found["height"] == size.height
    await page.goto(hosted(site, wordpress(found), one.policy))
    await page.frame_locator("iframe").locator("[data-price-ticker=talus]").first.wait_for(state="attached")
    assert await box(page, "iframe") == [found["width"], found["height"]]
    assert await page.frames[1].evaluate(INSIDE) == [found["width"], found["height"]]
    await site.until(lambda: site.sockets)


async def test_every_kind_can_be_as_narrow_as_an_answer_may_make_it(site, page):
    for kind in KINDS.values():
        size = kind.size(read({"asset": "long"}, kind.options))
        width = min(size.width, NARROWEST)
        await page.set_viewport_size({"width": width, "height": size.height})
        told = await page.goto(f"{site.url}/widgets/{kind.name}?asset=long")
        assert (told.status, await page.evaluate(INSIDE)) == (200, [width, size.height]), kind.name


async def test_asset_s_own_page_says_where_its_answer_is(site, page):
    told = await page.request.get(f"{site.url}/assets/talus")
    where = urlsplit(discovered(await told.text()))
    assert f"{where.scheme}://{where.netloc}{where.path}" == f"{site.url}/oembed"
    assert parse_qs(where.query) == {"url": [f"{site.url}/assets/talus"], "format": ["json"]}
    assert f"<{where.geturl()}>" in told.headers["link"]
