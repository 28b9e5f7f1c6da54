"""The feed itself as a server of the bench: book, hub, feed and upgrade, all real; only time may be driven.

Time is an argument of the feed, so the bench moves it: before each tick an interval passes, so that the feed
may send at once, at whatever rate the ticks come. With an interval of 0 time is the system's, and ticks must
come as far apart as the subscribers' interval. The only file here that knows ticker's classes.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import itertools
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal

from aiohttp import web

from bench.feed.servers.commands import STATUS, TICK, asset_ids, commands, run, tell
from ticker.book import QuoteBook
from ticker.cli.serve import settle
from ticker.clock import SystemClock
from ticker.feed import Feed, Limits
from ticker.feed.limits import Caller
from ticker.feed.subscriber import Subscriber
from ticker.hub import Hub
from ticker.model import Asset, Pair, Tick
from ticker.sampling import Ages
from ticker.web import application, serving
from ticker.web.upgrade import routes

UNLIMITED = Limits(sessions_per_address=0, handshakes_per_minute=0)


class DrivenClock:
    """Time that stands still until it is moved; to wait for nothing is to make way, as ever."""

    def __init__(self) -> None:
        self._now = SystemClock().now() // 1000 * 1000
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> int:
        return self._now

    def monotonic(self) -> float:
        return self._now / 1000

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + round(seconds * 1000), next(self._order), woken))
        await woken

    def move(self, milliseconds: int) -> None:
        """Move on and wake whom it is time for."""
        self._now += milliseconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)


def prices(assets: Sequence[Asset]) -> Iterator[list[tuple[Pair, Decimal]]]:
    """A price of each asset for each tick, never the one before."""
    for step in itertools.count():
        price = Decimal("0.01021") + Decimal(step % 7) / 100_000
        yield [(asset.pairs[0], price) for asset in assets]


class Source:
    """Brings a new price of every asset, and waits until each session has been sent it or passed over."""

    def __init__(self, feed: Feed, assets: Sequence[Asset]) -> None:
        self._feed = feed
        self._prices = prices(assets)

    def update(self) -> None:
        feed, now = self._feed, self._feed.clock.now()
        ticks = [Tick(pair=pair, price=price, as_of=now, seen=now) for pair, price in next(self._prices)]
        for change in feed.book.apply(ticks):
            feed.publish(change)

    async def deliver(self) -> None:
        """Two ticks that came at once would be one frame: the second waits for the first one's."""
        before, sessions = self._done(), len(self._feed)
        self.update()
        while self._done() - before < min(sessions, len(self._feed)):
            await asyncio.sleep(0)

    def _done(self) -> int:
        return self._feed.counters.frames + self._feed.counters.skipped


def answering(feed: Feed) -> web.Application:
    caller = Caller("bench", UNLIMITED)
    return application(routes(feed, lambda _: caller, lambda _: {}))


async def server(many: int, interval: int) -> None:
    settle()
    clock = DrivenClock() if interval else SystemClock()
    assets = [Asset(name, "US", "Talus", (Pair("mexc", name, "US", "USD"),)) for name in asset_ids(many)]
    book = QuoteBook(assets, clock=clock, epoch="bench", ages={"mexc": Ages()})
    hub: Hub[Subscriber] = Hub()
    feed = Feed(book, hub, clock, UNLIMITED, random.Random(1))
    source = Source(feed, assets)
    async with serving(answering(feed), "127.0.0.1:0") as url, asyncio.TaskGroup() as tasks:
        source.update()
        parts = [tasks.create_task(part()) for part in (feed.run, feed.prompt, feed.turn)]
        tell(port=int(url.rpartition(":")[2]))
        async for command in commands():
            if command == STATUS:
                tell(sessions=len(feed), skipped=feed.counters.skipped)
            elif command == TICK:
                if isinstance(clock, DrivenClock):
                    clock.move(interval)
                await source.deliver()
        for part in parts:
            part.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=1)
    parser.add_argument("--interval", type=int, default=250, help="ms that pass before a tick; 0: real time")
    asked = parser.parse_args()
    run(server(asked.assets, asked.interval))
