"""The table: a page of assets with prices, changes, volume and a week's line, sorted as the reader likes.

Sorting and paging are links to the same widget with other options. What has no figure comes last, whichever
way the others are sorted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple

from msgspec import Meta

from ticker.model import Quote
from widgets import format as write
from widgets.chart import Spark, spark
from widgets.image import fit, width
from widgets.kinds.base import Kind, Need, Scene, Size, listed, told
from widgets.params import Form, ListOptions, Scale, canonical
from widgets.view import Board, QuoteView

HEAD, FOOT, BORDERS = 36, 40, 2
ROWS = {Scale.SMALL: 36, Scale.MEDIUM: 44, Scale.LARGE: 56}
WIDTH = 720
SPARK = (96, 28)
ENDS = (268, 348, 428, 508, 590)
"""Where the figures of a picture's columns end."""
HOUR, WEEK = 3600, 604_800


class Sort(StrEnum):
    """By what the rows are sorted; a minus puts the largest first."""

    ORDER = "order"
    ORDER_DOWN = "-order"
    NAME = "name"
    NAME_DOWN = "-name"
    PRICE = "price"
    PRICE_DOWN = "-price"
    HOUR = "change_1h"
    HOUR_DOWN = "-change_1h"
    DAY = "change_24h"
    DAY_DOWN = "-change_24h"
    WEEK = "change_7d"
    WEEK_DOWN = "-change_7d"
    VOLUME = "volume"
    VOLUME_DOWN = "-volume"
    CAP = "market_cap"
    CAP_DOWN = "-market_cap"

    @property
    def field(self) -> str:
        return self.value.removeprefix("-")

    @property
    def down(self) -> bool:
        return self.value.startswith("-")


class TableOptions(ListOptions, frozen=True, kw_only=True):
    sort: Annotated[Sort, Meta(description="of the rows; with a minus the largest first")] = Sort.ORDER
    rows: Annotated[int, Meta(description="of a page, 1 to 100", ge=1, le=100)] = 10
    page: Annotated[int, Meta(description="which page, from 1", ge=1, le=10_000)] = 1


class Column(NamedTuple):
    """A column's heading. `href` sorts by it, `way` is how it is sorted now: ascending, descending or not."""

    name: str
    label: str
    href: str = ""
    way: str = ""
    hint: str = ""


class Row(NamedTuple):
    quote: QuoteView
    spark: Spark | None


class TableView(NamedTuple):
    """`room` is for how many rows there is place, `height` what they and the heading take, `money` how wide
    the prices are. `shown` says which of how many these are."""

    title: str
    sentence: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    height: int
    room: int
    money: int
    shown: str
    page: str
    before: str
    after: str


def _assets(board: Board, options: TableOptions) -> Sequence[str]:
    """The page's own where it can't change with a price; else all, since any may move into the page."""
    if options.sort.field in ("order", "name"):
        return _page(board, options)
    return listed(board, options)


def _needs(board: Board, options: TableOptions) -> Sequence[Need]:
    return [Need(asset_id, HOUR, WEEK) for asset_id in _page(board, options)]


def _page(board: Board, options: TableOptions) -> Sequence[str]:
    ids = _sorted(board, options)
    first = (_number(options, len(ids)) - 1) * options.rows
    return ids[first : first + options.rows]


def _number(options: TableOptions, count: int) -> int:
    """The page that is shown: the last where there are fewer than was asked for."""
    return min(options.page, _last(options, count))


