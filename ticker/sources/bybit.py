"""Bybit spot v5, polled: one symbol's ticker, or all of them in one list.

https://bybit-exchange.github.io/docs/v5/market/tickers
Limits: 600 requests in 5 seconds and address (docs/v5/rate-limit); beyond it 403, after which the address is
to be silent for ten minutes. `price24hPcnt` is a fraction, `prevPrice24h` the price 24 hours ago. One time,
in the envelope, holds for all rows. An error may come with HTTP 200 and a `retCode` other than 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, amount, decode, percent, prices

PATH = "/v5/market/tickers"
OK = 0
BAD_PARAMETER = 10001
TOO_MANY_VISITS = (10006, 10018)
ITS_OWN_TROUBLE = (10000, 10016)
# Seconds that an address is to be silent after a 403.
BANNED_FOR = 600.0


class Row(
    Struct,
    rename={
        "last": "lastPrice",
        "opened": "prevPrice24h",
        "fraction": "price24hPcnt",
        "high": "highPrice24h",
        "low": "lowPrice24h",
        "bid": "bid1Price",
        "ask": "ask1Price",
        "turnover": "turnover24h",
    },
):
    symbol: str
    last: Price
    opened: Given = UNSET
    fraction: Given = UNSET
    high: Given = UNSET
    low: Given = UNSET
    bid: Given = UNSET
    ask: Given = UNSET
    turnover: Given = UNSET


class Failure(Struct, rename="camel"):
    ret_code: int
    ret_msg: str = ""


class Bybit(Venue):
    name = "bybit"
    title = "Bybit"
    docs = "https://bybit-exchange.github.io/docs/v5/market/tickers"
    base_url = "https://api.bybit.com"
    interval = 5
    budget = Budget(600, 5)
    row = Row
    within = "result.list"
    key = "symbol"
    time = "time"
    quotes = ("USDT", "USDC", "USDE", "USD1", "BTC", "ETH", "EUR", "BRL", "TRY", "PLN", "DAI", "MNT")

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        match pairs:
            case []:
                return []
            case [pair]:
                return [Request(PATH, (("category", "spot"), ("symbol", pair.symbol)), (pair,))]
            case _:
                return [Request(PATH, (("category", "spot"),), tuple(pairs))]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last, (opened, bid, ask, high, low) = prices(
            row.last, row.opened, row.bid, row.ask, row.high, row.low
        )
        change, note = change_24h(last, opened, percent(row.fraction))
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
            turnover_24h=amount(row.turnover),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        if status == 403:
            return _forbidden(body)
        try:
            failure = decode(Failure, body)
        except BadAnswer:
            return None
        if failure.ret_code == BAD_PARAMETER and "symbol" in failure.ret_msg.lower():
            return UnknownSymbol("Bybit doesn't know the symbol asked for")
        if failure.ret_code in TOO_MANY_VISITS:
            return RateLimited("Bybit says too many visits; raise sources.bybit.interval")
        if failure.ret_code in ITS_OWN_TROUBLE:
            return Unreachable(f"Bybit has trouble of its own (its error {failure.ret_code})")
        if status == 200 and failure.ret_code != OK:
            return Refused(f"Bybit answered with its error {failure.ret_code}; see {self.docs}")
        return None


def _forbidden(body: bytes) -> SourceError:
    """Its proxy gives a country it doesn't serve the same status as an address that asks too often."""
    if b"country" in body.lower():
        return Refused(
            "Bybit does not serve this location (403); set sources.bybit.base_url to a host that does"
        )
    return RateLimited("Bybit has banned this address for ten minutes (403)", retry_after=BANNED_FOR)
