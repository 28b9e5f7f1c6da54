"""Binance spot, polled: the 24 hour ticker of many symbols in one request.

https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
Limits: 6000 weight a minute and address (rest-api/limits there); this request weighs 2 up to 20 symbols, 40
up to 100, 80 for the whole list, from which more than 120 are picked. data-api.binance.vision serves market
data without a key. One unknown symbol fails a request that names it (400, code -1121).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol
from ticker.model import Pair, Tick
from ticker.sources.base import Budget, Request, Venue
from ticker.sources.decode import decode, signed
from ticker.sources.dialect import INVALID_SYMBOL, Failure, Row, read_tick

PATH = "/api/v3/ticker/24hr"
CHUNK = 100
# From here on chunks weigh as much as the whole list, which no unknown symbol fails.
WHOLE = 121
# What a symbol with a character no symbol has is answered with; it fails the batch just the same.
ILLEGAL_CHARACTERS = -1100
TOO_MANY_REQUESTS = -1003


class Binance(Venue):
    name = "binance"
    title = "Binance"
    docs = "https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints"
    base_url = "https://data-api.binance.vision"
    interval = 5
    budget = Budget(6000, 60)
    used_weight_header = "X-MBX-USED-WEIGHT-1M"
    row = Row
    key = "symbol"
    quotes = ("USDT", "USDC", "FDUSD", "TUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY", "ARS", "MXN")

    def requests(self, pairs: Sequence[Pair]) -> list[Request]:
        if len(pairs) >= WHOLE:
            return [Request(PATH, (), tuple(pairs), 80)]
        chunks = [tuple(pairs[at : at + CHUNK]) for at in range(0, len(pairs), CHUNK)]
        return [
            Request(PATH, (("symbols", _compact(chunk)),), chunk, _weight(len(chunk))) for chunk in chunks
        ]

    def tick(self, pair: Pair, row: Row, as_of: int, seen: int) -> Tick:
        return read_tick(pair, row, signed(row.price_change_percent), as_of, seen)

    def error(self, status: int, headers: Mapping[str, str], body: bytes) -> SourceError | None:
        if status == 451:
            return Refused(
                "Binance does not serve this location (451); unset sources.binance.base_url or set a mirror"
            )
        try:
            failure = decode(Failure, body)
        except BadAnswer:
            return None
        if failure.code in (INVALID_SYMBOL, ILLEGAL_CHARACTERS):
            return UnknownSymbol("Binance doesn't know one of the symbols asked for")
        if failure.code == TOO_MANY_REQUESTS and status not in (418, 429):
            return RateLimited("Binance says this address has used up its request weight")
        return None


def _compact(pairs: Sequence[Pair]) -> str:
    return msgspec.json.encode([pair.symbol for pair in pairs]).decode()


def _weight(symbols: int) -> int:
    return 2 if symbols <= 20 else 40
