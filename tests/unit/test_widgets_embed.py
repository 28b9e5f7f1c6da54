"""What pages load: its weight, its addresses, its hashes."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha384

import pytest

from tests.boards import weight
from widgets.embed import embed, module, page_script, sheet, widget_sheet
from widgets.kinds import KINDS


def script_alone() -> bytes:
    """The element's script without the style sheet inside."""
    short, found = re.subn(rb'"\.pt,\.page(?:[^"\\]|\\.)*"', b'""', embed().body)
    assert found == 1
    return short


def test_script_of_all_kinds_but_the_chart_keeps_to_five_kilobytes():
    assert weight(script_alone()) <= 5 * 1024


def test_script_with_the_chart_keeps_to_nine_kilobytes():
    assert weight(script_alone()) + weight(module("chart.js").body) <= 9 * 1024


@pytest.mark.parametrize("kind", KINDS)
def test_no_page_with_one_kind_has_more_style_than_that(kind):
    assert weight(widget_sheet(kind).encode()) <= 3 * 1024


def test_style_of_a_page_with_every_kind_on_it_keeps_to_four_kilobytes():
    assert weight(widget_sheet(*KINDS).encode()) <= 4 * 1024


def test_integrity_is_that_of_the_bytes():
    assert embed().integrity == "sha384-" + b64encode(sha384(embed().body).digest()).decode()


def test_joined_script_has_no_import_or_export_left():
    for script in (embed(), page_script()):
        assert not any(line.startswith((b"import", b"export")) for line in script.body.splitlines())


def test_style_sheet_has_no_comment_and_no_foreign_address():
    for text in (widget_sheet(*KINDS), sheet("page.css")):
        assert "/*" not in text
        assert "url(" not in text
