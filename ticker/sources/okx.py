"""OKX spot, polled: one instrument's ticker, or all of them in one list.

https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-tickers
Limits: 20 requests in 2 seconds and address, for either. `open24h` is the price 24 hours ago; `sodUtc0` and
`sodUtc8` are days' opens and not read. Times are milliseconds as text. An error may come with HTTP 200 and
a `code` other than "0".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Raw, Struct

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Figure, Price, amount, decode, keyed, positive

OK = "0"
UNKNOWN_INSTRUMENT = ("51000", "51001")
TOO_MANY_REQUESTS = ("50011", "50061")
# Maintenance, a request that took too long, systems busy or failing.
ITS_OWN_TROUBLE = ("50001", "50004", "50013", "50026")


class Row(Struct, rename={"bid_px": "bidPx", "ask_px": "askPx", "vol_ccy24h": "volCcy24h"}):
    last: Price
    open24h: Figure | None = None
    high24h: Figure | None = None
    low24h: Figure | None = None
    bid_px: Figure | None = None
    ask_px: Figure | None = None
    vol24h: Figure | None = None
    vol_ccy24h: Figure | None = None
    ts: int | None = None


class Envelope(Struct):
    data: Raw


class Failure(Struct):
    code: str


class Okx(Venue):
    name = "okx"
    title = "OKX"
    docs = "https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-tickers"
    base_url = "https://www.okx.com"
    interval = 5
    budget = Budget(20, 2)
    separator = "-"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        match pairs:
            case []:
                return []
            case [pair]:
                return [Request("/api/v5/market/ticker", (("instId", pair.symbol),), (pair,))]
            case _:
                return [Request("/api/v5/market/tickers", (("instType", "SPOT"),), tuple(pairs))]

    def rows(self, body: bytes, request: Request) -> Mapping[str, Raw]:
        return keyed(bytes(decode(Envelope, body).data), "instId")

    def tick(self, pair: Pair, row: Raw, seen: int) -> Tick:
        said = decode(Row, row)
        change, note = change_24h(said.last, positive(said.open24h), None)
        return Tick(
            pair=pair,
            price=Decimal(said.last),
            as_of=said.ts or seen,
            seen=seen,
            bid=positive(said.bid_px),
            ask=positive(said.ask_px),
            change_24h=change,
            high_24h=positive(said.high24h),
            low_24h=positive(said.low24h),
            volume_24h=amount(said.vol24h),
            turnover_24h=amount(said.vol_ccy24h),
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
