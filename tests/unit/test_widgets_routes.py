"""The widgets over HTTP: markup, policies, validators, compression, errors."""

from __future__ import annotations

import re
from base64 import b64encode
from decimal import Decimal
from hashlib import sha256
from html import unescape

import brotli
import pytest

from tests.boards import HOSTILE, Board, served
from tests.clocks import NOW, StillClock
from ticker.model import Observation, State
from widgets.embed import embed


def talus() -> Board:
    board = Board()
    board.set("talus", "0.01021", "0.19")
    board.set("evil", "0.000001234", demo=True)
    said = {"source": "mexc", "pair": HOSTILE, "currency": "USDT", "price": Decimal("0.01021")}
    for name in ("talus", "evil"):
        board.said[name] = [Observation(**said, change_24h=None, as_of=NOW, used=False, reason=HOSTILE)]
    return board


class Site:
    def __init__(self, session, board, clock):
        self.session, self.board, self.clock = session, board, clock

    async def get(self, path, status=200, **headers):
        async with self.session.get(path, headers=headers, allow_redirects=False) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return answer, text


@pytest.fixture
async def site():
    board, clock = talus(), StillClock()
    async with served(board, clock) as session:
        yield Site(session, board, clock)


def visible(html):
    html = re.sub(r"<style>.*?</style>|<svg.*?</svg>", "", html, flags=re.DOTALL)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


async def test_box_has_name_price_change_currency_time_and_link(site):
    _, html = await site.get("/widgets/quote?asset=talus")
    text = visible(html)
    for part in ("Talus", "(US)", "$0.01021", "USD", "▲", "+0.19%", "14:13 UTC", "Live chart"):
        assert part in text
    assert '<time datetime="2026-09-21T14:13:20Z"' in html
    assert 'href="../assets/talus"' in html
    assert "<title>Talus (US) live price</title>" in html


async def test_old_quote_shows_its_age_in_the_html(site):
    site.board.set("talus", state=State.STALE, as_of=NOW - 360_000)
    _, html = await site.get("/widgets/quote?asset=talus")
    assert "6 min old" in visible(html)
    assert 'data-state="stale"' in html


async def test_quote_without_a_price_is_never_blank(site):
    _, html = await site.get("/widgets/quote?asset=quiet")
    assert "unavailable" in visible(html)
    assert "None" not in html


async def test_demo_and_tiny_price_are_marked_in_every_form(site):
    _, html = await site.get("/widgets/quote?asset=evil")
    assert "data-demo" in html
    assert "$0.0<sub>5</sub>1234" in html
    assert '<span class="vh">$0.000001234</span>' in html
    _, svg = await site.get("/widgets/quote.svg?asset=evil")
    assert ">Demo<" in svg
    _, page = await site.get("/")
    assert "data-demo" in page


async def test_assumed_peg_is_hinted_at(site):
    site.board.set("talus", assumed=True)
    _, html = await site.get("/widgets/quote?asset=talus")
    assert 'title="assumes 1 USDT = 1 USD">USD*<' in html


@pytest.mark.parametrize(
    "path", ["/widgets/quote?asset=evil", "/widgets/quote.svg?asset=evil", "/", "/assets/evil"]
)
async def test_hostile_strings_stay_text(site, path):
    _, text = await site.get(path)
    assert "<img src=x" not in text
    assert '"><i>' not in text


async def test_fragment_is_the_same_markup_without_a_document(site):
    answer, fragment = await site.get("/widgets/quote?asset=talus&form=fragment")
    _, document = await site.get("/widgets/quote?asset=talus")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "<html" not in fragment
    assert fragment in document


async def test_policy_allows_exactly_the_style_of_the_document(site):
    for path in ("/widgets/quote?asset=talus", "/", "/assets/talus"):
        answer, html = await site.get(path)
        policy = answer.headers["Content-Security-Policy"]
        [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
        assert f"style-src 'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
        assert "unsafe" not in policy
        assert " style=" not in re.sub(r"<pre.*?</pre>", "", html, flags=re.DOTALL)
        assert not re.search(r"<script(?![^>]* (src=|type=.application/ld))", html)


async def test_widgets_may_be_framed_anywhere_and_pages_only_at_home(site):
    widget, _ = await site.get("/widgets/quote?asset=talus")
    page, _ = await site.get("/")
    assert "frame-ancestors *" in widget.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]


