"""The configuration: everything that can be set, read whole and checked before anything starts.

`Config` is the one table of settings: its types check the file, its defaults are the defaults, and README's
table is made from it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from ticker import feed, history, rates, sources, web
from ticker.errors import ConfigError
from ticker.identity import AssetOptions, identify, measured, venue_of
from ticker.model import Asset
from ticker.settings import Setting, check_keys, convert, flags, nearest, put, variables, walk
from ticker.sources import ccxt, generic
from ticker.sources.base import Options as SourceOptions
from ticker.sources.base import Venue
from ticker.web import admission, metrics
from widgets import settings as widgets

BUILT_IN = "built-in assets"
COINS = ("BTC", "ETH")
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Currency(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How prices in other currencies become prices in USD. Currencies in upper case, as pairs have them."""

    pegs: Annotated[
        dict[str, Literal["USD"]],
        Meta(description='Currencies taken for USD unmeasured, as in { USDT = "USD" }; quotes then say so.'),
    ] = {}
    measured: Annotated[
        dict[str, str],
        Meta(description="The asset whose price is a currency's rate; found by its symbol if unambiguous."),
    ] = {}

    rates: rates.Options = rates.Options()

    def __post_init__(self) -> None:
        for table in (self.pegs, self.measured):
            for code in [code for code in table if not code.isupper()]:
                table[code.upper()] = table.pop(code)  # type: ignore[assignment]  # mypy joins the two


class Config(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    server: web.Options = web.Options()
    access: admission.Options = admission.Options()
    limits: feed.Limits = feed.Limits()
    keys: dict[str, admission.Key] = field(default_factory=dict)
    history: history.Options = history.Options()
    metrics: metrics.Options = metrics.Options()
    widgets: widgets.Options = widgets.Options()
    currency: Currency = field(default_factory=Currency)
    sources: dict[str, SourceOptions] = field(default_factory=dict)
    json: dict[str, generic.Endpoint] = field(default_factory=dict)
    assets: dict[str, AssetOptions] = field(default_factory=dict)

    def source(self, venue: str) -> SourceOptions:
        kind, _, label = venue.partition(":")
        return self.json[label] if kind == "json" else self.sources.get(venue, SourceOptions())

    def venues(self) -> Mapping[str, Venue]:
        """Every venue that can be asked here: ours, the operator's own, and what pairs name of ccxt's."""
        own = {f"json:{label}": generic.venue(label, endpoint) for label, endpoint in self.json.items()}
        exchanges = {name for name in map(venue_of, self._written()) if name.startswith(ccxt.PREFIX)}
        through = {name: ccxt.venue(name.removeprefix(ccxt.PREFIX)) for name in sorted(exchanges)}
        return {**sources.VENUES, **own, **through}

    def _written(self) -> Iterator[str]:
        for asset in self.assets.values():
            for pair in asset.pairs:
                yield pair if isinstance(pair, str) else pair.pair

    def identified(self) -> tuple[Asset, ...]:
        """The assets with their pairs' currencies known. ConfigError where one can't be told."""
        return identify(self.assets, self.venues())

    def measured(self, assets: Sequence[Asset]) -> Mapping[str, str]:
        """For each currency that is measured here, the asset whose price is its rate. ConfigError."""
        return measured(assets, self.currency.measured)

    def coins(self, assets: Sequence[Asset]) -> Mapping[str, str]:
        """Which of `assets` quotes can be had in, by currency: {"BTC": "bitcoin"} where there is one."""
        found = measured(assets, self.currency.measured, wanted=COINS)
        return {code: asset for code, asset in found.items() if code in COINS}


def load(
    path: Path | None,
    environ: Mapping[str, str] = os.environ,
    given: Mapping[str, str | None] | None = None,
) -> Config:
    """Read `path`, or only the defaults when None, then `environ`'s TICKER_SECTION__KEY, then `given`.

    `given` are settings by name, as {"server.listen": "0.0.0.0:80"}; None changes nothing. ConfigError.
    """
    file = str(path) if path else BUILT_IN
    raw = _read(path) if path else {}
    if "assets" not in raw:
        raw["assets"] = tomllib.loads(built_in_assets())["assets"]
    _check_tables_of_keys(raw, file)
    check_keys(raw, Config, file)
    _check_names(raw, file)
    known = list(settings(raw["assets"], raw.get("json", ()), raw.get("keys", ())))
    for override in [*variables(known, environ), *flags(known, given or {})]:
        put(raw, override)
    config = convert(raw, Config, file)
    try:
        assets = config.identified()
        config.measured(assets)
        _check_venues(config, assets)
        _check_digests(config)
    except ConfigError as error:
        raise error.placed(file) from error
    return config


def settings(
    assets: Collection[str] | None = None, own: Collection[str] = (), keys: Collection[str] = ()
) -> Iterator[Setting]:
    """Every setting there is: of each venue, of each of `assets`, the operator's `own` sources and `keys`.

    Without `assets`: those of any asset as `<id>`, of any source of one's own and of any key as `<name>`.
    """
    if assets is None:
        assets, own, keys = ("<id>",), ("<name>",), ("<name>",)
    return walk(Config, {"sources": sources.VENUES, "json": own, "assets": assets, "keys": keys})


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


def _check_names(raw: Mapping[str, Any], file: str) -> None:
    """ConfigError for a venue that isn't one, and for an asset id that could not stand in an address."""
    for name in raw.get("sources", ()):
        if name not in sources.VENUES and not name.startswith(ccxt.PREFIX):
            hint = nearest(name, sources.VENUES)
            raise ConfigError(f"unknown venue; {hint}", file=file, key=f"sources.{name}")
    named = {"assets": "an asset id", "json": "a source's name", "keys": "a key's name"}
    for section, what in named.items():
        for name in raw.get(section, ()):
            if not ID.fullmatch(name):
                problem = f"{what} is lower-case letters, digits and hyphens"
                raise ConfigError(problem, file=file, key=f"{section}.{name}")


def _check_tables_of_keys(raw: Mapping[str, Any], file: str) -> None:
    """ConfigError for a key that isn't a table. First of all checks: the others repeat what is there."""
    tables = raw.get("keys", {})
    if not isinstance(tables, dict):
        raise ConfigError("is a table of keys; `ticker key NAME` prints one", file=file, key="keys")
    for name, table in tables.items():
        if not isinstance(table, dict):
            problem = "is a table with sha256; `ticker key NAME` prints it"
            raise ConfigError(problem, file=file, key=f"keys.{name}")


def _check_digests(config: Config) -> None:
    """ConfigError for a key that two names share, and where keys are required and there is none."""
    owners: dict[str, str] = {}
    for name, key in config.keys.items():
        owner = owners.setdefault(key.sha256.lower(), name)
        if owner != name:
            raise ConfigError(f"is keys.{owner}'s already; each key needs its own", key=f"keys.{name}.sha256")
    if config.access.require_key and not config.keys:
        problem = "there is no key to ask for; `ticker key NAME` prints one"
        raise ConfigError(problem, key="access.require_key")


def _check_venues(config: Config, assets: Sequence[Asset]) -> None:
    """ConfigError for a venue that a pair names and that can't be asked as it is configured."""
    venues = config.venues()
    for name in {pair.venue for asset in assets for pair in asset.pairs}:
        if name.startswith(ccxt.PREFIX):
            ccxt.check(name.removeprefix(ccxt.PREFIX))
        options = config.source(name)
        if venues[name].needs_key and options.key is None and options.base_url is None:
            problem = f"{venues[name].title} answers only with a key; set it, or name another venue"
            raise ConfigError(problem, key=f"sources.{name}.key")