def _last(options: TableOptions, count: int) -> int:
    return max(-(-count // options.rows), 1)


def _sorted(board: Board, options: TableOptions) -> Sequence[str]:
    ids, sort = listed(board, options), options.sort
    if sort.field == "order":
        return ids[::-1] if sort.down else ids
    if sort.field == "name":
        return sorted(ids, key=lambda asset_id: board.assets[asset_id].name.casefold(), reverse=sort.down)
    figures = {asset_id: _figure(board.quote(asset_id, options.currency), sort.field) for asset_id in ids}
    known = [asset_id for asset_id in ids if figures[asset_id] is not None]
    known.sort(key=lambda asset_id: figures[asset_id] or 0, reverse=sort.down)
    return [*known, *(asset_id for asset_id in ids if figures[asset_id] is None)]


def _figure(quote: Quote, field: str) -> Decimal | None:
    figures = {"price": quote.price, "volume": quote.volume_24h, "market_cap": quote.market_cap}
    if field in figures:
        return figures[field]
    change = {"change_1h": quote.change_1h, "change_24h": quote.change_24h, "change_7d": quote.change_7d}
    moved = change[field]
    return moved.percent if moved else None


def _view(scene: Scene, options: TableOptions) -> TableView:
    rows = [_row(scene, options, asset_id) for asset_id in _page(scene.board, options)]
    count = len(listed(scene.board, options))
    number, last = _number(options, count), _last(options, count)
    first, title = (number - 1) * options.rows, scene.locale.words.market
    return TableView(
        title=title,
        sentence=told(title, [row.quote for row in rows]),
        columns=_columns(scene, options),
        rows=rows,
        height=_height(options),
        room=_room(options),
        money=_money([row.quote for row in rows], options.currency),
        shown=_shown(first, len(rows), count, scene),
        page=write.page(number, last, scene.locale),
        before=_go(options, page=number - 1) if number > 1 else "",
        after=_go(options, page=number + 1) if number < last else "",
    )


def _row(scene: Scene, options: TableOptions, asset_id: str) -> Row:
    # The order may have changed since the past was asked for: then a line is missing until the next look.
    past = scene.past.get(Need(asset_id, HOUR, WEEK), ())
    return Row(scene.quote(asset_id, options), spark(past, *SPARK))


def _columns(scene: Scene, options: TableOptions) -> Sequence[Column]:
    words = scene.locale.words
    said = {
        Sort.NAME: ("who", words.asset),
        Sort.PRICE: ("money", words.price),
        Sort.HOUR: ("hour", words.hour),
        Sort.DAY: ("day", words.day),
        Sort.WEEK: ("week", words.week),
        Sort.VOLUME: ("volume", words.volume),
    }
    columns = [_column(options, sort, *named, words.sort) for sort, named in said.items()]
    return [*columns, Column("past", words.week)]


def _column(options: TableOptions, sort: Sort, name: str, label: str, hint: str) -> Column:
    """A name sorts upwards first, a figure downwards; a second click turns it round."""
    now = options.sort
    mine = now.field == sort.field
    down = not now.down if mine else sort is not Sort.NAME
    way = ("descending" if now.down else "ascending") if mine else ""
    href = _go(options, sort=Sort(f"-{sort}") if down else sort, page=1)
    return Column(name, label, href, way, hint.replace("#", label))


def _go(options: TableOptions, **other: object) -> str:
    """This table in another state. The script asks for the fragment of a link by itself."""
    return f"?{canonical(options, form=Form.DOCUMENT, **other)}"


def _shown(first: int, rows: int, count: int, scene: Scene) -> str:
    if not rows:
        return scene.locale.words.said["unavailable"]
    begin, end, whole = (write.count(number, scene.locale) for number in (first + 1, first + rows, count))
    return f"{begin}–{end} / {whole}"


def _money(quotes: Sequence[QuoteView], currency: str) -> int:
    """How wide the widest price is, in pixels. One that grows by a digit still has room."""
    notes = (" * " if quote.currency == currency else f" {quote.code} " for quote in quotes)
    seen = (quote.price.head + quote.price.zeros + quote.price.tail or quote.price.text for quote in quotes)
    return 24 + round(
        max((width(f"{price}{note}", 13) for price, note in zip(seen, notes, strict=True)), default=64)
    )


def _room(options: TableOptions) -> int:
    """For how many rows there is room: a full page, but no more than were named."""
    return min(options.rows, len(options.ids) or options.rows)


def _height(options: TableOptions) -> int:
    return HEAD + _room(options) * ROWS[options.size]


def _size(options: TableOptions) -> Size:
    return Size(WIDTH, _height(options) + FOOT + BORDERS, fluid=True)


def _picture(view: TableView) -> Mapping[str, object]:
    """Where each row's text has its base line, and names that fit."""
    high = (view.height - HEAD) // max(view.room, 1)
    return {
        "high": high,
        "heads": list(zip((*ENDS, WIDTH - 17), (column.label for column in view.columns[1:]), strict=True)),
        "rows": [(HEAD + at * high, row, fit(row.quote.name, 14, 92)) for at, row in enumerate(view.rows)],
        "ends": ENDS,
    }


KIND = Kind(
    "table", "Many prices with their changes, sorted as one likes.", TableOptions, _assets, _view, _size,
    needs=_needs, picture=_picture,
)  # fmt: skip
