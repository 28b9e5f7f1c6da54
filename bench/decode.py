"""A Binance answer of 2,000 tickers from bytes to the book, beside ccxt's parse_tickers with Decimal.

The same body in the same process, in turn, after one round to warm up; CPU time of the fastest round. The
body is the embedded market's, its rows repeated under other symbols. Without ccxt (`pip install ccxt`) that
side is skipped, aloud.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from ticker.book import QuoteBook
from ticker.clock import SystemClock
from ticker.market import Market
from ticker.market.binance import VENUE as MARKET
from ticker.model import Asset, Pair, Tick
from ticker.poller import SLICE
from ticker.sampling import Ages
from ticker.sources.base import Request
from ticker.sources.binance import Binance

try:
    import ccxt
except ImportError:
    ccxt = None

TICKERS = 2_000
ROUNDS = 5


def body() -> tuple[bytes, list[Pair]]:
    """The answer and the pairs it is about."""
    market = Market(clock=SystemClock())
    rows: Any = MARKET.routes["/api/v3/ticker/24hr"](market.view(MARKET), {}).body
    pairs = [Pair("binance", f"T{at}USDT", f"T{at}", "USD") for at in range(TICKERS)]
    repeated = [rows[at % len(rows)] | {"symbol": pair.symbol} for at, pair in enumerate(pairs)]
    return msgspec.json.encode(repeated), pairs


def fastest(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of some rounds."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        rounds.append(time.process_time() - began)
    return min(rounds)


def ours(answer: bytes, pairs: Sequence[Pair]) -> tuple[float, float, float]:
    """CPU seconds of reading and of deciding; the longest that one slice of it held the event loop."""
    clock, venue = SystemClock(), Binance()
    assets = [Asset(pair.base.lower(), pair.base, pair.base, (pair,)) for pair in pairs]
    book = QuoteBook(assets, clock=clock, epoch="bench", ages={"binance": Ages()})
    request = Request("/api/v3/ticker/24hr", (), tuple(pairs))
    seen = iter(range(clock.now(), clock.now() + 10**9))
    longest = 0.0

    def read() -> list[Tick]:
        return [tick for tick in venue.read(answer, request, next(seen)).values() if isinstance(tick, Tick)]

    def decide() -> None:
        nonlocal longest
        ticks = read()
        for start in range(0, len(ticks), SLICE):
            began = time.perf_counter()
            book.apply(ticks[start : start + SLICE])
            longest = max(longest, time.perf_counter() - began)

    reading = fastest(read)
    longest = 0.0
    return reading, fastest(decide), longest


def theirs(answer: bytes) -> float | None:
    if ccxt is None:
        return None
    exchange = ccxt.binance()
    exchange.number = Decimal
    exchange.markets, exchange.markets_by_id = {}, {}
    return fastest(lambda: exchange.parse_tickers(json.loads(answer)))


def main() -> None:
    answer, pairs = body()
    reading, whole, longest = ours(answer, pairs)
    other = theirs(answer)
    print(f"{TICKERS} tickers, {len(answer) / 1024:.0f} KiB")
    print(f"{'bytes to ticks, ms of CPU':42}{reading * 1000:8.1f}")
    print(f"{'bytes to the book, ms of CPU':42}{whole * 1000:8.1f}")
    print(f"{'longest slice on the event loop, ms':42}{longest * 1000:8.1f}")
    if other is None:
        print("ccxt: skipped, it is not installed")
    else:
        print(f"{'ccxt parse_tickers with Decimal, ms of CPU':42}{other * 1000:8.1f}")
        print(f"{'ratio, to ticks / to the book':42}{other / reading:8.1f}{other / whole:8.1f}")


if __name__ == "__main__":
    main()
