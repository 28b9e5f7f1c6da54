"""The builder and the gallery over HTTP: fields from the option table, complaints in place, real costs."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from html import unescape

import brotli
import pytest

from tests.boards import Board, served, weight
from tests.clocks import StillClock
from ticker.model import Asset
from widgets.builder import EVENTS, PARTS
from widgets.embed import embed, module
from widgets.fields import MOST_BOXES, MOST_LISTED, Control, groups, said, understood
from widgets.kinds import KINDS
from widgets.params import choices


def known(**more):
    board = Board(**more)
    board.set("talus", "0.01021", "0.19")
    board.set("evil", "0.000001234", demo=True)
    return board


class Site:
    def __init__(self, session):
        self._session = session

    async def get(self, path, status=200, **headers):
        async with self._session.get(path, headers=headers) as answer:
            assert answer.status == status
            return answer, await answer.text()


@pytest.fixture
async def serve():
    async with AsyncExitStack() as last:

        async def start(board):
            return Site(await last.enter_async_context(served(board, StillClock())))

        yield start


@pytest.fixture
async def site(serve):
    return await serve(known())


def fields(name, asked, board=None):
    board, kind = board or known(), KINDS[name]
    reading = understood(asked, kind, board)
    return {field.name: field for group in groups(asked, reading, kind, board) for field in group.fields}


def with_assets(count):
    return Board(Asset(f"a{at}", f"A{at}", f"Asset {at}") for at in range(count))


@pytest.mark.parametrize("name", KINDS)
def test_every_option_but_the_readers_page_has_a_field(name):
    assert set(fields(name, {})) == {choice.name for choice in choices(KINDS[name].options)} - {"page"}


@pytest.mark.parametrize(
    ("name", "field", "control"),
    [
        ("quote", "asset", Control.SELECT),
        ("quote", "theme", Control.SELECT),
        ("quote", "locale", Control.SELECT),
        ("quote", "currency", Control.SELECT),
        ("quote", "transparent", Control.CHECK),
        ("quote", "link", Control.TEXT),
        ("table", "rows", Control.NUMBER),
        ("table", "assets", Control.BOXES),
    ],
)
def test_a_field_is_filled_in_as_its_option_is_read(name, field, control):
    assert fields(name, {})[field].control is control


def test_many_assets_are_suggested_instead_of_listed():
    assert fields("quote", {}, with_assets(MOST_LISTED + 1))["asset"].control is Control.SUGGESTED
    assert fields("table", {}, with_assets(MOST_BOXES + 1))["assets"].control is Control.SUGGESTED


def test_a_number_knows_its_limits():
    rows = fields("table", {})["rows"]
    assert (rows.least, rows.most, rows.value) == (1, 100, "10")


def test_a_locale_is_offered_by_its_own_name():
    assert ("de", "Deutsch") in [pick[:2] for pick in fields("quote", {})["locale"].picks]


def test_an_unknown_choice_stays_chosen():
    field = fields("quote", {"theme": "pink"})["theme"]
    assert field.value == "pink"
    assert "pink" in [pick.value for pick in field.picks]


def test_a_choice_in_another_spelling_is_the_same():
    codes = [pick.value for pick in fields("quote", {"currency": "eur"})["currency"].picks]
    assert codes == ["eur", "USD"]


def test_a_ticked_box_follows_the_field_that_says_no():
    assert said([("live", "0"), ("live", "1"), ("logo", "0")]) == {"live": "1", "logo": "0"}


def test_several_assets_are_one_list_and_an_empty_field_says_nothing():
    assert said([("assets", "b"), ("assets", "a"), ("link", " ")]) == {"assets": "b,a"}


def test_each_wrong_option_has_its_own_complaint_and_the_good_ones_stay():
    reading = understood(
        {"theme": "pink", "link": "javascript:1", "size": "large", "asset": "nope"}, KINDS["quote"], known()
    )
    assert set(reading.wrong) == {"theme", "link", "asset"}
    assert reading.good == {"asset": "talus", "size": "large"}


def test_an_amount_is_read_in_the_chosen_locale():
    reading = understood({"amount": "1.234,5", "locale": "de"}, KINDS["converter"], known())
    assert reading.wrong == {}
    assert "amount" in understood({"amount": "1.234,5"}, KINDS["converter"], known()).wrong


@pytest.mark.parametrize("name", KINDS)
async def test_builder_shows_the_widget_and_its_code(site, name):
    _, html = await site.get(f"/builder?kind={name}&theme=dark")
    frame = re.search(r'<iframe src="([^"]+)"', html)[1]
    assert frame.startswith(f"widgets/{name}?")
    assert "theme=dark" in frame
    assert f'&lt;price-ticker kind="{name}"' in html.replace("&#34;", '"')
    await site.get("/" + unescape(frame))


async def test_only_what_isnt_a_default_is_said(site):
    _, html = await site.get(
        "/builder?kind=quote&theme=auto&size=medium&live=0&live=1&logo=0&link=&locale=en"
    )
    assert 'src="widgets/quote?asset=talus&amp;logo=0"' in html
    assert 'data-address="builder?kind=quote&amp;asset=talus&amp;logo=0"' in html


async def test_wrong_options_are_told_at_their_fields_and_kept(site):
    _, html = await site.get("/builder?kind=table&rows=many&link=javascript:x&theme=dark", 400)
    assert 'id="e-rows" aria-live="polite">rows can&#39;t be “many”' in html
    assert 'value="javascript:x"' in html
    assert 'value="many"' in html
    assert html.count('aria-invalid="true"') == 2
    assert 'src="widgets/table?theme=dark"' in html


async def test_hostile_texts_stay_texts(site):
    _, html = await site.get('/builder?kind=quote&asset=evil&link="><script>alert(1)</script>', 400)
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert '"><i>' not in html


async def test_unknown_kind_is_a_page_that_says_so(site):
    _, html = await site.get("/builder?kind=%3Cb%3E", 404)
    assert "No widget is called “&lt;b&gt;”" in html


async def test_nothing_to_show_is_told(serve):
    site = await serve(Board(()))
    for path in ("/builder", "/gallery"):
        _, html = await site.get(path)
        assert "No assets yet" in html


async def test_cost_is_that_of_the_bodies_that_are_served(site):
    _, html = await site.get("/builder?kind=card")
    said = re.search(r"<h2>Live element <small>([\d.]+) KB in 2 requests and a websocket", html)[1]
    _, fragment = await site.get("/widgets/card?asset=talus&form=fragment")
    assert float(said) == round((weight(embed().body) + weight(fragment.encode(), 4)) / 1000, 1)


async def test_a_kinds_own_module_counts(site):
    _, html = await site.get("/builder?kind=chart")
    kilobytes, requests = re.search(r"<h2>Live element <small>([\d.]+) KB in (\d)", html).groups()
    assert requests == "3"
    assert float(kilobytes) * 1000 > weight(embed().body) + weight(module("chart.js").body)


async def test_policy_allows_our_own_frames_and_nothing_unsafe(site):
    answer, html = await site.get("/builder")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.endswith("; frame-src 'self'")
    assert not re.search(r"<[^>]+\s(style|on\w+)=", html)


async def test_variants_are_not_indexed_and_have_one_address(site):
    _, plain = await site.get("/builder")
    answer, other = await site.get("/builder?kind=card&theme=dark")
    assert "noindex" not in plain
    assert 'content="noindex, follow"' in other
    assert f'<link rel="canonical" href="{answer.url.origin()}/builder?kind=card">' in other


async def test_another_kind_keeps_what_it_understands(site):
    _, html = await site.get("/builder?kind=quote&asset=evil&theme=dark&logo=0")
    assert '<a href="builder?kind=card&amp;asset=evil&amp;theme=dark&amp;logo=0">' in html
    assert '<a href="builder?kind=tape&amp;theme=dark&amp;logo=0">' in html


async def test_gallery_has_every_kind_light_and_dark(site):
    _, html = await site.get("/gallery")
    for name in KINDS:
        elements = re.findall(rf'<price-ticker class="([\w-]+)" kind="{name}"[^>]*theme="(\w+)"', html)
        assert {"light", "dark"} <= {theme for _, theme in elements}
        assert all(f".{room}{{width:" in html for room, _ in elements)
    assert 'locale="ar"' in html
    assert 'currency="EUR"' in html
    assert 'currency="JPY"' not in html, "it isn't known here"


async def test_parts_are_there_to_be_styled(site):
    _, html = await site.get("/widgets/quote?asset=talus&form=fragment")
    assert {part for part in PARTS if f'part="{part}"' in html} == set(PARTS)


async def test_events_are_those_that_the_script_sends():
    assert all(f'"{name}"'.encode() in embed().body for name in EVENTS)


async def test_builder_is_small(site):
    _, html = await site.get("/builder")
    assert len(brotli.compress(html.encode(), quality=5)) <= 12_500
    assert weight(module("builder.js").body) <= 1_200
