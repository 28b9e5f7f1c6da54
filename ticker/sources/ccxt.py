"""`ccxt:<exchange>`: the exchanges that the library ccxt can read, polled. Installed only on demand.

https://docs.ccxt.com/#/README?id=ticker-structure
The library says which address to ask and reads the answer; asking is our HTTP layer's, within our budget and
sizes. Its numbers stay text. It doesn't tell whether an open and a percentage count from 24 hours ago or from
midnight, so a change is `rolling` only where both are the exchange's own and agree, else `unknown`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Protocol, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ticker.change import percent_between
from ticker.clock import Clock
from ticker.errors import BadAnswer, ConfigError, RateLimited, Refused, SourceError, Unreachable
from ticker.model import Basis, Change, Pair, Tick, Window
from ticker.sources.allowance import Allowance
from ticker.sources.base import Budget, Options, Outcome, Request, Venue, change_24h
from ticker.sources.decode import Figure, Price, amount, prices, signed
from ticker.sources.http import fetch

T = TypeVar("T")
Ticker = dict[str, object]

PREFIX = "ccxt:"
PACKAGE = "ccxt.async_support"
FIELDS = (
    "last",
    "bid",
    "ask",
    "high",
    "low",
    "baseVolume",
    "quoteVolume",
    "timestamp",
    "ownOpen",
    "ownPercentage",
)
# What a round may take, in timeouts: the first one asks for the exchange's markets before the prices.
ROUND = 4


class Exchange(Protocol):
    """What is used of the library's object for an exchange. The first four are replaced by ours."""

    number: Callable[[str], object]
    on_json_response: Callable[[str], object]
    safe_ticker: Callable[..., Ticker]
    fetch: Callable[..., Awaitable[object]]
    has: Mapping[str, object]
    markets: Mapping[str, object]

    async def load_markets_helper(self) -> object: ...

    async def fetch_ticker(self, symbol: str) -> Ticker: ...

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]: ...

    def parse_json(self, text: str) -> object: ...

    def handle_errors(self, *answer: object) -> object: ...


class Row(Struct, rename="camel"):
    """A ticker of the library. `own_…` is as the exchange gave it, nothing filled in."""

    last: Price
    bid: Figure | None = None
    ask: Figure | None = None
    high: Figure | None = None
    low: Figure | None = None
    base_volume: Figure | None = None
    quote_volume: Figure | None = None
    timestamp: int | None = None
    own_open: Figure | None = None
    own_percentage: Figure | None = None


class Ccxt(Venue):
    """Made by `venue`, once for each exchange. Its answers are the library's tickers, as JSON."""

    docs = "https://docs.ccxt.com/#/README?id=ticker-structure"
    # The library knows the real one; `base_url` in the options stands for its scheme and host.
    base_url = "https://docs.ccxt.com"
    interval = 10
    budget = Budget(20, 10)
    row = Row

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        """The library spells every spot pair BTC/USDT; anything after that is no spot pair."""
        base, _, quote = symbol.partition("/")
        return (base, quote) if base and quote.isalnum() else None

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request("", (), tuple(pairs))] if pairs else []

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (opened, bid, ask, high, low) = prices(
            row.last, row.own_open, row.bid, row.ask, row.high, row.low
        )
        change, note = _change(last, opened, signed(row.own_percentage))
        return Tick(
            pair=pair,
            price=last,
            as_of=row.timestamp or as_of,
            seen=seen,
            bid=bid,
            ask=ask,
            change_24h=change,
            high_24h=high,
            low_24h=low,
            volume_24h=amount(row.base_volume),
            turnover_24h=amount(row.quote_volume),
            note=note,
        )


