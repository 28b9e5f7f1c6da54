"""Every address of the widgets, put together. The handlers are in the modules named below."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from aiohttp.web import Request, Response, RouteDef

from ticker.clock import Clock
from widgets import oembed
from widgets.answers import OPEN, Content
from widgets.builder import Builder
from widgets.files import Files
from widgets.forms import Widgets
from widgets.kinds import KINDS
from widgets.logos import Logos
from widgets.pages import Pages
from widgets.raster import Raster
from widgets.rendering import Past, Rendering
from widgets.view import Board

__all__ = ["Board", "routes"]


def routes(
    board: Board,
    public_url: Callable[[Request], str] | str,
    clock: Clock,
    frames: str = "*",
    *,
    past: Past | None = None,
    logos: Logos | None = None,
    raster: Raster | None = None,
) -> list[RouteDef]:
    """Everything a browser may ask of the widgets.

    `public_url` is where the service is, without a slash at its end: for everyone, or as a request came to
    it. `frames` are the sources of a policy's `frame-ancestors` (CSP 3, 6.4.2): whose pages may frame a
    widget. `past` gives the candles of charts, `raster` draws PNGs; without one there are none.
    """
    rendering = Rendering(board, clock, past, logos)
    widgets, files = Widgets(rendering, raster, frames), Files(rendering)

    def public(request: Request) -> str:
        return public_url if isinstance(public_url, str) else public_url(request)

    async def embedded(request: Request) -> Response:
        """oEmbed: what an address of ours looks like in a page that only has the address."""
        said = oembed.answer(request.query, public(request), KINDS, board)
        return Content(said.body, said.content_type, OPEN).answer(request)

    return [
        *Builder(rendering, widgets, public).routes(),
        *Pages(rendering, public).routes(),
        web.get("/widgets/{file}", widgets.widget),
        web.get("/oembed", embedded),
        web.get("/embed.js", files.script),
        web.get("/embed/{name}", files.script),
        web.get("/feed.js", files.client),
        web.get("/feed.d.ts", files.types),
        web.get("/logos/{name}", files.logo),
        web.get("/favicon.svg", files.favicon),
    ]
