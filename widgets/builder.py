"""The builder and the gallery: a widget put together by a form, and one of every kind to look at.

The form works without script; with it the same page is asked for again and what differs is put in its place.
What a snippet costs is counted from the very bodies that are served.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, get_args
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.web import Request, Response, RouteDef
from msgspec import structs

from ticker.errors import TickerError
from widgets.answers import FOREVER, HTML, Content, Kept, policy
from widgets.colours import INKS, MOVES, Palette
from widgets.embed import embed, module, page_script, sheet, widget_sheet
from widgets.fields import groups, said, understood
from widgets.files import static
from widgets.format import notation
from widgets.forms import Widgets
from widgets.kinds import KINDS, Kind, Size
from widgets.listing import CURRENCY
from widgets.params import Form, canonical, choices
from widgets.render import render
from widgets.rendering import Asked, Rendering
from widgets.snippets import PLACES, FormName, Part, Snippet, snippets, widget

KEPT = 2 << 20
SCRIPT = "builder.js"
PICTURES: Mapping[FormName, str] = {"image": ".svg", "png": ".png", "markdown": ".svg", "email": ".png"}
PARTS = ("logo", "name", "price", "change", "status", "link")
TOKENS = (*INKS, *MOVES[Palette.WESTERN])
EVENTS = {
    "load": "the widget is there",
    "update": "a new price: detail.quote, its figures as decimal strings",
    "stale": "no source has said anything for too long: detail.quote",
    "select": "a reader follows a widget's link: detail.asset; preventDefault() keeps the reader on the page",
    "error": "it can't be shown: detail.status, as in HTTP",
}
ABROAD: Sequence[Mapping[str, str]] = (
    {"kind": "quote", "locale": "ar", "currency": "EUR"},
    {"kind": "quote", "locale": "ja", "currency": "JPY", "palette": "east-asian"},
    {"kind": "quote", "locale": "hi", "currency": "INR", "palette": "colour-blind"},
)
"""The gallery's quotes as others write them, in a currency where it is known."""

FEWER = {"table": "5", "tape": "8"}
"""How many rows the gallery shows of kinds that would go on and on."""

Values = dict[str, object]


class Priced(NamedTuple):
    """A snippet, and what a reader's browser loads for it: KB as brotli sends them. `picture` is the ending
    of the picture that it is; a PNG isn't drawn to be weighed, so the page weighs it once it is looked at."""

    snippet: Snippet
    cost: str
    picture: str


class Example(NamedTuple):
    """A widget as the gallery shows it. `said` are the element's attributes."""

    kind: str
    said: Mapping[str, str]
    size: Size
    label: str
    goal: str
    build: str

    @property
    def room(self) -> str:
        return f"w{self.size.width}-{self.size.height}{'-fluid' * self.size.fluid}"


