"""How each venue answers a request for candles: one declaration a venue, and one reader for all of them.

It knows nothing of the venues' price requests and opens no socket. Columns are named in the venue's own
order; what comes after the last one named is passed over. A candle that contradicts itself is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, cast

import msgspec
from msgspec import Raw, Struct

from ticker.errors import BadAnswer
from ticker.model import Pair
from ticker.sources.base import Request
from ticker.sources.decode import Price, decode

OHLC = "start open high low close"
PRICES = frozenset({"open", "high", "low", "close"})


class Bar(Struct, frozen=True):
    """One candle in the pair's quote currency. `start` in ms UTC."""

    start: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Row(Protocol):
    """One row of an answer; of `points` only `start` and `close`."""

    start: int
    open: Price
    high: Price
    low: Price
    close: Price


class Candles(Struct, frozen=True, kw_only=True):
    """A venue's candles.

    `query` is filled in with the symbol, its word for the interval, the first and the last moment asked for,
    and the moments `before` the one and `after` the other. `intervals` are its words for seconds, `limit` the
    candles of one answer, `depth` how many candles back from now it goes, where not to the listing.
    `asked_in` and `given_in` are the ms in one unit of its questions' and its answers' times. `within` is the
    path to the rows in the answer, `"*"` for the one entry that is a list. `weight` is in the units of the
    venue's budget. `named`: rows are objects, not lists; `points`: single prices, not candles. `spelled`
    turns the pair's symbol into this request's spelling. `docs` is the page all of this is from.
    """

    docs: str
    path: str
    query: str
    intervals: Mapping[int, str]
    columns: str
    limit: int
    asked_in: int = 1
    given_in: int = 1
    depth: Mapping[int, int] = {}
    within: tuple[str, ...] = ()
    weight: int = 1
    named: bool = False
    points: bool = False
    spelled: Callable[[str], str] = str

    def request(self, pair: Pair, interval: int, start: int, end: int) -> Request:
        """For the candles that start in [start, end) ms; at most `limit` of them."""
        symbol, first, last = self.spelled(pair.symbol), start // self.asked_in, (end - 1) // self.asked_in
        words = {"symbol": symbol, "word": self.intervals[interval], "first": first, "last": last}
        asked = (part.format(**words, before=first - 1, after=last + 1) for part in self.query.split("&"))
        query = tuple((name, value) for name, _, value in (part.partition("=") for part in asked))
        return Request(self.path.format(symbol=symbol), query, (pair,), self.weight)

    def read(self, body: bytes, interval: int, start: int, end: int) -> list[Bar]:
        """The answer's candles that start in [start, end) ms, oldest first. BadAnswer names the field."""
        rows = decode(_rows(self.columns, self.named), _inner(body, self.within))
        bars: dict[int, Bar] = {}
        for row in sorted(rows, key=lambda row: row.start):
            bar = self._bar(row, interval)
            if start <= bar.start < end:
                bars[bar.start] = _joined(bars.get(bar.start), bar)
        return list(bars.values())

    def _bar(self, row: Row, interval: int) -> Bar:
        begins = row.start * self.given_in
        if self.points:
            price = Decimal(row.close)
            return Bar(begins - begins % (interval * 1000), price, price, price, price)
        if begins % (interval * 1000):
            raise BadAnswer(f"a candle of {interval} s starts at {begins} ms")
        bar = Bar(begins, *(Decimal(price) for price in (row.open, row.high, row.low, row.close)))
        if not bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
            raise BadAnswer(f"the candle at {begins} ms has an open or close outside its low and high")
        return bar


def _joined(before: Bar | None, bar: Bar) -> Bar:
    if before is None:
        return bar
    return Bar(bar.start, before.open, max(before.high, bar.high), min(before.low, bar.low), bar.close)


def _inner(body: bytes, path: tuple[str, ...]) -> bytes | Raw:
    """What stands at the path. BadAnswer names it where nothing does."""
    found: bytes | Raw = body
    for key in path:
        entries = decode(dict[str, Raw], found)
        lists = (entry for entry in entries.values() if bytes(entry)[:1] == b"[")
        inner = next(lists, None) if key == "*" else entries.get(key)
        if inner is None:
            raise BadAnswer(f"{'.'.join(path)}: missing")
        found = inner
    return found


@cache
def _rows(columns: str, named: bool) -> type[list[Row]]:  # noqa: FBT001  # a key of the cache
    """A list of rows with these columns, read straight into exact numbers where they are prices."""
    kinds: dict[str, Any] = dict.fromkeys(PRICES, Price) | {"start": int}
    fields = [(name, kinds.get(name, Any)) for name in columns.split()]
    row = msgspec.defstruct(
        "Row", fields, array_like=not named, rename={"start": "timestamp"} if named else None
    )
    return cast("type[list[Row]]", list[row])  # type: ignore[valid-type]  # made at run time


DAILY = {60: "1m", 300: "5m", 3600: "1h", 86400: "1d"}

