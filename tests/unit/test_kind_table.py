"""The table: its order, its pages, its links and its room."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.unit.list_board import HOSTILE, NOW, ListBoard, RisingPast, Shown, moved, visible
from ticker.errors import RequestError
from ticker.model import State, Window


def rows(html):
    return re.findall(r'<tr data-price-ticker="(\w+)"', html)


def heading(html, name):
    return re.search(rf'<th class="{name}".*?</th>', html)[0]


async def test_row_has_name_price_changes_volume_and_a_week_s_line():
    board = ListBoard(1)
    board.set("a0", change_1h=moved("-1.5", Window.HOUR), change_7d=moved("12", Window.WEEK))
    html = await Shown(board, RisingPast()).html("table")
    text = visible(html)
    for part in ("Name 0", "S0", "$1.00", "▼ −1.50%", "▲ +0.19%", "▲ +12.00%", "$1.00M", "1–1 / 1", "USD"):
        assert part in text
    assert re.search(r'stroke="var\(--up,[^>]*><path d="M0 26.5l(\S+ ){10}', html)
    assert 'href="../assets/a0"' in html


async def test_first_page_is_in_configured_order():
    html = await Shown(ListBoard(21)).html("table")
    assert rows(html) == [f"a{number}" for number in range(10)]
    assert "1–10 / 21" in visible(html)
    assert 'href="?page=2"' in html
    assert "page=0" not in html


async def test_last_page_is_shorter_and_as_high():
    shown = Shown(ListBoard(21))
    html = await shown.html("table", page="3")
    assert rows(html) == ["a20"]
    assert "21–21 / 21" in visible(html)
    assert 'height="476"' in html
    assert 'height="476"' in await shown.html("table")
    assert rows(await shown.html("table", page="99")) == ["a20"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [("order", "a0"), ("-order", "none"), ("name", "a0"), ("-name", "none"), ("price", "a0"),
     ("-price", "a11"), ("volume", "a11"), ("-volume", "a0"), ("market_cap", "a0"), ("-market_cap", "a11"),
     ("change_1h", "a3"), ("-change_1h", "a2"), ("change_24h", "a0"), ("-change_24h", "a5"),
     ("change_7d", "a0"), ("-change_7d", "a0")],
)  # fmt: skip
async def test_sorted_by_every_field_both_ways(sort, first):
    board = ListBoard(12)
    board.set("a2", change_1h=moved("9"))
    board.set("a3", change_1h=moved("-9"))
    board.set("a5", change_24h=moved("3"))
    board.add("none", "NN", "Zed")
    assert rows(await Shown(board).html("table", sort=sort))[0] == first


@pytest.mark.parametrize("sort", ["price", "-price", "volume", "-market_cap", "-change_24h", "change_1h"])
async def test_what_has_no_figure_is_last_both_ways(sort):
    board = ListBoard(3)
    board.set("a0", change_1h=moved("1"))
    board.add("none", "NN", "Aa")
    board.add("zero", "ZZ", "Zero")
    board.set(
        "zero",
        price=Decimal(1),
        market_cap=Decimal(0),
        volume_24h=Decimal(0),
        change_24h=moved("0"),
        change_1h=moved("0"),
    )
    order = rows(await Shown(board).html("table", sort=sort))
    assert order.index("zero") < order.index("none")


async def test_heading_sorts_and_a_second_click_turns_it_round():
    shown = Shown(ListBoard(3))
    html = await shown.html("table", page="1", theme="dark")
    assert 'href="?sort=-price&amp;theme=dark"' in heading(html, "money")
    assert "aria-sort" not in html
    down = heading(await shown.html("table", sort="-price"), "money")
    assert 'aria-sort="descending"' in down
    assert 'href="?sort=price"' in down
    up = heading(await shown.html("table", sort="name"), "who")
    assert 'aria-sort="ascending"' in up
    assert 'href="?sort=-name"' in up


async def test_links_never_ask_for_a_fragment_and_sorting_begins_at_the_first_page():
    html = await Shown(ListBoard(30)).html("table", form="fragment", page="2", sort="-price")
    assert "form=" not in html
    assert 'href="?sort=-price"' in html  # the page before
    assert 'href="?sort=price"' in html
    assert html.count("data-go") == 8


async def test_past_is_asked_for_the_page_s_rows_only_and_by_the_order_of_now():
    board, past = ListBoard(30), RisingPast()
    shown = Shown(board, past)
    asked = shown.rendering.read("table", {"sort": "-price", "rows": "2"})
    await shown.rendering.markup(asked, "..")
    assert past.asked == ["a29", "a28"]
    board.set("a0", price=Decimal(100))
    html = (await shown.rendering.markup(asked, "..")).text
    assert past.asked == ["a29", "a28", "a0"]
    assert rows(html) == ["a0", "a29"]
    assert html.count('height="28"') == 2


async def test_table_without_a_past_or_without_a_price_is_whole():
    board = ListBoard(0)
    board.add("evil", HOSTILE, HOSTILE)
    shown = Shown(board)
    for text in (await shown.html("table"), await shown.svg("table")):
        assert "<img" not in text
        assert "None" not in text
        assert "—" in text
        assert 'height="28"' not in text


async def test_nothing_configured_says_so():
    html = await Shown(ListBoard(0)).html("table")
    assert "unavailable" in visible(html)
    assert rows(html) == []
    assert "unavailable" in await Shown(ListBoard(0)).svg("table")


async def test_old_price_says_its_age_and_an_assumed_one_has_a_star():
    board = ListBoard(2)
    board.set("a0", state=State.STALE, as_of=NOW - 360_000)
    board.set("a1", assumed=True)
    text = visible(await Shown(board).html("table"))
    assert "6 min old" in text
    assert "$2.00 *" in text


@pytest.mark.parametrize(("options", "height"), [
    ({}, 518), ({"rows": "3"}, 210), ({"size": "small"}, 438), ({"size": "large"}, 638),
    ({"assets": "a0,a1"}, 166),
])  # fmt: skip
def test_size_is_that_of_a_full_page_and_of_no_more_than_was_named(options, height):
    reserved = Shown(ListBoard(3)).size("table", **options)
    assert (reserved.height, reserved.fluid) == (height, True)


async def test_picture_has_every_row_of_the_page():
    svg = await Shown(ListBoard(21), RisingPast()).svg("table", page="3", rows="4")
    assert svg.count('class="line up-line"') == 4
    assert "9–12 / 21" in svg
    assert 'height="254"' in svg


async def test_figures_are_in_the_readers_digits():
    assert "১–১০ / ২১" in visible(await Shown(ListBoard(21)).html("table", locale="bn"))


@pytest.mark.parametrize(
    ("name", "value"), [("rows", "101"), ("rows", "0"), ("page", "0"), ("sort", "beauty")]
)
async def test_option_out_of_range_is_named(name, value):
    with pytest.raises(RequestError, match=f"{name} can't be “{value}”"):
        await Shown(ListBoard(1)).html("table", **{name: value})


async def test_picture_marks_made_up_prices():
    board = ListBoard(2)
    shown = Shown(board)
    assert ">Demo<" not in await shown.svg("table")
    board.set("a0", demo=True)
    assert ">Demo<" in await shown.svg("table")
