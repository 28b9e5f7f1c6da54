"""What a kind of widget is: what it is asked, what it looks at, what it shows and how much room it takes.

Pure and synchronous: a view gets a Scene and makes text of it. Nothing here fetches, waits or knows HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ticker.model import Candle
from widgets.locales import Locale, find
from widgets.logos import Mark
from widgets.params import NO_LINK, TARGETS, AssetOptions, ListOptions, Notation, Options
from widgets.view import Board, QuoteView, known, quote_view

O = TypeVar("O", bound=Options)  # noqa: E741


class Need(NamedTuple):
    """Candles of `interval` seconds over the last `span` seconds of an asset, in its own currency."""

    asset: str
    interval: int
    span: int


class Size(NamedTuple):
    """CSS pixels that every snippet reserves, so that nothing on the page moves.

    `fluid`: as wide as its place; `width` is then what a frame or a picture gets.
    """

    width: int
    height: int
    fluid: bool = False


class View(Protocol):
    """What every view has. `title` names the widget, `sentence` says all of it in one line."""

    @property
    def title(self) -> str: ...

    @property
    def sentence(self) -> str: ...


@dataclass(frozen=True)
class Scene:
    """All that a view may look at. `now` is in ms UTC; `site` is where the service is, as a link begins.

    `past` has what the kind needs, oldest candle first, each with its start in seconds; `mark` gives the logo
    of an asset's id and symbol.
    """

    board: Board
    now: int
    locale: Locale
    site: str
    mark: Callable[[str, str], Mark]
    past: Mapping[Need, Sequence[Candle]] = field(default_factory=dict)

    def quote(self, asset_id: str, options: Options) -> QuoteView:
        """One asset as these options want it written. RequestError for an unknown asset or currency."""
        asset = known(self.board, asset_id)
        self.board.require(options.currency)
        return quote_view(
            asset,
            self.board.quote(asset_id, options.currency),
            self.now,
            self.locale,
            window=options.window,
            plain=options.notation is Notation.PLAIN,
            link=options.href(asset, self.site),
            mark=self.mark(asset.id, asset.symbol),
        )


@dataclass(frozen=True)
class Kind(Generic[O]):
    """One kind. Its templates and its sheet have its name: `kinds/<name>.html`, `.svg` and `.css`.

    `assets` are the ids it shows, which must be known (RequestError), and `needs` the candles it draws; what
    was rendered stays true until one of either changes. `picture` adds to the view what a picture has to
    know beforehand: how wide its texts are. `module` is a built script that it has beside the element's.
    """

    name: str
    says: str
    options: type[O]
    assets: Callable[[Board, O], Sequence[str]]
    view: Callable[[Scene, O], View]
    size: Callable[[O], Size]
    needs: Callable[[Board, O], Sequence[Need]] = lambda _board, _options: ()
    picture: Callable[[Any], Mapping[str, object]] = lambda _view: {}
    module: str = ""


def one(board: Board, options: AssetOptions) -> Sequence[str]:
    """The one asset of a kind that shows one."""
    return (known(board, options.asset).id,)


def listed(board: Board, options: ListOptions) -> Sequence[str]:
    """The assets that were asked for, in that order; all that are configured when none were."""
    return tuple(known(board, asset_id).id for asset_id in options.ids) or tuple(board.assets)


def told(title: str, quotes: Sequence[QuoteView]) -> str:
    """A list in one line, for a picture's title."""
    said = (f"{quote.symbol} {quote.price.text} {quote.change.percent.text}" for quote in quotes)
    return f"{title}: {', '.join(said)}" if quotes else title


def wrapper(kind: Kind[Any], options: Options) -> dict[str, object]:
    """What the wrapper of every kind says about itself, for its template."""
    locale = find(options.locale)
    return {
        "kind": kind.name,
        "options": options,
        "locale": locale,
        "words": locale.words,
        "target": "" if options.link == NO_LINK else TARGETS[options.target],
    }
