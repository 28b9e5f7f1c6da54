"""Pyth, polled through Hermes: what its publishers agree a price is, by the feed's hexadecimal id.

https://docs.pyth.network/api-reference/hermes/latest-price-updates
Limits: 10 requests in any 10 seconds and address, then 429 for a minute. Since August 2026 its own address
wants a key. A price is a whole number times a power of ten, with the half-width of the publishers' confidence
interval; there is no change and no volume. An unknown or misspelt id fails the whole request, as plain text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import UNSET, Meta, Struct

from ticker.errors import BadAnswer, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Options, Request, Venue
from ticker.sources.decode import Given, Price, Whole, price, signed
from ticker.sources.rows import Rows

# An id is 64 characters and stands in the query: fifty are 4 kB of the 8 kB that servers take.
CHUNK = 50
# Where the publishers themselves are this far apart, in percent of the price, there is no price to show.
WIDEST = 10


class Said(Struct):
    price: Price
    expo: Annotated[int, Meta(ge=-30, le=30)]
    conf: Given = UNSET
    publish_time: Whole = UNSET


class Row(Struct):
    id: str
    price: Said


class Pyth(Venue):
    name = "pyth"
    title = "Pyth"
    docs = "https://docs.pyth.network/api-reference/hermes/latest-price-updates"
    base_url = "https://pyth.dourolabs.app/hermes"
    interval = 10
    budget = Budget(10, 10)
    aggregator = True
    row = Row
    within = "parsed"
    key = "id"
    needs_key = True

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        """An id names no currency: the base is the asset's own symbol. Feeds of coins are in US dollars."""
        return (base_hint or symbol).upper(), "USD"

    def headers(self, options: Options) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {options.key}"} if options.key else {}

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        chunks = [tuple(pairs[at : at + CHUNK]) for at in range(0, len(pairs), CHUNK)]
        return [
            Request(
                "/v2/updates/price/latest",
                (*(("ids[]", pair.symbol) for pair in chunk), ("parsed", "true")),
                chunk,
            )
            for chunk in chunks
        ]

    def rows(self, body: bytes, request: Request, *, quick: bool) -> Rows:
        """By the pair's own spelling: `0x` and capitals may be written, and are never answered."""
        said = super().rows(body, request, quick=quick).by_symbol
        ids = {pair.symbol: pair.symbol.lower().removeprefix("0x") for pair in request.pairs}
        return Rows({symbol: said[bare] for symbol, bare in ids.items() if bare in said})

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        said = row.price
        units, width = price(said.price), signed(said.conf)
        if width is not None and width * 100 > units * WIDEST:
            apart = width / units * 100
            raise BadAnswer(f"price.conf: the publishers are ±{apart:.0f} % apart")
        return Tick(
            pair=pair,
            price=units.scaleb(said.expo),
            as_of=said.publish_time * 1000 if said.publish_time else as_of,
            seen=seen,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        unknown = status == 404 and b"not found" in body
        if unknown or (status == 400 and b"query string" in body):
            return UnknownSymbol("Pyth doesn't know one of the ids asked for")
        return None
