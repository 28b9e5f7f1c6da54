"""The hosted pages over HTTP: the list and its links, an asset, what is not there."""

from __future__ import annotations

import re

import brotli
import pytest

from tests.boards import Board
from tests.unit.pages_site import SEVERAL, crowd, meta, rows, said, several
from widgets.listing import ROWS, Wanted, listing, nearest, wanted


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
