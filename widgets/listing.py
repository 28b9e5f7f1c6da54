"""The market's list: which assets, in which order, on which page, and the links between them.

Pure: an address's query and the board in, rows and links out. What isn't known comes last either way.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlencode

from ticker.errors import RequestError
from ticker.model import Asset, Change, Quote
from widgets.view import Board

ROWS = 50
LONGEST = 64
"""Letters of a search that are looked at."""
CURRENCY = "USD"
NEAR = 0.45
"""How alike two names must be, from 0 to 1, for one to be meant by the other: bitcion 0.63, talos 0.67."""


class Column(NamedTuple):
    """`name` is what `sort` says; the feed's name of the figure. `note` is the rest of a head's text."""

    name: str
    label: str
    note: str = ""


COLUMNS = (
    Column("name", "Asset"),
    Column("price", "Price"),
    Column("change_1h", "1h", "change"),
    Column("change_24h", "24h", "change"),
    Column("change_7d", "7d", "change"),
    Column("volume_24h", "Volume", "24h"),
    Column("market_cap", "Market cap"),
)
NAMES = tuple(column.name for column in COLUMNS)


class Wanted(NamedTuple):
    """What the address asks for. `sort` is a column's name, with - before it for the greatest first."""

    sort: str = ""
    q: str = ""
    page: int = 1
    currency: str = CURRENCY

    def query(self, **other: object) -> str:
        """The query string of this list, or of one that differs from it; empty for the first page of all."""
        said = self._replace(**other)  # type: ignore[arg-type]
        return urlencode({key: value for key, value in said._asdict().items() if value != DEFAULTS[key]})


DEFAULTS = Wanted()._asdict()


class Head(NamedTuple):
    """A column's head. `aria` is its `aria-sort`; `to` says what the link does."""

    column: Column
    href: str
    aria: str
    to: str


class Listing(NamedTuple):
    """One page of the list. `near` are assets that may have been meant where nothing was found."""

    wanted: Wanted
    heads: Sequence[Head]
    quotes: Sequence[Quote]
    first: int
    found: int
    total: int
    previous: str | None
    next: str | None
    pages: int
    near: Sequence[Asset]
    currencies: Sequence[str]


def wanted(query: Mapping[str, str], known: Collection[str]) -> Wanted:
    """What a query asks for; keys that mean nothing here are passed over. RequestError `bad_option` (400)."""
    sort, page = query.get("sort", ""), query.get("page") or "1"
    currency = (query.get("currency") or CURRENCY).upper()
    if sort and sort.removeprefix("-") not in NAMES:
        raise RequestError("bad_option", f"The list can't be sorted by “{sort[:40]}”: try {', '.join(NAMES)}")
    if not (page.isascii() and page.isdigit() and len(page) < 7 and int(page) > 0):
        raise RequestError("bad_option", f"There is no page “{page[:40]}”")
    if currency not in {CURRENCY, *known}:
        raise RequestError("bad_option", f"No rate into “{currency[:16]}” is known here")
    return Wanted(sort, " ".join(query.get("q", "")[:LONGEST].split()), int(page), currency)


def listing(board: Board, asked: Wanted) -> Listing:
    """A page of the list. RequestError `no_page` (404) beyond the last one."""
    quotes = _searched(board.quotes(), asked.q)
    ordered = _sorted(quotes, asked.sort)
    pages = max(-(-len(ordered) // ROWS), 1)
    if asked.page > pages:
        raise RequestError("no_page", f"The list ends at page {pages}", status=404)
    first = (asked.page - 1) * ROWS
    return Listing(
        wanted=asked,
        heads=[_head(column, asked) for column in COLUMNS],
        quotes=[board.quote(quote.asset, asked.currency) for quote in ordered[first : first + ROWS]],
        first=first + 1,
        found=len(ordered),
        total=len(board.assets),
        previous=_link(asked, page=asked.page - 1) if asked.page > 1 else None,
        next=_link(asked, page=asked.page + 1) if asked.page < pages else None,
        pages=pages,
        near=() if ordered else nearest(board.assets.values(), asked.q),
        currencies=sorted({CURRENCY, *board.known_currencies()}),
    )


def nearest(assets: Collection[Asset], text: str, most: int = 3) -> list[Asset]:
    """The assets whose id, symbol or name is most like `text`, the likest first."""
    parts = _letters(_plain(text[:LONGEST]))
    if not parts:
        return []
    alike = [
        (max(_alike(parts, _letters(_plain(name))) for name in (asset.id, asset.symbol, asset.name)), asset)
        for asset in assets
    ]
    alike.sort(key=lambda pair: pair[0], reverse=True)
    return [asset for much, asset in alike[:most] if much >= NEAR]


def _searched(quotes: Sequence[Quote], text: str) -> Sequence[Quote]:
    """Those whose name, symbol or id has `text` in it: whole ones first, then beginnings."""
    if not text:
        return quotes
    sought = _plain(text)
    ranked = []
    for quote in quotes:
        names = [_plain(name) for name in (quote.symbol, quote.name, quote.asset)]
        if any(sought in name for name in names):
            ranked.append((sought not in names, not any(name.startswith(sought) for name in names), quote))
    ranked.sort(key=lambda one: one[:2])
    return [quote for *_, quote in ranked]


def _sorted(quotes: Sequence[Quote], sort: str) -> Sequence[Quote]:
    if not sort:
        return quotes
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name == "name":
        return sorted(quotes, key=lambda quote: (_plain(quote.name), quote.asset), reverse=down)
    figure = _figure(name, quotes)
    known = [(value, quote) for quote in quotes if (value := figure(quote)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=down)
    return [quote for _, quote in known] + [quote for quote in quotes if figure(quote) is None]


def _figure(name: str, quotes: Sequence[Quote]) -> Callable[[Quote], Decimal | None]:
    """What is compared. Amounts of different currencies aren't: the rarer ones count as unknown."""
    usual = Counter(quote.currency for quote in quotes).most_common(1)

    def amount(quote: Quote) -> Decimal | None:
        value: Decimal | None = getattr(quote, name)
        return value if quote.currency == usual[0][0] else None

    def percent(quote: Quote) -> Decimal | None:
        change: Change | None = getattr(quote, name)
        return change.percent if change else None

    return percent if name.startswith("change") else amount


def _head(column: Column, asked: Wanted) -> Head:
    """A first click sorts as is usual (greatest figure or first letter on top), a second the other way, a
    third puts the order of the configuration back."""
    up, down = column.name, f"-{column.name}"
    turns = ["", up, down] if column.name == "name" else ["", down, up]
    now = turns.index(asked.sort) if asked.sort in turns else 0
    then = turns[(now + 1) % 3]
    says = {"": "in the usual order", up: "ascending", down: "descending"}[then]
    aria = {up: "ascending", down: "descending"}.get(asked.sort, "")
    return Head(column, _link(asked, sort=then, page=1), aria, f"sort {says}")


def _link(asked: Wanted, **other: object) -> str:
    query = asked.query(**other)
    return f"?{query}" if query else "./"


def _plain(text: str) -> str:
    """As it is compared: no accents, no capitals."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold()


def _letters(text: str) -> set[str]:
    """Each two letters that stand together, the word's ends among them."""
    whole = f" {text} " if text else ""
    return {whole[at : at + 2] for at in range(len(whole) - 1)}


def _alike(one: set[str], other: set[str]) -> float:
    """Dice's coefficient: 1 for the same letters, 0 for none in common."""
    return 2 * len(one & other) / (len(one) + len(other)) if other else 0.0
