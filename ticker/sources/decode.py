"""Reading venues' JSON: numbers exactly, errors that name the field.

A venue writes a number as a JSON number or as text; both become Decimal without passing through float. What a
venue may write and we don't take is refused here: NaN, infinities, digit groups, sizes no market has.
Whether a number makes sense as a price is not judged here beyond "above zero". The quick way of rows.py
leaves a figure as the venue wrote it; `price`, `signed` and the others then read it as strictly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeAlias, TypeVar, cast

import msgspec
from msgspec import UNSET, Raw, UnsetType

from ticker.errors import BadAnswer

T = TypeVar("T")
# JSON's grammar of a number, at most 64 digits: longer ones are no price and cost time to compute with.
NUMBER = re.compile(r"-?[0-9]{1,64}(\.[0-9]{1,64})?([eE][+-]?[0-9]{1,3})?")
# The largest magnitude taken, either way: 10^40 is above any volume, 10^-40 below any price.
MAGNITUDE = 40
HUGE = 10**MAGNITUDE
UNKNOWN = ("", "nan")
# What is a number beyond doubt, and within MAGNITUDE: no exponent, at most 40 digits on either side.
DIGITS = r"[0-9]{1,40}+(?:\.[0-9]{1,40}+)?+"
PLAIN = re.compile(rf"-?{DIGITS}").fullmatch
PATH = re.compile(r" - at `\$\.?(?P<path>.*)`$")
MISSING = re.compile(r"Object missing required field `(?P<field>[^`]*)`")


class Price(Decimal):
    """A field that must hold a finite number above zero."""


class Figure(Decimal):
    """A field that holds a finite number, or text for unknown, kept as NaN; read with `signed`, `amount`."""


# Fields that a venue says in every row, if only as null: with UNSET for a default their absence is told
# (rows.py). One it says only sometimes has the default None.
Given: TypeAlias = Figure | UnsetType | None
Whole: TypeAlias = int | UnsetType | None
Moment: TypeAlias = datetime | UnsetType | None


class Doubt(Exception):
    """What the venue wrote isn't plainly a number: its row is to be decoded, which refuses it in words."""


def signed(said: Given | str) -> Decimal | None:
    """A figure as a plain Decimal of any sign; None where the venue doesn't know it."""
    if type(said) is str and PLAIN(said):
        return Decimal(said)
    return _unusual(said)


def _unusual(said: object) -> Decimal | None:
    if said is None or said is UNSET:
        return None
    if isinstance(said, Decimal):
        return None if said.is_nan() else Decimal(said)
    if type(said) is int and -HUGE < said < HUGE:
        return Decimal(said)
    raise Doubt


def amount(said: Given | str) -> Decimal | None:
    """A figure that can't be below zero, such as a volume; None where it is or is unknown."""
    known = signed(said)
    return None if known is None or known < 0 else known


def positive(said: Given | str) -> Decimal | None:
    """A figure that means something only above zero, such as a bid; None where it isn't or is unknown."""
    known = signed(said)
    return None if known is None or known <= 0 else known


def price(said: Price | str) -> Decimal:
    """A price as a plain Decimal above zero. Doubt where there is none."""
    number = Decimal(said) if type(said) is str and PLAIN(said) else _unusual(said)
    if number is None or number <= 0:
        raise Doubt
    return number


def prices(last: Price | str, *others: Given | str) -> tuple[Decimal, list[Decimal | None]]:
    """The price, and each of the others as `positive` reads it; in one go where all are plain. Doubt."""
    try:
        plain = _plain(len(others))("|".join((last, *others)))  # type: ignore[arg-type]  # text, or TypeError
    except TypeError:
        plain = None
    if not plain:
        return price(last), [positive(one) for one in others]
    if number := Decimal(last):
        return number, [Decimal(one) or None for one in others]  # type: ignore[arg-type]  # all of them text
    raise Doubt


@cache
def _plain(others: int) -> Callable[[str], object]:
    return re.compile(rf"{DIGITS}(?:\|{DIGITS}){{{others}}}").fullmatch


def percent(fraction: Given | str) -> Decimal | None:
    """A fraction in percent: 0.0173 is 1.73."""
    known = signed(fraction)
    return None if known is None else known * 100


def decode(kind: type[T], body: bytes | Raw) -> T:
    """JSON as `kind`. BadAnswer tells which field is missing or of another type, but not the venue."""
    try:
        # A type can be hashed; mypy doesn't see it of a type that is a variable.
        decoded: T = _decoder(cast("Hashable", kind)).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise BadAnswer(_explain(str(wrong))) from wrong
    return decoded


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
