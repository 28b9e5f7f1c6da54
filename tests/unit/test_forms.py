"""A kind as SVG and as PNG, and an operator's own logos, over HTTP."""

from __future__ import annotations

import re
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.boards import Board, served
from tests.clocks import StillClock
from ticker.model import State
from widgets.logos import Logos
from widgets.raster import Raster

CIRCLE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/>{}</svg>'


class Site:
    def __init__(self, session: aiohttp.ClientSession, board: Board, clock: StillClock) -> None:
        self.session, self.board, self.clock = session, board, clock

    async def get(self, path: str, status: int = 200) -> tuple[aiohttp.ClientResponse, bytes]:
        async with self.session.get(path) as answer:
            body = await answer.read()
            assert answer.status == status, body
            return answer, body


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    (tmp_path / "quiet.svg").write_text(CIRCLE.format("<script>alert(1)</script>"))
    board, clock = Board(), StillClock()
    board.set("talus", "0.01021", "0.19")
    board.set("quiet", "5")
    async with Raster() as raster, served(board, clock, logos=Logos(tmp_path), raster=raster) as session:
        yield Site(session, board, clock)


def size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize(("scale", "pixels"), [(1, (320, 72)), (2, (640, 144))])
async def test_png_has_the_size_that_snippets_reserve(site, scale, pixels):
    answer, png = await site.get(f"/widgets/quote.png?asset=talus&scale={scale}")
    assert answer.content_type == "image/png"
    assert size(png) == pixels


async def test_themes_and_prices_are_seen_in_the_pixels(site):
    pictures = {
        (await site.get(f"/widgets/quote.png?asset={rest}"))[1]
        for rest in ("talus", "talus&theme=dark", "quiet", "talus&palette=east-asian", "talus&transparent=1")
    }
    assert len(pictures) == 5


async def test_a_png_may_be_as_old_as_a_cache_may_have_it_and_no_older(site):
    _, before = await site.get("/widgets/quote.png?asset=talus")
    site.board.set("talus", "0.02")
    assert (await site.get("/widgets/quote.png?asset=talus"))[1] == before
    site.clock.time += 5000
    assert (await site.get("/widgets/quote.png?asset=talus"))[1] != before


async def test_letters_that_the_font_lacks_are_not_drawn_as_boxes(site):
    _, english = await site.get("/widgets/quote.png?asset=talus")
    _, thai = await site.get("/widgets/quote.png?asset=talus&locale=th")
    _, german = await site.get("/widgets/quote.png?asset=talus&locale=de")
    assert thai == english != german


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/widgets/quote.png?asset=talus&scale=9", 400, "scale can’t be"),
        ("/widgets/quote.png?asset=nobody", 404, "No asset is called"),
        ("/widgets/quote.gif?asset=talus", 404, "has no form gif"),
        ("/widgets/quote.svg?asset=talus&theme=pink", 400, "theme can’t be"),
    ],
)
async def test_what_cannot_be_drawn_is_said_in_a_picture(site, path, status, says):
    answer, body = await site.get(path, status)
    assert answer.content_type == "image/svg+xml"
    assert says.replace("’", "&#39;") in body.decode()


async def test_stale_price_and_no_price_are_drawn(site):
    site.board.set("talus", state=State.STALE, as_of=site.board.now - 360_000)
    _, svg = await site.get("/widgets/quote.svg?asset=talus")
    assert b"6 min old" in svg
    _, svg = await site.get("/widgets/quote.svg?asset=evil")
    assert b"unavailable" in svg


async def test_operators_logo_is_served_clean_and_kept_for_ever(site):
    _, html = await site.get("/widgets/quote?asset=quiet")
    [address] = re.findall(r'src="\.\.(/logos/[^"]+)"', html.decode())
    answer, svg = await site.get(address)
    assert answer.content_type == "image/svg+xml"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert b"circle" in svg
    assert b"script" not in svg


async def test_operators_logo_is_inside_a_picture(site):
    _, svg = await site.get("/widgets/quote.svg?asset=quiet")
    assert b'<image href="data:image/svg+xml;base64,' in svg
    answer, _ = await site.get("/widgets/quote.svg?asset=quiet")
    assert "img-src data:" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["nobody.svg", "..%2Fquiet.svg", "quiet"])
async def test_a_logo_that_is_not_there_is_not_found(site, name):
    await site.get(f"/logos/{name}", 404)


async def test_without_a_renderer_a_png_is_said_not_to_be_had():
    async with (
        served(Board(), StillClock()) as session,
        session.get("/widgets/quote.png?asset=talus") as answer,
    ):
        assert answer.status == 404
        assert "No PNGs are drawn here" in await answer.text()
