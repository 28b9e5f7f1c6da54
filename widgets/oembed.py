"""oEmbed 1.0 (https://oembed.com): what an address of ours looks like in a page that only has the address.

The answer's html is one bare iframe, because that is all that WordPress leaves of a provider it doesn't know.
Pure: a query and the board in, a text out; the route and its headers are elsewhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from ticker.errors import RequestError
from widgets.kinds.base import Kind, Size
from widgets.params import Options, read
from widgets.snippets import encoded, widget
from widgets.view import Board

PROVIDER = "Ticker"
CACHE_AGE = 86400
"""Seconds. The frame shows the price of now however old the answer is, so a day is short."""
NARROWEST = 260
"""CSS pixels. Every kind can be made this narrow: its prices stay whole, its names are cut."""
WIDEST = 1200
"""CSS pixels that a fluid kind takes at most, however much room there is."""
OF_MARKET = ("table", "tape")
OF_ASSET = ("chart", "card", "quote")
"""Which kinds stand for a hosted page, the one that says most first: the first that fits is taken."""
TYPES = {"json": "application/json", "xml": "text/xml"}
MAX_FIELDS = 50


class Answer(NamedTuple):
    content_type: str
    body: str


class Room(NamedTuple):
    """The most that the answer may take, in CSS pixels; None where the consumer said nothing."""

    width: int | None
    height: int | None


def answer(query: Mapping[str, str], site: str, kinds: Mapping[str, Kind[Any]], board: Board) -> Answer:
    """The answer to `/oembed?url=&maxwidth=&maxheight=&format=`. `site` is the public address, without slash.

    RequestError by the standard's section 2.3.5: 404 for an address that has no embed here (foreign, unknown,
    with options that can't be read, or too large for the room), 501 for a format that isn't json or xml. And
    400, which the standard leaves open, for a request without an address or with a size that isn't a number.
    """
    form = query.get("format", "json")
    if form not in TYPES:
        raise RequestError("unknown_format", "oEmbed is answered as json or xml", status=501)
    if not query.get("url"):
        raise RequestError("bad_option", "Say which address: ?url=…")
    room = Room(_pixels(query, "maxwidth"), _pixels(query, "maxheight"))
    said = _said(query["url"], site, kinds, board, room)
    return Answer(TYPES[form], _xml(said) if form == "xml" else json.dumps(said, ensure_ascii=False))


def discovery(page: str, site: str, title: str) -> str:
    """The `<link>` elements by which a consumer finds the answer for a page (section 4 of the standard)."""
    return "".join(
        f'<link rel="alternate" type="{kind}" href="{escape(href)}" title="{escape(title)}">'
        for kind, href in _alternates(page, site)
    )


def discovery_header(page: str, site: str, title: str) -> str:
    """The same as a `Link` header's value (RFC 8288, 3); the title as RFC 8187 writes it, in ASCII."""
    said = quote(title, safe="")
    return ", ".join(
        f'<{href}>; rel="alternate"; type="{kind}"; title*=UTF-8\'\'{said}'
        for kind, href in _alternates(page, site)
    )


def _alternates(page: str, site: str) -> Iterator[tuple[str, str]]:
    for form, kind in (("json", "application/json+oembed"), ("xml", "text/xml+oembed")):
        yield kind, f"{encoded(site)}/oembed?url={quote(page, safe='')}&format={form}"


def _said(
    url: str, site: str, kinds: Mapping[str, Kind[Any]], board: Board, room: Room
) -> dict[str, str | int]:
    for kind, options in _candidates(url, site, kinds, board):
        size = kind.size(options)
        if (width := _width(size, room)) is not None:
            return _rich(kind, options, site, board, Size(width, size.height), room)
    raise _nothing("no widget of this address fits into so little room")


