"""The snippets: what each form says, how much room it keeps, and that a hostile name stays a name in each."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ticker.cli.snippet import run
from ticker.errors import RequestError
from ticker.model import Asset
from widgets.embed import embed
from widgets.kinds import KINDS
from widgets.kinds.base import Kind, Size
from widgets.params import AssetOptions, ListOptions, read
from widgets.snippets import FORMS, label, policy, snippet, snippets, widget

TALUS = Asset("talus", "US", "Talus")
BITCOIN = Asset("bitcoin", "BTC", "Bitcoin")
URL = "https://prices.example.com"
LABEL = "Talus (US) live price"
HOSTILE = (
    '"><script>alert(1)</script>',
    "</price-ticker><img src=x onerror=alert(1)>",
    "--><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "{{ constructor.constructor('alert(1)')() }}",
    "{alert(1)}",
    "](javascript:alert(1)) ![x](x",
    "`${alert(1)}`",
    "' onload='alert(1)",
)


def unseen(*_):
    raise AssertionError("snippets look at no view")


BOX = Kind("quote", "", AssetOptions, lambda _, o: [o.asset], unseen, lambda _: Size(320, 72))
WIDE = Kind("tape", "", ListOptions, lambda _, o: o.ids, unseen, lambda _: Size(480, 40, fluid=True))


def pasted(form, asset=TALUS, url=URL, kind=BOX, **query):
    said = {"asset": asset.id} if kind is BOX else {}
    return snippet(form, kind, read(said | query, kind.options), url, [asset]).code


class Tags(HTMLParser):
    """Every start tag with its attributes, and the text between."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)
        self.close()

    def __getitem__(self, name):
        return next(said for tag, said in self.tags if tag == name)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def rendered(markdown):
    return Tags(MarkdownIt("commonmark").render(markdown))


def test_every_form_is_offered_the_live_element_first():
    offered = snippets(BOX, AssetOptions(asset="talus"), URL, [TALUS])
    assert [one.form for one in offered] == list(FORMS)
    assert offered[0].form == "element"
    assert all(one.title and one.says.endswith(".") for one in offered)


def test_element_says_its_options_and_leads_somewhere_without_script():
    tags = Tags(pasted("element", theme="dark", live="0"))
    assert tags["script"] == {"type": "module", "src": f"{URL}/embed.js"}
    style = "display:block;width:320px;max-width:100%;height:72px"
    assert tags["price-ticker"] == {
        "kind": "quote", "asset": "talus", "live": "0", "theme": "dark", "style": style,
    }  # fmt: skip
    assert list(tags["price-ticker"])[:2] == ["kind", "asset"]
    assert tags["a"]["href"] == f"{URL}/assets/talus"
    assert tags.text.strip() == LABEL


def test_pinned_element_has_the_lasting_address_and_integrity():
    script = Tags(pasted("pinned"))["script"]
    assert script["src"] == f"{URL}/embed/{embed().name}"
    assert script["integrity"] == embed().integrity
    assert "crossorigin" in script


def test_frame_and_pictures_carry_size_and_words():
    box = {"width": "320", "height": "72"}
    assert Tags(pasted("iframe"))["iframe"].items() >= {"title": LABEL, **box}.items()
    for form in ("image", "png", "email"):
        assert Tags(pasted(form))["img"].items() >= {"alt": LABEL, **box}.items()


def test_png_is_there_for_both_densities():
    image = Tags(pasted("png", theme="dark"))["img"]
    address = f"{URL}/widgets/quote.png?asset=talus&theme=dark"
    assert image["src"] == address
    assert image["srcset"] == f"{address} 1x, {address}&scale=2 2x"


def test_comma_in_an_address_doesn_t_part_the_srcset():
    options = read({"assets": "talus,bitcoin"}, ListOptions)
    code = snippet("png", WIDE, options, URL, [TALUS, BITCOIN]).code
    assert Tags(code)["img"]["srcset"].count(",") == 1


@pytest.mark.parametrize("form", ["element", "pinned", "iframe", "react", "vue", "wordpress-html"])
def test_fluid_kind_is_as_wide_as_its_place_and_as_high_as_it_says(form):
    code = pasted(form, kind=WIDE)
    assert re.search(r'width: ?"?100%', code)
    assert re.search(r'height: ?"?40px', code)
    assert "max-width" not in code


def test_option_that_is_a_default_is_not_said():
    assert pasted("wordpress", kind=WIDE) == f"{URL}/widgets/tape"
    assert f"{URL}/widgets/tape.png?scale=2 2x" in pasted("png", kind=WIDE)


def test_snippet_is_always_for_a_document():
    options = read({"asset": "talus", "form": "fragment"}, AssetOptions)
    assert not any("fragment" in one.code for one in snippets(BOX, options, URL, [TALUS]))


