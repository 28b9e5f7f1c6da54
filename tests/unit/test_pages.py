"""The hosted pages over HTTP: the list and its links, an asset, what is not there."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from html import unescape

import aiohttp
import brotli
import pytest
from aiohttp import web

from tests.boards import HOSTILE, NOW, Board, StillClock
from ticker.errors import HistoryError
from ticker.model import Asset, Basis, Candle, Change, Confidence, Observation, Pair, State, Window
from widgets.listing import ROWS, Wanted, listing, nearest, wanted
from widgets.routes import routes

SEVERAL = (
    Asset("talus", "US", "Talus", (Pair("mexc", "USUSDT", "US", "USDT"),)),
    Asset("bitcoin", "BTC", "Bitcoin"),
    Asset("bitcoin-cash", "BCH", "Bitcoin Cash"),
    Asset("coinyé", "YE", "Coinyé"),
    Asset("quiet", "QT", "Quiet"),
)


class Past:
    """A price that rose by one each step, for as long as was asked, or only for `days`."""

    def __init__(self, days: float = 1000) -> None:
        self.asked: Counter[str] = Counter()
        self.days = days
        self.broken = False

    async def candles(self, asset, currency, interval, start, end, limit):
        if self.broken:
            raise HistoryError("the disk is full")
        self.asked[asset] += 1
        step = interval * 1000
        first = max(start, end - int(self.days * 86_400_000))
        starts = range(first + -first % step, end, step)
        return [
            Candle(
                asset, currency, interval, at, Decimal(n + 1), Decimal(n + 2), Decimal(n + 1), Decimal(n + 2)
            )
            for n, at in enumerate(starts)
        ]


class Site:
    def __init__(self, session, url, board, clock, past):
        self.session, self.url, self.board, self.clock, self.past = session, url, board, clock, past

    async def get(self, path, status=200, **headers):
        async with self.session.get(self.url + path, headers={"Accept": "text/html", **headers}) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return answer, text


@pytest.fixture
async def open_site():
    opened = []

    async def opens(board, past=None, public=None):
        clock, past = StillClock(), past or Past()
        app = web.Application()
        app.add_routes(routes(board, public, clock, past=past))
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        session = aiohttp.ClientSession()
        opened.append((runner, session))
        return Site(session, f"http://127.0.0.1:{runner.addresses[0][1]}", board, clock, past)

    yield opens
    for runner, session in opened:
        await session.close()
        await runner.cleanup()


def several() -> Board:
    board = Board(SEVERAL)
    board.set("talus", "0.01021", "0.19", volume_24h=Decimal(451000), high_24h=Decimal("0.011"))
    board.set("talus", low_24h=Decimal("0.010"), confidence=Confidence.SINGLE)
    board.set("bitcoin", "73384.8", "-1.43", market_cap=Decimal("1.46e12"))
    board.set("bitcoin-cash", "482.64", "0.48", market_cap=Decimal("9.6e9"))
    board.set("coinyé", "0.000008412", "4.1")
    return board


def crowd(number: int) -> Board:
    board = Board([Asset(f"asset-{n}", f"A{n}", f"Asset number {n}") for n in range(number)])
    for n in range(number):
        board.set(f"asset-{n}", f"{n + 1}.5", "1.25", volume_24h=Decimal(1000 * n), market_cap=Decimal(n))
    return board


def rows(html):
    return re.findall(r'<tr data-price-ticker="([^"]+)"', html)


def said(html):
    html = re.sub(r"<(style|svg|script).*?</\1>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def meta(html, name):
    found = re.search(rf'<meta (?:name|property)="{name}" content="([^"]*)"', html)
    return found and unescape(found[1])


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", ["talus", "bitcoin", "bitcoin-cash", "coinyé", "quiet"]),
        ("name", ["bitcoin", "bitcoin-cash", "coinyé", "quiet", "talus"]),
        ("-name", ["talus", "quiet", "coinyé", "bitcoin-cash", "bitcoin"]),
        ("-price", ["bitcoin", "bitcoin-cash", "talus", "coinyé", "quiet"]),
        ("price", ["coinyé", "talus", "bitcoin-cash", "bitcoin", "quiet"]),
        ("-change_24h", ["coinyé", "bitcoin-cash", "talus", "bitcoin", "quiet"]),
        ("market_cap", ["bitcoin-cash", "bitcoin", "talus", "coinyé", "quiet"]),
        ("-market_cap", ["bitcoin", "bitcoin-cash", "talus", "coinyé", "quiet"]),
    ],
)
async def test_list_is_sorted_by_each_column_and_what_is_unknown_is_last(open_site, sort, order):
    site = await open_site(several())
    _, html = await site.get(f"/?sort={sort}")
    assert rows(html) == order


async def test_heads_say_how_it_is_sorted_and_lead_on(open_site):
    site = await open_site(several())
    _, html = await site.get("/?sort=-price&q=bit&currency=EUR")
    assert re.findall(r'aria-sort="(\w+)"', html) == ["descending"]
    assert 'href="?sort=price&amp;q=bit&amp;currency=EUR"' in html
    _, html = await site.get("/?sort=price")
    assert re.findall(r'aria-sort="(\w+)"', html) == ["ascending"]
    assert 'c-price" aria-sort="ascending"><a href="./">' in html


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("btc", ["bitcoin"]),
        ("BIT", ["bitcoin", "bitcoin-cash"]),
        ("cash", ["bitcoin-cash"]),
        ("coinye", ["coinyé"]),
        ("us", ["talus"]),
        ("bitcoin-cash", ["bitcoin-cash"]),
    ],
)
async def test_search_is_by_name_symbol_and_id(open_site, text, found):
    site = await open_site(several())
    _, html = await site.get(f"/?q={text}")
    assert rows(html) == found
    assert f'value="{text}"' in html


async def test_search_without_a_result_names_what_is_near(open_site):
    site = await open_site(several())
    _, html = await site.get("/?q=bitcion")
    assert rows(html) == []
    assert "Nothing is called “bitcion”" in said(html)
    assert "Bitcoin (BTC)" in said(html)
    assert 'href="./">Show all 5' in html


async def test_search_is_shown_as_text(open_site):
    site = await open_site(several())
    _, html = await site.get("/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in html
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in html


async def test_prices_are_in_the_currency_that_was_chosen(open_site):
    site = await open_site(several())
    _, html = await site.get("/?currency=eur")
    assert "€36,692.40" in said(html)
    assert '<main id="main" data-currency="EUR"' in html
    assert "<option selected>EUR</option>" in html
    assert 'href="assets/bitcoin?currency=EUR"' in html
    _, html = await site.get("/assets/bitcoin?currency=EUR")
    assert "€36,692.40" in said(html)
    assert "Converted to EUR at the reference rate of 2026-09-21." in said(html)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("sort=colour", 400, "can't be sorted by “colour”"),
        ("page=0", 400, "There is no page “0”"),
        ("page=x", 400, "There is no page “x”"),
        ("page=99", 404, "The list ends at page 1"),
        ("currency=XXX", 400, "No rate into “XXX” is known here"),
    ],
)
async def test_bad_option_is_a_page_that_says_so(open_site, query, status, message):
    site = await open_site(several())
    _, html = await site.get(f"/?{query}", status)
    assert message in said(html)
    assert meta(html, "robots") == "noindex"


async def test_list_of_two_thousand_is_paged_and_stays_small(open_site):
    site = await open_site(crowd(2000))
    _, html = await site.get("/?page=2")
    assert rows(html) == [f"asset-{n}" for n in range(ROWS, 2 * ROWS)]
    assert f"{ROWS + 1}–{2 * ROWS} of 2000" in said(html)
    assert '<a rel="prev" href="./">' in html
    assert '<a rel="next" href="?page=3">' in html
    assert len(brotli.compress(html.encode(), quality=5)) < 20_000
    _, last = await site.get("/?page=40")
    assert 'rel="next"' not in last


async def test_history_is_asked_only_for_the_page_and_once_in_minutes(open_site):
    site = await open_site(crowd(120))
    await site.get("/?page=2")
    assert set(site.past.asked) == {f"asset-{n}" for n in range(ROWS, 2 * ROWS)}
    for _ in range(3):
        site.clock.time += 61_000
        await site.get("/?page=2&sort=-price")
        await site.get("/?page=2")
    assert set(site.past.asked.values()) == {1}


async def test_spark_is_one_unbroken_line(open_site):
    site = await open_site(several())
    _, html = await site.get("/")
    [drawn] = re.findall(r'aria-label="Last 7 days: up"><path class="under"[^>]*/><path d="([^"]+)"', html)[
        :1
    ]
    assert drawn.count("M") == 1
    assert len(drawn) < 300


async def test_history_that_fails_leaves_the_prices(open_site):
    site = await open_site(several())
    site.past.broken = True
    _, html = await site.get("/")
    assert "No history yet" in html
    assert "$73,384.80" in said(html)
    _, html = await site.get("/assets/bitcoin")
    assert "$73,384.80" in said(html)


async def test_no_assets_says_how_to_name_some(open_site):
    site = await open_site(Board([]))
    _, html = await site.get("/")
    assert "No assets yet" in html
    assert "[assets.bitcoin]" in html


async def test_only_the_plain_list_is_for_search_engines(open_site):
    site = await open_site(crowd(120), public="https://prices.example.com")
    for query, robots, canonical in (
        ("", None, "/"),
        ("?page=2", None, "/?page=2"),
        ("?sort=-price", "noindex, follow", "/"),
        ("?q=asset&page=2", "noindex, follow", "/?page=2"),
        ("?currency=EUR", "noindex, follow", "/"),
        ("?utm_source=x", None, "/"),
    ):
        _, html = await site.get(f"/{query}")
        assert meta(html, "robots") == robots
        assert f'<link rel="canonical" href="https://prices.example.com{canonical}">' in html


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
        assert answer.content_type == "text/plain"
        assert "<html" not in text


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


def test_amounts_of_a_rarer_currency_are_not_compared():
    board = several()
    board.set("coinyé", "999999", currency="XAG")
    order = [quote.asset for quote in listing(board, Wanted(sort="-price")).quotes]
    assert order == ["bitcoin", "bitcoin-cash", "talus", "coinyé", "quiet"]


def test_nearest_is_nobody_where_nothing_is_alike():
    assert nearest(SEVERAL, "zzzz") == []
    assert nearest(SEVERAL, "") == []


def test_what_is_asked_for_is_written_as_short_as_it_can_be():
    assert wanted({"sort": "", "page": "1", "currency": "usd", "q": "  "}, ["EUR"]).query() == ""
    assert wanted({"q": " two  words "}, ["EUR"]).query() == "q=two+words"
