"""KuCoin spot, polled: all tickers in one list, which it renews every two seconds.

https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-tickers
Limits: 2000 weight in 30 seconds and address (docs-new/rate-limit there); the list weighs 15. `changeRate` is
a fraction. A renamed token keeps its old `symbol`; pairs are written as `symbolName` has them. One time, in
the envelope, holds for all rows. An error's `code` may come with HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, amount, decode, percent, prices

OK = "200000"
UNKNOWN_SYMBOL = "900001"
TOO_MANY_REQUESTS = "429000"
# Milliseconds until the window of the request weight begins anew.
RESET = "gw-ratelimit-reset"


class Row(Struct, rename="camel"):
    symbol_name: str
    last: Price
    change_rate: Given = UNSET
    high: Given = UNSET
    low: Given = UNSET
    buy: Given = UNSET
    sell: Given = UNSET
    vol_value: Given = UNSET


class Failure(Struct):
    code: str


class KuCoin(Venue):
    name = "kucoin"
    title = "KuCoin"
    docs = "https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-tickers"
    base_url = "https://api.kucoin.com"
    interval = 5
    budget = Budget(2000, 30)
    row = Row
    within = "data.ticker"
    key = "symbolName"
    time = "data.time"
    separator = "-"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request("/api/v1/market/allTickers", (), tuple(pairs), 15)] if pairs else []

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (bid, ask, high, low) = prices(row.last, row.buy, row.sell, row.high, row.low)
        change, note = change_24h(last, None, percent(row.change_rate))
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
            turnover_24h=amount(row.vol_value),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            code = decode(Failure, body).code
        except BadAnswer:
            return None
        if code == UNKNOWN_SYMBOL:
            return UnknownSymbol("KuCoin doesn't know the symbol asked for")
        if code == TOO_MANY_REQUESTS:
            return RateLimited(
                "KuCoin says this address has used up its request weight", retry_after=_reset(headers)
            )
        if status == 200 and code != OK:
            return Refused(f"KuCoin answered with its error {code[:20]!r}; see {self.docs}")
        return None


def _reset(headers: Mapping[str, str]) -> float | None:
    said = headers.get(RESET, "")
    return int(said) / 1000 or None if said.isascii() and said.isdigit() and len(said) <= 6 else None
