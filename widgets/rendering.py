"""From an address to a widget's markup or picture, rendered anew only when what it shows has changed.

What was rendered is kept by the canonical form of its options and stays true as long as its stamp: the seq
of each asset shown and, where an age, a rate or a past is in it, the time. Nothing here knows HTTP.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any, NamedTuple, Protocol

from msgspec import structs

from ticker.clock import Clock
from ticker.errors import RequestError
from ticker.model import Candle, State
from widgets.colours import Theme, painted
from widgets.embed import module, sheet
from widgets.format import notation
from widgets.kinds import KINDS, Kind, Need, Scene
from widgets.kinds.base import View, wrapper
from widgets.locales import find
from widgets.logos import Logos, Mark
from widgets.params import Notation as Zeros
from widgets.params import Options, canonical, read
from widgets.render import render
from widgets.view import Board

# A converted price moves with its rate, which has no seq; an age is shown in seconds; a past grows by
# minutes, but on a first start it comes within seconds.
RATES_MS, AGES_MS, PAST_MS = 5_000, 1_000, 15_000
# More quotes than this are looked at once in so many ms.
MANY, MANY_MS = 50, 1_000
Stamp = tuple[tuple[int, ...], int]
# Where the service is for a widget's own document.
SITE = ".."


class Past(Protocol):
    """Where candles come from."""

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]: ...


@dataclass(slots=True, eq=False)
class Asked:
    """What an address asks for, read and checked. `key` is its canonical form.

    `seen` is what its stamp was at which version of the book, so that it is looked at once a change; `looked`
    is when that was, in ms.
    """

    kind: Kind[Any]
    options: Options
    ids: tuple[str, ...]
    needs: tuple[Need, ...]
    key: str
    seen: tuple[int, tuple[int, ...], int] = (-1, (), 0)
    looked: int = 0


class Rendered(NamedTuple):
    view: View
    text: str


class Rendering:
    """Renders kinds over a board. `past` None: there is no history, and what needs some says so."""

    def __init__(
        self,
        board: Board,
        clock: Clock,
        past: Past | None = None,
        logos: Logos | None = None,
    ) -> None:
        self.board = board
        self.clock = clock
        self.logos = logos or Logos()
        self._past = past
        self._candles: OrderedDict[Need, tuple[int, Sequence[Candle]]] = OrderedDict()

    def read(self, name: str, query: Mapping[str, str]) -> Asked:
        """RequestError for a kind, an option or an asset that there isn't; it is fit to be shown."""
        kind = KINDS.get(name)
        if kind is None:
            said = f"No widget is called “{name[:40]}”: try {', '.join(KINDS)}"
            raise RequestError("unknown_kind", said, status=404)
        options = read(query, kind.options)
        self.board.require(options.currency)
        ids = tuple(kind.assets(self.board, options))
        needs = tuple(kind.needs(self.board, options))
        return Asked(kind, options, ids, needs, f"{name}?{canonical(options)}")

    def stamp(self, asked: Asked) -> Stamp:
        """As long as this is the same, so is what is rendered.

        Looked at anew only when the book moved. Of many quotes one moves all the time: they may be a second
        behind, as every widget may be in a cache, and are brought up to date as it goes live.
        """
        now = self.clock.now()
        if asked.seen[0] != self.board.seq and (len(asked.ids) <= MANY or now - asked.looked >= MANY_MS):
            asked.seen = (self.board.seq, *self._looked(asked))
            asked.looked = now
        _, seqs, step = asked.seen
        return seqs, now // step if step else 0

    def _looked(self, asked: Asked) -> tuple[tuple[int, ...], int]:
        """The versions of what is shown, and after how many ms it is another even so; 0 for never."""
        quotes = [self.board.quote(asset_id) for asset_id in asked.ids]
        every = [PAST_MS] if asked.needs else []
        if any(quote.state is not State.LIVE and quote.price is not None for quote in quotes):
            every.append(AGES_MS)
        if any(quote.currency != asked.options.currency for quote in quotes):
            every.append(RATES_MS)
        return tuple([quote.seq for quote in quotes]), min(every, default=0)

    def mark(self, asset_id: str, symbol: str) -> Mark:
        """The logo of an asset, else its monogram."""
        return self.logos.mark(asset_id, symbol, self.clock.now())

    async def scene(self, asked: Asked, site: str) -> Scene:
        """What the view looks at; waits for the past where the kind needs some. HistoryError without it."""
        return await self._scene(asked, asked.options, site)

    async def _scene(self, asked: Asked, options: Options, site: str) -> Scene:
        needs = asked.kind.needs(self.board, options)  # anew: a sorted page may show others by now
        past = {need: await self.candles(need) for need in needs}
        return Scene(self.board, self.clock.now(), find(options.locale), site, self.mark, past)

    async def markup(self, asked: Asked, site: str) -> Rendered:
        """The HTML of a widget; `site` is where the service is, as its links begin."""
        view = asked.kind.view(await self.scene(asked, site), asked.options)
        return Rendered(view, self._written(asked.kind, asked.options, view, "html", site))

    async def picture(self, asked: Asked, can_draw: Callable[[str], bool] | None = None) -> Rendered:
        """The SVG of a widget. For a renderer that says what its fonts can draw, one of a single theme, and
        in English where they lack the locale's letters."""
        if can_draw is None:
            return await self._pictured(asked, asked.options)
        light = Theme.LIGHT if asked.options.theme is Theme.AUTO else asked.options.theme
        options = structs.replace(asked.options, theme=light)
        shown = await self._pictured(asked, options)
        if not can_draw(unescape(re.sub("<[^>]*>", "", shown.text))):
            shown = await self._pictured(asked, structs.replace(options, locale="en"))
        return shown

    async def _pictured(self, asked: Asked, options: Options) -> Rendered:
        view = asked.kind.view(await self._scene(asked, options, SITE), options)
        more = {
            "size": asked.kind.size(options),
            "style": picture_style(options),
            **asked.kind.picture(view),
        }
        return Rendered(view, self._written(asked.kind, options, view, "svg", SITE, **more))

    def _written(
        self, kind: Kind[Any], options: Options, view: View, form: str, site: str, **more: object
    ) -> str:
        plain = options.notation is Zeros.PLAIN
        return render(
            f"kinds/{kind.name}.{form}",
            view=view,
            site=site,
            notation=notation(options.currency, find(options.locale), plain=plain),
            module=kind.module and f"{site}/embed/{module(kind.module).name}",
            **wrapper(kind, options),
            **more,
        )

    async def candles(self, need: Need) -> Sequence[Candle]:
        """The candles as they were seconds ago, so that a crowd of charts asks the store once.

        Here they start at seconds since the epoch, as drawings count.
        """
        if self._past is None:
            return ()
        now = self.clock.now()
        turn = now // PAST_MS
        kept = self._candles.pop(need, None)
        if kept is None or kept[0] != turn:
            currency = self.board.quote(need.asset).currency
            start, most = max(0, now - need.span * 1000), need.span // need.interval + 2
            found = await self._past.candles(need.asset, currency, need.interval, start, now + 1, most)
            # A drawing counts in seconds, as it counts its steps; the model's times are in ms.
            kept = (turn, [structs.replace(candle, start=candle.start // 1000) for candle in found])
        self._candles[need] = kept
        while sum(len(candles) for _, candles in self._candles.values()) > CANDLES:
            self._candles.popitem(last=False)
        return kept[1]


CANDLES = 50_000
"""Candles kept for drawing: some 10 MB at the most."""


def picture_style(options: Options) -> str:
    """The sheet of a picture: it sees nothing of the page around it, so it has its own."""
    return painted(sheet("picture.css"), options.theme, options.palette)