def _rich(
    kind: Kind[Any], options: Options, site: str, board: Board, size: Size, room: Room
) -> dict[str, str | int]:
    """Section 2.3.4.4. The thumbnail keeps to the same room, so there is none where the picture is wider."""
    shown = widget(kind, options, site, [board.assets[asset] for asset in kind.assets(board, options)])
    title, box = escape(shown.label), f'width="{size.width}" height="{size.height}"'
    said: dict[str, str | int] = {
        "type": "rich",
        "version": "1.0",
        "title": shown.label,
        "provider_name": PROVIDER,
        "provider_url": f"{shown.url}/",
        "cache_age": CACHE_AGE,
        "html": f'<iframe src="{escape(shown.address())}" {box} title="{title}" frameborder="0"></iframe>',
        "width": size.width,
        "height": size.height,
    }
    if room.width is None or shown.size.width <= room.width:
        said["thumbnail_url"] = shown.address(".png")
        said["thumbnail_width"], said["thumbnail_height"] = shown.size.width, shown.size.height
    return said


def _candidates(
    url: str, site: str, kinds: Mapping[str, Kind[Any]], board: Board
) -> Iterator[tuple[Kind[Any], Options]]:
    """The kinds that may stand for an address, each with the options the address says. 404 for none."""
    path, query = _parts(url, site)
    names: Sequence[str] = ()
    if path in ("", "/"):
        names = [name for name in OF_MARKET if name in kinds]
    elif found := re.fullmatch(r"/assets/([^/]+)/?", path):
        names = [name for name in OF_ASSET if name in kinds]
        query = {**query, "asset": unquote(found[1])}
    elif (found := re.fullmatch(r"/widgets/([^/]+)/?", path)) and found[1] in kinds:
        names = [found[1]]
    if not names:
        raise _nothing(f"nothing here is at {path[:80]}")
    for name in names:
        yield kinds[name], _options(kinds[name], query, board)


def _options(kind: Kind[Any], query: Mapping[str, str], board: Board) -> Options:
    try:
        options: Options = read(query, kind.options)
        kind.assets(board, options)
        board.require(options.currency)
    except RequestError as error:
        raise _nothing(error.viewer) from None
    return options


def _parts(url: str, site: str) -> tuple[str, dict[str, str]]:
    """Path and query of an address of ours, as a route sees them. 404 for anybody else's."""
    try:
        asked, ours = urlsplit(url), urlsplit(site)
        # The first of two values counts, as it does where the address itself is asked for.
        query = dict(reversed(parse_qsl(asked.query, max_num_fields=MAX_FIELDS)))
        own = asked.scheme in ("http", "https") and _host(asked) == _host(ours) and asked.username is None
    except ValueError:  # a host or a port that can't be one, or a query without end
        raise _nothing("this address can't be read") from None
    if not own or not f"{asked.path}/".startswith(f"{ours.path}/"):
        raise _nothing("this address isn't one of ours")
    return asked.path.removeprefix(ours.path), query


def _host(address: SplitResult) -> tuple[str | None, int | None]:
    """Plain and secure are one host: readers copy either."""
    return address.hostname, None if address.port in (80, 443) else address.port


def _width(size: Size, room: Room) -> int | None:
    """How wide a frame gets in a room, None where it can't fit. A height is fixed: it fits or it doesn't."""
    if room.height is not None and size.height > room.height:
        return None
    if room.width is None:
        return size.width
    if room.width < min(size.width, NARROWEST):
        return None
    return min(room.width, WIDEST if size.fluid else size.width)


def _pixels(query: Mapping[str, str], name: str) -> int | None:
    said = query.get(name)
    if not said:
        return None
    if not re.fullmatch(r"\d{1,6}", said, re.ASCII):
        raise RequestError("bad_option", f"{name} can't be “{said[:40]}”: use whole pixels")
    return int(said)


def _nothing(why: str) -> RequestError:
    return RequestError("no_embed", f"No embed: {why}", status=404)


def _xml(said: Mapping[str, str | int]) -> str:
    fields = "".join(f"<{name}>{escape(str(value), quote=False)}</{name}>" for name, value in said.items())
    return f'<?xml version="1.0" encoding="utf-8" standalone="yes"?>\n<oembed>{fields}</oembed>'