class CcxtSource:
    """Asks one exchange through the library; stands where `Source` does for the other venues.

    `missing` stays empty: what an exchange gives, the library doesn't tell.
    """

    missing: tuple[str, ...] = ()

    def __init__(
        self,
        venue: Ccxt,
        pairs: Sequence[Pair],
        options: Options,
        session: aiohttp.ClientSession,
        clock: Clock,
    ) -> None:
        self.venue = venue
        self.pairs = tuple(dict.fromkeys(pairs))
        self.allowance = Allowance(venue.budget_for(options), clock, venue.title)
        self._options = options
        self._session = session
        self._clock = clock
        self._exchange: Exchange | None = None
        self._demo = False

    async def ask(self) -> dict[Pair, Outcome]:
        """One round: every pair with its Tick or the error that stands for it. ConfigError without ccxt."""
        exchange = self._exchange = self._exchange or await self._open()
        try:
            async with asyncio.timeout(ROUND * self._options.timeout):
                return await self._tickers(exchange)
        except TimeoutError:
            late: SourceError = Unreachable(
                f"{self.venue.title}: the round took too long; check the network or raise its timeout"
            )
        except SourceError as failure:
            late = failure
            if isinstance(failure, RateLimited):
                self.allowance.pause(60.0 if failure.retry_after is None else failure.retry_after)
        return dict.fromkeys(self.pairs, late)

    async def _tickers(self, exchange: Exchange) -> dict[Pair, Outcome]:
        # Not `load_markets`: that starts a task, and once cancelled never loads anything again.
        await self._asked(exchange.load_markets_helper)
        known = [pair for pair in self.pairs if pair.symbol in exchange.markets]
        outcomes: dict[Pair, Outcome] = {
            pair: self.venue.unknown(pair) for pair in self.pairs if pair not in known
        }
        symbols = [pair.symbol for pair in known]
        if exchange.has.get("fetchTickers") is True and symbols:
            tickers = await self._asked(partial(exchange.fetch_tickers, symbols))
        else:
            tickers = {
                symbol: await self._asked(partial(exchange.fetch_ticker, symbol)) for symbol in symbols
            }
        body = msgspec.json.encode({symbol: _row(ticker) for symbol, ticker in tickers.items()})
        for request in self.venue.requests(known):
            said = self.venue.read(body, request, self._clock.now())
            outcomes |= {pair: _marked(outcome, demo=self._demo) for pair, outcome in said.outcomes.items()}
        return outcomes

    async def _asked(self, question: Callable[[], Awaitable[T]]) -> T:
        """What the library answers. Its errors, and what it trips over in a changed answer, become ours."""
        errors = importlib.import_module("ccxt.base.errors")
        try:
            return await question()
        except errors.RateLimitExceeded as limited:
            raise RateLimited(f"{self.venue.title} says too many requests") from limited
        except errors.NetworkError as broken:
            raise Unreachable(f"{self.venue.title} has trouble of its own") from broken
        except errors.BaseError as refused:
            raise Refused(f"{self.venue.title} refuses us ({type(refused).__name__})") from refused
        except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as wrong:
            raise BadAnswer(
                f"{self.venue.title} sent an answer that ccxt can't read ({type(wrong).__name__})"
            ) from wrong

    async def _open(self) -> Exchange:
        """The library's object for the exchange, reading numbers as text and asking through `_fetch`."""
        name = self.venue.name.removeprefix(PREFIX)
        exchange = await asyncio.to_thread(_load, name)
        exchange.number = str
        exchange.on_json_response = partial(json.loads, parse_float=str)
        exchange.safe_ticker = partial(_kept, exchange.safe_ticker)
        exchange.fetch = partial(self._fetch, exchange)
        return exchange

    async def _fetch(
        self, exchange: Exchange, url: str, method: str, _headers: object = None, body: object = None
    ) -> object:
        """In place of the library's own HTTP client. Anything but a plain question is refused."""
        if method != "GET" or body is not None:
            raise Refused(f"{self.venue.title} wants more than a GET for its prices")
        parts = urlsplit(url)
        address = self._options.base_url or f"{parts.scheme}://{parts.netloc}"
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        await self.allowance.take(1, self._options.timeout)
        answer = await fetch(
            self._session,
            self.venue,
            replace(self._options, base_url=address),
            Request(parts.path, query, ()),
            self._clock,
        )
        self._demo = answer.demo
        text = answer.body.decode(errors="replace")
        said = exchange.parse_json(text)
        if said is None:
            raise BadAnswer(f"{self.venue.title} sent something that is no JSON")
        exchange.handle_errors(200, "OK", url, method, {}, text, said, {}, None)
        return said


def venue(exchange: str) -> Ccxt:
    """The venue `ccxt:<exchange>`, for the registry of one running service."""

    class Named(Ccxt):
        name = f"{PREFIX}{exchange}"
        title = f"{exchange} (ccxt)"

    return Named()


def check(exchange: str) -> None:
    """ConfigError where the library, or the exchange in it, is missing. It takes half a second."""
    _load(exchange)


def _load(exchange: str) -> Exchange:
    """The library's object for the exchange, as it comes. ConfigError as for `check`."""
    key = f"{PREFIX}{exchange}"
    try:
        library = importlib.import_module(PACKAGE)
    except ModuleNotFoundError as missing:
        problem = "needs the extra ccxt: pip install 'price-ticker[ccxt]'"
        raise ConfigError(problem, key=key) from missing
    if exchange not in library.exchanges:
        raise ConfigError("ccxt has no exchange of this name", key=key)
    # Its throttle would start a task of its own; ours is the allowance.
    return cast("Exchange", getattr(library, exchange)({"enableRateLimit": False}))


def _kept(fill_in: Callable[..., Ticker], ticker: Ticker, market: object = None) -> Ticker:
    """The library's ticker, and beside it what the exchange itself gave before gaps are filled in."""
    own = {"ownOpen": ticker.get("open"), "ownPercentage": ticker.get("percentage")}
    return {**fill_in(ticker, market), **own}


def _row(ticker: Ticker) -> Ticker:
    return {name: str(value) for name in FIELDS if (value := ticker.get(name)) is not None}


def _marked(outcome: Outcome, *, demo: bool) -> Outcome:
    return replace(outcome, demo=True) if demo and isinstance(outcome, Tick) else outcome


def _change(price: Decimal, opened: Decimal | None, said: Decimal | None) -> tuple[Change | None, str | None]:
    """Rolling where open and percentage agree within half a point; else whichever there is, basis unknown."""
    if opened is not None and said is not None:
        change, note = change_24h(price, opened, said)
        if note is None:
            return change, None
        return Change(percent_between(opened, price), Window.DAY, Basis.UNKNOWN), note
    percent = said if opened is None else percent_between(opened, price)
    return (None if percent is None else Change(percent, Window.DAY, Basis.UNKNOWN)), None
