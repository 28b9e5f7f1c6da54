"""Reading venues' JSON: numbers exactly, rows one at a time, errors that name the field.

A venue writes a number as a JSON number or as text; both become Decimal without passing through float. What a
venue may write and we don't take is refused here: NaN, infinities, digit groups, sizes no market has.
Whether a number makes sense as a price is not judged here beyond "above zero".
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Raw, Struct

from ticker.errors import BadAnswer

T = TypeVar("T")
# JSON's grammar of a number, at most 64 digits: longer ones are no price and cost time to compute with.
NUMBER = re.compile(r"-?[0-9]{1,64}(\.[0-9]{1,64})?([eE][+-]?[0-9]{1,3})?")
# The largest magnitude taken, either way: 10^40 is above any volume, 10^-40 below any price.
MAGNITUDE = 40
UNKNOWN = ("", "nan")
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
    try:
        # A type can be hashed; mypy doesn't see it of a type that is a variable.
        decoded: T = _decoder(cast("Hashable", kind)).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadAnswer(_explain(str(wrong))) from wrong
    return decoded


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
