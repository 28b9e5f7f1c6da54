"""Marks: the operator's files, whatever is in them, the set's paths, and monograms behind both."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import tomllib
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ticker
from widgets.image import contrast
from widgets.logos import LARGEST, OFTEN, SLUGS, WIDEST, Logos
from widgets.sanitise import sanitise

PLAIN = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><path d="M0 0h2v2z" fill="#f00"/></svg>'
BUILT_IN = tomllib.loads((Path(ticker.__file__).parent / "assets.toml").read_text())["assets"]


def svg(body, attributes=""):
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} viewBox="0 0 2 2" {attributes}>{body}</svg>'


def clean(body, attributes=""):
    return sanitise(svg(body, attributes).encode())[0]


def png(width=8, height=8):
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes(9)


def webp(kind, header):
    return (
        b"RIFF"
        + struct.pack("<I", 4 + 8 + len(header))
        + b"WEBP"
        + kind
        + struct.pack("<I", len(header))
        + header
    )


# The folder


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "logos"


@pytest.fixture
def put(folder):
    folder.mkdir()

    def put(name, content=PLAIN):
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


def test_file_of_the_operator_is_shown_before_anything_else(folder, put):
    put("bitcoin.svg")
    mark = Logos(folder).mark("bitcoin", "BTC", 0)
    assert mark.kind == "file"
    assert re.fullmatch(r"/logos/bitcoin\.svg\?v=[0-9a-f]{12}", mark.file.address)
    assert mark.file.data.startswith("data:image/svg+xml;base64,")
    assert b64decode(mark.file.data.partition(",")[2]) == mark.file.body


def test_svg_is_taken_before_a_bitmap_and_a_bad_one_leaves_the_bitmap(folder, put):
    put("talus.png", png())
    path = put("talus.svg")
    logos = Logos(folder)
    assert logos.mark("talus", "US", 0).file.name == "talus.svg"
    path.write_text("not an SVG any more")
    assert logos.mark("talus", "US", OFTEN).file.name == "talus.png"


@pytest.mark.parametrize("there", [True, False])
def test_without_a_file_there_is_a_monogram(folder, put, there):
    mark = Logos(folder if there else folder / "none").mark("talus", "US", 0)
    assert (mark.kind, mark.monogram.text, mark.file) == ("monogram", "US", None)
    assert Logos().mark("talus", "US", 0) == mark


def test_file_is_read_again_when_it_changed_and_looked_at_once_a_minute(folder, put):
    path = put("talus.svg")
    logos = Logos(folder)
    before = logos.mark("talus", "US", 0).file
    path.write_text(PLAIN.replace("#f00", "#00ff00"))
    assert logos.mark("talus", "US", OFTEN - 1).file is before
    after = logos.mark("talus", "US", OFTEN).file
    assert after.hash != before.hash
    assert logos.mark("talus", "US", 2 * OFTEN).file is after
    path.unlink()
    assert logos.mark("talus", "US", 3 * OFTEN).kind == "monogram"


def test_clock_set_back_does_not_stop_the_looking(folder, put):
    logos = Logos(folder)
    assert logos.mark("talus", "US", 10 * OFTEN).kind == "monogram"
    put("talus.svg")
    assert logos.mark("talus", "US", 9 * OFTEN).kind == "file"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("talus.svg", "no markup"),
        ("talus.svg", "<html/>"),
        ("talus.svg", b"\xff\xfe\x00"),
        ("talus.svg", PLAIN + " " * LARGEST),
        ("talus.png", b"GIF89a" + bytes(40)),
        ("talus.png", png()[:20]),
        ("talus.png", png(WIDEST + 1, 8)),
        ("talus.png", png(0, 8)),
        ("talus.webp", png()),
        ("talus.webp", webp(b"VP9 ", bytes(10))),
        ("talus.webp", webp(b"VP8X", bytes(4) + b"\xff\xff\xff\x01\0\0")),
        ("talus.webp", webp(b"VP8L", b"\x2f")),
    ],
)
def test_odd_file_is_said_once_and_a_monogram_shown(folder, put, caplog, name, content):
    put(name, content)
    logos = Logos(folder)
    for minute in range(3):
        assert logos.mark("talus", "US", minute * OFTEN).kind == "monogram"
        assert logos.response(name, "", minute * OFTEN) is None
    assert [record.getMessage().split(" is ")[0] for record in caplog.records] == [f"logo {name}"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("talus.png", png(WIDEST, WIDEST)),
        ("talus.webp", webp(b"VP8X", bytes(4) + b"\xff\x03\0\xff\x03\0")),
        ("talus.webp", webp(b"VP8L", b"\x2f" + struct.pack("<I", 63 | 63 << 14))),
        ("talus.webp", webp(b"VP8 ", b"\x30\0\0\x9d\x01\x2a" + struct.pack("<HH", 64, 64))),
    ],
)
def test_bitmaps_are_passed_on_as_they_are(folder, put, name, content):
    put(name, content)
    file = Logos(folder).mark("talus", "US", 0).file
    assert file.body == content
    assert file.data.startswith(f"data:image/{name[6:]};base64,")


def test_directory_called_like_a_logo_is_no_logo(folder, put, caplog):
    (folder / "talus.svg").mkdir()
    assert Logos(folder).mark("talus", "US", 0).kind == "monogram"
    assert not caplog.records


# Its answers


def test_answer_can_be_kept_for_ever_under_its_own_hash_alone(folder, put):
    put("talus.svg")
    logos = Logos(folder)
    file = logos.mark("talus", "US", 0).file
    answer = logos.response("talus.svg", file.hash, 0)
    assert (answer.body, answer.content_type) == (file.body, "image/svg+xml")
    assert (
        answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "immutable" not in logos.response("talus.svg", "older", 0).headers["Cache-Control"]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.svg",
        "..%2fsecret.svg",
        "/etc/passwd",
        "",
        ".",
        "..",
        "talus",
        "talus.svg/",
        "TALUS.svg",
        "talus.svg\0",
    ],
)
def test_no_name_leads_out_of_the_folder(folder, put, name):
    put("talus.svg")
    (folder.parent / "secret.svg").write_text(PLAIN)
    assert Logos(folder).response(name, "", 0) is None


@given(st.text(max_size=40))
def test_no_name_makes_it_remember_anything(name):
    logos = Logos(Path(os.devnull).parent / "no-such-folder")
    assert logos.response(name, name, 0) is None
    assert not logos._read


@pytest.mark.parametrize(
    "name", [".hidden.svg", "Talus.svg", "ta lus.svg", "talus.gif", "talus.svg.html", "x" * 65 + ".svg"]
)
def test_files_not_called_like_an_asset_are_not_served(folder, put, name):
    put(name)
    assert Logos(folder).response(name, "", 0) is None


# The set


@pytest.mark.parametrize("asset_id", SLUGS)
def test_built_in_asset_has_a_path_that_is_seen_on_its_ground(asset_id):
    pytest.importorskip("simplepycons")
    mark = Logos().mark(asset_id, "X", 0)
    assert mark.kind == "path"
    assert re.fullmatch(r"[Mm][\w\s.,+-]+", mark.d)
    ground, ink = (tuple(int(c[at : at + 2], 16) / 255 for at in (1, 3, 5)) for c in (mark.ground, mark.ink))
    # A coin's own sign is as its makers draw it, which WCAG 1.4.11 leaves to them.
    assert contrast(ground, ink) >= (3 if mark.ground != "#ffffff" else 2)


def test_table_names_assets_that_are_built_in():
    assert SLUGS.keys() <= BUILT_IN.keys()
    assert len(SLUGS) == 14


# What is in an SVG


def test_drawing_is_kept():
    body = (
        '<defs><linearGradient id="g" x2="1"><stop offset="0" stop-color="#f00"/></linearGradient>'
        '<clipPath id="c"><circle cx="1" cy="1" r="1"/></clipPath></defs>'
        '<g transform="translate(1 2) scale(.5)" clip-path="url(#c)"><path d="M0 0h2z" fill="url(#g)"/></g>'
    )
    cleaned = clean(body)
    for part in (
        'viewBox="0 0 2 2"',
        'fill="url(#g)"',
        'clip-path="url(#c)"',
        'transform="translate(1 2) scale(.5)"',
    ):
        assert part in cleaned
    assert sanitise(svg(body).encode())[1] == frozenset()
    assert sanitise(cleaned.encode())[0] == cleaned


def test_colours_said_by_classes_and_styles_become_attributes():
    cleaned = clean(
        "<defs><style>/* a */ .a, .b { fill: #f00; stroke: #00f } .a { stroke: #0f0 } g .b { fill: #123 }"
        "</style></defs>"
        '<path class="a" d="M0 0"/><path class="b" d="M1 1"/><path class="a" style="fill:#fff" d="M2 2"/>'
    )
    assert '<path d="M0 0" fill="#f00" stroke="#0f0">' in cleaned
    assert '<path d="M1 1" fill="#f00" stroke="#00f">' in cleaned
    assert '<path d="M2 2" fill="#fff" stroke="#0f0">' in cleaned
    assert "style" not in cleaned


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        '<script href="http://h.example/a.js"/>',
        '<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>',
        '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="http://h.example"/></foreignObject>',
        '<path onclick="alert(1)" onload="alert(1)" d="M0 0"/>',
        '<a href="javascript:alert(1)"><path d="M0 0"/></a>',
        '<a xlink:href="http://h.example"><path d="M0 0"/></a>',
        '<image href="http://h.example/a.png"/>',
        '<image xlink:href="file:///etc/passwd"/>',
        '<image href="/a.png"/>',
        '<use href="http://h.example/a.svg#b"/>',
        '<set attributeName="href" to="javascript:alert(1)"/>',
        '<animate attributeName="fill" values="url(http://h.example)"/>',
        '<style>@import "http://h.example/a.css"; @font-face { src: url(http://h.example) }</style>',
        '<style>.a { fill: url(http://h.example/a) }</style><path class="a" d="M0 0"/>',
        '<style>.a { clip-path: image-set("http://h.example" 1x) }</style><path class="a" d="M0 0"/>',
        '<path style="fill:url(http://h.example);background:url(http://h.example)" d="M0 0"/>',
        '<path fill="url(http://h.example/a)" clip-path="url(//h.example#a)" d="M0 0"/>',
        '<path fill="u\\72l(http://h.example)" d="M0 0"/>',
        '<path clip-path="src(http://h.example)" d="M0 0"/>',
        '<path fill="image(\'http://h.example\')" d="M0 0"/>',
        '<linearGradient id="g" xlink:href="http://h.example/a#b"/>',
        '<filter id="f"><feImage href="http://h.example"/></filter>',
        "<text>http://h.example</text>",
        '<svg onload="alert(1)"/>',
        "<!-- http://h.example --><?xml-stylesheet href='http://h.example'?>",
        "<path id='\"&gt;&lt;script&gt;alert(1)&lt;/script&gt;' d='M0 0'/>",
        "<![CDATA[<script>alert(1)</script>]]>",
    ],
)
def test_nothing_that_loads_or_runs_survives(body):
    cleaned = clean(body, 'onload="alert(1)"')
    for trace in (
        "alert",
        "h.example",
        "<script",
        "javascript",
        "passwd",
        "href",
        "onload",
        "style",
        "/a.png",
        "\\",
    ):
        assert trace not in cleaned
    assert set(re.findall(r"</?(\w+)", cleaned)) <= {"svg", "path", "linearGradient"}


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>' + svg("<path d='&b;'/>"),
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + svg("<path d='M0 0'/>"),
        '<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://h.example"> %a;]>' + svg(""),
        svg("<g>" * 40 + "</g>" * 40),
        svg("<x>" * 40 + "</x>" * 40),
        svg("<g>"),
        '<?xml version="1.0" encoding="no-such"?>' + svg(""),
        "<path xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_entities_depth_and_brokenness_are_refused(content):
    with pytest.raises(ValueError, match=r"entities|nested|well-formed|not an SVG"):
        sanitise(content.encode())


def test_document_type_of_drawing_programs_is_let_pass_and_not_fetched():
    bare = (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    )
    assert sanitise((bare + svg("<path d='M0 0&nbsp;'/>")).encode())[0].count("<path") == 1


def test_what_was_left_out_is_named_once_in_the_log(folder, put, caplog):
    put("talus.svg", svg("<script/><title>Talus</title><text>US</text><path d='M0 0'/>"))
    logos = Logos(folder)
    assert logos.mark("talus", "US", 0).kind == logos.mark("talus", "US", OFTEN).kind == "file"
    assert [r.getMessage() for r in caplog.records] == [
        "logo talus.svg is shown without what it has in script, text"
    ]


def test_clips_of_clips_are_made_flat():
    cleaned = clean(
        '<clipPath id="a" clip-path="url(#b)"><path clip-path="url(#b)" d="M0 0"/></clipPath>'
        '<clipPath id="b"><path style="clip-path:url(#a)" d="M0 0"/></clipPath>'
    )
    assert "url(" not in cleaned


SAFE = re.compile(r'<(/?)(\w+)((?: [\w:-]+="[^"<>]*")*)>')


@given(st.binary(max_size=200))
def test_any_bytes_are_cleaned_or_refused(content):
    with contextlib.suppress(ValueError):
        cleaned, _ = sanitise(content)
        assert SAFE.sub("", cleaned) == ""


@given(
    name=st.sampled_from(["path", "g", "script", "image", "a", "style", "rect", "foreignObject", "stop"]),
    key=st.sampled_from(["fill", "href", "xlink:href", "style", "onload", "class", "d", "id", "clip-path"]),
    value=st.text(max_size=30)
    | st.sampled_from(["url(http://h)", "url(#a)", "javascript:x", "fill:url(//h)", "expression(x)"]),
)
def test_every_value_that_survives_is_harmless(name, key, value):
    quoted = "".join(f"&#{ord(letter)};" for letter in value)
    try:
        cleaned = sanitise(svg(f'<{name} {key}="{quoted}"/>').encode())[0]
    except ValueError:
        return  # XML has no such character
    assert SAFE.sub("", cleaned) == ""
    for _, _, attributes in SAFE.findall(cleaned.partition(">")[2]):
        assert not re.search(r"//|script|url\((?!#[\w.-]+\))|\\| on", attributes)
