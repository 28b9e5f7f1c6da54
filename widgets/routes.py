"""Every address of the widgets, put together. The handlers are in the modules named below."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.web import Request, Response, RouteDef

from ticker.clock import Clock
from widgets import oembed
from widgets.answers import OPEN, Content, host_of
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

PublicURL = Callable[[Request], str] | str | None


def routes(
    board: Board,
    public_url: PublicURL,
    clock: Clock,
    frames: str = "*",
    *,
    past: Past | None = None,
    logos: Logos | None = None,
    raster: Raster | None = None,
) -> list[RouteDef]:
    """Everything a browser may ask of the widgets.

    `public_url` is what snippets say, without a slash at its end; None takes it from each request. `frames`
    are the sources of a policy's `frame-ancestors` (CSP 3, 6.4.2): whose pages may frame a widget. `past`
    gives the candles of charts, `raster` draws PNGs; without one there are none.
    """
    rendering = Rendering(board, clock, past, logos)
    address = Address(public_url)
    widgets, files = Widgets(rendering, raster, address.host, frames), Files(rendering)

    async def embedded(request: Request) -> Response:
        """oEmbed: what an address of ours looks like in a page that only has the address."""
        said = oembed.answer(request.query, address.public(request), KINDS, board)
        return Content(said.body, said.content_type, OPEN).answer(request)

    return [
        *Builder(rendering, widgets, address.public, address.host).routes(),
        *Pages(rendering, address.public, address.host).routes(),
        web.get("/widgets/{file}", widgets.widget),
        web.get("/oembed", embedded),
        web.get("/embed.js", files.script),
        web.get("/embed/{name}", files.script),
        web.get("/feed.js", files.client),
        web.get("/feed.d.ts", files.types),
        web.get("/logos/{name}", files.logo),
        web.get("/favicon.svg", files.favicon),
    ]


class Address:
    """Where the service is, for who asks."""

    def __init__(self, public_url: PublicURL) -> None:
        self._public_url = public_url

    def public(self, request: Request) -> str:
        """As snippets say it."""
        if callable(self._public_url):
            return self._public_url(request)
        return self._public_url or f"{request.scheme}://{host_of(request)}"

    def host(self, request: Request) -> str:
        """Where a page's script finds the feed: at the host it was asked for at, as far as is known."""
        return _netloc(self._public_url(request)) if callable(self._public_url) else host_of(request)


@lru_cache(maxsize=256)
def _netloc(url: str) -> str:
    return urlsplit(url).netloc
