"""Pictures as PNG: what they show, what they can't read, and what happens when too many are asked for."""

from __future__ import annotations

import asyncio
import struct
import zlib
from base64 import b64encode
from pathlib import Path

import pytest

from ticker.errors import ConfigError, RequestError
from widgets.raster import LONGEST, SIDE, Raster, drawable, packaged

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def svg(body, width=60, height=30):
    return f'<svg {NAMESPACES} width="{width}" height="{height}" font-family="Inter">{body}</svg>'


def chunks(png):
    at = 8
    while at < len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        yield kind, png[at + 8 : at + 8 + length]
        at += 12 + length


def size(png):
    return struct.unpack_from(">II", png, 16)


def inked(png):
    """Whether any pixel is painted: an empty picture is all zero bytes, whatever its filters."""
    return any(
        zlib.decompress(b"".join(body for kind, body in chunks(png) if kind == b"IDAT")).strip(b"\0\1\2\3\4")
    )


@pytest.fixture
async def raster():
    async with Raster() as raster:
        yield raster


@pytest.mark.parametrize("scale", [1, 2])
async def test_picture_has_its_own_size_times_the_scale(raster, scale):
    png = await raster.png(svg('<rect width="60" height="30" fill="#0b7a3b"/>'), scale)
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert size(png) == (60 * scale, 30 * scale)
    assert inked(png)


async def test_empty_picture_has_no_ink(raster):
    assert not inked(await raster.png(svg("")))


@pytest.mark.parametrize("family", ["Inter", "system-ui, sans-serif", "No Such Face, sans-serif"])
async def test_text_is_drawn_in_the_packaged_font_whatever_the_picture_names(raster, family):
    assert inked(await raster.png(svg(f'<text y="20" font-family="{family}">Talus</text>')))


async def test_weights_from_one_file_differ(raster):
    drawn = {
        await raster.png(svg(f'<text y="20" font-weight="{w}">Talus</text>')) for w in (400, 500, 600, 700)
    }
    assert len(drawn) == 4


async def test_marks_of_direction_show_nothing(raster):
    plain = await raster.png(svg('<text y="20">+1</text>'))
    marked = await raster.png(svg('<text y="20">\u200e+1\u2069\u200f</text>'))
    assert marked == plain
    assert raster.can_draw("\u200e+1\u2069\u200f")


# What it can't read


@pytest.fixture
async def secret(tmp_path, raster):
    file = tmp_path / "secret.png"
    file.write_bytes(await raster.png(svg('<rect width="60" height="30" fill="red"/>')))
    return file


def image(href, attribute="href"):
    return f'<image {attribute}="{href}" width="60" height="30"/>'


@pytest.mark.parametrize(
    "form", ["{}", "file://{}", "http://127.0.0.1:1{}", "//host{}", "data:text/plain,{}"]
)
@pytest.mark.parametrize("attribute", ["href", "xlink:href"])
async def test_picture_that_names_a_file_or_an_address_is_refused(raster, secret, form, attribute):
    with pytest.raises(ValueError, match="can't name"):
        await raster.png(svg(image(form.format(secret), attribute)))


@pytest.mark.parametrize(
    "body",
    [
        '<filter id="f"><feImage href="{}"/></filter><rect width="60" height="30" filter="url(#f)"/>',
        '<g xmlns:s="http://www.w3.org/1999/xlink"><image s:href="{}" width="60" height="30"/></g>',
        '<use href="{}#a"/>',
        '<image href="&#x2f;{}" width="60" height="30"/>',
    ],
)
async def test_no_spelling_of_a_reference_gets_through(raster, secret, body):
    with pytest.raises(ValueError, match="can't name"):
        await raster.png(svg(body.format(secret)))


@pytest.mark.parametrize(
    "body",
    [
        "<style>image{{href:url({0})}}</style><image width='60' height='30'/>",
        "<image style='href:{0}' width='60' height='30'/>",
        "<image width='60' height='30'><set attributeName='h' to='{0}'/></image>",
        "<style>@import url({0}); rect{{fill:url({0})}}</style><rect fill='none' width='60' height='30'/>",
    ],
)
async def test_style_sheet_loads_nothing(raster, secret, body):
    assert await raster.png(svg(body.format(secret))) == await raster.png(svg(body.format("/none.png")))


async def test_picture_inside_a_picture_reads_no_file_either(raster, secret):
    inner = b64encode(svg(image(secret)).encode()).decode()
    assert not inked(await raster.png(svg(image(f"data:image/svg+xml;base64,{inner}"))))


async def test_picture_inside_a_picture_is_drawn(raster):
    inner = b64encode(svg('<rect width="60" height="30"/>').encode()).decode()
    assert inked(await raster.png(svg(image(f"data:image/svg+xml;base64,{inner}"))))


async def test_entities_are_refused_before_anything_grows(raster):
    laughs = '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + svg("<text>&b;</text>")
    with pytest.raises(ValueError, match="document type"):
        await raster.png(laughs)


@pytest.mark.parametrize(
    ("picture", "complaint"),
    [
        (svg("<g>"), "not well-formed"),
        ("", "not well-formed"),
        (svg("", width=SIDE + 1), "width and height"),
        (svg("", height=0), "width and height"),
        (f"<svg {NAMESPACES}/>", "width and height"),
        (svg(" " * LONGEST), "characters"),
        ('<html width="1" height="1"/>', "."),
    ],
)
async def test_what_cannot_be_drawn_is_an_error_in_words(raster, picture, complaint):
    with pytest.raises(ValueError, match=complaint):
        await raster.png(picture)


