"""The addresses of the widgets and the hosted pages, with what HTTP asks of them.

Reads the board and renders; never fetches, never waits. The only file of the package that knows aiohttp.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from gzip import compress as gzip
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

import brotli
from aiohttp import web
from aiohttp.web import Request, Response, RouteDef

from ticker.clock import Clock
from ticker.errors import RequestError
from ticker.model import Asset
from widgets.embed import (
    FORMS,
    Script,
    embed,
    feed_client,
    feed_types,
    page_script,
    sheet,
    snippet,
    style_source,
)
from widgets.image import fit, width
from widgets.kinds import KINDS, QUOTE, Kind
from widgets.params import Form, Options, QuoteOptions, Theme, read
from widgets.render import render
from widgets.view import Board, QuoteView, known, observation_view, quote_view

__all__ = ["Board", "routes"]

BRIEF = "public, max-age=5, stale-while-revalidate=60"
FOREVER = "public, max-age=31536000, immutable"
RENEWED = "public, max-age=300, stale-while-revalidate=86400"
HTML = "text/html"
SVG = "image/svg+xml"
OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
SAYS = {
    "element": (
        "Live element",
        "Two lines of HTML, live, in your page. Width: set it in your own style sheet.",
    ),
    "pinned": (
        "Live element, pinned",
        "The browser checks the script's bytes; paste it anew after an update.",
    ),
    "iframe": ("Frame", "Where scripts aren't allowed. Shows the price without any."),
    "image": ("Image", "For a README, a mail, a feed."),
}

PublicURL = Callable[[Request], str] | str | None


def routes(board: Board, public_url: PublicURL, clock: Clock, frames: str = "*") -> list[RouteDef]:
    """Everything a browser may ask of the widgets.

    `public_url` is what snippets say, without a slash at its end; None takes it from each request. `frames`
    are the sources of a policy's `frame-ancestors` (CSP 3, 6.4.2): whose pages may frame a widget.
    """
    site = Site(board, public_url, clock, frames)
    return [
        web.get("/", site.market),
        web.get("/assets/{asset}", site.asset),
        web.get("/widgets/{kind}.svg", site.picture),
        web.get("/widgets/{kind}", site.widget),
        web.get("/embed.js", site.script),
        web.get("/embed/{name}", site.script),
        web.get("/feed.js", site.client),
        web.get("/feed.d.ts", site.types),
        web.get("/favicon.svg", site.favicon),
    ]


@dataclass(frozen=True)
class Site:
    """The handlers. Each is one page: what it shows, in which template, under which policy."""

    board: Board
    public_url: PublicURL
    clock: Clock
    frames: str = "*"

    async def widget(self, request: Request) -> Response:
        """A kind as a document for an iframe, or as a fragment for the element."""
        status, options, view = 200, Options(theme=_theme(request), form=_form(request)), None
        try:
            kind = _kind(request)
            options = read(request.query, kind.options)
            view = kind.view(self.board, options, self.clock.now())
            box = render(kind.template, quote=view, theme=options.theme, link=f"../assets/{view.asset}")
        except RequestError as error:
            status, box = error.status, render("message.html", message=error.viewer, theme=options.theme)
        if options.form is Form.FRAGMENT:
            return _answer(request, box, HTML, status=status, headers=OPEN)
        title = view.title if view else "No price"
        lang = view.locale.tag if view else "en"
        style = sheet("box.css", "document.css")
        script = embed().name if view and options.live else ""
        page = render("document.html", lang=lang, title=title, style=style, script=script, body=box)
        policy = _policy(self._host(request), style, frames=self.frames)
        return _answer(request, page, HTML, status=status, headers=policy)

    async def picture(self, request: Request) -> Response:
        """A kind as an SVG. An error is a picture too, because nobody reads the text behind an image."""
        status, theme = 200, _theme(request)
        try:
            kind = _kind(request)
            options = read(request.query, kind.options)
            theme = options.theme
            view = kind.view(self.board, options, self.clock.now())
            image = render(kind.picture, quote=view, style=_picture_style(theme), **_measures(view))
        except RequestError as error:
            status, short = error.status, fit(error.viewer, 12, 286)
            image = render("message.svg", message=error.viewer, short=short, style=_picture_style(theme))
        policy = f"default-src 'none'; style-src {style_source(_picture_style(theme))}"
        return _answer(request, image, SVG, status=status, headers=OPEN | {"Content-Security-Policy": policy})

    async def market(self, request: Request) -> Response:
        now = self.clock.now()
        quotes = [quote_view(self.board.assets[quote.asset], quote, now) for quote in self.board.quotes()]
        first = self.board.assets[quotes[0].asset] if quotes else None
        return self._page(
            request, "market.html", ".", {"quotes": quotes} | (self._offer(request, first) if first else {})
        )

    async def asset(self, request: Request) -> Response:
        name, now = request.match_info["asset"], self.clock.now()
        try:
            asset = known(self.board, name)
        except RequestError as error:
            near = get_close_matches(name.lower(), self.board.assets, n=3, cutoff=0.5)
            return self._page(
                request, "missing.html", "..", {"message": error.viewer, "near": near}, error.status
            )
        said = [observation_view(one, now) for one in self.board.observations(name)]
        quote = quote_view(asset, self.board.quote(name), now)
        offer = self._offer(request, asset)
        return self._page(request, "asset.html", "..", {"quote": quote, "observations": said} | offer)

    async def script(self, request: Request) -> Response:
        """The element's script at its own address, or at `/embed.js`, which is always the newest."""
        name = request.match_info.get("name")
        found = {script.name: script for script in (embed(), page_script())}.get(name or embed().name)
        if found is None:  # a page that kept the address of an older build still gets its prices
            return Response(
                status=302, headers=OPEN | {"Location": "../embed.js", "Cache-Control": "public, max-age=60"}
            )
        return _static(request, found, FOREVER if name else RENEWED)

    async def client(self, request: Request) -> Response:
        """The feed's client, a module for other people's code."""
        return _static(request, feed_client(), RENEWED)

    async def types(self, request: Request) -> Response:
        return _answer(request, feed_types(), "text/plain", headers=OPEN, cache=RENEWED)

    async def favicon(self, request: Request) -> Response:
        return _answer(request, render("favicon.svg"), SVG, cache="public, max-age=86400")

    def _page(
        self, request: Request, template: str, root: str, values: dict[str, object], status: int = 200
    ) -> Response:
        style = sheet("box.css", "page.css")
        scripts = {"script": embed().name, "page_script": page_script().name}
        page = render(template, root=root, style=style, **scripts, **values)
        policy = _policy(self._host(request), style, frames="'self'")
        return _answer(request, page, HTML, status=status, headers=policy)

    def _offer(self, request: Request, asset: Asset) -> dict[str, object]:
        """The box of an asset as it will look elsewhere, and the snippets that put it there."""
        url = self._public(request)
        view = QUOTE.view(self.board, QuoteOptions(asset=asset.id), self.clock.now())
        box = render(QUOTE.template, quote=view, theme=Theme.AUTO, link="")
        return {
            "box": box,
            "blocks": [(*SAYS[form], snippet(QUOTE.name, asset, url, form)) for form in FORMS],
        }

    def _public(self, request: Request) -> str:
        if callable(self.public_url):
            return self.public_url(request)
        return self.public_url or f"{request.scheme}://{_host(request)}"

    def _host(self, request: Request) -> str:
        """Where a page's script finds the feed: at the host it was asked for at, as far as is known."""
        return urlsplit(self.public_url(request)).netloc if callable(self.public_url) else _host(request)


