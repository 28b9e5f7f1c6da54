"""The script and the snippets: budgets, addresses, escaping."""

from __future__ import annotations

import gzip
from base64 import b64encode
from hashlib import sha384
from html.parser import HTMLParser

import brotli
import pytest

from ticker.model import Asset
from widgets.embed import FORMS, embed, page_script, sheet, snippet

TALUS = Asset("talus", "US", "Talus")
URL = "https://prices.example.com"


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found[tag] = dict(attrs)


def test_script_with_its_style_sheet_keeps_to_five_kilobytes_of_brotli():
    assert len(embed().brotli) <= 5_000


def test_style_sheet_keeps_to_three_kilobytes_of_brotli():
    assert len(brotli.compress(sheet("box.css").encode())) <= 3_000


def test_compressed_scripts_are_the_script():
    for script in (embed(), page_script()):
        assert brotli.decompress(script.brotli) == gzip.decompress(script.gzip) == script.body


def test_integrity_is_that_of_the_bytes():
    assert embed().integrity == "sha384-" + b64encode(sha384(embed().body).digest()).decode()


def test_joined_script_has_no_import_or_export_left():
    for script in (embed(), page_script()):
        assert not any(line.startswith((b"import", b"export")) for line in script.body.splitlines())


def test_style_sheet_has_no_comment_and_no_foreign_address():
    for text in (sheet("box.css"), sheet("page.css")):
        assert "/*" not in text
        assert "url(" not in text


def test_element_snippet_reserves_its_height_and_degrades_to_a_link():
    tags = Tags(snippet("quote", TALUS, URL, "element", "dark")).found
    assert tags["script"] == {"type": "module", "src": f"{URL}/embed.js"}
    assert tags["price-ticker"] == {
        "kind": "quote",
        "asset": "talus",
        "theme": "dark",
        "style": "display:block;height:72px",
    }
    assert tags["a"]["href"] == f"{URL}/assets/talus"


def test_pinned_snippet_has_the_hash_address_and_integrity():
    script = Tags(snippet("quote", TALUS, URL, "pinned")).found["script"]
    assert script["src"] == f"{URL}/embed/{embed().name}"
    assert script["integrity"] == embed().integrity
    assert "crossorigin" in script


def test_iframe_snippet_carries_size_and_title():
    frame = Tags(snippet("quote", TALUS, URL, "iframe", "light")).found["iframe"]
    assert frame["src"] == f"{URL}/widgets/quote?asset=talus&theme=light"
    assert (frame["width"], frame["height"], frame["title"]) == ("320", "72", "Talus (US) live price")


def test_image_snippet_has_a_text_alternative_and_a_link():
    tags = Tags(snippet("quote", TALUS, URL, "image")).found
    assert tags["img"]["src"] == f"{URL}/widgets/quote.svg?asset=talus"
    assert tags["img"]["alt"] == "Talus (US) live price"
    assert tags["a"]["href"] == f"{URL}/assets/talus"


@pytest.mark.parametrize("form", FORMS)
def test_hostile_name_stays_text(form):
    hostile = Asset("x", '"><script>alert(1)</script>', "</price-ticker><img src=x onerror=alert(1)>")
    text = snippet("quote", hostile, URL, form)
    assert "alert(1)</script>" not in text
    assert "<img src=x" not in text


def test_unknown_kind_and_theme_are_refused():
    with pytest.raises(KeyError):
        snippet("nothing", TALUS, URL)
    with pytest.raises(ValueError, match="pink"):
        snippet("quote", TALUS, URL, "element", "pink")
