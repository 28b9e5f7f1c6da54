"""oEmbed: the standard's fields, sizes and errors, and what WordPress leaves of the answer."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_snippets import BITCOIN, BOX, HOSTILE, TALUS, URL, WIDE, unseen
from ticker.errors import RequestError
from ticker.model import Asset
from widgets.kinds.base import Kind, Size, listed, one
from widgets.oembed import CACHE_AGE, NARROWEST, WIDEST, answer, discovery, discovery_header
from widgets.params import AssetOptions, ListOptions

CHART = Kind("chart", "", AssetOptions, one, unseen, lambda _: Size(480, 300, fluid=True))
TABLE = Kind("table", "", ListOptions, listed, unseen, lambda _: Size(640, 480, fluid=True))
BADGE = Kind("badge", "", AssetOptions, one, unseen, lambda _: Size(160, 28))
QUOTE = Kind("quote", "", AssetOptions, one, unseen, BOX.size)
TAPE = Kind("tape", "", ListOptions, listed, unseen, WIDE.size)
KINDS = {kind.name: kind for kind in (QUOTE, CHART, TABLE, BADGE, TAPE)}
TRUSTED = {  # tag -> attributes: what WordPress's oEmbed filter keeps of an unknown provider
    "a": {"href"},
    "blockquote": set(),
    "iframe": {"src", "width", "height", "frameborder", "marginwidth", "marginheight", "scrolling", "title"},
}


class Board:
    """Assets and two currencies; nothing else is asked of it."""

    def __init__(self, *assets):
        self.assets = {asset.id: asset for asset in assets}

    def require(self, currency):
        if currency not in ("USD", "EUR"):
            raise RequestError("unknown_currency", f"No rate into {currency}")


BOARD = Board(TALUS, BITCOIN, Asset("a/b c", "AB", "A & B"))


def asked(path, board=BOARD, site=URL, kinds=KINDS, **query):
    return answer({"url": path if "://" in path else site + path} | query, site, kinds, board)


def said(path, **query):
    return json.loads(asked(path, **query).body)


def refused(path, **query):
    with pytest.raises(RequestError) as caught:
        asked(path, **query)
    return caught.value.status


class Iframe(HTMLParser):
    """The only element of a piece of HTML, which must be an iframe."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.said = [], {}
        self.feed(html)
        self.close()
        assert self.tags == ["iframe"], html

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.said = dict(attrs)

    def handle_data(self, data):
        raise AssertionError(data)


class Filtered(HTMLParser):
    """Markup with the trusted tags and attributes only, as WordPress's allow-list writes it anew."""

    def __init__(self, html):
        super().__init__(convert_charrefs=False)
        self.html = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag in TRUSTED:
            kept = "".join(
                f' {name}="{escape(value or "")}"' for name, value in attrs if name in TRUSTED[tag]
            )
            self.html += f"<{tag}{kept}>"

    def handle_endtag(self, tag):
        if tag in TRUSTED:
            self.html += f"</{tag}>"

    def handle_data(self, data):
        self.html += data

    def handle_entityref(self, name):
        self.html += f"&{name};"


def wordpress(said, key="f3kd0Q7zXw"):
    """What an author's readers get of an answer from a provider that WordPress doesn't know.

    In its order: a frame gets the answer's title when it has none; only trusted tags and attributes stay; an
    iframe must stand there whole; its address gets the secret in its hash, less what an address may not hold;
    then it is sandboxed. None when WordPress shows the bare link instead.
    """
    html = said.get("html")
    if said.get("type") not in ("rich", "video") or not isinstance(html, str):
        return None
    head = re.search(r"<iframe([^>]*)>", html, re.IGNORECASE)
    if head and not re.search(r"\stitle=(['\"]).+?\1", head[1]) and said.get("title"):
        html = html.replace("<iframe ", f'<iframe title="{escape(said["title"])}" ')
    html = Filtered(html).html
    whole = re.search(r"(<blockquote>.*?</blockquote>)?.*(<iframe.*?></iframe>)", html, re.DOTALL)
    if not whole:
        return None
    html = (whole[1] or "") + whole[2]
    if source := re.search(r" src=(['\"])(.*?)\1", html):
        kept = re.sub(r"[^a-zA-Z0-9\-~+_.?#=!&;,/:%@$|*'()\[\]\x80-\U0010ffff]", "", source[2])
        html = html.replace(source[0], f' src="{kept}#?secret={key}" data-secret="{key}"')
    dressed = '<iframe class="wp-embedded-content" sandbox="allow-scripts" security="restricted"'
    return html.replace("<iframe", dressed)


