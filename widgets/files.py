"""What pages and widgets load: scripts, the feed's client, logos, the icon.

A name that is a hash of its bytes is kept for ever; `/embed.js` and `/feed.js` are always the newest.
"""

from __future__ import annotations

from functools import lru_cache

from aiohttp import web
from aiohttp.web import Request, Response

from widgets.answers import FOREVER, OPEN, RENEWED, SCRIPT, SVG, Content
from widgets.embed import embed, feed_client, feed_types, module, page_script
from widgets.kinds import KINDS
from widgets.render import render
from widgets.rendering import Rendering


class Files:
    """The handlers. What never changes while the service runs is made once."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering

    async def script(self, request: Request) -> Response:
        name = request.match_info.get("name")
        modules = (module(kind.module) for kind in KINDS.values() if kind.module)
        known = {script.name: script for script in (embed(), page_script(), module("builder.js"), *modules)}
        found = known.get(name or embed().name)
        if found is None:  # a page that kept the address of an older build still gets its prices
            return Response(
                status=302, headers=OPEN | {"Location": "../embed.js", "Cache-Control": "public, max-age=60"}
            )
        return static(found.body, FOREVER if name else RENEWED).answer(request)

    async def client(self, request: Request) -> Response:
        """The feed's client, a module for other people's code."""
        return static(feed_client().body, RENEWED).answer(request)

    async def types(self, request: Request) -> Response:
        return static(feed_types(), RENEWED, "text/plain").answer(request)

    async def favicon(self, request: Request) -> Response:
        return static(render("favicon.svg"), "public, max-age=86400", SVG).answer(request)

    async def logo(self, request: Request) -> Response:
        """An operator's own logo."""
        now, version = self._rendering.clock.now(), request.query.get("v", "")
        found = self._rendering.logos.response(request.match_info["name"], version, now)
        if found is None:
            raise web.HTTPNotFound
        return Response(body=found.body, content_type=found.content_type, headers=found.headers)


@lru_cache(maxsize=16)
def static(body: bytes | str, cache: str, kind: str = SCRIPT) -> Content:
    """What is the same for as long as the service runs."""
    return Content(body, kind, OPEN, cache=cache)