CANDLES: Mapping[str, Candles] = MappingProxyType(
    {
        "binance": Candles(
            docs="https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints",
            path="/api/v3/klines",
            query="symbol={symbol}&interval={word}&startTime={first}&endTime={last}&limit=1000",
            intervals=DAILY,
            columns=OHLC,
            limit=1000,
            weight=2,
        ),
        "mexc": Candles(
            docs="https://www.mexc.com/api-docs/spot-v3/market-data-endpoints",
            path="/api/v3/klines",
            query="symbol={symbol}&interval={word}&startTime={first}&endTime={last}&limit=500",
            intervals=DAILY | {3600: "60m"},
            columns=OHLC,
            limit=500,
        ),
        "coinbase": Candles(
            docs="https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-candles",
            path="/products/{symbol}/candles",
            query="granularity={word}&start={first}&end={last}",
            intervals={60: "60", 300: "300", 3600: "3600", 86400: "86400"},
            columns="start low high open close",
            limit=300,
            asked_in=1000,
            given_in=1000,
        ),
        # Whatever it is asked for, it gives the newest 720 candles and no others.
        "kraken": Candles(
            docs="https://docs.kraken.com/api/docs/rest-api/get-ohlc-data",
            path="/0/public/OHLC",
            query="pair={symbol}&interval={word}&since={before}",
            intervals={60: "1", 300: "5", 3600: "60", 86400: "1440"},
            columns=OHLC,
            limit=720,
            asked_in=1000,
            given_in=1000,
            depth=dict.fromkeys(DAILY, 719),
            within=("result", "*"),
        ),
        # It goes back in time from `after` to `before`, both left out.
        "okx": Candles(
            docs="https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks",
            path="/api/v5/market/candles",
            query="instId={symbol}&bar={word}&after={after}&before={before}&limit=300",
            # Its plain `1D` begins at 16:00 UTC.
            intervals={60: "1m", 300: "5m", 3600: "1H", 86400: "1Dutc"},
            columns=OHLC,
            limit=300,
            depth=dict.fromkeys(DAILY, 1439),
            within=("data",),
        ),
        "bybit": Candles(
            docs="https://bybit-exchange.github.io/docs/v5/market/kline",
            path="/v5/market/kline",
            query="category=spot&symbol={symbol}&interval={word}&start={first}&end={last}&limit=1000",
            intervals={60: "1", 300: "5", 3600: "60", 86400: "D"},
            columns=OHLC,
            limit=1000,
            within=("result", "list"),
        ),
        "kucoin": Candles(
            docs="https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-klines",
            path="/api/v1/market/candles",
            query="symbol={symbol}&type={word}&startAt={first}&endAt={last}",
            intervals={60: "1min", 300: "5min", 3600: "1hour", 86400: "1day"},
            columns="start open close high low",
            limit=1500,
            asked_in=1000,
            given_in=1000,
            within=("data",),
            weight=3,
        ),
        "gate": Candles(
            docs="https://www.gate.com/docs/developers/apiv4/en/#market-k-line-chart",
            path="/api/v4/spot/candlesticks",
            query="currency_pair={symbol}&interval={word}&from={first}&to={last}",
            intervals=DAILY,
            columns="start turnover close high low open",
            limit=1000,
            asked_in=1000,
            given_in=1000,
            depth=dict.fromkeys(DAILY, 9999),
        ),
        "bitget": Candles(
            docs="https://www.bitget.com/api-doc/spot/market/Get-Candle-Data",
            path="/api/v2/spot/market/candles",
            query="symbol={symbol}&granularity={word}&startTime={first}&endTime={last}&limit=1000",
            intervals={60: "1min", 300: "5min", 3600: "1h", 86400: "1Dutc"},
            columns=OHLC,
            limit=1000,
            within=("data",),
        ),
        "bitstamp": Candles(
            docs="https://www.bitstamp.net/api/#tag/Market-info/operation/GetOHLCData",
            path="/api/v2/ohlc/{symbol}/",
            query="step={word}&limit=1000&start={first}&end={last}",
            intervals={60: "60", 300: "300", 3600: "3600", 86400: "86400"},
            columns=OHLC,
            limit=1000,
            asked_in=1000,
            given_in=1000,
            within=("data", "ohlc"),
            named=True,
            spelled=lambda symbol: symbol.replace("/", "").lower(),
        ),
        # Its candles (/ohlc) come in 30 minutes, four hours and four days, which make no tier of ours. These
        # are single prices: each five minutes of a day, each hour of 90 days, each day of a free plan's year.
        "coingecko": Candles(
            docs="https://docs.coingecko.com/reference/coins-id-market-chart-range",
            path="/coins/{symbol}/market_chart/range",
            query="vs_currency={word}&from={first}&to={last}&precision=full",
            intervals={300: "usd", 3600: "usd", 86400: "usd"},
            columns="start close",
            limit=2100,
            asked_in=1000,
            depth={300: 287, 3600: 2100, 86400: 364},
            within=("prices",),
            points=True,
        ),
    }
)
