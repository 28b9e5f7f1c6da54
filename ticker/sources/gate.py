"""Gate spot, polled: one pair's ticker, or all of them in one list.

https://www.gate.com/docs/developers/apiv4/en/#get-currency-pair-ticker-information
Limits: 200 requests in 10 seconds, endpoint and address (#frequency-limit-rule there). `change_percentage` is
in percent, over 24 hours unless a time zone is asked for. There is no time and no open; volumes may be the
text `nan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, RateLimited, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, amount, decode, prices, signed

UNKNOWN_PAIR = ("INVALID_CURRENCY_PAIR", "INVALID_CURRENCY")
TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


class Row(Struct):
    currency_pair: str
    last: Price
    change_percentage: Given = UNSET
    high_24h: Given = UNSET
    low_24h: Given = UNSET
    highest_bid: Given = UNSET
    lowest_ask: Given = UNSET
    quote_volume: Given = UNSET


class Failure(Struct):
    label: str


class Gate(Venue):
    name = "gate"
    title = "Gate"
    docs = "https://www.gate.com/docs/developers/apiv4/en/#get-currency-pair-ticker-information"
    base_url = "https://api.gateio.ws"
    interval = 5
    budget = Budget(200, 10)
    row = Row
    key = "currency_pair"
    separator = "_"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        if not pairs:
            return []
        query = (("currency_pair", pairs[0].symbol),) if len(pairs) == 1 else ()
        return [Request("/api/v4/spot/tickers", query, tuple(pairs))]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (bid, ask, high, low) = prices(
            row.last, row.highest_bid, row.lowest_ask, row.high_24h, row.low_24h
        )
        change, note = change_24h(last, None, signed(row.change_percentage))
        return Tick(
            pair=pair,
            price=last,
            as_of=as_of,
            seen=seen,
            bid=bid,
            ask=ask,
            change_24h=change,
            high_24h=high,
            low_24h=low,
            turnover_24h=amount(row.quote_volume),
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
