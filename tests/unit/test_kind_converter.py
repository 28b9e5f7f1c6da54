"""The converter: exact sums, amounts as any locale writes them, and a form that works without script."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from html import unescape
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.boards import HOSTILE, Board
from tests.clocks import StillClock
from ticker.errors import RequestError
from ticker.model import State
from widgets.kinds import KINDS
from widgets.kinds.converter import ConverterOptions, product, quotient, read_amount
from widgets.locales import ENGLISH, TAGS, find
from widgets.params import Scale, canonical, read
from widgets.rendering import Rendering

CONVERTER = KINDS["converter"]
AMOUNTS = st.from_regex(r"(0|[1-9]\d{0,15})(\.\d{0,13}[1-9])?", fullmatch=True)


@pytest.fixture
def board():
    board = Board()
    board.set("talus", "0.01021", "0.19")
    board.set("evil", "0.000001234", demo=True)
    return board


async def drawn(board, form="html", **query):
    made = Rendering(board, StillClock())
    asked = made.read("converter", {"asset": "talus", **query})
    return (await (made.picture(asked) if form == "svg" else made.markup(asked, ".."))).text


def converted(html):
    found = re.search(r'data-f="converted">(.*?)</bdi>', html, re.DOTALL)
    return unescape(re.sub(r"<span aria-hidden.*?</span>|<[^>]+>", "", found[1]))


def submitted(html, **typed):
    """What a browser asks for when the form is sent."""
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', html))
    fields["amount"] = re.search(r'name="amount"[^>]* value="([^"]*)"', html)[1]
    fields["currency"] = re.search(r"<option selected>([^<]*)", html)[1]
    return {name: unescape(value) for name, value in (fields | typed).items()}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, "$0.01021"),
        ({"amount": "1000"}, "$10.21"),
        ({"amount": "0.001"}, "$0.00001021"),
        ({"amount": "0"}, "$0.00"),
        ({"amount": "123456789012345678901234567890"}, "$1,260,493,815,816,049,381,581,604,938.16"),
        ({"amount": "1", "inverse": "1"}, "97.943193"),
        ({"amount": "100", "inverse": "1"}, "9,794.3193"),
        ({"amount": "0.01021", "inverse": "1"}, "1"),
        ({"amount": "2", "currency": "EUR"}, "€0.01021"),
        ({"amount": "2,5", "locale": "de"}, "0,02553\u00a0$"),
        ({"amount": "1.000", "locale": "de"}, "10,21\u00a0$"),
        ({"asset": "evil", "notation": "plain"}, "$0.000001234"),
    ],
)
async def test_server_computes_exactly(board, query, says):
    assert converted(await drawn(board, **query)) == says


@given(AMOUNTS, AMOUNTS)
def test_product_is_exact(amount, price):
    assert Fraction(product(amount, Decimal(price))) == Fraction(amount) * Fraction(price)


@given(AMOUNTS, AMOUNTS.filter(lambda text: Decimal(text) > 0))
def test_quotient_has_eight_digits_and_no_nearer_one_is_left_out(amount, price):
    found = quotient(amount, Decimal(price))
    assert len(found.as_tuple().digits) <= 8
    half = Decimal(5).scaleb(found.adjusted() - 8)
    wanted = Decimal(amount)
    assert abs(found * Decimal(price) - wanted) <= half * Decimal(price)


def test_quotient_rounds_half_up_and_knows_no_price_of_zero():
    assert quotient("1.00000005", Decimal(1)) == Decimal("1.0000001")
    assert quotient("1", Decimal(0)) is None


async def test_price_of_zero_can_not_be_divided_by(board):
    board.set("talus", "0")
    assert converted(await drawn(board, inverse="1")) == "unavailable"


@pytest.mark.parametrize(
    ("text", "tag", "plain"),
    [
        ("1", "en", "1"), ("007", "en", "7"), (".5", "en", "0.5"), ("5.", "en", "5"), ("1.50", "en", "1.5"),
        ("1,234.5", "en", "1234.5"), ("1,234", "en", "1234"), (" 1 234 ", "en", "1234"),
        ("1,5", "de", "1.5"), ("1.5", "de", "1.5"), ("1.234,5", "de", "1234.5"), ("1.234", "de", "1234"),
        ("1.2340", "de", "1.2340"), ("1,234", "de", "1.2340"), ("0,125", "de", "0.1250"),
        ("1\u202f234,5", "fr", "1234.5"), ("1.234", "fr", "1.234"), ("12,34,567", "hi", "1234567"),
        ("۱٬۲۳۴٫۵", "fa", "1234.5"), ("১.৫", "bn", "1.5"), ("٣", "ar", "3"),
        ("9" * 30, "en", "9" * 30),
    ],
)  # fmt: skip
def test_amount_is_read_as_the_locale_writes_it_else_in_plain_notation(text, tag, plain):
    assert read_amount(text, find(tag)) == plain


@pytest.mark.parametrize(
    "text",
    ["abc", "-1", "1e5", "1,5", "1.2.3", ".", ",", "1,23,4", "∞", "½", "1" * 31, "0x1", "<b>", "+1", "²"],
)
def test_what_is_no_amount_is_said_to_be_none(text):
    assert read_amount(text, ENGLISH) is None


@given(AMOUNTS, st.sampled_from(TAGS))
def test_amount_comes_back_from_the_field_and_from_the_address_as_it_was(amount, tag):
    locale = find(tag)
    plain = read_amount(amount, locale)
    assert plain is not None
    assert read_amount(plain, locale) == plain
    options = ConverterOptions(asset="talus", amount=amount, locale=tag)
    assert read(dict(parse_qsl(canonical(options))), ConverterOptions) == options


async def test_form_asks_for_the_same_widget_again(board):
    query = {"theme": "dark", "palette": "colour-blind", "locale": "de", "amount": "2,5", "inverse": "1"}
    html = await drawn(board, **query)
    sent = submitted(html)
    assert sent == {
        "asset": "talus", "theme": "dark", "palette": "colour-blind", "locale": "de", "amount": "2,5",
        "currency": "USD", "inverse": "1",
    }  # fmt: skip
    assert await drawn(board, **sent) == html
    other = await drawn(board, **submitted(html, currency="EUR"))
    assert converted(other) != converted(html)


@pytest.mark.parametrize("tag", TAGS)
async def test_sent_unchanged_the_form_shows_the_same_in_every_locale(board, tag):
    html = await drawn(board, locale=tag, amount="1234.5678")
    assert await drawn(board, **submitted(html)) == html


async def test_link_turns_the_question_and_keeps_everything_else(board):
    html = await drawn(board, theme="dark", amount="5")
    href = unescape(re.search(r'<a data-go href="([^"]*)"', html)[1])
    assert href == "?amount=5&asset=talus&inverse=1&theme=dark"
    back = await drawn(board, **dict(parse_qsl(href[1:])))
    assert '<a data-go href="?amount=5&amp;asset=talus&amp;theme=dark">' in back
    assert "data-inverse" in back


async def test_script_gets_the_price_as_a_plain_decimal(board):
    assert 'data-price="0.000001234"' in await drawn(board, asset="evil")
    assert 'data-price=""' in await drawn(board, asset="quiet")


async def test_every_field_is_labelled(board):
    html = await drawn(board)
    fields = re.findall(r"<label>.*?</label>", html, re.DOTALL)
    assert [re.search(r"<(input|output|select)", field)[1] for field in fields] == [
        "input",
        "output",
        "select",
    ]
    assert all(re.search(r"<span[^>]*>\w+</span>", field) for field in fields)
    assert 'inputmode="decimal"' in html


async def test_currencies_are_those_that_are_known_and_the_quote_s_own(board):
    assert re.findall(r"<option( selected)?>(\w+)", await drawn(board)) == [("", "EUR"), (" selected", "USD")]
    board.set("talus", currency="XYZ")
    html = await drawn(board)
    assert re.findall(r"<option selected>(\w+)", html) == ["XYZ"]
    assert html.count("data-notation=") == 2


async def test_day_of_a_reference_rate_is_said(board):
    assert "EUR 2026-09-21" in await drawn(board, currency="EUR")
    assert "EUR 2026-09-21" in await drawn(board, "svg", currency="EUR")


async def test_without_a_price_nothing_is_made_up(board):
    html = await drawn(board, asset="quiet")
    assert converted(html) == "unavailable"
    assert 'data-state="unavailable"' in html
    assert "unavailable" in await drawn(board, "svg", asset="quiet")


async def test_old_price_is_said_to_be_old(board):
    board.set("talus", state=State.STALE, as_of=StillClock().time - 360_000)
    for form in ("html", "svg"):
        assert "6 min old" in await drawn(board, form)


async def test_hostile_names_stay_text_and_made_up_prices_are_marked(board):
    for form in ("html", "svg"):
        for inverse in ("0", "1"):
            text = await drawn(board, form, asset="evil", inverse=inverse)
            assert HOSTILE not in text
            assert '"><i>' not in text
            assert "Demo" in text


async def test_picture_says_the_sum_in_its_title_and_its_drawing(board):
    svg = await drawn(board, "svg", amount="1000")
    assert '<title id="t">1000 US = $10.21 USD, as of 2026-09-21 14:13:20 UTC</title>' in svg
    assert ">$10.21<" in svg


async def test_bad_amount_names_itself(board):
    with pytest.raises(RequestError) as caught:
        await drawn(board, amount="<b>")
    assert (caught.value.status, caught.value.viewer) == (
        400,
        "amount can't be “<b>”: use up to 30 digits, as in 1234.5",
    )


@pytest.mark.parametrize("size", Scale)
async def test_picture_is_as_large_as_what_a_snippet_reserves(board, size):
    width, height, _ = CONVERTER.size(read({"asset": "talus", "size": size}, CONVERTER.options))
    assert f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"' in await drawn(
        board, "svg", size=size
    )