def test_wordpress_gets_the_address_alone():
    assert pasted("wordpress", theme="light") == f"{URL}/widgets/quote?asset=talus&theme=light"


def test_markdown_is_a_picture_linked_to_the_chart():
    tags = rendered(pasted("markdown", theme="dark"))
    assert tags["a"]["href"] == f"{URL}/assets/talus"
    assert tags["img"] == {"src": f"{URL}/widgets/quote.svg?asset=talus&theme=dark", "alt": LABEL}


def test_amp_frame_is_secure_sandboxed_and_has_its_placeholder():
    code = pasted("amp")
    frame, image = Tags(code)["amp-iframe"], Tags(code)["amp-img"]
    assert frame["src"].startswith("https://")
    assert (frame["width"], frame["height"], frame["layout"]) == ("320", "72", "fixed")
    assert frame["sandbox"].split() == ["allow-scripts", "allow-popups", "allow-popups-to-escape-sandbox"]
    assert "placeholder" in image
    assert (image["layout"], image["alt"]) == ("fill", LABEL)


def test_fluid_amp_frame_has_a_fixed_height():
    frame = Tags(pasted("amp", kind=WIDE))["amp-iframe"]
    assert (frame["width"], frame["height"], frame["layout"]) == ("auto", "40", "fixed-height")


def test_amp_is_not_offered_over_plain_http():
    offered = snippets(BOX, AssetOptions(asset="talus"), "http://127.0.0.1:8080", [TALUS])
    assert {one.form for one in offered} == set(FORMS) - {"amp"}
    with pytest.raises(RequestError, match="https"):
        pasted("amp", url="http://127.0.0.1:8080")


def test_mail_has_no_script_no_style_and_no_table():
    code = pasted("email")
    assert {tag for tag, _ in Tags(code).tags} == {"a", "img"}
    assert "style" not in code


def test_link_of_the_publisher_s_own_is_where_pictures_lead():
    link = "https://shop.example/{symbol}?from=a&to=b"
    assert Tags(pasted("image", link=link))["a"]["href"] == "https://shop.example/US?from=a&to=b"
    assert rendered(pasted("markdown", link=link))["a"]["href"] == "https://shop.example/US?from=a&to=b"


@pytest.mark.parametrize("form", ["image", "png", "markdown", "email", "element", "react", "vue"])
def test_no_link_is_no_link(form):
    code = pasted(form, link="none")
    assert "<a " not in code
    assert "assets/talus" not in code
    if form == "markdown":
        assert code.startswith("![")


def test_several_assets_lead_to_the_market():
    options = read({}, ListOptions)
    code = snippet("element", WIDE, options, URL, [TALUS, BITCOIN]).code
    assert Tags(code)["a"]["href"] == f"{URL}/"
    assert Tags(code).text.strip() == "Live prices of Talus (US), Bitcoin (BTC)"


def test_long_list_names_three_and_counts_the_others():
    assert label([TALUS] * 12) == "Live prices of Talus (US), Talus (US), Talus (US) and 9 more"
    assert label([]) == "Live prices"


def test_label_is_one_line_that_any_document_can_hold():
    assert label([Asset("x", "X", "a\x00b\nc\u2028d\ud800")]) == "a b c d (X) live price"


# What the publisher has to allow, and what it weighs


def test_live_element_needs_script_and_both_ways_to_the_feed():
    wanted = [
        f"script-src {URL}",
        f"connect-src {URL} wss://prices.example.com",
        f"img-src {URL}",
    ]
    assert policy("element", URL) == wanted
    assert policy("element", "http://127.0.0.1:8080/ticker") == [
        "script-src http://127.0.0.1:8080",
        "connect-src http://127.0.0.1:8080 ws://127.0.0.1:8080",
        "img-src http://127.0.0.1:8080",
    ]


def test_other_forms_need_only_their_own_kind_of_thing():
    assert policy("iframe", URL) == policy("wordpress", URL) == [f"frame-src {URL}"]
    assert policy("image", URL) == policy("markdown", URL) == [f"img-src {URL}"]
    assert policy("amp", URL) == [f"frame-src {URL}", f"img-src {URL}"]
    assert policy("email", URL) == []


# Texts from outside


