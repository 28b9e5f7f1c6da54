"""Text into typed settings: TOML tables, the environment and the command line into a Struct.

It knows no setting by name; the Struct is the table of them. Every error is one line that names where the
text came from, the key, and the nearest key there is.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from ticker.errors import ConfigError

S = TypeVar("S", bound=Struct)
Keys = tuple[str, ...]

PREFIX = "TICKER_"

# Of a text that is drawn: without control characters, which no picture may hold (XML 1.0, 2.2).
PRINTED = r"^[^\x00-\x1f\x7f]*$"


class Setting(Struct, frozen=True):
    """One setting: its keys from the root, the Struct it is a field of, type, default and what it does."""

    keys: Keys
    owner: type[Struct]
    hint: Any
    default: Any
    description: str

    @property
    def name(self) -> str:
        return ".".join(self.keys)

    @property
    def variable(self) -> str:
        """`server.listen` is TICKER_SERVER__LISTEN; a hyphen becomes an underscore."""
        return PREFIX + "__".join(self.keys).replace("-", "_").upper()


class Override(Struct, frozen=True):
    """A text for one setting; `file` and `key` say where it came from, for an error."""

    setting: Setting
    text: str
    file: str
    key: str


# The table


@cache
def _hints(kind: type[Struct]) -> Mapping[str, Any]:
    """The types of its fields, with what is written beside them; working them out is slow."""
    return get_type_hints(kind, include_extras=True)


@cache
def _types(kind: type[Struct]) -> Mapping[str, Any]:
    return get_type_hints(kind)


def walk(root: type[Struct], names: Mapping[str, Collection[str]], at: Keys = ()) -> Iterator[Setting]:
    """Every setting below `root`. `names` says which tables a section holds by name (`dict[str, Struct]`)."""
    hints = _hints(root)
    for field in msgspec.structs.fields(root):
        hint, keys = hints[field.name], (*at, field.name)
        if is_struct(hint):
            yield from walk(hint, names, keys)
        elif get_origin(hint) is dict and is_struct(get_args(hint)[1]):
            for name in names[field.name]:
                yield from walk(get_args(hint)[1], names, (*keys, name))
        else:
            yield Setting(keys, root, hint, _default(field), _description(hint))


def is_struct(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, Struct)


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return None if field.default is msgspec.NODEFAULT else field.default


def _description(hint: object) -> str:
    """The description written beside the type, wherever in it."""
    own = [meta.description for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, Meta)]
    inner = get_args(hint)[:1] if own else _alternatives(hint)
    return next((text for text in (*own, *map(_description, inner)) if text), "")


def _alternatives(hint: object) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else ()


# Keys


def check_keys(raw: object, hint: object, file: str, at: Keys = ()) -> None:
    """ConfigError for a key nobody knows, with the nearest that there is, and for a table that is none."""
    by_name = get_origin(hint) is dict
    if is_struct(hint) or by_name:
        if not isinstance(raw, dict):
            raise ConfigError(f"is a table, not {raw!r:.40}", file=file, key=".".join(at) or None)
        hints = {key: get_args(hint)[1] for key in raw} if by_name else _types(hint)
        for key, value in raw.items():
            if key not in hints:
                raise ConfigError(f"unknown key; {nearest(key, hints)}", file=file, key=".".join((*at, key)))
            check_keys(value, hints[key], file, (*at, key))
    elif get_origin(hint) is tuple and isinstance(raw, list):
        tables = [arg for kind in get_args(hint) for arg in (*_alternatives(kind), kind) if is_struct(arg)]
        for item in raw:
            if isinstance(item, dict) and tables:
                check_keys(item, tables[0], file, at)


def nearest(key: str, known: Collection[str]) -> str:
    """What to write instead of `key`, in words."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


# Values


def variables(settings: Sequence[Setting], environ: Mapping[str, str]) -> Iterator[Override]:
    """Each TICKER_SECTION__KEY of the environment; ConfigError for one that is no setting."""
    known = {setting.variable: setting for setting in settings}
    for name, text in environ.items():
        if name.startswith(PREFIX) and "__" in name:
            if name not in known:
                raise ConfigError(f"unknown setting; {nearest(name, known)}", file="environment", key=name)
            yield Override(known[name], text, "environment", name)


def flags(settings: Sequence[Setting], given: Mapping[str, str | None]) -> Iterator[Override]:
    """Each setting given on the command line, by name; None changes nothing."""
    known = {setting.name: setting for setting in settings}
    for name, text in given.items():
        if text is not None:
            yield Override(known[name], text, "command line", name)


def put(raw: dict[str, Any], override: Override) -> None:
    """Put the text into its table where the type takes it: as it stands, else read as a TOML value."""
    *sections, last = override.setting.keys
    for section in sections:
        raw = raw.setdefault(section, {})
    problem = ""
    for value in (override.text, _toml_value(override.text)):
        problem = _problem(raw | {last: value}, override.setting, last)
        if not problem:
            raw[last] = value
            return
    raise ConfigError(problem, file=override.file, key=override.key)


def _problem(table: dict[str, Any], setting: Setting, last: str) -> str:
    """What is wrong with this one key of a table, in words; a wrong neighbour is somebody else's."""
    try:
        msgspec.convert(_unset(table, setting.owner), setting.owner)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$.")
        return "" if path and not path.startswith(last) else _plain(_own_field(text)[1])
    return ""


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def convert(raw: Mapping[str, Any], into: type[S], file: str) -> S:
    """The tables as a Struct; those held by name one by one, so that an error can say which. ConfigError."""
    for section, hint in _types(into).items():
        if section in raw and get_origin(hint) is dict and is_struct(get_args(hint)[1]):
            for name, table in raw[section].items():
                _typed(table, get_args(hint)[1], f"{section}.{name}", file)
    return _typed(raw, into, "", file)


def _typed(raw: Mapping[str, Any], into: type[S], at: str, file: str) -> S:
    try:
        return msgspec.convert(_unset(raw, into), into)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        field, text = _own_field(text)
        key = ".".join(part for part in (at, path.strip(".`"), field) if part)
        raise ConfigError(_plain(text), file=file, key=key or None) from error


def _own_field(text: str) -> tuple[str, str]:
    """A Struct's own check begins with the field it is about: `listen: …`."""
    field, colon, rest = text.partition(": ")
    return (field, rest) if colon and field.isidentifier() else ("", text)


def _unset(raw: object, hint: object) -> object:
    """TOML has no null: an empty text stands for one wherever the type takes null."""
    if isinstance(raw, Mapping) and is_struct(hint):
        hints = _types(hint)
        return {key: _unset(value, hints.get(key)) for key, value in raw.items()}
    if isinstance(raw, Mapping) and get_origin(hint) is dict:
        return {key: _unset(value, get_args(hint)[1]) for key, value in raw.items()}
    return None if raw == "" and type(None) in _alternatives(hint) else raw


def _plain(text: str) -> str:
    text = re.sub(r"`str` matching regex '\^\[\^.*'", "text without control characters", text)
    return text.replace("Expected `str`", "Expected text in quotes, `str`")
