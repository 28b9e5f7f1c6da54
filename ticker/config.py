"""The configuration: one TOML file and the environment, checked whole before anything starts.

`Config` is the one table of settings: its types check the file, its defaults are the defaults, and
README's table is made from it. An error names file, key and the nearest known one.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct, field

from ticker import feed, history, sources, web
from ticker.errors import ConfigError
from ticker.identity import AssetOptions, identify, measured
from ticker.model import Asset
from ticker.sources.base import Options as SourceOptions

PREFIX = "TICKER_"
BUILT_IN = "built-in assets"

S = TypeVar("S", bound=Struct)


class Currency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How prices in other currencies become prices in USD."""

    pegs: Annotated[
        dict[str, Literal["USD"]],
        Meta(description='Currencies taken for USD unmeasured, as in { USDT = "USD" }; quotes then say so.'),
    ] = {}
    measured: Annotated[
        dict[str, str],
        Meta(description="The asset whose price is a currency's rate; found by its symbol if unambiguous."),
    ] = {}


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    server: web.Options = web.Options()
    limits: feed.Limits = feed.Limits()
    history: history.Options = history.Options()
    currency: Currency = Currency()
    sources: dict[str, SourceOptions] = field(default_factory=dict)
    assets: dict[str, AssetOptions] = field(default_factory=dict)

    def source(self, venue: str) -> SourceOptions:
        return self.sources.get(venue, SourceOptions())

    def identified(self) -> tuple[Asset, ...]:
        """The assets with their pairs' currencies known. ConfigError where one can't be told."""
        return identify(self.assets, sources.VENUES)

    def measured(self) -> Mapping[str, str]:
        """For each currency that is measured here, the asset whose price is its rate."""
        return measured(self.identified(), self.currency.measured)


def load(
    path: Path | None, environ: Mapping[str, str] = os.environ, flags: Mapping[str, str | None] | None = None
) -> Config:
    """Read `path`, or only the defaults when None, then `environ`'s TICKER_SECTION__KEY, then `flags`.

    `flags` are settings by name, as {"server.listen": "0.0.0.0:80"}; None changes nothing. ConfigError.
    """
    file = str(path) if path else BUILT_IN
    raw = _read(path) if path else {}
    if "assets" not in raw:
        raw["assets"] = tomllib.loads(built_in_assets())["assets"]
    _check_keys(raw, Config, (), file)
    for keys, text, origin in [*_variables(raw, environ), *_flags(flags or {})]:
        _set(raw, keys, text, origin)
    config = _convert(raw, file)
    try:
        config.measured()
    except ConfigError as error:
        raise ConfigError(str(error), file=file) from error
    return config


