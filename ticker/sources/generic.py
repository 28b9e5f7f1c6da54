"""`json:<name>`: any address that answers JSON, read by what the configuration says and nothing else.

    [json.acme]
    url = "https://api.acme.example/v1/price?token={symbol}"
    price = "data.price"
    change = "data.change"
    change_unit = "fraction"
    quote = "USD"

    [assets.talus]
    pairs = ["json:acme:US"]

A path is keys and list positions with dots between, the last being -1; `{symbol}` may stand in it too.
Pairs with one address share one request. It guesses no unit: a figure without its unit is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, cast
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from msgspec import UNSET, Meta, Raw, Struct

from ticker.errors import BadAnswer, SourceError, UnknownSymbol
from ticker.model import Basis, Change, Pair, Tick, Window
from ticker.sources.base import Budget, Options, Reading, Request, Venue, change_24h
from ticker.sources.decode import Given, Moment, Price, amount, decode, percent, positive, price, signed
from ticker.sources.moment import ms
from ticker.sources.rows import Rows

SYMBOL = "{symbol}"
KEY = "{key}"
PREFIX = "json:"
POSITION = re.compile(r"-?[0-9]{1,4}")
HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")

# Whatever JSON holds, its fractions as text, so that no digit is lost.
ANY = cast("type[object]", Any)

Path = Annotated[str, Meta(min_length=1, max_length=200)]


class Endpoint(Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[json.<name>]` of the configuration. ValueError: it can't be used, or lacks a unit."""

    url: Annotated[
        str,
        Meta(
            description="The address, with {symbol} for the pair's symbol, and {key} in its query for `key`"
        ),
    ]
    price: Annotated[
        Path, Meta(description="Where the price is: keys and list positions, as in data.0.price")
    ]
    open: Annotated[Path | None, Meta(description="Where the price 24 hours ago is")] = None
    change: Annotated[Path | None, Meta(description="Where the change over 24 hours is")] = None
    change_unit: Annotated[
        Literal["percent", "fraction"] | None,
        Meta(description="What the change is in: 1.73 percent is the fraction 0.0173"),
    ] = None
    basis: Annotated[
        Literal["rolling", "utc_day", "unknown"],
        Meta(description="From when open and change count: 24 hours ago, midnight UTC, or it isn't known"),
    ] = "rolling"
    volume: Annotated[Path | None, Meta(description="Where the volume of 24 hours is, in base units")] = None
    turnover: Annotated[Path | None, Meta(description="Where that volume is in the quote currency")] = None
    time: Annotated[Path | None, Meta(description="Where the time of the price is")] = None
    time_unit: Annotated[
        Literal["s", "ms", "iso"] | None,
        Meta(description="What the time is in: seconds or milliseconds since 1970, or ISO 8601 text"),
    ] = None
    headers: Annotated[
        dict[str, str], Meta(description="Headers to send; {key} in a value stands for `key`; never shown")
    ] = msgspec.field(default_factory=dict)
    quote: Annotated[
        Annotated[str, Meta(min_length=1, max_length=24)] | None,
        Meta(description="The currency its prices are in; unset: each pair says its own"),
    ] = None
    per_minute: Annotated[
        int, Meta(ge=1, le=6000, description="Requests it may be asked a minute, over all its pairs")
    ] = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        parts = urlsplit(self.url)
        self._check_address("url", f"{parts.scheme}://{parts.netloc}", "https", "http")
        if SYMBOL in parts.netloc:
            raise ValueError("url takes {symbol} in its path and query, not in its host")
        if (self.change is None) is not (self.change_unit is None):
            raise ValueError("change and change_unit (percent or fraction) go together")
        if (self.time is None) is not (self.time_unit is None):
            raise ValueError("time and time_unit (s, ms or iso) go together")
        if self.key is None and KEY in "".join((parts.query, *self.headers.values())):
            raise ValueError(f"{KEY} is to be sent, but key is not set")
        for name, value in self.headers.items():
            if not HEADER.fullmatch(name) or not (value.isascii() and value.isprintable()):
                raise ValueError(f"headers.{name} can't be sent as a header")

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        shown = dict(super().__rich_repr__())
        return list({**shown, "headers": dict.fromkeys(self.headers, "***")}.items())

    @property
    def paths(self) -> Mapping[str, str]:
        """The configured path of each figure there is one for, by Row's names."""
        known = {
            "price": self.price,
            "open": self.open,
            "change": self.change,
            "volume": self.volume,
            "turnover": self.turnover,
            "moment" if self.time_unit == "iso" else "count": self.time,
        }
        return {name: path for name, path in known.items() if path is not None}


class Row(Struct):
    """What was found at the paths, under our names; a time is a `moment`, or a number and a `count`.

    What has no path is null, what isn't at its path is absent.
    """

    price: Price
    open: Given = UNSET
    change: Given = UNSET
    volume: Given = UNSET
    turnover: Given = UNSET
    moment: Moment = UNSET
    count: Given = UNSET


