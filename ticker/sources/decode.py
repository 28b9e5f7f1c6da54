"""Reading venues' JSON: numbers exactly, rows one at a time, errors that name the field.

A venue writes a number as a JSON number or as text; both become Decimal without passing through float. What a
venue may write and we don't take is refused here: NaN, infinities, digit groups, sizes no market has.
Whether a number makes sense as a price is not judged here beyond "above zero".
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast, get_type_hints

import msgspec
from msgspec import Raw, Struct

from ticker.errors import BadAnswer

T = TypeVar("T")
# JSON's grammar of a number, at most 64 digits: longer ones are no price and cost time to compute with.
NUMBER = re.compile(r"-?[0-9]{1,64}(\.[0-9]{1,64})?([eE][+-]?[0-9]{1,3})?")
# The largest magnitude taken, either way: 10^40 is above any volume, 10^-40 below any price.
MAGNITUDE = 40
UNKNOWN = ("", "nan")
# What a row is read the slow way for, as msgspec might take it for a number where we would not: 1_000, "+5",
# ".5", "5.", " 5", digits of other scripts; and a row so long that some number in it must be no price.
DOUBTFUL = (b"_", b'"+', b'".', b'" ', b' "', b'."')
ROW_BYTES = 4096
PATH = re.compile(r" - at `\$\.?(?P<path>.*)`$")
MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")


class Price(Decimal):
    """A field that must hold a finite number above zero."""


class Figure(Decimal):
    """A field that holds a finite number, or text for unknown, kept as NaN; read with `signed`, `amount`."""


def signed(figure: Figure | None) -> Decimal | None:
    """A figure as a plain Decimal of any sign; None where the venue doesn't know it."""
    return None if figure is None or figure.is_nan() else Decimal(figure)


def amount(figure: Figure | None) -> Decimal | None:
    """A figure that can't be below zero, such as a volume; None where it is or is unknown."""
    known = signed(figure)
    return None if known is None or known < 0 else known


def positive(figure: Figure | None) -> Decimal | None:
    """A figure that means something only above zero, such as a bid; None where it isn't or is unknown."""
    return amount(figure) or None


def decode(kind: type[T], body: bytes | Raw) -> T:
    """JSON as `kind`. BadAnswer tells which field is missing or of another type, but not the venue."""
    plain = _plain(cast("Hashable", kind))
    if plain is not None and (sound := plain.read(body)) is not None:
        return cast("T", sound)
    try:
        # A type can be hashed; mypy doesn't see it of a type that is a variable.
        decoded: T = _decoder(cast("Hashable", kind)).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadAnswer(_explain(str(wrong))) from wrong
    return decoded


class Plain:
    """The quick way for a flat row that holds what rows hold: msgspec reads the numbers itself, in C.

    It takes more for a number than we do (NaN, 1_000, +5), so anything that might be such goes the slow way,
    which refuses it in words. What comes out is the same row but for its class, with Decimals in it.
    """

    def __init__(self, kind: type[Struct], types: Mapping[str, object]) -> None:
        fields = [
            (field.name, types[field.name], msgspec.field(default=field.default, name=field.encode_name))
            for field in msgspec.structs.fields(kind)
        ]
        # Keywords, so that a field with a default may stand before one without.
        row = msgspec.defstruct(kind.__name__, fields, kw_only=True)
        self._decoder = msgspec.json.Decoder(row, strict=False)
        self._prices = [name for name, hint in get_type_hints(kind).items() if hint is Price]

    def read(self, body: bytes | Raw) -> Struct | None:
        """The row; None where the slow way must decide."""
        text = bytes(body)
        if len(text) > ROW_BYTES or not text.isascii() or any(mark in text for mark in DOUBTFUL):
            return None
        try:
            row: Struct = self._decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        for value in msgspec.structs.astuple(row):
            if type(value) is Decimal and not (value.is_finite() and abs(value.adjusted()) <= MAGNITUDE):
                return None
        return None if any(getattr(row, name) <= 0 for name in self._prices) else row


# What the quick way may be taken for, and what msgspec is to read in its place.
SWIFT = {Price: Decimal, Figure: Decimal, Figure | None: Decimal | None}
SAME = {int, str, int | None, str | None}


@cache
def _plain(kind: type[Any]) -> Plain | None:
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        return None
    hints = get_type_hints(kind)
    types = {name: SWIFT.get(hint, hint) for name, hint in hints.items()}
    flat = all(hint in SWIFT or hint in SAME for hint in hints.values())
    return Plain(kind, types) if flat and any(hint in SWIFT for hint in hints.values()) else None


def keyed(body: bytes, key: str) -> dict[str, Raw]:
    """A list of rows as a mapping from each row's `key`, the rows left undecoded.

    A row that has no such key is skipped: one odd row among thousands must not cost the others.
    """
    listed = decode(list[Raw], body)
    rows = {name: row for row in listed if (name := _key(row, key)) is not None}
    if listed and not rows:
        raise BadAnswer(f"{key}: missing in every row")
    return rows


def alone(body: bytes, key: str) -> dict[str, Raw]:
    """The same for an answer that is one row and no list."""
    return {decode(_named(key), body).key: Raw(body)}


class Named(Struct):
    key: str


@cache
def _named(key: str) -> type[Named]:
    field = ("key", str, msgspec.field(name=key))
    return cast("type[Named]", msgspec.defstruct("Keyed", [field], bases=(Named,)))


def _key(row: Raw, key: str) -> str | None:
    try:
        return decode(_named(key), row).key
    except BadAnswer:
        return None


@cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    # Not strict, so that times may come as text; numbers come to `_number` as the venue wrote them.
    return msgspec.json.Decoder(kind, dec_hook=_number, float_hook=str, strict=False)


def _number(kind: type[Any], said: object) -> Decimal:
    if kind is Figure and isinstance(said, str) and said.strip().lower() in UNKNOWN:
        return Figure("NaN")
    if isinstance(said, bool) or not isinstance(said, (int, str)):
        raise ValueError(f"expected a number, got {_kind(said)}")
    text = str(said)
    if not NUMBER.fullmatch(text):
        raise ValueError(f"expected a number, got {text[:40]!r}")
    number = Decimal(text)
    if abs(number.adjusted()) > MAGNITUDE:
        raise ValueError(f"expected a number of plausible size, got {text[:40]}")
    if kind is Price and number <= 0:
        raise ValueError(f"expected a price above zero, got {text[:40]}")
    return Price(number) if kind is Price else Figure(number)


def _kind(said: object) -> str:
    names = {type(None): "null", bool: "true or false", dict: "an object", list: "a list"}
    return names.get(type(said), type(said).__name__)


def _explain(message: str) -> str:
    """msgspec's message turned round, so that it begins with the field."""
    path = PATH.search(message)
    text = PATH.sub("", message).replace("`", "")
    where = path["path"] if path else ""
    if missing := MISSING.search(message):
        where = ".".join(filter(None, (where, missing["field"])))
        text = "missing"
    return f"{where}: {text[:1].lower()}{text[1:]}" if where else text
