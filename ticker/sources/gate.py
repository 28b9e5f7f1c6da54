"""Gate spot, polled: one pair's ticker, or all of them in one list.

https://www.gate.com/docs/developers/apiv4/en/#get-currency-pair-ticker-information
Limits: 200 requests in 10 seconds, endpoint and address (#frequency-limit-rule there). `change_percentage` is
in percent, over 24 hours unless a time zone is asked for. There is no time and no open; volumes may be the
text `nan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Raw, Struct

from ticker.errors import BadAnswer, RateLimited, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Figure, Price, amount, decode, keyed, positive, signed

UNKNOWN_PAIR = ("INVALID_CURRENCY_PAIR", "INVALID_CURRENCY")
TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


class Row(Struct):
    last: Price
    change_percentage: Figure | None = None
    high_24h: Figure | None = None
    low_24h: Figure | None = None
    highest_bid: Figure | None = None
    lowest_ask: Figure | None = None
    base_volume: Figure | None = None
    quote_volume: Figure | None = None


class Failure(Struct):
    label: str


class Gate(Venue):
    name = "gate"
    title = "Gate"
    docs = "https://www.gate.com/docs/developers/apiv4/en/#get-currency-pair-ticker-information"
    base_url = "https://api.gateio.ws"
    interval = 5
    budget = Budget(200, 10)
    separator = "_"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        if not pairs:
            return []
        query = (("currency_pair", pairs[0].symbol),) if len(pairs) == 1 else ()
        return [Request("/api/v4/spot/tickers", query, tuple(pairs))]

    def rows(self, body: bytes, request: Request) -> Mapping[str, Raw]:
        return keyed(body, "currency_pair")

    def tick(self, pair: Pair, row: Raw, seen: int) -> Tick:
        said = decode(Row, row)
        change, note = change_24h(said.last, None, signed(said.change_percentage))
        return Tick(
            pair=pair,
            price=Decimal(said.last),
            as_of=seen,
            seen=seen,
            bid=positive(said.highest_bid),
            ask=positive(said.lowest_ask),
            change_24h=change,
            high_24h=positive(said.high_24h),
            low_24h=positive(said.low_24h),
            volume_24h=amount(said.base_volume),
            turnover_24h=amount(said.quote_volume),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            label = decode(Failure, body).label
        except BadAnswer:
            return None
        if label in UNKNOWN_PAIR:
            return UnknownSymbol("Gate doesn't know the pair asked for")
        if label == TOO_MANY_REQUESTS:
            return RateLimited("Gate says too many requests from this address")
        return None
