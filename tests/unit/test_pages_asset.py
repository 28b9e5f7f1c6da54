"""An asset's page over HTTP, and what is not there."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from tests.boards import HOSTILE, Board
from tests.clocks import NOW
from tests.unit.pages_site import Past, meta, said, several
from ticker.model import Basis, Change, Observation, State, Window


async def test_asset_says_all_that_is_known(open_site):
    board = several()
    seen = {"currency": "USDT", "price": Decimal("0.01022"), "as_of": NOW - 4000}
    day = Change(Decimal("0.2"), Window.DAY, Basis.ROLLING)
    board.said["talus"] = [
        Observation(source="okx", pair="US-USDT", change_24h=None, used=False, reason="too old", **seen),
        Observation(source="mexc", pair="USUSDT", change_24h=day, used=True, **seen),
        Observation(source="gate", pair="US_USDT", change_24h=day, used=True, **seen),
    ]
    board.apart["talus"] = Decimal("0.123")
    board.set("talus", assumed=True)
    site = await open_site(board)
    _, html = await site.get("/assets/talus")
    text = said(html)
    assert "<title>Talus (US) live price chart</title>" in html
    assert re.search(r"<h1>Talus \(US\) <span>live price chart</span></h1>", html)
    for part in (
        "$0.01021",
        "+0.19%",
        "$0.01000",
        "$0.01100",
        "$451.00K",
        "0.01022 USDT",
        "4 s ago",
        "No: too old",
    ):
        assert part in text, part
    assert "Sources apart 0.12% between the outermost of 2 that count" in text
    assert "Confidence One source nobody to compare it with" in text
    assert "2026-09-21 14:13:20 UTC" in text
    assert "The operator of this service assumes 1 USDT = 1 USD." in text
    assert html.index("mexc") < html.index("okx")
    assert 'aria-label="The price is 21% of the way from low to high"' in html
    assert "Market cap" not in text


async def test_longer_changes_are_there_where_history_covers_them(open_site):
    board = several()
    board.set("bitcoin", "482")
    for days, there in ((1000, ["30d", "1y"]), (100, ["30d"]), (3, [])):
        site = await open_site(board, Past(days))
        _, html = await site.get("/assets/bitcoin")
        labels = re.findall(r"<dt>(\w+)</dt><dd class=\"plain\">", html)
        assert labels == ["1h", "24h", "7d", *there]
    site = await open_site(board, Past())
    _, html = await site.get("/assets/bitcoin")
    assert "+48,100.00%" in said(html)


async def test_asset_is_described_for_those_who_share_it(open_site):
    site = await open_site(several(), public="https://prices.example.com")
    answer, html = await site.get("/assets/bitcoin")
    assert meta(html, "og:title") == "Bitcoin (BTC) live price chart"
    assert meta(html, "og:url") == "https://prices.example.com/assets/bitcoin"
    assert meta(html, "og:description").startswith("Bitcoin (BTC) $73,384.80 USD, −1.43% (24h)")
    assert re.match(
        r"https://prices\.example\.com/widgets/\w+\.png\?asset=bitcoin&scale=2", meta(html, "og:image")
    )
    assert int(meta(html, "og:image:width")) >= 600
    assert meta(html, "og:image:alt")
    assert meta(html, "twitter:card") == "summary_large_image"
    assert 'type="application/json+oembed"' in html
    assert "application/json+oembed" in answer.headers["Link"]
    linked = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', html)[1])
    assert linked["mainEntity"]["currentExchangeRate"] == {
        "@type": "UnitPriceSpecification",
        "price": "73384.8",
        "priceCurrency": "USD",
        "validFrom": "2026-09-21T14:13:20Z",
    }
    assert [one["position"] for one in linked["breadcrumb"]["itemListElement"]] == [1, 2]


async def test_made_up_price_is_not_told_to_search_engines(open_site):
    board = several()
    board.set("bitcoin", demo=True)
    site = await open_site(board)
    _, html = await site.get("/assets/bitcoin")
    assert "mainEntity" not in html
    assert "not a real price" in html


async def test_hostile_name_ends_no_data_block(open_site):
    board = Board()
    board.set("evil", "1", "2")
    site = await open_site(board)
    answer, html = await site.get("/assets/evil")
    [block] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert json.loads(block)["name"].startswith(HOSTILE)
    assert "<img src=x" not in html
    assert "<" not in block
    assert answer.headers["Link"].isascii()


@pytest.mark.parametrize(
    ("path", "near", "root"),
    [
        ("/assets/talos", "talus", ".."),
        ("/assets/BTC", "bitcoin", ".."),
        ("/bitcoin", "bitcoin", "."),
        ("/prices/usd/bitcoin%20cash", "bitcoin-cash", "../.."),
    ],
)
async def test_unknown_page_names_what_may_have_been_meant(open_site, path, near, root):
    site = await open_site(several())
    _, html = await site.get(path, 404)
    assert f'href="{root}/assets/{near}"' in html
    assert 'name="q"' in html
    assert meta(html, "robots") == "noindex"


async def test_unknown_page_is_not_made_for_programs(open_site):
    site = await open_site(several())
    for path, accept in (("/nothing", "*/*"), ("/nothing", "application/json"), ("/v1/nothing", "text/html")):
        answer, text = await site.get(path, 404, Accept=accept)
        assert answer.content_type == "application/json"
        assert json.loads(text)["error"]["code"] == "not_found"


async def test_price_that_moved_is_there_a_second_later(open_site):
    site = await open_site(several())
    answer, _ = await site.get("/assets/bitcoin")
    await site.get("/assets/bitcoin", 304, **{"If-None-Match": answer.headers["ETag"]})
    site.board.set("bitcoin", "70000")
    site.clock.time += 1000
    _, html = await site.get("/assets/bitcoin")
    assert "$70,000.00" in said(html)


async def test_asset_without_a_price_is_never_blank(open_site):
    site = await open_site(several(), Past(0))
    _, html = await site.get("/assets/quiet")
    assert "unavailable" in said(html)
    assert "No source has answered yet." in html
    assert "None" not in said(html).replace("Confidence None", "")


async def test_stale_price_is_marked_in_the_list(open_site):
    board = several()
    board.set("bitcoin", state=State.STALE, as_of=NOW - 360_000)
    site = await open_site(board)
    _, html = await site.get("/?q=btc")
    assert 'data-state="stale"' in html
    assert "6 min old" in said(html)
