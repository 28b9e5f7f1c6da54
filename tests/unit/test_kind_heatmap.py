"""The heatmap: its colours by change, its tiles by figure, its text by room."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import product

import pytest

from tests.unit.list_board import HOSTILE, ListBoard, Shown, moved
from ticker.model import State
from widgets.colours import INKS, MOVES, STRONGER, Palette, stronger
from widgets.embed import sheet
from widgets.image import contrast
from widgets.kinds.heatmap import heat


def tiles(html):
    """Asset, heat, width and height in percent, in order."""
    found = re.findall(
        r'width="([\d.]+)%" height="([\d.]+)%" data-price-ticker="(\w+)".*?data-heat="(-?\d)"',
        html,
    )
    return [(asset, int(step), float(wide) * float(high) / 100) for wide, high, asset, step in found]


@pytest.mark.parametrize(
    ("percent", "step"),
    [(None, 0), ("0", 0), ("0.004", 0), ("-0.004", 0), ("0.005", 1), ("1.49", 1), ("1.494", 1),
     ("1.495", 2), ("1.5", 2), ("-2.99", -2), ("3", 3), ("-4.49", -3), ("4.5", 4), ("-99", -4),
     ("1000000", 4)],
)  # fmt: skip
def test_heat_is_the_sign_and_steps_of_the_percent_that_is_shown(percent, step):
    assert heat(moved(percent)) == step


@pytest.mark.parametrize(("palette", "way"), list(product(Palette, ("up", "down"))))
def test_text_is_readable_on_every_ground_in_both_themes(palette, way):
    inks = INKS | MOVES[palette]
    grounds = [inks[f"{way}-soft"], *(stronger(inks)[f"{way}-{step}"] for step in STRONGER), inks["line"]]
    for theme in ("light", "dark"):
        text, turned = (getattr(inks[name], theme) for name in ("text", "bg"))
        for ground in grounds:
            assert contrast(rgb(getattr(ground, theme)), rgb(text)) >= 4.5
        assert contrast(rgb(getattr(inks[way], theme)), rgb(turned)) >= 4.5


def rgb(colour):
    digits = colour.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    return tuple(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))


def test_page_and_picture_mix_the_same_grounds():
    style = sheet("kinds/heatmap.css")
    for step, part in STRONGER.items():
        assert f"[data-heat$='{step}']{{--mix:{part:.0%}}}" in style


async def test_tiles_are_as_large_as_their_market_cap_and_the_largest_first():
    found = tiles(await Shown(ListBoard(4)).html("heatmap"))
    assert [asset for asset, _, _ in found] == ["a3", "a2", "a1", "a0"]
    for area, share in zip([area for *_, area in found], (40, 30, 20, 10), strict=True):
        assert area == pytest.approx(share, abs=0.1)


async def test_tiles_by_volume():
    assert tiles(await Shown(ListBoard(4)).html("heatmap", by="volume"))[0][0] == "a0"


async def test_no_more_tiles_than_rows_and_those_are_the_largest():
    found = tiles(await Shown(ListBoard(200)).html("heatmap", rows="3"))
    assert [asset for asset, _, _ in found] == ["a199", "a198", "a197"]
    assert len(tiles(await Shown(ListBoard(200)).html("heatmap"))) == 20


async def test_asset_without_the_figure_is_as_small_as_the_smallest_and_marked():
    board = ListBoard(3)
    board.set("a1", market_cap=None)
    board.set("a2", market_cap=Decimal(10**15))
    html = await Shown(board).html("heatmap")
    found = {asset: area for asset, _, area in tiles(html)}
    assert found["a1"] == pytest.approx(found["a0"], rel=0.01)
    assert "S1 —" in html
    assert "S0 —" not in html


async def test_no_figure_at_all_is_equal_tiles():
    board = ListBoard(0)
    for name in ("one", "two"):
        board.add(name, "", HOSTILE)
    html = await Shown(board).html("heatmap")
    assert [area for *_, area in tiles(html)] == pytest.approx([50, 50])
    assert "None" not in html
    assert "<img" not in html + await Shown(board).svg("heatmap")


async def test_tile_says_its_change_in_colour_sign_arrow_and_name():
    board = ListBoard(2)
    board.set("a0", change_24h=moved("-3.2"))
    html = await Shown(board).html("heatmap")
    assert ("a0", -3) in [(asset, step) for asset, step, _ in tiles(html)]
    assert 'aria-label="down">▼</tspan> <tspan>−3.20%' in html
    assert "<title>Name 0 (S0) $1.00 USD, −3.20% (24h), as of" in html
    assert 'href="../assets/a0"' in html


async def test_window_decides_colour_and_text():
    board = ListBoard(1)
    board.set("a0", change_7d=moved("8"))
    html = await Shown(board).html("heatmap", window="7d")
    assert tiles(html)[0][1] == 4
    assert 'data-f="change_7d"' in html


async def test_tile_too_small_for_text_has_a_name():
    board = ListBoard(60)
    board.set("a59", market_cap=Decimal(10**13))
    html = await Shown(board).html("heatmap", rows="60", size="small")
    assert html.count("<title>") == 60
    assert html.count("<text") < 120


async def test_nothing_configured_says_so():
    assert "unavailable" in await Shown(ListBoard(0)).html("heatmap")
    assert "unavailable" in await Shown(ListBoard(0)).svg("heatmap")


async def test_picture_has_the_same_tiles_in_literal_colours():
    board = ListBoard(6)
    for number, percent in enumerate(("-9", "-3.5", "-2", "0", "2", "9")):
        board.set(f"a{number}", change_24h=moved(percent))
    svg = await Shown(board).svg("heatmap")
    for name in ("down", "down-3", "down-2", "flat-soft", "up-2", "up"):
        assert f'<rect class="{name}"' in svg
    assert "var(" not in svg
    assert svg.count("<rect") == 7


@pytest.mark.parametrize(
    ("size", "box"), [("small", (400, 200)), ("medium", (600, 320)), ("large", (800, 480))]
)
def test_size_is_the_sheets(size, box):
    assert Shown(ListBoard(1)).size("heatmap", size=size) == (*box, True)


async def test_picture_marks_made_up_prices():
    board = ListBoard(2)
    shown = Shown(board)
    assert ">Demo<" not in await shown.svg("heatmap")
    board.set("a0", demo=True)
    assert ">Demo<" in await shown.svg("heatmap")


async def test_old_tile_is_ringed_and_its_name_says_so():
    board = ListBoard(1)
    board.set("a0", state=State.STALE)
    html = await Shown(board).html("heatmap")
    assert 'data-state="stale"' in html
    assert ", stale</title>" in html
    assert 'late" x=' in await Shown(board).svg("heatmap")