async def test_widgets_may_be_framed_by_those_who_are_listed():
    listed = "'self' https://example.com"
    async with (
        served(talus(), StillClock(), frames=listed) as session,
        session.get("/widgets/quote?asset=talus") as answer,
    ):
        assert f"frame-ancestors {listed}" in answer.headers["Content-Security-Policy"].split("; ")


async def test_host_header_that_is_no_host_never_reaches_a_page(site):
    await site.get("/", 400, Host="x; script-src *")


async def test_not_live_document_has_no_script(site):
    _, html = await site.get("/widgets/quote?asset=talus&live=0")
    assert "<script" not in html


async def test_unchanged_document_is_304_and_a_new_price_is_not(site):
    path = "/widgets/quote?asset=talus"
    answer, _ = await site.get(path)
    tag = answer.headers["ETag"]
    assert "stale-while-revalidate" in answer.headers["Cache-Control"]
    again, body = await site.get(path, 304, **{"If-None-Match": tag})
    assert (body, again.headers["ETag"]) == ("", tag)
    site.board.set("talus", "0.01022")
    await site.get(path, 200, **{"If-None-Match": tag})


async def test_old_price_that_grew_older_is_not_304(site):
    site.board.set("talus", state=State.STALE)
    answer, _ = await site.get("/widgets/quote?asset=talus")
    site.clock.time += 120_000
    await site.get("/widgets/quote?asset=talus", 200, **{"If-None-Match": answer.headers["ETag"]})


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("identity", None)],
)
@pytest.mark.parametrize("path", ["/widgets/quote?asset=talus", "/embed.js"])
async def test_best_accepted_coding_is_used(site, path, accepts, coding):
    answer, text = await site.get(path, **{"Accept-Encoding": accepts})
    assert answer.headers.get("Content-Encoding") == coding
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert "price" in text


async def test_document_is_small(site):
    _, html = await site.get("/widgets/quote?asset=talus&form=fragment")
    assert len(brotli.compress(html.encode(), quality=5)) <= 720


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/widgets/quote?asset=nope", 404, "No asset is called “nope” here"),
        ("/widgets/nope?asset=talus", 404, "No widget is called “nope”: try quote"),
        ("/widgets/quote?asset=talus&theme=pink", 400, "theme can't be “pink”: use auto, light, dark"),
        ("/widgets/quote", 400, "Say which asset"),
        ("/widgets/quote?asset=%3Cb%3E&form=fragment", 404, "No asset is called “<b>” here"),
        ("/widgets/quote.svg?asset=nope", 404, "No asset is called “nope” here"),
    ],
)
async def test_error_is_a_short_message_in_the_widget(site, path, status, says):
    answer, html = await site.get(path, status)
    assert says in unescape(html)
    assert "Traceback" not in html
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_picture_is_titled_and_follows_its_theme(site):
    answer, svg = await site.get("/widgets/quote.svg?asset=talus")
    assert answer.content_type == "image/svg+xml"
    assert 'role="img"' in svg
    assert '<title id="t">Talus (US) $0.01021 USD, +0.19% (24h), as of 2026-09-21 14:13:20 UTC</title>' in svg
    assert "prefers-color-scheme:dark" in svg
    for theme in ("light", "dark"):
        _, fixed = await site.get(f"/widgets/quote.svg?asset=talus&theme={theme}")
        assert "prefers-color-scheme" not in fixed


async def test_script_has_a_short_and_a_lasting_address(site):
    newest, body = await site.get("/embed.js")
    lasting, same = await site.get(f"/embed/{embed().name}")
    assert body == same == embed().body.decode()
    assert "immutable" in lasting.headers["Cache-Control"]
    assert "immutable" not in newest.headers["Cache-Control"]
    assert lasting.headers["Access-Control-Allow-Origin"] == "*"
    assert lasting.content_type == "text/javascript"


async def test_address_of_an_older_build_leads_to_the_newest(site):
    answer, _ = await site.get("/embed/0123456789abcdef.js", 302)
    assert answer.headers["Location"] == "../embed.js"
    assert "immutable" not in answer.headers["Cache-Control"]


async def test_public_url_is_what_snippets_say():
    async with (
        served(talus(), StillClock(), public_url="https://prices.example.com") as session,
        session.get("/assets/talus") as answer,
    ):
        assert "https://prices.example.com/embed.js" in await answer.text()
