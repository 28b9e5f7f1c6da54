"""CoinGecko, polled: many coins' prices in US dollars by its own ids. An aggregator of the exchanges.

https://docs.coingecko.com/reference/simple-price
Limits: without a key 5 to 15 requests a minute, as its load allows, so 5; with a Demo key 30 and 10,000 a
month (one every 270 s, all month long); paid plans from 250 up, at a host of their own, which base_url names.
It renews its answer about once a minute. An unknown id is missing from the answer; a coin listed without a
price is `{}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from msgspec import UNSET, Struct

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Options, Request, Venue, change_24h
from ticker.sources.decode import Given, Price, Whole, amount, decode, positive, price, signed

PRO_HOST = "pro-api.coingecko.com"
PRO_BUDGET = Budget(250, 60)
# https://docs.coingecko.com/docs/errors-and-rate-limits
TOO_MANY_REQUESTS = 429
KEY_ERRORS = {
    10002: "it needs a key; set sources.coingecko.key",
    10010: f"the key is a Pro key; set sources.coingecko.base_url to https://{PRO_HOST}/api/v3",
    10011: "the key is a Demo key; unset sources.coingecko.base_url",
}
FIELDS = (
    ("vs_currencies", "usd"),
    ("include_24hr_change", "true"),
    ("include_24hr_vol", "true"),
    ("include_market_cap", "true"),
    ("include_last_updated_at", "true"),
    ("precision", "full"),
)


class Row(Struct):
    usd: Price
    usd_24h_change: Given = UNSET
    usd_24h_vol: Given = UNSET
    usd_market_cap: Given = UNSET
    last_updated_at: Whole = UNSET


class Status(Struct):
    error_code: int


class Wrapped(Struct):
    status: Status


class Failure(Struct):
    """`{"status": {…}}`, or the same inside `error`."""

    status: Status | None = None
    error: Wrapped | str | None = None


class CoinGecko(Venue):
    name = "coingecko"
    title = "CoinGecko"
    docs = "https://docs.coingecko.com/reference/simple-price"
    base_url = "https://api.coingecko.com/api/v3"
    interval = 60
    budget = Budget(5, 60)
    keyed_budget = Budget(30, 60)
    aggregator = True
    row = Row

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        """An id names no currency: the base is the asset's own symbol, the quote always US dollars."""
        return (base_hint or symbol).upper(), "USD"

    def headers(self, options: Options) -> Mapping[str, str]:
        if options.key is None:
            return {}
        return {"x-cg-pro-api-key" if self._paid(options) else "x-cg-demo-api-key": options.key}

    def budget_for(self, options: Options) -> Budget:
        return PRO_BUDGET if options.key and self._paid(options) else super().budget_for(options)

    def _paid(self, options: Options) -> bool:
        return urlsplit(self.address(options)).hostname == PRO_HOST

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        if not pairs:
            return []
        ids = ",".join(pair.symbol for pair in pairs)
        return [Request("/simple/price", (("ids", ids), *FIELDS), tuple(pairs))]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        last = price(row.usd)
        change, note = change_24h(last, None, signed(row.usd_24h_change))
        return Tick(
            pair=pair,
            price=last,
            as_of=row.last_updated_at * 1000 if row.last_updated_at else as_of,
            seen=seen,
            change_24h=change,
            turnover_24h=amount(row.usd_24h_vol),
            market_cap=positive(row.usd_market_cap),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            failure = decode(Failure, body)
        except BadAnswer:
            return None
        inner = failure.error.status if isinstance(failure.error, Wrapped) else failure.status
        if inner is None:
            return None
        if why := KEY_ERRORS.get(inner.error_code):
            return Refused(f"CoinGecko refuses us: {why}")
        # An error in an answer of status 200 would else read as one that knows none of the coins.
        if status == 200 and inner.error_code == TOO_MANY_REQUESTS:
            return RateLimited("CoinGecko says that this address asks too often")
        return BadAnswer(f"CoinGecko answers with its error {inner.error_code}") if status == 200 else None
