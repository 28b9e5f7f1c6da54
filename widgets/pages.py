"""The hosted pages: the market, an asset, and what is not there.

Each is a template over the same views as the widgets, rendered at most once a second for an address. Nothing
here fetches; what a page says is worked out in `listing.py` and `detail.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from urllib.parse import quote as escaped

from aiohttp import hdrs, web
from aiohttp.web import Request, Response, RouteDef

from ticker.errors import HistoryError, RequestError
from ticker.model import Asset, Candle
from widgets.answers import HTML, Content, Kept, policy
from widgets.chart import Spark, spark
from widgets.detail import detail, linked, needs
from widgets.embed import embed, page_script, sheet, widget_sheet
from widgets.format import notation
from widgets.kinds import KINDS, Need
from widgets.listing import CURRENCY, Listing, listing, nearest, wanted
from widgets.oembed import discovery, discovery_header
from widgets.params import canonical
from widgets.render import render
from widgets.rendering import Rendering
from widgets.snippets import FormName, Snippet, snippet
from widgets.view import QuoteView, known, quote_view

KEPT = 4 << 20
SHOWN = ("chart", "converter", "quote")
"""The kinds that an asset's page shows; what isn't there is left out."""
OFFERED: Sequence[FormName] = ("element", "iframe", "image", "wordpress")
SPARK = Need("", 14_400, 7 * 86_400)
SPARK_MS, RETRY_MS = 300_000, 60_000
NOT_OURS = r"/{path:(?!v1/).*}"
"""Whatever isn't a page and isn't the API's to answer."""

Values = dict[str, object]


class Sparks:
    """The last seven days of an asset as a line, drawn anew every five minutes, so that a crowd of readers
    asks the history once."""

    def __init__(self, rendering: Rendering) -> None:
        self._rendering = rendering
        self._turn = asyncio.Lock()
        self._drawn: dict[str, tuple[int, Spark | None]] = {}

    async def of(self, assets: Sequence[str]) -> Mapping[str, Spark | None]:
        """By asset; None where there is too little to draw, or a history that can't be read."""
        async with self._turn:
            now = self._rendering.clock.now()
            for asset in assets:
                if self._drawn.get(asset, (0, None))[0] <= now:
                    drawn = await self._draw(asset)
                    self._drawn[asset] = (now + (SPARK_MS if drawn else RETRY_MS), drawn)
            return {asset: self._drawn[asset][1] for asset in assets}

    async def _draw(self, asset: str) -> Spark | None:
        try:
            return spark(await self._rendering.candles(SPARK._replace(asset=asset)), 120, 36)
        except HistoryError:
            return None