def discovered(page):
    """Where WordPress asks for an answer: the first link of the head with one of its types."""
    head = page.split("</head>")[0]
    for link in re.findall(r"<link([^<>]+)/?>", head):
        found = dict(re.findall(r"""(\w+)=["']([^"']*)["']""", link))
        if found.get("type") in ("application/json+oembed", "text/xml+oembed") and found.get("href"):
            return unescape(found["href"])
    return None


def test_answer_has_the_fields_of_the_standard():
    found = said("/widgets/quote?asset=talus&theme=dark")
    html = found.pop("html")
    assert found == {
        "type": "rich",
        "version": "1.0",
        "title": "Talus (US) live price",
        "provider_name": "Ticker",
        "provider_url": f"{URL}/",
        "cache_age": CACHE_AGE,
        "width": 320,
        "height": 72,
        "thumbnail_url": f"{URL}/widgets/quote.png?asset=talus&theme=dark",
        "thumbnail_width": 320,
        "thumbnail_height": 72,
    }
    assert Iframe(html).said == {
        "src": f"{URL}/widgets/quote?asset=talus&theme=dark",
        "width": "320",
        "height": "72",
        "title": "Talus (US) live price",
        "frameborder": "0",
    }


def test_asset_s_page_is_its_chart_and_the_market_its_table():
    assert Iframe(said("/assets/talus?theme=dark")["html"]).said["src"] == (
        f"{URL}/widgets/chart?asset=talus&theme=dark"
    )
    for path in ("", "/", "/?utm_source=x"):
        assert Iframe(said(path)["html"]).said["src"] == f"{URL}/widgets/table"


def test_page_s_smaller_kind_stands_in_where_the_larger_one_doesn_t_fit():
    assert "/widgets/quote?" in said("/assets/talus", maxheight="299")["html"]
    assert "/widgets/tape" in said("/", maxheight="100")["html"]


@pytest.mark.parametrize(
    ("room", "width"),
    [("320", 320), ("1000", 320), ("319", 319), (str(NARROWEST), NARROWEST), ("", 320)],
)
def test_box_is_as_wide_as_it_is_or_narrowed(room, width):
    found = said("/widgets/quote?asset=talus", maxwidth=room)
    assert found["width"] == width
    assert Iframe(found["html"]).said["width"] == str(width)


@pytest.mark.parametrize(("room", "width"), [("", 480), ("645", 645), ("300", 300), ("9999", WIDEST)])
def test_fluid_kind_takes_the_width_it_is_given(room, width):
    assert said("/widgets/chart?asset=talus", maxwidth=room)["width"] == width


def test_thumbnail_keeps_to_the_room_too():
    assert "thumbnail_url" not in said("/widgets/quote?asset=talus", maxwidth="300")
    assert "thumbnail_url" in said("/widgets/quote?asset=talus", maxwidth="320")


def test_what_can_t_fit_is_not_found():
    assert refused("/widgets/quote?asset=talus", maxwidth=str(NARROWEST - 1)) == 404
    assert refused("/widgets/quote?asset=talus", maxheight="71") == 404
    assert said("/widgets/badge?asset=talus", maxwidth="160")["width"] == 160
    assert refused("/widgets/badge?asset=talus", maxwidth="159") == 404


