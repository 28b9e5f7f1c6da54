"""KuCoin spot, polled: all tickers in one list, which it renews every two seconds.

https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-tickers
Limits: 2000 weight in 30 seconds and address (docs-new/rate-limit there); the list weighs 15. `changeRate` is
a fraction. A renamed token keeps its old `symbol`; pairs are written as `symbolName` has them. One time, in
the envelope, holds for all rows. An error's `code` may come with HTTP 200.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from msgspec import Raw, Struct
from msgspec.structs import replace

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Outcome, Request, Venue, change_24h
from ticker.sources.decode import Figure, Price, amount, decode, keyed, positive, signed

OK = "200000"
UNKNOWN_SYMBOL = "900001"
TOO_MANY_REQUESTS = "429000"
# Milliseconds until the window of the request weight begins anew.
RESET = "gw-ratelimit-reset"


class Row(Struct, rename="camel"):
    last: Price
    change_rate: Figure | None = None
    high: Figure | None = None
    low: Figure | None = None
    buy: Figure | None = None
    sell: Figure | None = None
    vol: Figure | None = None
    vol_value: Figure | None = None


class Listed(Struct):
    ticker: Raw
    time: int | None = None


class Envelope(Struct):
    data: Listed


class Failure(Struct):
    code: str


class KuCoin(Venue):
    name = "kucoin"
    title = "KuCoin"
    docs = "https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-tickers"
    base_url = "https://api.kucoin.com"
    interval = 5
    budget = Budget(2000, 30)
    separator = "-"

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        return [Request("/api/v1/market/allTickers", (), tuple(pairs), 15)] if pairs else []

    def rows(self, body: bytes, request: Request) -> Mapping[str, Raw]:
        return keyed(bytes(decode(Envelope, body).data.ticker), "symbolName")

    def read(self, body: bytes, request: Request, seen: int) -> dict[Pair, Outcome]:
        """As any venue's, dated with the one time that the envelope carries."""
        outcomes = super().read(body, request, seen)
        as_of = decode(Envelope, body).data.time or seen
        return {
            pair: replace(outcome, as_of=as_of) if isinstance(outcome, Tick) else outcome
            for pair, outcome in outcomes.items()
        }

    def tick(self, pair: Pair, row: Raw, seen: int) -> Tick:
        said = decode(Row, row)
        fraction = signed(said.change_rate)
        change, note = change_24h(said.last, None, None if fraction is None else fraction * 100)
        return Tick(
            pair=pair,
            price=Decimal(said.last),
            as_of=seen,
            seen=seen,
            bid=positive(said.buy),
            ask=positive(said.sell),
            change_24h=change,
            high_24h=positive(said.high),
            low_24h=positive(said.low),
            volume_24h=amount(said.vol),
            turnover_24h=amount(said.vol_value),
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
