"""OKX spot, polled: one instrument's ticker, or all of them in one list.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-tickers
Limits: 20 requests in 2 seconds and address, for either. `open24h` is the price 24 hours ago; `sodUtc0` and
`sodUtc8` are days' opens and not read. Times are milliseconds as text. An error may come with HTTP 200 and
a `code` other than "0".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, Whole, amount, decode, prices

OK = "0"
UNKNOWN_INSTRUMENT = ("51000", "51001")
TOO_MANY_REQUESTS = ("50011", "50061")
# Maintenance, a request that took too long, systems busy or failing.
ITS_OWN_TROUBLE = ("50001", "50004", "50013", "50026")


NAMES = {"inst_id": "instId", "bid_px": "bidPx", "ask_px": "askPx", "vol_ccy24h": "volCcy24h"}


class Row(Struct, rename=NAMES):
    inst_id: str
    last: Price
    open24h: Given = UNSET
    high24h: Given = UNSET
    low24h: Given = UNSET
    bid_px: Given = UNSET
    ask_px: Given = UNSET
    vol_ccy24h: Given = UNSET
    ts: Whole = UNSET


class Failure(Struct):
    code: str


class Okx(Venue):
    name = "okx"
    title = "OKX"
    docs = "https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-tickers"
    base_url = "https://www.okx.com"
    interval = 5
    budget = Budget(20, 2)
    row = Row
    within = "data"
    key = "instId"
    separator = "-"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        match pairs:
            case []:
                return []
            case [pair]:
                return [Request("/api/v5/market/ticker", (("instId", pair.symbol),), (pair,))]
            case _:
                return [Request("/api/v5/market/tickers", (("instType", "SPOT"),), tuple(pairs))]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (opened, bid, ask, high, low) = prices(
            row.last, row.open24h, row.bid_px, row.ask_px, row.high24h, row.low24h
        )
        change, note = change_24h(last, opened, None)
        return Tick(
            pair=pair,
            price=last,
            as_of=row.ts or as_of,
            seen=seen,
            bid=bid,
            ask=ask,
            change_24h=change,
            high_24h=high,
            low_24h=low,
            turnover_24h=amount(row.vol_ccy24h),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            code = decode(Failure, body).code
        except BadAnswer:
            return None
        if code in UNKNOWN_INSTRUMENT:
            return UnknownSymbol("OKX doesn't know the instrument asked for")
        if code in TOO_MANY_REQUESTS:
            return RateLimited("OKX says too many requests; raise sources.okx.interval")
        if code in ITS_OWN_TROUBLE:
            return Unreachable(f"OKX has trouble of its own (its error {code}); asked again by itself")
        if status == 200 and code != OK:
            return Refused(f"OKX answered with its error {code[:20]!r}; see {self.docs}")
        return None