def _kind(request: Request) -> Kind[Any]:
    name = request.match_info["kind"]
    if name not in KINDS:
        raise RequestError(
            "unknown_kind", f"No widget is called “{name[:40]}”: try {', '.join(KINDS)}", status=404
        )
    return KINDS[name]


def _theme(request: Request) -> Theme:
    """The theme for a message, which must be readable even when it says that the theme was wrong."""
    asked = request.query.get("theme", "")
    return Theme(asked) if asked in set(Theme) else Theme.AUTO


def _form(request: Request) -> Form:
    return Form.FRAGMENT if request.query.get("form") == Form.FRAGMENT else Form.DOCUMENT


def _picture_style(theme: Theme) -> str:
    light, dark = sheet("picture.css"), sheet("picture-dark.css")
    return {
        Theme.LIGHT: light,
        Theme.DARK: light + dark,
        Theme.AUTO: f"{light}@media (prefers-color-scheme:dark){{{dark}}}",
    }[theme]


def _measures(view: QuoteView) -> dict[str, object]:
    """Where things end in the picture: the name takes what price and currency leave."""
    change = view.change_24h.percent
    price = width(view.price.head + view.price.tail or view.price.text, 20) + width(view.code, 12) + 13
    left = 303 - 69 - price - 10
    symbol = width(f"({view.symbol})", 15) + 6
    room = width(view.name, 15) + symbol <= left
    return {
        "name": view.name if room else fit(view.name, 15, left),
        "room": room,
        "pill": round(width(f"{change.arrow} {change.text}".strip(), 13)) + 14,
        "label": round(width(view.change_24h.window, 12)),
    }


