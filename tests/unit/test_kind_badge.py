"""The badge: as wide as was reserved at any price, with what matters most when there is too little room."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.boards import HOSTILE, Asset, Board
from tests.clocks import NOW, StillClock
from ticker.model import State
from widgets.image import width
from widgets.kinds import KINDS
from widgets.params import Scale, read
from widgets.rendering import Rendering

BADGE = KINDS["badge"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def board():
    board = Board()
    board.set("talus", "0.01021", "0.19")
    board.set("evil", "0.000001234", demo=True)
    return board


async def drawn(board, form="svg", **query):
    made = Rendering(board, StillClock())
    asked = made.read("badge", {"asset": "talus", **query})
    return (await (made.picture(asked) if form == "svg" else made.markup(asked, ".."))).text


def size(**query):
    return BADGE.size(read({"asset": "talus", **query}, BADGE.options))


def texts(svg):
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314


@pytest.mark.parametrize("form", ["html", "svg"])
async def test_badge_has_label_price_and_change(board, form):
    text = await drawn(board, form)
    for part in (">US<", "$0.01021", "▲", "+0.19%"):
        assert part in text


async def test_title_says_all_of_it(board):
    said = '<title id="t">Talus (US) $0.01021 USD, +0.19% (24h), as of 2026-09-21 14:13:20 UTC</title>'
    assert said in await drawn(board)


async def test_label_is_the_author_s(board):
    assert texts(await drawn(board, label="Our token"))[0] == "Our token"
    assert texts(await drawn(board, label="  "))[0] == "US"


@pytest.mark.parametrize(("scale", "height"), [("small", 18), ("medium", 20), ("large", 28)])
async def test_picture_is_as_large_as_what_a_snippet_reserves(board, scale, height):
    for query in ({}, {"label": "A label of some length"}, {"locale": "de", "currency": "EUR"}):
        wide = size(size=scale, **query)
        assert (wide.height, wide.fluid) == (height, False)
        svg = await drawn(board, size=scale, **query)
        assert f'width="{wide.width}" height="{height}" viewBox="0 0 {wide.width} {height}"' in svg


def test_longer_label_reserves_more():
    assert size(label="a much longer label").width > size(label="short").width


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.decimals("0.000000000001", "999999999999", allow_nan=False),
    st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=40),
    st.sampled_from(Scale),
    st.booleans(),
)
async def test_texts_never_run_into_each_other_or_out_of_the_badge(board, price, label, scale, demo):
    board.set("talus", f"{price:f}", "-12.34", demo=demo)
    svg = ET.fromstring(await drawn(board, label=label, size=scale))  # noqa: S314
    letters = float(svg.find(f"{SVG}g").get("font-size"))
    places = []
    for text in svg.iter(f"{SVG}text"):
        wide = float(text.get("textLength") or width("".join(text.itertext()), letters))
        kind = text.get("class") or ""
        start = float(text.get("x")) - wide * ("end" in kind.split()) - wide / 2 * ("middle" in kind.split())
        places.append((start, start + wide))
    assert all(one[1] <= other[0] + 1 for one, other in pairwise(places))
    assert places[-1][1] <= int(svg.get("width"))


async def test_where_there_is_too_little_room_the_price_stays(board):
    board.set("talus", "123456789012.34", "12.5", demo=True)
    shown = texts(await drawn(board))
    assert "$123,456,789,012.34" in shown
    assert "Demo" in shown
    assert "▲ +12.50%" not in shown


@pytest.mark.parametrize("form", ["html", "svg"])
async def test_old_price_is_said_to_be_old(board, form):
    board.set("talus", state=State.STALE, as_of=NOW - 360_000)
    assert "6 min old" in await drawn(board, form)


@pytest.mark.parametrize("form", ["html", "svg"])
async def test_quote_without_a_price_is_never_blank(board, form):
    text = await drawn(board, form, asset="quiet")
    assert "unavailable" in text
    assert "None" not in text


@pytest.mark.parametrize("form", ["html", "svg"])
async def test_hostile_names_and_labels_stay_text_and_made_up_prices_are_marked(board, form):
    for query in ({}, {"label": HOSTILE[:40]}):
        text = await drawn(board, form, asset="evil", **query)
        assert "<img" not in text
        assert '"><i>' not in text
        assert "Demo" in text


async def test_long_symbol_is_cut_and_the_price_is_not():
    board = Board([Asset("long", "W" * 40, "Long")])
    board.set("long", "73384.8", "1")
    shown = texts(await drawn(board, asset="long"))
    assert shown[0].endswith("…")
    assert "$73,384.80" in shown


async def test_transparent_badge_has_no_ground(board):
    assert 'class="ground"' not in await drawn(board, transparent="1")
    assert re.search(r'<rect class="ground"', await drawn(board))


async def test_no_change_leaves_no_arrow(board):
    board.set("talus", change_24h=None)
    assert "—" in texts(await drawn(board))[-1]
    assert Decimal(size().width) > 0
