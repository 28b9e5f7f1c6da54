"""A venue's answer cut up into rows by the venue's symbol, in one pass where nothing in it is odd.

A venue declares its row, of `Price` and `Figure` fields, and where the rows stand. The quick way decodes the
whole answer into such rows at once, each figure as the venue wrote it: only what is then used becomes a
number, and is checked as it does. The careful way leaves the rows undecoded, so that one that is odd costs
itself alone. Which way it was makes no difference to what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, reduce
from operator import attrgetter, or_
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Raw, Struct
from msgspec.structs import fields

from ticker.errors import BadAnswer
from ticker.sources.decode import Figure, Price, Whole, decode

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Rows(Struct, frozen=True):
    """Rows by symbol, each one as declared, or Raw.

    `time` (ms) is the answer's own, for all of them; UNSET where it should have one and hasn't.
    """

    by_symbol: Mapping[str, Any]
    time: Whole = None


class Layout:
    """Where an answer's rows stand: `within`, keys with dots between; the answer itself where that is empty.

    They are a list, each with its symbol in the field `key`, or where that is None a mapping by symbol. The
    answer itself may be one row and no list; it has no symbol where the key is empty. `time` is the path to
    the answer's time.
    """

    def __init__(self, row: type[Struct], within: str, key: str | None, time: str) -> None:
        self._key, self._within = key, within
        swift: Any = _swift(dict[str, row] if key is None else list[row])  # type: ignore[valid-type]  # made at run time
        raw: Any = dict[str, Raw] if key is None else list[Raw]
        self._decoder = msgspec.json.Decoder(_answer(swift, within, time), strict=False, float_hook=str)
        self._raw = _answer(raw, within, time)
        self._time = attrgetter(time) if time else None
        names = {field.encode_name: field.name for field in fields(row)}
        self._symbol = attrgetter(names[key]) if key else lambda _row: ""

    def rows(self, body: bytes, *, quick: bool) -> Rows:
        """The rows; Raw ones unless `quick`, or where that way fails. BadAnswer when it hasn't the shape."""
        if not self._within and self._key is not None and body.lstrip()[:1] == b"{":
            body = b"[" + body + b"]"
        if not quick:
            return self._careful(body)
        try:
            answer = self._decoder.decode(body)
        except UNREADABLE:
            return self._careful(body)
        found, symbol = self._found(answer), self._symbol
        return self._told(answer, found if self._key is None else {symbol(row): row for row in found})

    def _careful(self, body: bytes) -> Rows:
        answer: Any = decode(self._raw, body)
        found = self._found(answer)
        match self._key:
            case None:
                return self._told(answer, found)
            case "":
                return self._told(answer, dict.fromkeys([""], found[-1]) if found else {})
            case key:
                return self._told(answer, keyed(found, key))

    def _found(self, answer: Any) -> Any:  # noqa: ANN401  # of a type made at run time
        return attrgetter(self._within)(answer) if self._within else answer

    def _told(self, answer: object, by_symbol: Mapping[str, Any]) -> Rows:
        return Rows(by_symbol, self._time(answer) if self._time else None)


layout = cache(Layout)


def keyed(listed: Iterable[Raw], key: str) -> dict[str, Raw]:
    """A list of rows as a mapping from each one's `key`, the rows left undecoded.

    A row that has no such key is skipped: one odd row among thousands must not cost the others.
    """
    rows = list(listed)
    found = {name: row for row in rows if (name := _name(row, key)) is not None}
    if rows and not found:
        raise BadAnswer(f"{key}: missing in every row")
    return found


def lacking(kind: type[Struct], rows: Iterable[Any]) -> set[str]:
    """The venue's names of what every row lacks, though `kind` says by its defaults that each has it.

    Null isn't absent. A row that can't be read says nothing. None lacks anything where there are no rows.
    """
    common: set[str] | None = None
    for row in rows:
        try:
            said = _lenient(kind).decode(row) if isinstance(row, Raw) else row
        except UNREADABLE:
            continue
        absent = set(_absent(said))
        common = absent if common is None else common & absent
        if not common:
            break
    return common or set()


def _absent(said: object, path: str = "") -> Iterator[str]:
    match said:
        case Struct():
            for name, called in zip(said.__struct_fields__, said.__struct_encode_fields__, strict=True):
                value = getattr(said, name)
                if value is UNSET:
                    yield path + called
                elif isinstance(value, Struct | dict | list):
                    yield from _absent(value, f"{path}{called}.")
        case dict():
            for key, value in said.items():
                yield from _absent(value, f"{path}{key}.")
        case list():
            for value in said:
                yield from _absent(value, path)


class Named(Struct):
    key: str


@cache
def _named(key: str) -> type[Named]:
    field = ("key", str, msgspec.field(name=key))
    return cast("type[Named]", msgspec.defstruct("Keyed", [field], bases=(Named,)))


def _name(row: Raw, key: str) -> str | None:
    try:
        return decode(_named(key), row).key
    except BadAnswer:
        return None


def _answer(rows: Any, within: str, time: str) -> Any:  # noqa: ANN401  # types as values
    """The type of an answer that holds `rows` at one path and its time at another."""
    if not within:
        return rows
    key, _, inner = within.partition(".")
    _, _, below = time.partition(".")
    parts: list[Any] = [(key, _answer(rows, inner, below))]
    if time and not below:
        parts.append((time, Whole, UNSET))
    return msgspec.defstruct("Answer", parts)


def _swift(kind: Any) -> Any:  # noqa: ANN401  # types as values
    """The type in which msgspec leaves prices and figures as the venue wrote them; all else as declared."""
    inner = get_args(kind)
    if kind in (Price, Figure) or Figure in inner:
        return Any
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _swift_struct(kind)
    if not inner or get_origin(kind) is Annotated:
        return kind
    swift = tuple(_swift(one) for one in inner)
    return reduce(or_, swift) if get_origin(kind) in (Union, UnionType) else get_origin(kind)[swift]


@cache
def _swift_struct(kind: type[Struct]) -> type[Struct]:
    """A price that is missing is found out where it is used: it must not cost the other rows."""
    hints = get_type_hints(kind, include_extras=True)
    parts: list[Any] = []
    for field in fields(kind):
        default = UNSET if hints[field.name] is Price else field.default
        parts.append(
            (field.name, _swift(hints[field.name]), msgspec.field(default=default, name=field.encode_name))
        )
    # Read from JSON, none can be part of a cycle.
    return msgspec.defstruct(
        kind.__name__, parts, array_like=kind.__struct_config__.array_like, kw_only=True, gc=False
    )


@cache
def _lenient(kind: type[Struct]) -> msgspec.json.Decoder[Struct]:
    return msgspec.json.Decoder(_swift_struct(kind), strict=False, float_hook=str)
