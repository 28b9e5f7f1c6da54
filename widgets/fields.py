"""A kind's options as the fields of a form: made from the option table, so that a new option has its field.

Pure: an address and the board in, fields out, each with its own complaint. Nothing here knows HTTP or HTML.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from msgspec.inspect import IntType, Metadata, StrType, StructType, type_info

from ticker.errors import RequestError
from widgets.kinds import Kind
from widgets.locales import own_names
from widgets.params import Choice, Options, choices, read
from widgets.view import Board

READERS = frozenset({"page"})
"""Options that are where a reader is, not how a widget is: no field."""
MOST_LISTED = 250
"""With more assets than this, one is written with suggestions instead of chosen from a list."""
MOST_BOXES = 60
"""With more assets than this, several are written with commas between them instead of ticked."""


class Control(StrEnum):
    """How a field is filled in. SUGGESTED is a text with a list of what may be meant."""

    SELECT = "select"
    BOXES = "boxes"
    CHECK = "check"
    NUMBER = "number"
    SUGGESTED = "suggested"
    TEXT = "text"


class Pick(NamedTuple):
    value: str
    text: str
    lang: str = ""


class Field(NamedTuple):
    """`value` is what was typed, else the default. `least` and `most` are a number's, `most` a text's."""

    name: str
    label: str
    says: str
    control: Control
    value: str
    picks: Sequence[Pick] = ()
    error: str = ""
    least: int | None = None
    most: int | None = None

    @property
    def chosen(self) -> Sequence[str]:
        return self.value.split(",")

    @property
    def on(self) -> bool:
        return self.value[:1] not in ("", "0", "f")


class Group(NamedTuple):
    title: str
    fields: Sequence[Field]


GROUPS: Mapping[str, Sequence[str]] = {
    "Language and money": ("locale", "currency", "window", "notation"),
    "Looks": ("theme", "palette", "size", "transparent", "logo"),
    "Behaviour": ("link", "target", "live"),
}
"""Where the common options stand; what a kind has of its own comes before them."""
OWN = "What it shows"


def said(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What a form or an address says. An empty field says nothing, several assets are one list, and the last
    of a name counts: a ticked box follows the hidden field that says no."""
    found: dict[str, str] = {}
    for name, value in query:
        typed = value.strip()
        if typed and name == "assets" and name in found:
            found[name] += f",{typed}"
        elif typed:
            found[name] = typed
    return found


class Reading(NamedTuple):
    """What an address asks of a kind: the options that are good, together, and what is wrong, by name."""

    good: Mapping[str, str]
    wrong: Mapping[str, str]


def understood(asked: Mapping[str, str], kind: Kind[Any], board: Board) -> Reading:
    """Every option by itself, so that each complaint is at its field. The locale comes before the amounts
    that are written in it. An asset that wasn't said is the first one that is configured."""
    good = {choice.name: next(iter(board.assets), "") for choice in choices(kind.options) if choice.required}
    wrong: dict[str, str] = {}
    for name in sorted(_names(kind.options), key=lambda name: name != "locale"):
        if name not in asked:
            continue
        try:
            options: Options = read({**good, name: asked[name]}, kind.options)
            if name in ("asset", "assets"):
                kind.assets(board, options)
            if name == "currency":
                board.require(options.currency)
            good[name] = asked[name]
        except RequestError as error:
            wrong[name] = error.viewer
    return Reading(good, wrong)


def groups(asked: Mapping[str, str], reading: Reading, kind: Kind[Any], board: Board) -> Sequence[Group]:
    """The fields of a kind, its own first."""
    common = {name for names in GROUPS.values() for name in names}
    fields = {
        choice.name: _field(choice, asked, reading, kind, board)
        for choice in choices(kind.options)
        if choice.name not in READERS
    }
    own = [field for name, field in fields.items() if name not in common]
    rest = [
        Group(title, [fields[name] for name in names if name in fields]) for title, names in GROUPS.items()
    ]
    return [Group(OWN, own), *rest]


def _names(options: type[Options]) -> Sequence[str]:
    return [choice.name for choice in choices(options) if choice.name not in READERS]


def _field(
    choice: Choice, asked: Mapping[str, str], reading: Reading, kind: Kind[Any], board: Board
) -> Field:
    value = asked.get(choice.name) or reading.good.get(choice.name) or choice.default
    control, picks = _filled(choice, board)
    options: type[Options] = kind.options
    least, most = _limits(options)[choice.name]
    if control is Control.TEXT and least is not None:
        control = Control.NUMBER
    if control is Control.SELECT and value not in [pick.value for pick in picks]:
        picks = _with(picks, value)
    return Field(
        name=choice.name,
        label=choice.name.replace("_", " ").capitalize(),
        says=_sentence(choice.says, control),
        control=control,
        value=value,
        picks=picks,
        error=reading.wrong.get(choice.name, ""),
        least=least,
        most=most,
    )


def _filled(choice: Choice, board: Board) -> tuple[Control, Sequence[Pick]]:
    if choice.name in ("asset", "assets"):
        picks = [Pick(asset.id, f"{asset.name} ({asset.symbol})") for asset in board.assets.values()]
        few, listed = (MOST_LISTED, Control.SELECT) if choice.name == "asset" else (MOST_BOXES, Control.BOXES)
        return listed if len(picks) <= few else Control.SUGGESTED, picks
    if choice.name == "locale":
        return Control.SELECT, [Pick(tag, name, tag) for tag, name in own_names().items()]
    if choice.name == "currency":
        return Control.SELECT, [Pick(code, code) for code in board.known_currencies()]
    if choice.values == ("1", "0"):
        return Control.CHECK, ()
    if choice.values:
        return Control.SELECT, [Pick(value, _spoken(value)) for value in choice.values]
    return Control.TEXT, ()


def _with(picks: Sequence[Pick], value: str) -> Sequence[Pick]:
    """What was asked for stays chosen: in the list's own spelling, else as it was typed."""
    same = [pick._replace(value=value) if pick.value.lower() == value.lower() else pick for pick in picks]
    return same if any(pick.value == value for pick in same) else [*picks, Pick(value, value)]


@cache
def _limits(options: type[Options]) -> Mapping[str, tuple[int | None, int | None]]:
    """By name the least and the most that a number may be, or how many letters a text may have."""
    info = type_info(options)
    return {field.name: _span(field.type) for field in info.fields} if isinstance(info, StructType) else {}


def _span(kind: object) -> tuple[int | None, int | None]:
    if isinstance(kind, Metadata):
        return _span(kind.type)
    if isinstance(kind, IntType):
        return kind.ge, kind.le
    return None, kind.max_length if isinstance(kind, StrType) else None


def _spoken(value: str) -> str:
    """An option's value in words: -change_1h is sorted by, the largest first."""
    if value[:1] == "-":
        return f"{_spoken(value[1:])}, downwards"
    words = value.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def _sentence(says: str, control: Control) -> str:
    """A description as a hint: a box that is ticked says 1."""
    if control is Control.CHECK:
        says = says.replace("0: ", "off: ").replace("1: ", "on: ")
    return says[:1].upper() + says[1:]
