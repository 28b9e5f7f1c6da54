"""A week of candles for 200 assets from the embedded market, within its budgets, interrupted and resumed.

The market's clock runs ahead as fast as it is asked to: what the budgets cost is told in its time, what the
work costs in ours. Run: `python -m bench.backfill`.
"""

from __future__ import annotations

import asyncio
import random
import resource
import tempfile
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from ticker.backfill import Backfill, Progress
from ticker.clock import Clock
from ticker.history import Options, Recorder, opening
from ticker.market import Market, serving
from ticker.market.market import VENUES as MARKET
from ticker.model import Asset, Pair
from ticker.sources import VENUES
from ticker.sources.allowance import Allowance
from ticker.sources.asker import Asked
from ticker.sources.base import Options as SourceOptions
from ticker.sources.http import new_session
from ticker.windows import Windows

ASSETS = 200
WEEK = {60: 2, 300: 7, 3600: 8, 86400: 9}
# Where it is cut off, in parts of a hundred.
CUTS = (20, 60)


class FastClock:
    """Time passes for whoever sleeps, and at once."""

    def __init__(self) -> None:
        self._now = 1_790_000_123_456

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._now / 1000

    async def sleep(self, seconds: float) -> None:
        self._now += max(1, round(seconds * 1000))
        await asyncio.sleep(0)


class Weighed(Allowance):
    """An allowance that remembers the most that was ever spent in one window."""

    most = 0

    async def take(self, weight: int, patience: float) -> None:
        await super().take(weight, patience)
        self.most = max(self.most, self.used)


def assets() -> Iterable[Asset]:
    """The market's pairs under as many names as it takes: it lists some thirty tokens."""
    pairs = [
        Pair(venue, symbol, "", "USDT") for venue in ("binance", "mexc") for symbol in MARKET[venue].listings
    ]
    for n in range(ASSETS):
        yield Asset(f"asset-{n}", "", "", (pairs[n % len(pairs)],))


async def life(market: Market, clock: Clock, path: Path, until: int) -> tuple[Progress, dict[str, int], int]:
    """One start of the service, cut off at `until` percent: its progress, the most spent, requests so far."""
    options = Options(path=str(path))
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(market))
        http = await stack.enter_async_context(new_session())
        store = await stack.enter_async_context(opening(options, clock))
        allowances = {name: Weighed(VENUES[name].budget, clock, name) for name in ("binance", "mexc")}
        configured = list(assets())
        backfill = Backfill(
            configured,
            {asset.id: "USD" for asset in configured},
            pegs={"USDT": "USD"},
            measured={},
            venues={
                name: Asked(VENUES[name], SourceOptions(base_url=f"{base}/{name}"), allowance)
                for name, allowance in allowances.items()
            },
            store=store,
            recorder=Recorder(store, clock, options, epoch="bench", saved=await store.load()),
            windows=Windows(),
            session=http,
            clock=clock,
            rng=random.Random(1),
            reach=WEEK,
        )
        running = asyncio.ensure_future(backfill.run())
        while not running.done() and (not backfill.progress.total or backfill.progress.percent < until):
            await asyncio.sleep(0.05)
        if until >= 100:
            await running
        running.cancel()
        await asyncio.wait([running])
        seen = sum(requests.seen for requests in market.requests.values())
        return backfill.progress, {name: allowance.most for name, allowance in allowances.items()}, seen


async def interrupted() -> None:
    clock = FastClock()
    market, began, worked = Market(clock=clock), clock.now(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.sqlite"
        for cut in (*CUTS, 100):
            progress, most, seen = await life(market, clock, path, cut)
            print(f"{progress.percent:3d} % of what was left, {progress.candles:,} candles, {seen} requests")
            for name, weight in most.items():
                print(f"      {name}: at most {weight} of {VENUES[name].budget.limit} of its budget")
                assert weight <= VENUES[name].budget.limit // 2
        before = seen
        progress, _, seen = await life(market, clock, path, 100)
        assert (progress.total, seen) == (0, before), "something was asked for twice"
        size = path.stat().st_size
    spent = time.perf_counter() - worked
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{ASSETS} assets: {spent:.0f} s, the market's own work included; {memory} MiB, file {size >> 20} MiB"
    )
    print(f"the budgets let it take {(clock.now() - began) / 1000:.0f} s of the market's time")


def main() -> None:
    asyncio.run(interrupted())


if __name__ == "__main__":
    main()
