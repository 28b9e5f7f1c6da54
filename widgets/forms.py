"""A kind in each of its forms over HTTP: document, fragment, SVG and PNG.

Answered from what is kept as long as that is true. An error has the form that was asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from aiohttp.web import Request, Response

from ticker.errors import RequestError
from widgets.answers import HTML, OPEN, PNG, SVG, Content, Kept, policy
from widgets.colours import Theme
from widgets.embed import embed, sheet, style_source, widget_sheet
from widgets.image import fit
from widgets.params import Form, Options
from widgets.raster import Raster
from widgets.render import render
from widgets.rendering import SITE, Asked, Rendering, picture_style
from widgets.snippets import UNWRITABLE

KEPT = 8 << 20
ADDRESSES = 4096
LONGEST = 2048
PIXELS_MS = 5_000


class Wanted(NamedTuple):
    """What an address asks for, and what its answer is kept by. `form` is its ending: svg, png or none."""

    asked: Asked
    form: str
    key: tuple[str, str]


class Widgets:
    """A kind as a document, a fragment or a picture: from what is kept, else rendered.

    One route for all, `/widgets/quote` and `/widgets/quote.svg`, since a router takes its time over each.
    """

    def __init__(self, rendering: Rendering, raster: Raster | None, frames: str) -> None:
        self._rendering = rendering
        self._raster = raster
        self._frames = frames
        self._kept = Kept(KEPT)
        self._wanted: OrderedDict[str, Wanted] = OrderedDict()

    async def widget(self, request: Request) -> Response:
        """The answer, of an error too: it has the form that was asked for, so that a reader sees it."""
        try:
            asked, form, key = self._wanted.get(request.raw_path) or self._read(request)
            if form == "png":
                return (await self._pixels(asked, request)).answer(request)
            stamp = self._rendering.stamp(asked)
            content = self._kept.get(key, stamp)
            if content is None:
                content = await self.rendered(asked, form)
                self._kept.put(key, stamp, content)
        except RequestError as error:
            content = self._complaint(error, _readable(request), _named(request)[1])
        return content.answer(request)

    def _read(self, request: Request) -> Wanted:
        """What an address asks for. It is read once: addresses that are asked for come again."""
        name, form = _named(request)
        asked = self._rendering.read(name, request.query)
        wanted = Wanted(asked, form, (form, asked.key))
        if len(request.raw_path) <= LONGEST:
            self._wanted[request.raw_path] = wanted
        if len(self._wanted) > ADDRESSES:
            self._wanted.popitem(last=False)
        return wanted

    async def rendered(self, asked: Asked, form: str) -> Content:
        """Anew: a document or, by its options, a fragment; with `svg` a picture."""
        if form == "svg":
            shown = await self._rendering.picture(asked)
            return Content(shown.text, SVG, _picture_policy(picture_style(asked.options)))
        if form:
            said = f"A {asked.kind.name} has no form {form[:20]}: try .svg or .png"
            raise RequestError("unknown_form", said, status=404)
        shown = await self._rendering.markup(asked, SITE)
        if asked.options.form is Form.FRAGMENT:
            return Content(_dressed(asked.kind.name, shown.text), HTML, OPEN)
        return self._document(shown.text, asked.options, kind=asked.kind.name, title=shown.view.title)

    async def _pixels(self, asked: Asked, request: Request) -> Content:
        """A PNG, drawn at most once in `PIXELS_MS`: it may be as old in any cache."""
        if self._raster is None:
            raise RequestError("unknown_form", "No PNGs are drawn here: try .svg", status=404)
        scale, turn = _scale(request), self._rendering.clock.now() // PIXELS_MS
        content = self._kept.get((scale, asked.key), turn)
        if content is None:
            shown = await self._rendering.picture(asked, self._raster.can_draw)
            content = Content(await self._raster.png(shown.text, scale), PNG, OPEN)
            self._kept.put((scale, asked.key), turn, content)
        return content

    def _complaint(self, error: RequestError, options: Options, form: str) -> Content:
        if form:
            return _complaint_drawn(error, options)
        box = render("message.html", message=error.viewer, options=options)
        if options.form is Form.FRAGMENT:
            return Content(box, HTML, OPEN, status=error.status)
        return self._document(box, options, status=error.status)

    def _document(
        self, body: str, options: Options, *, kind: str = "", title: str = "", status: int = 200
    ) -> Content:
        style = widget_sheet(*[kind] * bool(kind)) + sheet("document.css")
        script = embed().name if kind and options.live else ""
        page = render(
            "document.html",
            lang=options.locale,
            title=title or "No price",
            style=style,
            script=script,
            body=body,
        )
        return Content(page, HTML, policy(style, frames=self._frames), status=status)


def _named(request: Request) -> tuple[str, str]:
    name, _, form = request.match_info["file"].partition(".")
    return name, form


def _dressed(kind: str, markup: str) -> str:
    """A fragment brings the sheet of its kind along; the script has that of the box."""
    return (
        markup if kind == "quote" else f"<script type=text/css>{sheet(f'kinds/{kind}.css')}</script>{markup}"
    )


def _picture_policy(style: str) -> dict[str, str]:
    rules = f"default-src 'none'; img-src data:; style-src {style_source(style)}"
    return OPEN | {"Content-Security-Policy": rules}


def _complaint_drawn(error: RequestError, options: Options) -> Content:
    message, style = UNWRITABLE.sub("\ufffd", error.viewer), picture_style(options)
    image = render("message.svg", message=message, short=fit(message, 12, 286), style=style)
    return Content(image, SVG, _picture_policy(style), status=error.status)


def _scale(request: Request) -> int:
    asked = request.query.get("scale", "1")
    if asked not in ("1", "2"):
        raise RequestError("bad_option", f"scale can't be “{asked[:40]}”: use 1, 2")
    return int(asked)


def _readable(request: Request) -> Options:
    """The options of a message, which must be readable even when it says that an option was wrong."""
    asked, form = request.query.get("theme", ""), request.query.get("form")
    return Options(
        theme=Theme(asked) if asked in set(Theme) else Theme.AUTO,
        form=Form.FRAGMENT if form == Form.FRAGMENT else Form.DOCUMENT,
    )
