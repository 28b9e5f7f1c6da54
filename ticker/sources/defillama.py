"""DefiLlama, polled: prices in US dollars of tokens by chain and contract, or by another aggregator's id.

https://api-docs.defillama.com/#tag/coins/get/prices/current/{coins}
Limits: none is published for its public address; 300 requests a minute are known to pass, so 120. A pair is
`defillama:ethereum:0x…` or `defillama:coingecko:bitcoin`. There is no change and no volume; a coin it doesn't
know, or has no fresh price of, is missing from the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import quote

from msgspec import UNSET, Struct

from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue
from ticker.sources.decode import Given, Price, Whole, price, signed

# The coins travel in the path, and servers take about 8 kB of it: a hundred are 5 kB.
CHUNK = 100
# From 0 to 1; what it reads from a contract it trusts at 0.99, thin pools get less.
CONFIDENT = Decimal("0.9")


class Row(Struct):
    price: Price
    timestamp: Whole = UNSET
    confidence: Given = UNSET


class DefiLlama(Venue):
    name = "defillama"
    title = "DefiLlama"
    docs = "https://api-docs.defillama.com/"
    base_url = "https://coins.llama.fi"
    interval = 60
    budget = Budget(120, 60)
    aggregator = True
    row = Row
    within = "coins"

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        """An address names no currency: the base is the asset's own symbol, the quote always US dollars."""
        return (base_hint or symbol).upper(), "USD"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        chunks = [tuple(pairs[at : at + CHUNK]) for at in range(0, len(pairs), CHUNK)]
        return [Request(f"/prices/current/{_coins(chunk)}", (), chunk) for chunk in chunks]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        confidence = signed(row.confidence)
        doubtful = confidence is not None and confidence < CONFIDENT
        return Tick(
            pair=pair,
            price=price(row.price),
            as_of=row.timestamp * 1000 if row.timestamp else as_of,
            seen=seen,
            note=f"venue's own confidence is {confidence:f} of 1" if doubtful else None,
        )


def _coins(pairs: Sequence[Pair]) -> str:
    return ",".join(quote(pair.symbol, safe=":") for pair in pairs)
