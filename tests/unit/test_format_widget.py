"""A widget in a locale: its language, direction, words and weight."""

from __future__ import annotations

import re
from decimal import Decimal

import brotli
import pytest

from tests.boards import weight
from tests.clocks import StillClock
from ticker.errors import RequestError
from ticker.model import Asset, Basis, Change, Pair, Quote, State, Window
from widgets.embed import embed
from widgets.locales import TAGS
from widgets.rendering import Rendering

NOW = 1_790_000_000_123


class Board:
    def __init__(self, **fields):
        asset = Asset("talus", "US", "Talus", (Pair("mexc", "USUSDT", "US", "USDT"),))
        self.assets = {"talus": asset}
        fields = {"price": Decimal("0.01021"), "as_of": NOW, "state": State.LIVE} | fields
        moved = Change(Decimal("0.19"), Window.DAY, Basis.ROLLING)
        self._quote = Quote(
            asset="talus", symbol="US", name="Talus", currency="USD", change_24h=moved, **fields
        )

    def quote(self, asset_id, currency=None):
        return self._quote

    def require(self, currency):
        """Every currency is known here."""


async def rendered(locale, *, notation="subscript", **fields):
    rendering = Rendering(Board(**fields), StillClock(NOW))
    asked = {"asset": "talus", "locale": locale, "notation": notation}
    return await rendering.markup(rendering.read("quote", asked), "..")


async def fragment(locale, **options):
    return (await rendered(locale, **options)).text


async def test_script_its_style_and_one_widget_together_keep_to_their_budget():
    assert weight(embed().body) + weight((await fragment("en")).encode(), 4) <= 7_700


@pytest.mark.parametrize("tag", TAGS)
async def test_widget_of_every_locale_is_small(tag):
    assert len(brotli.compress((await fragment(tag)).encode(), quality=5)) <= 1_100


async def test_widget_says_its_language_and_direction():
    assert ' lang="de" dir="ltr"' in await fragment("de-AT")
    assert ' lang="fa" dir="rtl"' in await fragment("fa")


async def test_widget_speaks_its_language():
    html = await fragment("de", state=State.DELAYED, as_of=NOW - 360_000)
    for words in (
        "vor 6 Min.", "verzögert, ", "Live-Chart", "0,01021\u00a0$", "+0,19\u00a0%", "gestiegen", "24 h",
        "Stand: 2026-09-21 14:07:20 UTC", "Talus (US) Live-Kurs",
    ):  # fmt: skip
        assert words in html


async def test_price_and_change_are_isolated_from_the_text_around_them():
    html = await fragment("he")
    assert re.search(r'<bdi class="price"[^>]* data-f="price">', html)
    assert "<bdi>\u200e+0.19%</bdi>" in html


async def test_tiny_price_has_a_real_subscript_and_the_full_number_in_every_digit_system():
    html = await fragment("fa", price=Decimal("0.000000001234"))
    assert "۰٫۰<sub>۸</sub>۱۲۳۴" in html
    assert "۰٫۰۰۰۰۰۰۰۰۱۲۳۴</span>" in html


async def test_plain_price_has_no_subscript_and_the_script_is_told():
    html = await fragment("de", notation="plain", price=Decimal("0.000000001234"))
    assert "0,000000001234\u00a0$" in html
    assert "<sub>" not in html
    assert '"USD","plain"]' in html


async def test_sentence_of_a_picture_is_in_its_language():
    assert (await rendered("fr", state=State.STALE)).view.sentence == (
        "Talus (US) 0,01021\u00a0$US USD, +0,19\u00a0% (24 h), au 2026-09-21 14:13:20 UTC, périmé"
    )


async def test_language_that_is_not_spoken_is_a_message_and_no_widget():
    with pytest.raises(RequestError, match="locale can't be “tlh”: use en, de"):
        await fragment("tlh")
