"""The contract of quotes, assets and candles: what every reader gets, in JSON, feed and clients alike.

Decimals become plain-notation strings, percents two places, unknown values null. Nothing here sends or
decides who gets what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ticker.change import rounded
from ticker.model import (
    Asset,
    Basis,
    Candle,
    Change,
    Confidence,
    Observation,
    Quote,
    State,
)

Amount = Annotated[str, Meta(pattern=r"^-?\d+(\.\d+)?$", description="A decimal number in plain notation.")]
Millis = Annotated[int, Meta(description="Milliseconds since the Unix epoch, UTC.")]


def plain(value: Decimal) -> str:
    """Plain notation, never an exponent: 0.00001234. Trailing zeros stay as the venue wrote them."""
    return format(value, "f")


def amount(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def percent(change: Change | None) -> str | None:
    return None if change is None else plain(rounded(change.percent))


class QuoteObject(Struct, kw_only=True):
    """A quote as REST, feed and clients see it. FEED's fields; `asset` in REST only."""

    asset: str | UnsetType = UNSET
    symbol: str
    name: str
    currency: str
    price: Amount | None
    change_1h: Amount | None
    change_24h: Amount | None
    change_7d: Amount | None
    change_24h_basis: Basis | None
    high_24h: Amount | None
    low_24h: Amount | None
    volume_24h: Amount | None
    market_cap: Amount | None
    as_of: Millis | None
    state: State
    confidence: Confidence
    sources: int
    seq: int
    conversion: Literal["assumed"] | UnsetType = UNSET
    demo: Literal[True] | UnsetType = UNSET
    rate_date: str | UnsetType = UNSET
    change_currency: str | UnsetType = UNSET


def quote_object(quote: Quote, *, asset: bool = False) -> QuoteObject:
    """The quote in wire form, with its asset's id when `asset`."""
    return QuoteObject(
        asset=quote.asset if asset else UNSET,
        symbol=quote.symbol,
        name=quote.name,
        currency=quote.currency,
        price=amount(quote.price),
        change_1h=percent(quote.change_1h),
        change_24h=percent(quote.change_24h),
        change_7d=percent(quote.change_7d),
        change_24h_basis=quote.change_24h.basis if quote.change_24h else None,
        high_24h=amount(quote.high_24h),
        low_24h=amount(quote.low_24h),
        volume_24h=amount(quote.volume_24h),
        market_cap=amount(quote.market_cap),
        as_of=quote.as_of,
        state=quote.state,
        confidence=quote.confidence,
        sources=quote.sources,
        seq=quote.seq,
        conversion="assumed" if quote.assumed else UNSET,
        demo=True if quote.demo else UNSET,
        rate_date=quote.rate_date or UNSET,
        change_currency=quote.change_currency or UNSET,
    )


class ObservationObject(Struct, kw_only=True):
    """What one source said. `price` is as the venue gave it, in `currency`; `reason` when it wasn't used."""

    source: str
    pair: str
    currency: str
    price: Amount
    change_24h: Amount | None
    change_24h_basis: Basis | None
    as_of: Millis
    used: bool
    reason: str | None


def observation_object(seen: Observation) -> ObservationObject:
    return ObservationObject(
        source=seen.source,
        pair=seen.pair,
        currency=seen.currency,
        price=plain(seen.price),
        change_24h=percent(seen.change_24h),
        change_24h_basis=seen.change_24h.basis if seen.change_24h else None,
        as_of=seen.as_of,
        used=seen.used,
        reason=seen.reason,
    )


class AssetObject(Struct, kw_only=True):
    """What has a price here, and from which pairs it comes."""

    id: str
    symbol: str
    name: str
    pairs: list[str]


def asset_object(asset: Asset) -> AssetObject:
    return AssetObject(
        id=asset.id, symbol=asset.symbol, name=asset.name, pairs=[pair.ref for pair in asset.pairs]
    )


class CandleObject(Struct, kw_only=True):
    """Open, high, low, close over `interval` seconds from `start`."""

    start: Millis
    open: Amount
    high: Amount
    low: Amount
    close: Amount


def candle_object(candle: Candle) -> CandleObject:
    return CandleObject(
        start=candle.start,
        open=plain(candle.open),
        high=plain(candle.high),
        low=plain(candle.low),
        close=plain(candle.close),
    )


encode = msgspec.json.Encoder().encode


def error_body(code: str, message: str) -> bytes:
    return encode({"error": {"code": code, "message": message}})


def schemas(types: Sequence[Any]) -> Mapping[str, Any]:
    """JSON schemas of wire types by name, for the OpenAPI document's components."""
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    return components