def elements(form, code):
    """What a reader's browser makes of a form, as tags with their attributes."""
    if form == "markdown":
        return rendered(code).tags
    if form == "react":
        return Tags(re.sub(r"\{\{.*?\}\}|\{\"(?:\\.|[^\"\\])*\"\}", "_", code)).tags
    if form == "wordpress":
        return Tags(code).tags
    return Tags(code.replace("<script setup>", "").replace("<template>", "")).tags


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_name_adds_no_tag_and_no_attribute(form, hostile):
    evil = Asset(hostile, hostile, hostile)
    tame = elements(form, pasted(form))
    found = elements(form, pasted(form, evil))
    assert [(tag, set(said)) for tag, said in found] == [(tag, set(said)) for tag, said in tame]
    for _, said in found:
        for name in ("src", "href", "srcset"):
            assert said.get(name, "https:").startswith("https:")


names = st.text(max_size=30)


@given(name=names, symbol=names)
def test_any_name_is_read_back_from_attributes_and_markdown(name, symbol):
    asset = Asset("talus", symbol, name)
    wanted = label([asset])
    assert Tags(pasted("iframe", asset))["iframe"]["title"] == wanted
    assert Tags(pasted("image", asset))["img"]["alt"] == wanted
    assert rendered(pasted("markdown", asset))["img"]["alt"] == wanted


@given(name=names, symbol=names)
def test_any_name_is_read_back_from_jsx(name, symbol):
    asset = Asset("talus", symbol, name)
    text = re.search(r'<a href="[^"]*">(.*)</a>', pasted("react", asset))[1]
    assert (json.loads(text[1:-1]) if text.startswith("{") else text) == label([asset])
    assert "<" not in text


@given(name=names)
def test_vue_never_reads_a_name_as_its_own(name):
    code = pasted("vue", Asset("talus", "US", name))
    link = re.search(r"<a (v-pre) href=\"[^\"]*\">([^<]*)</a></price-ticker>", code)
    assert unescape(link[2]) == label([Asset("talus", "US", name)])


@given(asset_id=st.text(min_size=1, max_size=64), form=st.sampled_from(FORMS))
def test_any_id_is_asked_for_as_it_is(asset_id, form):
    asset = Asset(asset_id.encode("utf-8", "replace").decode(), "US", "Talus")
    code = pasted(form, asset)
    assert "\n\n\n" not in code
    for address in re.findall(r"https://prices[^\s\"')]*", unescape(code)):
        assert re.fullmatch(r"[\w:/?#\[\]@!$&*+,;=%~.-]*", address, re.ASCII)


def test_address_can_t_leave_its_attribute():
    url = "https://prices.example.com/\"onload='x'<b>(y) {z}\\"
    shown = widget(BOX, AssetOptions(asset="talus"), url, [TALUS])
    assert not set("\"'<>(){}\\ ") & set(shown.url + shown.goal + shown.address())


@pytest.mark.parametrize("name", ["element", "react", "vue"])
def test_attribute_values_are_the_options(name):
    link = 'https://x.example/{asset}?q="<{b}>&amp;'
    code = pasted(name, link=link)
    said = re.search(r'link=(\{".*?"\}|".*?") ', code)[1]
    assert (json.loads(said[1:-1]) if name == "react" else unescape(said[1:-1])) == link


DOCS = (Path(__file__).parents[2] / "docs/embedding.md").read_text("utf-8")


@pytest.mark.parametrize("form", [form for form in FORMS if form != "pinned"])  # its hash is each build's own
def test_docs_show_each_form_as_it_is(form):
    real = KINDS["quote"]
    code = snippet(form, real, real.options(asset="talus"), URL, [TALUS]).code
    assert f"\n{code}\n```" in DOCS, f"docs/embedding.md should show:\n{code}"


@pytest.mark.parametrize("form", FORMS)
def test_docs_name_every_directive(form):
    assert all(f"`{rule}`" in DOCS for rule in policy(form, URL))


# The command line


def printed(monkeypatch, tmp_path, capsys, **more):
    monkeypatch.chdir(tmp_path)
    asked = {
        "kind": "quote",
        "asset": "talus",
        "form": "element",
        "theme": "auto",
        "url": URL,
        "config": None,
    }
    assert run(Namespace(**asked | more)) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("form", FORMS)
def test_command_prints_each_form_and_nothing_else(monkeypatch, tmp_path, capsys, form):
    out = printed(monkeypatch, tmp_path, capsys, form=form, theme="dark", url=f"{URL}/")
    real = KINDS["quote"]
    options = read({"asset": "talus", "theme": "dark"}, real.options)
    assert out == snippet(form, real, options, URL, [TALUS]).code + "\n"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ({"asset": "tallus"}, "did you mean talus"),
        ({"kind": "quotes"}, "did you mean quote"),
        ({"form": "ifram"}, "did you mean iframe"),
        ({"kind": "zzz"}, "known are"),
    ],
)
def test_command_names_the_nearest(monkeypatch, tmp_path, capsys, asked, hint):
    with pytest.raises(RequestError, match=hint):
        printed(monkeypatch, tmp_path, capsys, **asked)
