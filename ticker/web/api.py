"""The JSON API under /v1 and the two health addresses: the book, read out."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Sequence
from typing import Protocol

from aiohttp import web
from msgspec import Struct

from ticker import __version__
from ticker.book import QuoteBook
from ticker.clock import Clock
from ticker.errors import RequestError
from ticker.history import Recorder
from ticker.messages import parse_since
from ticker.model import Quote, SourceHealth, State
from ticker.poller import SourceStatus
from ticker.rates import RateStatus
from ticker.web.access import JSON, answer
from ticker.wire import (
    Amount,
    AssetObject,
    CandleObject,
    ObservationObject,
    QuoteObject,
    amount,
    asset_object,
    candle_object,
    encode,
    observation_object,
    quote_object,
)

CANDLE_INTERVALS = (60, 300, 3600, 86400)
MAX_CANDLES = 2880
# Quotes written out on the event loop; more of them are in a thread.
MANY = 256


class Assets(Struct):
    assets: list[AssetObject]


class Quotes(Struct):
    """With `epoch`, `seq` is the place to go on from, here or in the feed.

    `recovered`: only quotes that changed after `since`; else all that were asked for.
    """

    epoch: str
    seq: int
    recovered: bool
    quotes: list[QuoteObject]


class QuoteDetail(QuoteObject, kw_only=True):
    """A quote with what each source said about it.

    `spread` is the distance between the outermost sources that count, in percent; `sources_total` is how many
    sources said anything.
    """

    spread: Amount | None
    sources_total: int
    observations: list[ObservationObject]


class Sources(Struct):
    """`rates` is the source of exchange rates; null where none is asked."""

    sources: list[SourceStatus]
    rates: RateStatus | None


class Candles(Struct):
    """Oldest first. `interval` in seconds; prices in `currency`."""

    asset: str
    currency: str
    interval: int
    candles: list[CandleObject]


class HistoryHealth(Struct):
    failing: str | None
    last_write: int | None


class Health(Struct):
    """The process answers. `uptime` in seconds."""

    status: str
    version: str
    uptime: int
    sessions: int
    history: HistoryHealth


class Readiness(Struct):
    """Whether there is something to show: `priced` of `assets` have a price, `live` of them a fresh one."""

    ready: bool
    assets: int
    priced: int
    live: int
    failing: list[str]


class Sized(Protocol):
    def __len__(self) -> int: ...


class Api:
    """Handlers over what the composition root hands in."""

    def __init__(
        self,
        book: QuoteBook,
        recorder: Recorder,
        statuses: Callable[[], Sequence[SourceStatus]],
        sessions: Sized,
        clock: Clock,
        rates: Callable[[], RateStatus | None] = lambda: None,
    ) -> None:
        self._book = book
        self._recorder = recorder
        self._statuses = statuses
        self._sessions = sessions
        self._clock = clock
        self._rates = rates
        self._started = clock.monotonic()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/assets", self.assets),
            web.get("/v1/quotes", self.quotes),
            web.get("/v1/quotes/{asset}", self.quote),
            web.get("/v1/sources", self.sources),
            web.get("/v1/candles/{asset}", self.candles),
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
        ]

    async def assets(self, request: web.Request) -> web.Response:
        """What has a price here."""
        listed = [asset_object(asset) for asset in self._book.assets.values()]
        return answer(request, Assets(listed), max_age=60)

    async def quotes(self, request: web.Request) -> web.Response:
        """The quotes of `assets`, all of them when none are named; of those, what changed after `since`."""
        currency = self._currency(request)
        named = [a for a in request.query.get("assets", "").split(",") if a and a != "*"]
        ids = dict.fromkeys(self._known(a.strip()) for a in named) if named else self._book.assets
        since = parse_since(request.query.get("since"))
        snapshot = self._book.snapshot(ids, since)
        quotes = {quote.asset: self._book.seen_in(quote, currency) for quote in snapshot.quotes}
        found = [quotes[asset] for asset in ids if asset in quotes]
        # Thousands of them take long enough to write out for others to wait.
        listed = await asyncio.to_thread(_written, found) if len(found) > MANY else _written(found)
        # Of these quotes only, so that the answer stays the same while they do.
        seq = max((q.seq for q in listed), default=since[1] if since and snapshot.recovered else 0)
        return answer(request, Quotes(self._book.epoch, seq, snapshot.recovered, listed), max_age=1)

    async def quote(self, request: web.Request) -> web.Response:
        """One quote, with what each source said and whether it was used."""
        currency = self._currency(request)
        asset = self._known(request.match_info["asset"])
        plain = quote_object(self._book.quote(asset, currency), asset=True)
        seen = [observation_object(o) for o in self._book.observations(asset)]
        fields = {name: getattr(plain, name) for name in plain.__struct_fields__}
        total = len({o.source for o in seen})
        spread = amount(self._book.spread(asset))
        detail = QuoteDetail(**fields, spread=spread, sources_total=total, observations=seen)
        return answer(request, detail, max_age=1)

    async def sources(self, request: web.Request) -> web.Response:
        """Each source's health, last answer, next try and budget; and how the source of exchange rates is."""
        return answer(request, Sources(list(self._statuses()), self._rates()), max_age=1)

    async def candles(self, request: web.Request) -> web.Response:
        """Candles of `interval` seconds from `start` to `end` (ms): the newest `limit`, oldest first."""
        asset = self._known(request.match_info["asset"])
        interval = _number(request, "interval", 60)
        if interval not in CANDLE_INTERVALS:
            raise RequestError("bad_request", f"interval is one of {CANDLE_INTERVALS} (seconds)")
        limit = _number(request, "limit", 500, least=1, most=MAX_CANDLES)
        end = _number(request, "end", self._clock.now() + 1)
        start = _number(request, "start", max(0, end - limit * interval * 1000))
        currency = self._book.quote(asset).currency
        found = await self._recorder.candles(asset, currency, interval, start, end, limit)
        listed = [candle_object(candle) for candle in found]
        return answer(request, Candles(asset, currency, interval, listed), max_age=5)

    async def healthz(self, request: web.Request) -> web.Response:
        """200 as long as the process answers; a failing history is told, not fatal."""
        history = HistoryHealth(self._recorder.failing, self._recorder.last_write)
        uptime = int(self._clock.monotonic() - self._started)
        return answer(request, Health("ok", __version__, uptime, len(self._sessions), history), max_age=0)

    async def readyz(self, request: web.Request) -> web.Response:
        """200 when at least one asset has a price to show, else 503."""
        quotes = self._book.quotes()
        priced = sum(quote.price is not None for quote in quotes)
        live = sum(quote.state is State.LIVE for quote in quotes)
        failing = [s.source for s in self._statuses() if s.health is SourceHealth.FAILING]
        ready = priced > 0 or not quotes
        body = Readiness(ready, len(quotes), priced, live, failing)
        if ready:
            return answer(request, body, max_age=0)
        return web.Response(status=503, body=encode(body), content_type=JSON)

    def _currency(self, request: web.Request) -> str:
        currency = request.query.get("currency", "usd").upper()
        self._book.require(currency)
        return currency

    def _known(self, asset: str) -> str:
        if asset in self._book.assets:
            return asset
        near = difflib.get_close_matches(asset, self._book.assets, n=1)
        hint = f"did you mean {near[0]}?" if near else "/v1/assets lists them"
        raise RequestError("unknown_asset", f"no asset {asset[:64]!r}; {hint}", status=404)


def _written(quotes: Sequence[Quote]) -> list[QuoteObject]:
    return [quote_object(quote, asset=True) for quote in quotes]


def _number(request: web.Request, name: str, default: int, *, least: int = 0, most: int = 10**15) -> int:
    text = request.query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 17 and least <= int(text) <= most):
        message = f"{name} is a whole number from {least} to {most}, not {text[:32]!r}"
        raise RequestError("bad_request", message)
    return int(text)
