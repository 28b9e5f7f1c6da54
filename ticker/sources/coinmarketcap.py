"""CoinMarketCap, polled: many coins' prices in US dollars by its integer ids. An aggregator of exchanges.

https://pro.coinmarketcap.com/api/documentation/v3#operation/getCryptocurrencyQuotesLatest
Limits: a key is needed; the free plan has 10,000 credits a month, which is 13 an hour, and a request costs
one for each 100 coins. Its pages show the rows and their quotes both as lists and by key, so both are read.
An error may come with HTTP 200: `status.error_code` decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Raw, Struct

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Options, Request, Venue, change_24h
from ticker.sources.decode import Given, Moment, Price, amount, decode, positive, price, signed
from ticker.sources.moment import ms
from ticker.sources.rows import Rows

CHUNK = 100
# What each limit's code means and, in seconds, how long it lasts at most before it is worth a question.
LIMITS = {
    1008: ("requests a minute", 60.0),
    1009: ("credits a day", 3600.0),
    1010: ("credits a month", 3600.0),
    1011: ("requests of this address", 60.0),
}
# The ids are the one parameter that is the operator's: all unknown, or one that is no integer.
BAD_PARAMETER = 400
KEY_ERRORS = range(1001, 1008)


class Quote(Struct):
    price: Price
    symbol: str = "USD"
    percent_change_24h: Given = UNSET
    volume_24h: Given = UNSET
    market_cap: Given = UNSET
    last_updated: Moment = UNSET


class Row(Struct):
    quote: dict[str, Quote] | list[Quote]


class Named(Struct):
    id: int


class Answer(Struct):
    data: dict[str, Raw] | list[Raw]


class Status(Struct):
    error_code: int = 0


class Failure(Struct):
    status: Status


class CoinMarketCap(Venue):
    name = "coinmarketcap"
    title = "CoinMarketCap"
    docs = "https://pro.coinmarketcap.com/api/documentation/guides/get-latest-crypto-prices"
    base_url = "https://pro-api.coinmarketcap.com"
    interval = 300
    budget = Budget(13, 3600)
    aggregator = True
    row = Row
    needs_key = True

    def currencies(self, symbol: str, base_hint: str | None) -> tuple[str, str] | None:
        """An id names no currency: the base is the asset's own symbol, the quote always US dollars."""
        return (base_hint or symbol).upper(), "USD"

    def headers(self, options: Options) -> Mapping[str, str]:
        return {"X-CMC_PRO_API_KEY": options.key} if options.key else {}

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        chunks = [tuple(pairs[at : at + CHUNK]) for at in range(0, len(pairs), CHUNK)]
        return [
            Request(
                "/v3/cryptocurrency/quotes/latest",
                (("id", ",".join(pair.symbol for pair in chunk)), ("skip_invalid", "true")),
                chunk,
            )
            for chunk in chunks
        ]

    def rows(self, body: bytes, request: Request, *, quick: bool) -> Rows:
        """Undecoded either way: they stand in two shapes, and there are a hundred at most."""
        data = decode(Answer, body).data
        if isinstance(data, dict):
            return Rows(data)
        rows = {name: row for row in data if (name := _id(row)) is not None}
        if data and not rows:
            raise BadAnswer("data.id: missing in every row")
        return Rows(rows)

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        said = _dollars(row)
        last = price(said.price)
        change, note = change_24h(last, None, signed(said.percent_change_24h))
        return Tick(
            pair=pair,
            price=last,
            as_of=ms(said.last_updated) or as_of,
            seen=seen,
            change_24h=change,
            turnover_24h=amount(said.volume_24h),
            market_cap=positive(said.market_cap),
            note=note,
        )

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        try:
            code = decode(Failure, body).status.error_code
        except BadAnswer:
            return None
        if limit := LIMITS.get(code):
            what, wait = limit
            return RateLimited(
                f"CoinMarketCap's limit of {what} is reached ({code}); raise sources.coinmarketcap.interval",
                retry_after=wait,
            )
        if code == BAD_PARAMETER:
            return UnknownSymbol("CoinMarketCap doesn't know one of the ids asked for")
        if code in KEY_ERRORS:
            return Refused(f"CoinMarketCap refuses the key ({code}); check sources.coinmarketcap.key")
        if code and status == 200:
            return Unreachable(f"CoinMarketCap has trouble of its own ({code}); asked again by itself")
        return None


def _id(row: Raw) -> str | None:
    """None for a row without one: it must not cost the others."""
    try:
        return str(decode(Named, row).id)
    except BadAnswer:
        return None


def _dollars(row: Row) -> Quote:
    quotes = row.quote if isinstance(row.quote, dict) else {quote.symbol: quote for quote in row.quote}
    if "USD" not in quotes:
        raise BadAnswer("quote.USD: missing")
    return quotes["USD"]
