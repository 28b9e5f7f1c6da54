"""Which asset a pair is of, and in which currency it is quoted. Symbols don't identify tokens; ids do.

What can't be told for certain is an error that says what to write, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from ticker.errors import ConfigError
from ticker.model import Asset, Pair
from ticker.settings import PRINTED, nearest
from ticker.sources.base import Venue

Symbol = Annotated[str, Meta(min_length=1, max_length=24, pattern=PRINTED)]


class PairOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pair in table form, for a spelling that doesn't tell its quote currency."""

    pair: str
    quote: Symbol


class AssetOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One asset as the configuration writes it."""

    symbol: Annotated[Symbol, Meta(description="What the token is called on markets, such as BTC.")]
    name: Annotated[
        str, Meta(min_length=1, max_length=80, pattern=PRINTED, description="What readers call it.")
    ]
    pairs: Annotated[
        tuple[str | PairOptions, ...],
        Meta(
            min_length=1,
            description='`"venue:SYMBOL"` in its spelling, or `{ pair = "venue:SYMBOL", quote = "USDT" }`.',
        ),
    ]


def identify(assets: Mapping[str, AssetOptions], venues: Mapping[str, Venue]) -> tuple[Asset, ...]:
    """Assets with venues and currencies known. ConfigError names the asset and what to write."""
    owners: dict[str, str] = {}
    identified = []
    for asset, options in assets.items():
        pairs = tuple(_pair(asset, options, written, venues) for written in options.pairs)
        for pair in pairs:
            if pair.ref in owners:
                whose = "twice here" if owners[pair.ref] == asset else f"{owners[pair.ref]}'s already"
                raise ConfigError(f"{pair.ref} is {whose}; a pair belongs to one asset", key=_key(asset))
            owners[pair.ref] = asset
        identified.append(Asset(asset, options.symbol, options.name, pairs))
    return tuple(identified)


def _pair(asset: str, options: AssetOptions, written: str | PairOptions, venues: Mapping[str, Venue]) -> Pair:
    ref, quote = (written, None) if isinstance(written, str) else (written.pair, written.quote)
    name = venue_of(ref)
    symbol = ref[len(name) + 1 :]
    if not symbol:
        raise ConfigError(f"{ref!r} is not venue:symbol, such as mexc:USUSDT", key=_key(asset))
    if name not in venues:
        raise ConfigError(f"unknown venue {name!r} in {ref!r}; {nearest(name, venues)}", key=_key(asset))
    if quote is not None:
        return Pair(name, symbol, options.symbol, quote.upper())
    currencies = venues[name].currencies(symbol, options.symbol)
    if currencies is None:
        table = f'{{ pair = "{ref}", quote = "USDT" }}'
        raise ConfigError(f"can't tell in which currency {ref} is quoted; write {table}", key=_key(asset))
    return Pair(name, symbol, *currencies)


def venue_of(ref: str) -> str:
    """The venue of a written pair; `json:name:symbol` and `ccxt:exchange:symbol` have it in two parts."""
    parts = ref.split(":")
    return ":".join(parts[:2]) if parts[0] in ("json", "ccxt") else parts[0]


def _key(asset: str) -> str:
    return f"assets.{asset}.pairs"


def measured(
    assets: Iterable[Asset], chosen: Mapping[str, str], base: str = "USD", wanted: Iterable[str] = ()
) -> Mapping[str, str]:
    """For each currency `wanted`, or that pairs are quoted in, the one asset that measures it in `base`.

    `chosen` is the operator's word. ConfigError when it names no such asset, and when several could be meant.
    """
    by_id = {asset.id: asset for asset in assets}
    for currency, asset in chosen.items():
        if asset not in by_id or not _in(by_id[asset], base):
            wanted = f"no asset {asset!r} with a pair in {base} is configured"
            raise ConfigError(wanted, key=f"currency.measured.{currency}")
    found = dict(chosen)
    quoted = {*wanted, *(pair.quote for asset in by_id.values() for pair in asset.pairs)}
    for currency in sorted(quoted - {base, *chosen}):
        named = [
            asset.id for asset in by_id.values() if asset.symbol.upper() == currency and _in(asset, base)
        ]
        if len(named) > 1:
            problem = f"{', '.join(named)} all have the symbol {currency}"
            hint = f'write {currency} = "{named[0]}" under [currency.measured]'
            raise ConfigError(f"{problem}; {hint}", key="currency.measured")
        if named:
            found[currency] = named[0]
    return found


def _in(asset: Asset, base: str) -> bool:
    return any(pair.quote == base for pair in asset.pairs)