@given(
    width=st.none() | st.integers(0, 3000),
    height=st.none() | st.integers(0, 1500),
    path=st.sampled_from(["/", "/assets/talus", "/widgets/quote?asset=talus", "/widgets/badge?asset=talus"]),
)
def test_answer_never_takes_more_than_its_room(width, height, path):
    room = {"maxwidth": width, "maxheight": height}
    query = {name: str(value) for name, value in room.items() if value is not None}
    try:
        found = said(path, **query)
    except RequestError:
        return
    for limit, *sizes in ((width, "width", "thumbnail_width"), (height, "height", "thumbnail_height")):
        assert all(limit is None or found.get(size, 0) <= limit for size in sizes)
    frame = Iframe(found["html"]).said
    assert (frame["width"], frame["height"]) == (str(found["width"]), str(found["height"]))


@pytest.mark.parametrize(
    "address",
    [
        "https://other.example/assets/talus",
        "https://prices.example.com.evil.example/assets/talus",
        "https://prices.example.com@evil.example/assets/talus",
        "https://someone@prices.example.com/assets/talus",
        "https://prices.example.com:8443/assets/talus",
        "ftp://prices.example.com/assets/talus",
        "javascript://prices.example.com/%0aalert(1)",
        "//prices.example.com/assets/talus",
        "https://[::1/assets/talus",
        "https://prices.example.com:x/assets/talus",
        "https://prices.example.com/?" + "a=1&" * 60,
        "talus",
    ],
)
def test_address_of_others_or_of_nobody_is_not_found(address):
    with pytest.raises(RequestError) as caught:
        answer({"url": address}, URL, KINDS, BOARD)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/assets/nope",
        "/assets/",
        "/assets/talus/more",
        "/widgets/nope?asset=talus",
        "/widgets/quote",
        "/widgets/quote?asset=nope",
        "/widgets/quote?asset=talus&theme=pink",
        "/widgets/quote?asset=talus&currency=XXX",
        "/widgets/quote?asset=talus&link=javascript:alert(1)",
        "/widgets/quote.svg?asset=talus",
        "/v1/assets",
    ],
)
def test_address_of_ours_without_an_embed_is_not_found(path):
    assert refused(path) == 404


@pytest.mark.parametrize(
    "address",
    ["http://prices.example.com/assets/talus", "https://PRICES.example.com:443/assets/talus/#chart"],
)
def test_other_spellings_of_our_address_are_ours(address):
    assert "/widgets/chart?asset=talus" in said(address)["html"]


def test_service_may_live_below_a_path():
    site = "https://example.com/prices"
    assert f'src="{site}/widgets/chart?asset=talus"' in said("/assets/talus", site=site)["html"]
    assert f'src="{site}/widgets/table"' in said("", site=site)["html"]
    assert refused("https://example.com/assets/talus", site=site) == 404
    assert refused("https://example.com/prices2/assets/talus", site=site) == 404


def test_id_with_odd_characters_is_found():
    frame = Iframe(said("/assets/a%2Fb%20c")["html"]).said
    assert parse_qs(urlsplit(frame["src"]).query) == {"asset": ["a/b c"]}
    assert frame["title"] == "A & B (AB) live price"


def test_fragment_s_address_is_embedded_as_a_document():
    assert "fragment" not in said("/widgets/quote?asset=talus&form=fragment")["html"]


def test_first_of_two_values_counts():
    assert "theme=dark" in said("/widgets/quote?asset=talus&theme=dark&theme=light")["html"]


def test_format_is_json_or_xml_or_not_implemented():
    assert asked("/", format="json").content_type == asked("/").content_type == "application/json"
    assert asked("/", format="xml").content_type == "text/xml"
    assert refused("/", format="yaml") == 501


@pytest.mark.parametrize("query", [{}, {"url": ""}])
def test_request_without_an_address_is_a_bad_one(query):
    with pytest.raises(RequestError) as caught:
        answer(query, URL, KINDS, BOARD)
    assert caught.value.status == 400


