"""A quote as a template wants it: every text written, every title chosen, nothing left to decide.

Pure: what goes in is the model and the time, what comes out is frozen. No markup here; templates escape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, Protocol

from ticker.errors import RequestError
from ticker.model import Asset, Basis, Change, Observation, Quote, Window
from widgets import format as write
from widgets.image import monogram
from widgets.locales import ENGLISH, Locale
from widgets.logos import Mark


class Board(Protocol):
    """What widgets read. A configured asset always has a quote; its price is None before the first tick."""

    @property
    def seq(self) -> int:
        """The book's version: while it is the same, no quote has changed."""

    @property
    def assets(self) -> Mapping[str, Asset]:
        """By id, in configured order."""

    def quote(self, asset_id: str, currency: str | None = None, /) -> Quote:
        """In `currency` where a rate into it is known. KeyError for an asset that isn't configured."""

    def require(self, currency: str, /) -> None:
        """RequestError for a currency that no rate is known into."""

    def known_currencies(self) -> Sequence[str]:
        """Every currency that quotes can be had in, by its code."""

    def quotes(self) -> Sequence[Quote]:
        """Every quote, in configured order."""

    def observations(self, asset_id: str) -> Sequence[Observation]:
        """What each source said last; KeyError for an asset that isn't configured."""

    def spread(self, asset_id: str) -> Decimal | None:
        """How far apart the sources that count are, in percent; None before the first price."""


class ChangeView(NamedTuple):
    percent: write.Percent
    window: str


class StatusView(NamedTuple):
    """How old a quote is. `word` is read aloud before `text`, where the eye has a dot."""

    state: str
    word: str
    text: str
    iso: str | None
    title: str


class QuoteView(NamedTuple):
    """One quote, written. `peg` explains the star on a currency that rests on an operator's word; `notation`
    is what the script needs to go on writing in the same way; `link` is where a click leads, if anywhere."""

    locale: Locale
    notation: write.Notation
    link: str
    window: Window
    asset: str
    name: str
    symbol: str
    mark: Mark
    price: write.Price
    currency: str
    peg: str
    assumed: bool
    change_1h: ChangeView
    change_24h: ChangeView
    change_7d: ChangeView
    high_24h: write.Price
    low_24h: write.Price
    volume_24h: str
    market_cap: str
    status: StatusView
    demo: bool

    @property
    def label(self) -> str:
        return f"{self.name} ({self.symbol})"

    @property
    def title(self) -> str:
        return self.locale.words.title.replace("#", self.label)

    @property
    def change(self) -> ChangeView:
        """Over the window that was asked for."""
        changes = {Window.HOUR: self.change_1h, Window.DAY: self.change_24h, Window.WEEK: self.change_7d}
        return changes[self.window]

    @property
    def change_field(self) -> str:
        """The feed's name of that change."""
        return f"change_{self.window}"

    @property
    def code(self) -> str:
        return f"{self.currency}*" if self.assumed else self.currency

    @property
    def sentence(self) -> str:
        """All of it in one line, for a picture's title and a page's description."""
        if self.status.state == "unavailable":
            return f"{self.label}: {self.price.text}"
        moved = self.change.percent
        change = "" if moved.direction == "unknown" else f", {moved.text} ({self.change.window})"
        said = f"{self.label} {self.price.text} {self.code}{change}, {self.status.title}"
        said += "" if self.status.state == "live" else f", {write.word(self.status.state, self.locale)}"
        return f"{self.locale.words.demo}: {said}" if self.demo else said


class ObservationView(NamedTuple):
    source: str
    pair: str
    price: str
    change: ChangeView
    status: StatusView
    used: bool
    reason: str


def quote_view(
    asset: Asset,
    quote: Quote,
    now: int,
    locale: Locale = ENGLISH,
    *,
    window: Window = Window.DAY,
    plain: bool = False,
    link: str = "",
    mark: Mark | None = None,
) -> QuoteView:
    """`now` is in milliseconds since the epoch, UTC. `plain` writes all the zeros of a small price."""

    def price(value: Decimal | None) -> write.Price:
        return write.price(value, quote.currency, locale, plain=plain)

    return QuoteView(
        locale=locale,
        link=link,
        window=window,
        notation=write.notation(quote.currency, locale, plain=plain),
        asset=asset.id,
        name=asset.name,
        symbol=asset.symbol,
        mark=mark or Mark("monogram", monogram(asset.id, asset.symbol)),
        price=price(quote.price),
        currency=quote.currency,
        peg=_peg(asset, quote.currency),
        assumed=quote.assumed,
        change_1h=change_view(quote.change_1h, "1h", locale),
        change_24h=change_view(quote.change_24h, locale.words.day, locale),
        change_7d=change_view(quote.change_7d, "7d", locale),
        high_24h=price(quote.high_24h),
        low_24h=price(quote.low_24h),
        volume_24h=write.compact(quote.volume_24h, quote.currency, locale),
        market_cap=write.compact(quote.market_cap, quote.currency, locale),
        status=status_view("unavailable" if quote.price is None else quote.state, quote.as_of, now, locale),
        demo=quote.demo,
    )


def observation_view(said: Observation, now: int) -> ObservationView:
    return ObservationView(
        source=said.source,
        pair=said.pair,
        price=f"{said.price:f} {said.currency}",
        change=change_view(said.change_24h, "24h"),
        status=StatusView("live", "", f"{write.age(now - said.as_of)} ago", write.iso(said.as_of), ""),
        used=said.used,
        reason=said.reason or "",
    )


def change_view(change: Change | None, window: str, locale: Locale = ENGLISH) -> ChangeView:
    """A change counted from midnight is labelled so: it is not the change of 24 hours."""
    if change is not None and change.basis is Basis.UTC_DAY:
        window = locale.words.utc_day
    return ChangeView(write.percent(change.percent if change else None, locale), window)


def status_view(state: str, as_of: int | None, now: int, locale: Locale = ENGLISH) -> StatusView:
    text = write.status(state, as_of, now, locale)
    if as_of is None or state == "unavailable":
        return StatusView(state, "", text, None, "")
    word = write.word(state, locale)
    said = "" if text.startswith(word) else f"{word}, "
    return StatusView(state, said, text, write.iso(as_of), write.moment(as_of, locale))


def known(board: Board, asset_id: str) -> Asset:
    """The asset of this id. Raises RequestError `unknown_asset` (404), fit to be shown inside a widget."""
    asset = board.assets.get(asset_id)
    if asset is None:
        raise RequestError("unknown_asset", f"No asset is called “{asset_id[:40]}” here", status=404)
    return asset


def _peg(asset: Asset, currency: str) -> str:
    return next(
        (f"assumes 1 {pair.quote} = 1 {currency}" for pair in asset.pairs if pair.quote != currency), ""
    )
