"""CoinPaprika, polled: one coin's price in US dollars, or all coins in one list. An aggregator of exchanges.

https://docs.coinpaprika.com/api-reference/tickers/get-tickers-for-all-active-coins
Limits: 20,000 calls a month and address without a key, which is 26 an hour all month long; the smallest paid
plan has 400,000 and a host of its own. Ids look like `btc-bitcoin`. The free list holds the 2,000 largest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import msgspec
from msgspec import UNSET, Struct

from ticker.errors import RateLimited, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Options, Request, Venue, change_24h
from ticker.sources.decode import Given, Moment, Price, amount, positive, price, signed
from ticker.sources.moment import ms

PAID_URL = "https://api-pro.coinpaprika.com/v1"
# The month's calls don't come back soon, but asking once an hour finds out when they have.
SPENT_FOR = 3600.0


class Quote(Struct):
    price: Price
    percent_change_24h: Given = UNSET
    volume_24h: Given = UNSET
    market_cap: Given = UNSET


class Quotes(Struct):
    usd: Quote = msgspec.field(name="USD")


class Row(Struct):
    id: str
    quotes: Quotes
    last_updated: Moment = UNSET


class CoinPaprika(Venue):
    name = "coinpaprika"
    title = "CoinPaprika"
    docs = "https://docs.coinpaprika.com/api-reference/tickers/get-tickers-for-all-active-coins"
    base_url = "https://api.coinpaprika.com/v1"
    interval = 150
    budget = Budget(26, 3600)
    keyed_budget = Budget(530, 3600)
    aggregator = True
    row = Row
    key = "id"

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        """An id such as `btc-bitcoin` begins with the base; the quote is always US dollars."""
        return (base_hint or symbol.partition("-")[0]).upper(), "USD"

    def address(self, options: Options) -> str:
        """A key is good at the paid host alone."""
        return super().address(options) if options.base_url or not options.key else PAID_URL

    def headers(self, options: Options) -> Mapping[str, str]:
        return {"Authorization": options.key} if options.key else {}

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        dollars = (("quotes", "USD"),)
        match pairs:
            case []:
                return []
            case [pair]:
                return [Request(f"/tickers/{quote(pair.symbol, safe='')}", dollars, (pair,))]
            case _:
                return [Request("/tickers", dollars, tuple(pairs))]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        dollars = row.quotes.usd
        last = price(dollars.price)
        change, note = change_24h(last, None, signed(dollars.percent_change_24h))
        return Tick(
            pair=pair,
            price=last,
            as_of=ms(row.last_updated) or as_of,
            seen=seen,
            change_24h=change,
            turnover_24h=amount(dollars.volume_24h),
            market_cap=positive(dollars.market_cap),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        # Any other 404 means that the address is wrong.
        if status == 404 and b"id not found" in body:
            return UnknownSymbol("CoinPaprika doesn't know the id asked for")
        if status == 402:
            return RateLimited(
                "CoinPaprika says this month's calls are used up (402); raise sources.coinpaprika.interval",
                retry_after=SPENT_FOR,
            )
        return None