@pytest.mark.parametrize("size", ["wide", "-1", "1.5", "٣٠٠", "1" * 7])
def test_size_that_isn_t_one_is_a_bad_request(size):
    assert refused("/", maxwidth=size) == refused("/", maxheight=size) == 400


@given(name=st.text(max_size=40))
def test_xml_says_what_json_says_whatever_a_name_holds(name):
    board = Board(Asset("talus", "US", name))
    found = json.loads(asked("/assets/talus", board=board).body)
    tree = ET.fromstring(asked("/assets/talus", board=board, format="xml").body.encode())  # noqa: S314
    assert {node.tag: node.text for node in tree} == {field: str(value) for field, value in found.items()}
    assert Iframe(found["html"]).said["title"] == found["title"]


# WordPress


@pytest.mark.parametrize("path", ["/", "/assets/talus", "/widgets/quote?asset=talus&theme=dark"])
def test_wordpress_leaves_a_whole_frame(path):
    found = said(path, maxwidth="500", maxheight="750")
    given, left = Iframe(found["html"]).said, Iframe(wordpress(found)).said
    assert left["src"] == f"{given['src']}#?secret={left['data-secret']}"
    assert (left["sandbox"], left["class"]) == ("allow-scripts", "wp-embedded-content")
    kept = ("width", "height", "title", "frameborder")
    assert [left[name] for name in kept] == [given[name] for name in kept]


@pytest.mark.parametrize("name", HOSTILE)
def test_wordpress_leaves_a_frame_and_nothing_else_of_a_hostile_name(name):
    board = Board(Asset("talus", name, name))
    left = Iframe(wordpress(json.loads(asked("/assets/talus", board=board).body))).said
    assert left["title"] == f"{name} ({name}) live price"
    assert set(left) <= TRUSTED["iframe"] | {"class", "sandbox", "security", "data-secret"}


def test_link_template_survives_wordpress_s_address_filter():
    link = "https%3A%2F%2Fshop.example%2F%7Basset%7D"
    left = Iframe(wordpress(said(f"/widgets/quote?asset=talus&link={link}"))).said
    assert parse_qs(urlsplit(left["src"]).query)["link"] == ["https://shop.example/{asset}"]


def test_the_filter_of_this_test_does_filter():
    evil = '<p>x</p><script>1</script><iframe onload="x" srcdoc="y" src="https://a.example/"></iframe>'
    left = Iframe(wordpress({"type": "rich", "title": "T", "html": evil})).said
    assert not {"onload", "srcdoc"} & set(left)
    assert left["title"] == "T"
    assert wordpress({"type": "rich", "html": "<script>1</script>"}) is None


# Discovery


def test_wordpress_finds_the_answer_by_the_page_s_links():
    page = f"{URL}/widgets/quote?asset=talus&theme=dark"
    links = discovery(page, URL, 'T "<b>" live price')
    where = discovered(f"<html><head><title>x</title>{links}</head>")
    found = urlsplit(where)
    assert f"{found.scheme}://{found.netloc}{found.path}" == f"{URL}/oembed"
    query = {name: values[0] for name, values in parse_qs(found.query).items()}
    assert query == {"url": page, "format": "json"}
    assert json.loads(answer(query, URL, KINDS, BOARD).body)["title"] == "Talus (US) live price"


def test_links_name_both_formats_and_hold_no_markup_of_a_title():
    links = discovery(f"{URL}/", URL, '"><script>')
    assert re.findall(r'type="([^"]*)"', links) == ["application/json+oembed", "text/xml+oembed"]
    assert "<script>" not in links


def test_header_is_one_line_of_ascii_whatever_the_title():
    value = discovery_header(f"{URL}/assets/talus", URL, 'Бит "\r\nSet-Cookie: a=b')
    assert value.isascii()
    assert value.isprintable()
    assert re.findall(r'; type="([^"]*)"', value) == ["application/json+oembed", "text/xml+oembed"]
    assert unquote(re.search(r"title\*=UTF-8''([^,;]*)", value)[1]).startswith('Бит "')
