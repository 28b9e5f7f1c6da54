"""A Binance answer of 2,000 tickers from bytes to the book, beside ccxt's parse_tickers with Decimal.

All of them wanted, and 20 and 200 of them, as most venues answer with their whole list. In each round every
side reads the same body once, in turn, after one round to warm up; CPU time of each one's fastest round. The
bodies are the embedded market's at moments 5 s apart, its rows repeated under other symbols, so that prices
change from each to the next. ccxt is given its markets, as its users load them, and nobody's setting up is
left to the garbage collector. Without ccxt (`pip install ccxt`) that side is skipped, aloud.
"""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

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

TICKERS, WANTED = 2_000, (20, 200)
STEP = 5_000
ROUNDS = 15
# What is done with a body.
Work = Callable[[bytes], object]


class Behind(SystemClock):
    """A clock as many ms behind as there is to move, so that no price is from the future."""

    behind = ROUNDS * STEP

    def now(self) -> int:
        return super().now() - self.behind


def bodies(pairs: Sequence[Pair]) -> list[bytes]:
    """The answer of each round, and of the one before them."""
    clock = Behind()
    market = Market(clock=clock)
    made = []
    for _ in range(ROUNDS + 1):
        rows: Any = MARKET.routes["/api/v3/ticker/24hr"](market.view(MARKET), {}).body
        repeated = [rows[at % len(rows)] | {"symbol": pair.symbol} for at, pair in enumerate(pairs)]
        made.append(msgspec.json.encode(repeated))
        clock.behind -= STEP
    return made


def fastest(works: Mapping[str, Work], answers: Sequence[bytes]) -> dict[str, float]:
    """CPU seconds of each one's fastest round."""
    best = dict.fromkeys(works, math.inf)
    for at, answer in enumerate(answers):
        for name, work in works.items():
            began = time.process_time()
            work(answer)
            if at > 0:
                best[name] = min(best[name], time.process_time() - began)
    return best


class Deciding:
    """Ours from bytes to the book, and the longest that one slice of it held the event loop (seconds)."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self.longest = 0.0
        self._clock = clock = SystemClock()
        self._venue, self._request = Binance(), Request("/api/v3/ticker/24hr", (), tuple(pairs))
        assets = [Asset(pair.base.lower(), pair.base, pair.base, (pair,)) for pair in pairs]
        self._book = QuoteBook(assets, clock=clock, epoch="bench", ages={"binance": Ages()})

    def ticks(self, answer: bytes) -> list[Tick]:
        outcomes = self._venue.read(answer, self._request, self._clock.now()).outcomes
        return [outcome for outcome in outcomes.values() if isinstance(outcome, Tick)]

    def decide(self, answer: bytes) -> None:
        ticks = self.ticks(answer)
        for start in range(0, len(ticks), SLICE):
            began = time.perf_counter()
            self._book.apply(ticks[start : start + SLICE])
            self.longest = max(self.longest, time.perf_counter() - began)


def theirs(pairs: Sequence[Pair], wanted: Sequence[Pair] | None) -> Work:
    """ccxt, which knows all pairs as markets; with `wanted` it is told that only those are."""
    exchange = ccxt.binance()
    exchange.number = Decimal
    exchange.set_markets(
        [exchange.safe_market_structure(_market(pair) | {"spot": True, "type": "spot"}) for pair in pairs]
    )
    symbols = None if wanted is None else [_market(pair)["symbol"] for pair in wanted]
    return lambda answer: exchange.parse_tickers(exchange.parse_json(answer.decode()), symbols)


def _market(pair: Pair) -> dict[str, object]:
    return {
        "id": pair.symbol,
        "symbol": f"{pair.base}/USDT",
        "base": pair.base,
        "quote": "USDT",
        "baseId": pair.base,
        "quoteId": "USDT",
    }


def compare(what: str, pairs: Sequence[Pair], wanted: Sequence[Pair], answers: Sequence[bytes]) -> None:
    deciding = Deciding(wanted)
    works: dict[str, Work] = {"bytes to ticks": deciding.ticks, "bytes to the book": deciding.decide}
    assert len(deciding.ticks(answers[0])) == len(wanted)
    if ccxt is not None:
        works["ccxt parse_tickers"] = peer = theirs(pairs, None if wanted is pairs else wanted)
        assert len(cast("dict[str, object]", peer(answers[0]))) == len(wanted)
    gc.collect()
    gc.freeze()
    best = fastest(works, answers)
    for name, seconds in best.items():
        ratio = f"{best['ccxt parse_tickers'] / seconds:14.1f}" if ccxt is not None else ""
        print(f"{f'{what}: {name}':40}{seconds * 1000:8.2f}{seconds / len(pairs) * 1e6:13.2f}{ratio}")
    print(f"{f'{what}: longest slice, elapsed':40}{deciding.longest * 1000:8.2f}")


def main() -> None:
    pairs = [Pair("binance", f"T{at}USDT", f"T{at}", "USD") for at in range(TICKERS)]
    answers = bodies(pairs)
    print(f"{TICKERS} tickers, {len(answers[0]) / 1024:.0f} KiB; CPU time")
    print(f"{'':40}{'ms':>8}{'us a ticker':>13}{'' if ccxt is None else '  ccxt to this'}")
    compare("all wanted", pairs, pairs, answers)
    for many in WANTED:
        compare(f"{many} wanted", pairs, pairs[:: TICKERS // many], answers)
    if ccxt is None:
        print("ccxt: skipped, it is not installed")


if __name__ == "__main__":
    main()
