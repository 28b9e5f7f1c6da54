"""The card: the line of the window asked for, the day's range, and what stands where there is none."""

from __future__ import annotations

import re
from decimal import Decimal
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.boards import HOSTILE, Board
from tests.clocks import NOW, StillClock
from ticker.model import Basis, Candle, Change, Window
from widgets.kinds import KINDS, Need
from widgets.kinds.card import place
from widgets.params import Scale, read
from widgets.rendering import Rendering

CARD = KINDS["card"]
RISING = ("0.0100", "0.0101", "0.0102")


class Past:
    """The same few closes for whatever is asked, one interval apart, the last one now."""

    def __init__(self, *closes: str) -> None:
        self.closes = [Decimal(close) for close in closes]

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        step = interval * 1000
        first = NOW // step * step - (len(self.closes) - 1) * step
        return [
            Candle(asset, currency, interval, first + at * step, close, close, close, close)
            for at, close in enumerate(self.closes)
        ]


@pytest.fixture
def board():
    board = Board()
    board.set("talus", "0.01021", "0.19", low_24h=Decimal("0.01000"), high_24h=Decimal("0.01040"))
    board.set("evil", "0.000001234", demo=True)
    return board


async def drawn(board, form="html", closes=RISING, **query):
    made = Rendering(board, StillClock(), Past(*closes))
    asked = made.read("card", {"asset": "talus", **query})
    rendered = await (made.picture(asked) if form == "svg" else made.markup(asked, ".."))
    return rendered.text


def visible(text):
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", text, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


async def test_card_has_what_the_box_has_and_the_day_s_range(board):
    html = await drawn(board)
    for part in ("Talus", "(US)", "$0.01021", "USD", "+0.19%", "14:13 UTC", "Low $0.01000", "$0.01040 High"):
        assert part in visible(html)
    assert 'data-price-ticker="talus"' in html
    assert 'data-refresh="300000"' in html
    assert 'data-f="low_24h"' in html
    assert '<circle cx="52%"' in html


@pytest.mark.parametrize(
    ("closes", "direction"),
    [(RISING, "up"), (RISING[::-1], "down"), (("0.01", "0.01"), "flat")],
)
async def test_line_has_the_colour_of_its_own_direction(board, closes, direction):
    html = await drawn(board, closes=closes)
    assert f'class="spark" viewBox="0 0 288 64" preserveAspectRatio="none" data-dir="{direction}"' in html
    assert f'class="spark {direction}"' in await drawn(board, "svg", closes)


async def test_line_says_aloud_over_what_time_and_between_which_prices_it_runs(board):
    html = await drawn(board)
    assert 'aria-label="Talus (US) price chart, 24h: $0.01000 – $0.01020 USD"' in html


@pytest.mark.parametrize(
    ("window", "need"), [("1h", (60, 3600)), ("24h", (300, 86_400)), ("7d", (3600, 604_800))]
)
async def test_line_shows_the_window_that_the_change_is_of(board, window, need):
    moved = Change(Decimal(7), Window.WEEK, Basis.ROLLING)
    board.set("talus", change_7d=moved, change_1h=moved)
    options = read({"asset": "talus", "window": window}, CARD.options)
    assert CARD.needs(board, options) == (Need("talus", *need),)
    assert f"{window}:" in await drawn(board, window=window)


@pytest.mark.parametrize("form", ["html", "svg"])
async def test_without_a_past_it_says_so_in_the_same_room(board, form):
    for closes in ((), ("0.01",)):
        text = await drawn(board, form, closes)
        assert "No history yet" in text
        assert "None" not in text


async def test_line_in_another_currency_than_the_price_says_which(board):
    assert ">USD</span><div" in await drawn(board, currency="EUR")
    assert ">USD</span><div" not in await drawn(board)
    assert 'y="78.0">USD<' in await drawn(board, "svg", currency="EUR")


@pytest.mark.parametrize("missing", ["low_24h", "high_24h"])
async def test_range_that_is_not_known_is_left_out_and_its_room_kept(board, missing):
    board.set("talus", **{missing: None})
    html = await drawn(board)
    assert '<div class="range"></div>' in html
    assert "Low" not in html
    assert "Low" not in await drawn(board, "svg")


async def test_small_card_has_no_range(board):
    assert "range" not in await drawn(board, size="small")
    assert "Low" not in await drawn(board, "svg", size="small")


async def test_quote_without_a_price_is_never_blank(board):
    for form in ("html", "svg"):
        text = await drawn(board, form, (), asset="quiet")
        assert "unavailable" in text
        assert "No history yet" in text


async def test_hostile_names_stay_text_and_made_up_prices_are_marked(board):
    for form in ("html", "svg"):
        text = await drawn(board, form, asset="evil")
        assert HOSTILE not in text
        assert '"><i>' not in text
        assert "Demo" in text


async def test_gradients_of_two_cards_in_a_document_are_two(board):
    ids = {
        re.findall(r'<linearGradient id="(line-[^"]*)"', await drawn(board, asset=asset))[0]
        for asset in ("talus", "evil")
    }
    assert len(ids) == 2


@pytest.mark.parametrize("size", Scale)
async def test_picture_is_as_large_as_what_a_snippet_reserves(board, size):
    width, height, fluid = CARD.size(read({"asset": "talus", "size": size}, CARD.options))
    assert f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"' in await drawn(
        board, "svg", size=size
    )
    assert not fluid


@given(
    st.decimals("0", "1e12", places=6), st.decimals("0", "1e12", places=6), st.decimals("0", "1e12", places=6)
)
def test_place_on_the_range_is_never_outside_of_it(low, price, high):
    assert 0 <= int(place(low, price, high).rstrip("%")) <= 100


def test_place_is_where_the_price_is():
    low, high = Decimal(10), Decimal(20)
    assert [place(low, Decimal(price), high) for price in (9, 10, 15, 20, 21)] == [
        "0%", "0%", "50%", "100%", "100%",
    ]  # fmt: skip
    assert place(low, low, low) == "50%"
    assert place(None, low, high) is place(low, None, high) is place(low, low, None) is None