class Pages:
    """The handlers. `public` says where the service is, as a request knows it."""

    def __init__(self, rendering: Rendering, public: Callable[[Request], str]) -> None:
        self._rendering = rendering
        self._board = rendering.board
        self._clock = rendering.clock
        self._public = public
        self._sparks = Sparks(rendering)
        self._kept = Kept(KEPT)

    def routes(self) -> list[RouteDef]:
        return [
            web.get("/", self.market),
            web.get("/assets/{asset}", self.asset),
            web.get(NOT_OURS, self.missing),
        ]

    async def market(self, request: Request) -> Response:
        try:
            asked = wanted(request.query, self._board.known_currencies())
            key = (self._public(request), asked)
            content = self._kept.get(key, self._second())
            if content is None:
                content = await self._market(request, listing(self._board, asked))
                self._kept.put(key, self._second(), content)
        except RequestError as error:
            content = self._complaint(request, error)
        return content.answer(request)

    async def asset(self, request: Request) -> Response:
        name = request.match_info["asset"]
        query = {key: value for key, value in request.query.items() if key in PASSED}
        try:
            asset = known(self._board, name)
            key = (self._public(request), name, *sorted(query.items()))
            content = self._kept.get(key, self._second())
            if content is None:
                content = await self._asset(request, asset, query)
                self._kept.put(key, self._second(), content)
        except RequestError as error:
            content = self._complaint(request, error, name if error.status == 404 else "")
        return content.answer(request)

    async def missing(self, request: Request) -> Response:
        """A page for those who read pages; a program gets the service's own 404."""
        if "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
            raise web.HTTPNotFound
        path = request.path.strip("/")
        error = RequestError("not_found", f"There is no page at /{path[:80]}", status=404)
        return self._complaint(request, error, path.rpartition("/")[2]).answer(request)

    async def _market(self, request: Request, shown: Listing) -> Content:
        now, currency = self._clock.now(), shown.wanted.currency
        quotes = [
            quote_view(
                self._board.assets[quote.asset],
                quote,
                now,
                link=_href("assets", quote.asset, currency),
                mark=self._rendering.mark(quote.asset, quote.symbol),
            )
            for quote in shown.quotes
        ]
        sparks = await self._sparks.of([quote.asset for quote in shown.quotes])
        path = f"/?page={shown.wanted.page}" if shown.wanted.page > 1 else "/"
        index = shown.wanted.query() == shown.wanted._replace(sort="", q="", currency=CURRENCY).query()
        values: Values = {
            "list": shown,
            "quotes": quotes,
            "sparks": sparks,
            "index": index,
            "demo": any(quote.demo for quote in quotes),
        }
        return self._page(request, "market.html", values, path=path, currency=currency, title="Live prices")

    async def _asset(self, request: Request, asset: Asset, query: Mapping[str, str]) -> Content:
        board, now, url = self._board, self._clock.now(), self._public(request)
        currency = query.get("currency", CURRENCY).upper()
        board.require(currency)
        quote = board.quote(asset.id, currency)
        mark = self._rendering.mark(asset.id, asset.symbol)
        view = quote_view(asset, quote, now, mark=mark)
        past = await self._past(needs(quote))
        said = detail(quote, view, board.observations(asset.id), board.spread(asset.id), past, now)
        title, path = f"{view.label} live price chart", _href("/assets", asset.id)
        values: Values = {
            "quote": view,
            "detail": said,
            "shown": {kind: await self._shown(kind, asset, query, url) for kind in SHOWN},
            "snippets": self._offer(asset, url),
            "json": _href("v1/quotes", asset.id, currency),
            "linked": linked(asset, quote, url, title),
            "picture": self._picture(asset, url, view),
            "discovery": discovery(url + path, url, title),
        }
        more = {"Link": discovery_header(url + path, url, title)}
        return self._page(
            request, "asset.html", values, path=path, currency=currency, title=title, headers=more
        )

    async def _past(self, wanted: Mapping[str, Need]) -> Mapping[str, Sequence[Candle]]:
        try:
            return {label: await self._rendering.candles(need) for label, need in wanted.items()}
        except HistoryError:
            return {}

    async def _shown(self, kind: str, asset: Asset, query: Mapping[str, str], url: str) -> str:
        """A widget inside the page, with what the page's own address says about it."""
        if kind not in KINDS:
            return ""
        said = {key: value for key, value in query.items() if key in PASSED} if kind != "quote" else {}
        asked = self._rendering.read(
            kind, {**said, "asset": asset.id, "link": "none", **DRESSED.get(kind, {})}
        )
        try:
            return (await self._rendering.markup(asked, url)).text
        except HistoryError:
            return ""

    def _offer(self, asset: Asset, url: str) -> Sequence[Snippet]:
        kind = KINDS["quote"]
        return [snippet(form, kind, kind.options(asset=asset.id), url, [asset]) for form in OFFERED]

    def _picture(self, asset: Asset, url: str, view: QuoteView) -> Mapping[str, object]:
        """For those who share the page: the card, twice as large as on a page."""
        kind = KINDS.get("card") or KINDS["quote"]
        options = kind.options(asset=asset.id)
        size = kind.size(options)
        address = f"{url}/widgets/{kind.name}.png?{canonical(options)}&scale=2"
        return {"url": address, "width": size.width * 2, "height": size.height * 2, "alt": view.sentence}

    def _complaint(self, request: Request, error: RequestError, sought: str = "") -> Content:
        values = {"message": error.viewer, "near": nearest(self._board.assets.values(), sought)}
        title = "Not found" if error.status == 404 else "This can't be shown"
        return self._page(request, "missing.html", values, path="", title=title, status=error.status)

    def _page(
        self,
        request: Request,
        template: str,
        values: Mapping[str, object],
        *,
        path: str,
        title: str,
        currency: str = CURRENCY,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Content:
        style = _style(template)
        depth = request.rel_url.raw_path.count("/") - 1
        page = render(
            f"pages/{template}",
            root="/".join([".."] * depth) or ".",
            url=self._public(request),
            path=path,
            title=title,
            style=style,
            currency=currency,
            notation=notation(currency),
            script=embed().name,
            page_script=page_script().name,
            **values,
        )
        said = policy(style, frames="'self'") | dict(headers or {})
        return Content(page, HTML, said, status=status)

    def _second(self) -> int:
        return self._clock.now() // 1000


PASSED = ("range", "type", "amount", "inverse", "currency")
"""Of an asset page's address: what the widgets in it are asked for."""
DRESSED: Mapping[str, Mapping[str, str]] = {"chart": {"size": "large"}}


def _href(folder: str, name: str, currency: str = CURRENCY) -> str:
    said = f"?currency={currency}" if currency != CURRENCY else ""
    return f"{folder}/{escaped(name, safe='')}{said}"


@cache
def _style(template: str) -> str:
    """A kind's sheet is written for a place of its own: here it has none, so it is held inside its widget."""
    kinds = [kind for kind in SHOWN if kind in KINDS] if template == "asset.html" else []
    held = [f"@scope (.of-{kind}){{{sheet(f'kinds/{kind}.css')}}}" for kind in kinds]
    return "".join([widget_sheet(), *held, sheet("page.css")])
