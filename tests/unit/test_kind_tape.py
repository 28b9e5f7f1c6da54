"""The tape: what its markup says, how long it is, and that nothing in it is read twice."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.unit.list_board import HOSTILE, NOW, ListBoard, Shown, visible
from ticker.errors import RequestError
from ticker.model import State


async def test_item_has_logo_symbol_price_change_and_link():
    html = await Shown(ListBoard(1)).html("tape", assets="a0")
    item = re.search(r"<li .*?</li>", html)[0]
    assert 'data-price-ticker="a0"' in item
    assert 'href="../assets/a0"' in item
    assert '<svg class="logo"' in item
    assert "S0 $1.00" in visible(item)
    assert "▲ +0.19%" in visible(item)
    assert "<svg" not in re.search(r"<li .*?</li>", await Shown(ListBoard(1)).html("tape", logo="0"))[0]


async def test_row_is_there_twice_and_read_once():
    html = await Shown(ListBoard(12)).html("tape")
    assert html.count('data-price-ticker="a0"') == 2
    read, unread = re.findall(r"<ul.*?</ul>", html)
    assert 'aria-hidden="true"' in re.match("<ul[^>]*>", unread)[0]
    assert unread.count("tabindex=") == unread.count("href=") == 12
    assert "tabindex=" not in read


@pytest.mark.parametrize(
    ("count", "items", "many"), [(1, 10, 1), (3, 12, 2), (10, 10, 1), (11, 11, 2), (200, 50, 5)]
)
async def test_short_row_is_repeated_until_it_is_full_and_a_longer_one_takes_longer(count, items, many):
    html = await Shown(ListBoard(count)).html("tape")
    assert html.count("<li ") == 2 * items
    assert f'data-many="{many}"' in html
    first = re.search(r"<ul.*?</ul>", html)[0]
    assert len(re.findall(r"<li (?:(?!aria-hidden)[^>])*>", first)) == min(count, 50)


async def test_no_more_assets_than_rows():
    html = await Shown(ListBoard(30)).html("tape", rows="12")
    assert html.count("<li ") == 24
    with pytest.raises(RequestError, match="rows can't be “51”"):
        await Shown(ListBoard(1)).html("tape", rows="51")


async def test_nothing_configured_says_so():
    html = await Shown(ListBoard(0)).html("tape")
    assert "unavailable" in visible(html)
    assert "<li" not in html
    assert "unavailable" in await Shown(ListBoard(0)).svg("tape")


async def test_unknown_asset_is_an_error_fit_to_be_shown():
    with pytest.raises(RequestError, match="No asset is called “nope” here"):
        await Shown(ListBoard(1)).html("tape", assets="a0,nope")


async def test_unknown_price_and_hostile_names_stay_text():
    board = ListBoard(1)
    board.add("evil", HOSTILE, HOSTILE)
    shown = Shown(board)
    for text in (await shown.html("tape"), await shown.svg("tape", assets="evil")):
        assert "<img" not in text
        assert "None" not in text
    assert "—" in visible(await shown.html("tape"))


async def test_old_price_says_its_age_and_demo_prices_are_marked():
    board = ListBoard(2)
    board.set("a1", state=State.STALE, as_of=NOW - 360_000, demo=True)
    html = await Shown(board).html("tape")
    assert "6 min old" in visible(html)
    assert 'data-state="stale" data-demo' in html


async def test_nowhere_to_go_is_no_link():
    assert "<a " not in await Shown(ListBoard(2)).html("tape", link="none")


async def test_picture_has_what_fits_and_says_all_of_it():
    board = ListBoard(20)
    board.set("a0", price=Decimal("0.000001234"))
    svg = await Shown(board).svg("tape")
    assert 3 <= svg.count('class="name"') < 20
    assert "S19 $20.00" in re.search("<title.*?</title>", svg)[0]
    assert "color-mix" not in svg


@pytest.mark.parametrize(("size", "height"), [("small", 36), ("medium", 44), ("large", 56)])
def test_size_is_the_sheets(size, height):
    reserved = Shown(ListBoard(1)).size("tape", size=size)
    assert (reserved.height, reserved.fluid) == (height, True)


async def test_picture_marks_made_up_prices():
    board = ListBoard(2)
    shown = Shown(board)
    assert ">Demo<" not in await shown.svg("tape")
    board.set("a0", demo=True)
    assert ">Demo<" in await shown.svg("tape")