def _host(request: Request) -> str:
    """The host the reader asked for. It goes into a policy, so only a plain host will do."""
    if not re.fullmatch(r"[\w.\-]+(:\d+)?|\[[\da-fA-F:.]+\](:\d+)?", request.host, re.ASCII):
        raise web.HTTPBadRequest(text="This Host header can't be a host.")
    return request.host


def _policy(host: str, style: str, *, frames: str) -> dict[str, str]:
    """Our own script, our own feed, one known style sheet, and nothing else."""
    rules = (
        "default-src 'none'", f"style-src {style_source(style)}", "script-src 'self'", "img-src 'self'",
        f"connect-src 'self' ws://{host} wss://{host}", "base-uri 'none'", "form-action 'none'",
        f"frame-ancestors {frames}",
    )  # fmt: skip
    return {"Content-Security-Policy": "; ".join(rules), "Referrer-Policy": "no-referrer"}


def _answer(
    request: Request,
    text: str,
    kind: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    cache: str = BRIEF,
) -> Response:
    """A text with its validator, compressed as the reader likes it; 304 when the reader has it already."""
    body = text.encode()
    tag = blake2b(body, digest_size=12).hexdigest()
    common = {
        "Cache-Control": cache if status == 200 else "no-cache",
        "ETag": f'W/"{tag}"',
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    if status == 200 and any(known.value in {tag, "*"} for known in request.if_none_match or ()):
        return Response(status=304, headers=common)
    coding = _coding(request)
    if coding:
        common["Content-Encoding"] = coding
        body = brotli.compress(body, quality=5) if coding == "br" else gzip(body, 6, mtime=0)
    return Response(status=status, body=body, content_type=kind, charset="utf-8", headers=common)


def _static(request: Request, script: Script, cache: str) -> Response:
    tag = script.name.removesuffix(".js")
    headers = OPEN | {
        "Cache-Control": cache,
        "ETag": f'W/"{tag}"',
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if any(known.value in {tag, "*"} for known in request.if_none_match or ()):
        return Response(status=304, headers=headers)
    coding = _coding(request)
    if coding:
        headers["Content-Encoding"] = coding
    body = {"br": script.brotli, "gzip": script.gzip}.get(coding, script.body)
    return Response(body=body, content_type="text/javascript", charset="utf-8", headers=headers)


def _coding(request: Request) -> str:
    """The better of the two codings the reader takes (RFC 9110, 12.5.3); empty for none."""
    taken = set()
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = part.replace(" ", "").partition(";q=")
        if weight.strip("0.") or not weight:
            taken.add(name)
    return next((coding for coding in ("br", "gzip") if coding in taken), "")