def built_in_assets() -> str:
    """The built-in `[assets]`, as TOML."""
    return files("ticker").joinpath("assets.toml").read_text(encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        problem = f"can't be read: {error.strerror}; `ticker init` writes one"
        raise ConfigError(problem, file=str(path)) from error
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text: {error.reason} at byte {error.start}"
        raise ConfigError(problem, file=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_explained(str(error)), file=str(path)) from error


def _explained(error: str) -> str:
    twice = re.match(r"Cannot declare \('assets', '([^']+)'\) twice (.*)", error)
    if twice is None:
        return f"not TOML: {error}"
    return f"assets.{twice[1]}: the id is used twice {twice[2]}; each asset needs its own"


# Keys


def _check_keys(raw: object, into: type[Struct], at: tuple[str, ...], file: str) -> None:
    """ConfigError for a key nobody knows, with the nearest that somebody does."""
    if not isinstance(raw, dict):
        return
    hints = get_type_hints(into)
    for key, value in raw.items():
        if key not in hints:
            raise ConfigError(f"unknown key; {_nearest(key, hints)}", file=file, key=".".join((*at, key)))
        inner, by_name = _struct_in(hints[key])
        if inner is None:
            continue
        if not by_name:
            _check_keys(value, inner, (*at, key), file)
        elif isinstance(value, dict):
            for name, item in value.items():
                _check_name(key, name, file)
                _check_keys(item, inner, (*at, key, name), file)


def _check_name(section: str, name: str, file: str) -> None:
    key = f"{section}.{name}"
    if section == "sources" and name not in sources.VENUES:
        raise ConfigError(f"unknown venue; {_nearest(name, sources.VENUES)}", file=file, key=key)
    if section == "assets" and not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ConfigError("an asset id is lower-case letters, digits and hyphens", file=file, key=key)


def _nearest(key: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"


def _struct_in(hint: object) -> tuple[type[Struct] | None, bool]:
    """The Struct a setting's type holds, and whether by name (`dict[str, Struct]`)."""
    if isinstance(hint, type) and issubclass(hint, Struct):
        return hint, False
    if (
        get_origin(hint) is dict
        and isinstance(value := get_args(hint)[1], type)
        and issubclass(value, Struct)
    ):
        return value, True
    return None, False


# The environment and the command line


class Origin(NamedTuple):
    """Where a text came from, for the error: a file's stand-in and the name used there."""

    file: str
    key: str


Override = tuple[tuple[str, ...], str, Origin]


def _variables(raw: dict[str, Any], environ: Mapping[str, str]) -> Iterator[Override]:
    """Each TICKER_SECTION__KEY; ConfigError for one that is no setting."""
    known = {variable(setting.keys): setting.keys for setting in settings(raw["assets"])}
    for name, text in environ.items():
        if name.startswith(PREFIX) and "__" in name:
            if name not in known:
                raise ConfigError(f"unknown setting; {_nearest(name, known)}", file="environment", key=name)
            yield known[name], text, Origin("environment", name)


def _flags(flags: Mapping[str, str | None]) -> Iterator[Override]:
    for name, text in flags.items():
        if text is not None:
            yield tuple(name.split(".")), text, Origin("command line", name)


def variable(keys: Sequence[str]) -> str:
    """`server.listen` is TICKER_SERVER__LISTEN; a hyphen becomes an underscore."""
    return PREFIX + "__".join(keys).replace("-", "_").upper()


def _set(raw: dict[str, Any], keys: tuple[str, ...], text: str, origin: Origin) -> None:
    """Put the text where the type takes it: as it stands, else read as a TOML value."""
    hint = next(setting.hint for setting in settings(raw["assets"]) if setting.keys == keys)
    problem: msgspec.ValidationError | None = None
    for value in (text, _toml_value(text)):
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            problem = error
        else:
            return _put(raw, keys, value)
    assert problem is not None  # noqa: S101  # neither form was taken
    raise ConfigError(_plain(problem), file=origin.file, key=origin.key)


def _put(raw: dict[str, Any], keys: tuple[str, ...], value: object) -> None:
    *sections, last = keys
    for section in sections:
        raw = raw.setdefault(section, {})
    raw[last] = value


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


# Values


def _convert(raw: dict[str, Any], file: str) -> Config:
    """The raw tables as a Config; those by name one by one, so that an error can say which."""
    for section, hint in get_type_hints(Config).items():
        inner, by_name = _struct_in(hint)
        if inner is not None and by_name and isinstance(raw.get(section), dict):
            for name, item in raw[section].items():
                _typed(item, inner, f"{section}.{name}", file)
    return _typed(raw, Config, "", file)


def _typed(raw: object, into: type[S], at: str, file: str) -> S:
    try:
        return msgspec.convert(raw, into)
    except msgspec.ValidationError as error:
        _, _, path = str(error).rpartition(" - at `$")
        key = (at + path.rstrip("`")).strip(".")
        raise ConfigError(_plain(error), file=file, key=key or None) from error


def _plain(error: msgspec.ValidationError) -> str:
    return str(error).partition(" - at `")[0].replace("Expected `str`", "Expected text in quotes, `str`")


# The table of settings


class Setting(Struct, frozen=True):
    """One line of the table: its keys, type, default and what it does."""

    keys: tuple[str, ...]
    hint: Any
    default: Any
    description: str

    @property
    def name(self) -> str:
        return ".".join(self.keys)


def settings(assets: Mapping[str, Any] | None = None) -> Iterator[Setting]:
    """Every setting there is; those of each venue and each of `assets` by name, of any asset as `<id>`."""
    for section, hint in get_type_hints(Config).items():
        inner, by_name = _struct_in(hint)
        assert inner is not None  # noqa: S101  # a section is a table, by Config's own types
        names = {"sources": sources.VENUES, "assets": ("<id>",) if assets is None else assets}
        for name in names[section] if by_name else (None,):
            yield from _of((section,) if name is None else (section, name), inner)


def _of(keys: tuple[str, ...], struct: type[Struct]) -> Iterator[Setting]:
    hints = get_type_hints(struct, include_extras=True)
    for info in msgspec.structs.fields(struct):
        hint = hints[info.name]
        default = info.default if info.default is not msgspec.NODEFAULT else None
        if info.default_factory is not msgspec.NODEFAULT:
            default = info.default_factory()
        yield Setting((*keys, info.name), hint, default, _description(hint))


def _description(hint: object) -> str:
    """The description written beside the type, wherever in it."""
    own = [meta.description for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, Meta)]
    inner = (
        list(get_args(hint)[:1]) if own else get_args(hint) if get_origin(hint) in (Union, UnionType) else []
    )
    return next((text for text in (*own, *map(_description, inner)) if text), "")
