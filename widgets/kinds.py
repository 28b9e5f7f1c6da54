"""The kinds of widget, one declaration each: the options it takes, what it shows, its templates, its size.

A new kind is its options and view here, a template, and a test. Nothing else in the package names a kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from widgets.locales import find
from widgets.params import Options, QuoteOptions
from widgets.view import Board, QuoteView, known, quote_view

O = TypeVar("O", bound=Options)  # noqa: E741


@dataclass(frozen=True)
class Kind(Generic[O]):
    """`view` gets the board, the options and now (ms); it raises RequestError for an asset it doesn't know.

    `width` and `height` are CSS pixels, reserved by every snippet so that nothing on the page moves.
    """

    name: str
    options: type[O]
    view: Callable[[Board, O, int], QuoteView]
    template: str
    picture: str
    width: int
    height: int


def _quote(board: Board, options: QuoteOptions, now: int) -> QuoteView:
    asset = known(board, options.asset)
    return quote_view(asset, board.quote(options.asset), now, find(options.locale))


QUOTE = Kind("quote", QuoteOptions, _quote, "quote.html", "quote.svg", 320, 72)

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in (QUOTE,)}