@pytest.mark.parametrize("scale", [0, 3, 1.5])
async def test_scale_is_one_or_two(raster, scale):
    with pytest.raises(ValueError, match="scale"):
        await raster.png(svg(""), scale)


# Too many, too slow


async def test_one_more_than_may_wait_is_told_to_come_back():
    async with Raster(waiting=1) as raster:
        answers = await asyncio.gather(*(raster.png(svg("")) for _ in range(3)), return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, RequestError)]
        assert [(error.code, error.status) for error in refused] == [("busy", 503)]
        assert size(await raster.png(svg(""))) == (60, 30)


async def test_picture_that_takes_too_long_is_given_up():
    async with Raster(deadline=0) as raster:
        with pytest.raises(RequestError, match="too long"):
            await raster.png(svg(""))


async def test_picture_nobody_waits_for_any_more_is_not_the_next_one_s_answer(raster):
    await raster.png(svg(""))
    for turns in range(4):
        given_up = asyncio.ensure_future(raster.png(svg("", 300, 300)))
        for _ in range(turns):
            await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert size(await raster.png(svg(""))) == (60, 30)


async def test_child_that_died_is_replaced(raster):
    await raster.png(svg(""))
    raster._child.process.kill()
    with pytest.raises(ValueError, match="died"):
        await raster.png(svg(""))
    assert size(await raster.png(svg(""))) == (60, 30)


async def test_one_child_draws_and_ends_when_nothing_is_asked_for():
    async with Raster(rest=0) as raster:
        await raster.png(svg(""))
        rested = raster._child.process
        await rested.wait()
        assert rested.returncode == 0
        assert size(await raster.png(svg(""))) == (60, 30)
    async with Raster() as raster:
        await raster.png(svg(""))
        first = raster._child.process
        with pytest.raises(ValueError, match="SVG"):
            await raster.png('<html width="1" height="1"/>')
        await raster.png(svg(""))
        assert raster._child.process is first
    assert first.returncode is not None


async def test_loop_goes_on_while_a_picture_is_drawn(raster):
    turns = 0
    drawing = asyncio.ensure_future(raster.png(svg('<rect width="9" height="9"/>', 1200, 630), 2))
    while not drawing.done():
        turns += 1
        await asyncio.sleep(0)
    assert size(drawing.result()) == (2400, 1260)
    assert turns > 100


# What the fonts have


@pytest.mark.parametrize(
    "text",
    [
        "Talus (US)",
        "$0.0₈1234 €¥₩₽₿₴₹₪₺₫₦",
        "▲ +0.19% ▼ −3 …",
        "Łódź Žižek Ğüş Việt",
        "Жизнь Їжак",
        "Ελλάδα",
        "",
        " \u202f\n",
    ],
)
def test_packaged_font_has_latin_greek_cyrillic_and_what_prices_are_written_with(raster, text):
    assert raster.can_draw(text)


@pytest.mark.parametrize("text", ["שלום", "سعر", "कीमत", "দাম", "ราคา", "価格", "가격", "价格", "A価", "🚀"])
def test_scripts_the_packaged_font_lacks_are_known(raster, text):
    assert not raster.can_draw(text)


def font(runs, *, form):
    """A file with no more of a font than its map of characters, as OpenType lays it out."""
    if form == 12:
        table = struct.pack(">HHIII", 12, 0, 16 + 12 * len(runs), 0, len(runs))
        table += b"".join(struct.pack(">III", first, last, 1) for first, last in runs)
    else:
        runs = [*runs, (0xFFFF, 0xFFFF)]
        table = struct.pack(">7H", 4, 0, 0, 2 * len(runs), 0, 0, 0)
        table += b"".join(struct.pack(">H", last) for _, last in runs) + b"\0\0"
        table += b"".join(struct.pack(">H", first) for first, _ in runs) + b"\0" * (4 * len(runs))
    table = struct.pack(">HHHHI", 0, 1, 3, 1, 12) + table
    return struct.pack(">IHHHH4sIII", 0x10000, 1, 0, 0, 0, b"cmap", 0, 28, len(table)) + table


@pytest.mark.parametrize("form", [4, 12])
def test_operators_fonts_add_their_letters(tmp_path, form):
    (tmp_path / "hebrew.ttf").write_bytes(font([(0x5D0, 0x5EA), (0x5EF, 0x5F4)], form=form))
    (tmp_path / "readme.txt").write_text("not a font")
    raster = Raster([tmp_path])
    assert raster.can_draw("Talus שלום")
    assert not raster.can_draw("\u05eb")
    assert list(drawable(tmp_path / "hebrew.ttf")) == [0x5D0, 0x5EB, 0x5EF, 0x5F5]


@pytest.mark.parametrize("content", [b"", b"GIF89a", bytes(64), font([(1, 2)], form=12)[:40]])
def test_file_that_is_no_font_says_so(tmp_path, content):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.ttf"):
        drawable(broken)
    with pytest.raises(ConfigError, match=r"broken\.ttf"):
        Raster([broken])


def test_folder_without_a_font_is_said_at_the_start(tmp_path):
    with pytest.raises(ConfigError, match="no font"):
        Raster([tmp_path / "none"])


def test_packaged_font_is_there():
    assert packaged().is_file()
    assert isinstance(packaged(), Path)