class Builder:
    """The handlers. `public` says where the service is, as a request knows it."""

    def __init__(self, rendering: Rendering, widgets: Widgets, public: Callable[[Request], str]) -> None:
        self._rendering = rendering
        self._board = rendering.board
        self._widgets = widgets
        self._public = public
        self._kept = Kept(KEPT)

    def routes(self) -> list[RouteDef]:
        return [web.get("/builder", self.builder), web.get("/gallery", self.gallery)]

    async def builder(self, request: Request) -> Response:
        asked = said(request.query.items())
        name = asked.pop("kind", "quote")
        key = (self._public(request), name, *sorted(asked.items()))
        content = self._kept.get(key, self._second())
        if content is None:
            content = await self._builder(request, name, asked)
            self._kept.put(key, self._second(), content)
        return content.answer(request)

    async def gallery(self, request: Request) -> Response:
        url = self._public(request)
        shown = [self._example(kind, url) for kind in KINDS.values()] if self._board.assets else []
        abroad = [self._abroad(one, url) for one in ABROAD] if self._board.assets else []
        values: Values = {
            "examples": shown,
            "abroad": abroad,
            "kinds": KINDS,
            "index": True,
            "page_script": page_script().name,
        }
        style = "".join(sorted({_room(one) for one in (*shown, *abroad)}))
        content = self._page(request, "gallery.html", values, style, path="/gallery", title="Widget gallery")
        return content.answer(request)

    async def _builder(self, request: Request, name: str, asked: Mapping[str, str]) -> Content:
        kind = KINDS.get(name)
        if kind is None:
            return self._missing(request, f"No widget is called “{name[:40]}”")
        script = {"page_script": module(SCRIPT).name}
        title = f"Price {name} for your website"
        if not self._board.assets:
            return self._page(request, "builder.html", {"made": None, **script}, path="/builder", title=title)
        reading = understood(asked, kind, self._board)
        chosen = self._rendering.read(name, reading.good)
        values: Values = {
            "kind": kind,
            "kinds": [(other, _to(other, reading.good)) for other in KINDS.values()],
            "groups": groups(asked, reading, kind, self._board),
            "wrong": reading.wrong,
            "made": await self._made(request, chosen),
            "size": kind.size(chosen.options),
            "query": canonical(chosen.options),
            "address": f"builder?kind={name}&{canonical(chosen.options)}".rstrip("&"),
            "label": widget(kind, chosen.options, "", self._assets(chosen)).label,
            "index": not asked,
            "tokens": TOKENS,
            "styled": PARTS,
            "events": EVENTS,
            **script,
        }
        path = "/builder" if name == "quote" else f"/builder?kind={name}"
        status = 400 if reading.wrong else 200
        return self._page(request, "builder.html", values, path=path, title=title, status=status)

    async def _made(self, request: Request, chosen: Asked) -> Sequence[Priced]:
        written = snippets(chosen.kind, chosen.options, self._public(request), self._assets(chosen))
        weights = {part: await self._weight(part, chosen) for part in get_args(Part) if part != "png"}
        return [
            Priced(one, _cost(one.form, chosen.kind, weights), PICTURES.get(one.form, "")) for one in written
        ]

    async def _weight(self, part: Part, chosen: Asked) -> int:
        """Bytes on the wire; 0 where it can't be had just now."""
        if part == "script":
            return static(embed().body, FOREVER).length("br")
        form = Form.FRAGMENT if part == "fragment" else Form.DOCUMENT
        chosen = replace(chosen, options=structs.replace(chosen.options, form=form))
        try:
            content = await self._widgets.rendered(chosen, "svg" if part == "svg" else "")
        except TickerError:  # a history that can't be read
            return 0
        return content.length("br")

    def _assets(self, chosen: Asked) -> Sequence[Any]:
        return [self._board.assets[asset] for asset in chosen.ids]

    def _example(self, kind: Kind[Any], url: str, **more: str) -> Example:
        """Each kind with what it shows best: the first asset, or a handful of all."""
        asks = {choice.name for choice in choices(kind.options)}
        own: dict[str, str] = dict(more)
        if "asset" in asks:
            own["asset"] = next(iter(self._board.assets))
        if kind.name in FEWER:
            own["rows"] = FEWER[kind.name]
        chosen = self._rendering.read(kind.name, own)
        shown = widget(kind, chosen.options, url, self._assets(chosen))
        build = f"builder?{urlencode({'kind': kind.name} | own)}"
        return Example(kind.name, shown.said, shown.size, shown.label, shown.goal, build)

    def _abroad(self, one: Mapping[str, str], url: str) -> Example:
        more = {name: value for name, value in one.items() if name != "kind"}
        if more["currency"] not in self._board.known_currencies():
            del more["currency"]
        return self._example(KINDS[one["kind"]], url, **more)

    def _missing(self, request: Request, message: str) -> Content:
        values: Values = {"message": message, "near": (), "page_script": page_script().name}
        return self._page(request, "missing.html", values, path="", title="Not found", status=404)

    def _page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        more: str = "",
        *,
        path: str,
        title: str,
        status: int = 200,
    ) -> Content:
        style = widget_sheet() + sheet("page.css", "builder.css") + more
        page = render(
            f"pages/{template}",
            root=".",
            url=self._public(request),
            path=path,
            title=title,
            style=style,
            currency=CURRENCY,
            notation=notation(CURRENCY),
            script=embed().name,
            **values,
        )
        headers = policy(style, frames="'self'")
        rules = f"{headers[CSP]}; frame-src 'self'"  # the preview is a frame of our own
        return Content(page, HTML, headers | {CSP: rules}, status=status)

    def _second(self) -> int:
        return self._rendering.clock.now() // 1000


CSP = "Content-Security-Policy"


def _to(kind: Kind[Any], good: Mapping[str, str]) -> str:
    """The builder for another kind, with what it understands of what was said."""
    names = {choice.name: choice.default for choice in choices(kind.options)}
    kept = {name: value for name, value in good.items() if name in names and value != names[name]}
    return f"builder?{urlencode({'kind': kind.name} | kept, safe=',')}"


def _cost(form: FormName, kind: Kind[Any], weights: Mapping[Part, int]) -> str:
    """What a reader's browser loads for a form, where each part of it is known."""
    parts = PLACES[form].loads
    loads = [weights[part] for part in parts if part in weights]
    if "script" in parts and kind.module:
        loads.append(static(module(kind.module).body, FOREVER).length("br"))
    if not all(loads) or not loads:
        return ""
    said = f"{sum(loads) / 1000:.1f} KB in {len(loads)} request{'s' * (len(loads) != 1)}"
    return said + " and a websocket" * ("script" in parts) + " and a picture" * ("png" in parts)


def _room(one: Example) -> str:
    """The rule that reserves an example's room: no attribute may say it under the page's policy."""
    width = "100%" if one.size.fluid else f"{one.size.width}px"
    high = f"{one.size.height}px"
    return f".{one.room}{{width:{width};height:{high}}}.g-{one.room}{{contain-intrinsic-height:{high}}}"