class Json(Venue):
    """Made by `venue`, once for each `[json.<name>]`."""

    title = "JSON"
    docs = ""
    base_url = ""
    interval = 60
    budget = Budget(60, 60)
    row = Row

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._url = urlsplit(endpoint.url)

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        quoted = self._endpoint.quote
        return None if quoted is None else ((base_hint or symbol).upper(), quoted.upper())

    def budget_for(self, options: Options) -> Budget:
        return Budget(self._endpoint.per_minute, 60)

    def headers(self, options: Options) -> Mapping[str, str]:
        key = self._endpoint.key or ""
        return {name: value.replace(KEY, key) for name, value in self._endpoint.headers.items()}

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        shared: dict[tuple[str, tuple[tuple[str, str], ...]], list[Pair]] = {}
        for pair in pairs:
            shared.setdefault(self._target(pair), []).append(pair)
        return [Request(path, query, tuple(of)) for (path, query), of in shared.items()]

    def _target(self, pair: Pair) -> tuple[str, tuple[tuple[str, str], ...]]:
        path = self._url.path.replace(SYMBOL, quote(pair.symbol, safe=""))
        query = parse_qsl(self._url.query, keep_blank_values=True)
        key = self._endpoint.key or ""
        # The key first: a symbol that is written {key} must not become one.
        return path, tuple(
            (name, value.replace(KEY, key).replace(SYMBOL, pair.symbol)) for name, value in query
        )

    def rows(self, body: bytes, request: Request, *, quick: bool) -> Rows:
        if len(request.pairs) > 1 and SYMBOL not in self._endpoint.url + self._endpoint.price:
            raise BadAnswer(f"{self.name} has no {SYMBOL} in url or price, so it can serve one pair alone")
        said = decode(ANY, body)
        return Rows({pair.symbol: self._row(said, pair) for pair in request.pairs})

    def _row(self, said: object, pair: Pair) -> Raw:
        paths = self._endpoint.paths.items()
        found = {name: _plain(at(said, path, pair.symbol)) for name, path in paths}
        unasked = dict.fromkeys(Row.__struct_fields__)
        return Raw(msgspec.json.encode({k: v for k, v in (unasked | found).items() if v is not UNSET}))

    def decoded(self, row: Raw) -> Struct:
        try:
            return super().decoded(row)
        except BadAnswer as wrong:
            name, _, why = str(wrong).partition(": ")
            raise BadAnswer(f"{self._path(name)}: {why}") from wrong

    def read(self, body: bytes, request: Request, seen: int) -> Reading:
        """As any venue's, what is missing by its path."""
        said = super().read(body, request, seen)
        missing = said.missing and frozenset(self._path(name) for name in said.missing)
        return Reading(said.outcomes, missing)

    def _path(self, name: str) -> str:
        return self._endpoint.paths.get(name, name)

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, own = price(row.price), self._time(row)
        change, note = self._change(row, last)
        return Tick(
            pair=pair,
            price=last,
            as_of=as_of if own is None else own,
            seen=seen,
            change_24h=change,
            volume_24h=amount(row.volume),
            turnover_24h=amount(row.turnover),
            note=note,
        )

    def _change(self, said: Row, last: Decimal) -> tuple[Change | None, str | None]:
        fraction = self._endpoint.change_unit == "fraction"
        told = percent(said.change) if fraction else signed(said.change)
        change, note = change_24h(last, positive(said.open), told)
        basis = Basis(self._endpoint.basis)
        return change and Change(change.percent, Window.DAY, basis), note

    def _time(self, said: Row) -> int | None:
        """Milliseconds; None where there is no time."""
        count = signed(said.count)
        if count is None:
            return ms(said.moment)
        return int(count * 1000 if self._endpoint.time_unit == "s" else count)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        if status == 404 and SYMBOL in self._endpoint.url:
            return UnknownSymbol(f"{self.title} doesn't know the symbol asked for")
        return None


def _plain(found: object) -> object:
    """A figure ready to be written; what is none is emptied, as only its kind matters in the error."""
    match found:
        case dict() | list():
            return type(found)()
        case int() if not isinstance(found, bool):
            return str(found)
        case _:
            return found


def at(said: object, path: str, symbol: str) -> object:
    """What stands at `path`; UNSET where there is nothing, or the way there ends early."""
    for step in path.split("."):
        key = step.replace(SYMBOL, symbol)
        match said:
            case dict():
                said = said.get(key, UNSET)
            case list() if POSITION.fullmatch(key) and -len(said) <= int(key) < len(said):
                said = said[int(key)]
            case _:
                return UNSET
    return said


def venue(label: str, endpoint: Endpoint) -> Venue:
    """The venue `json:<label>`, for the registry of one running service."""
    parts = urlsplit(endpoint.url)
    host = f"{parts.scheme}://{parts.netloc}"

    class Named(Json):
        name = f"{PREFIX}{label}"
        title = label
        docs = host
        base_url = host

    return Named(endpoint)
