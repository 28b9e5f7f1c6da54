"""One process of `drain`'s clients: the Python client many times, and what each of them saw.

A line on stdin asks, a line of JSON answers: `gaps`, `seen`, `held`. Times are nanoseconds of the monotonic
clock, which all processes of a machine share. Refuses to help the client: it only notes what it is told.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bench.feed.servers.commands import run
from ticker.cli.serve import allow_files, settle
from ticker.client import FeedClient, Message
from ticker.errors import FeedError
from ticker.wire import QuoteObject

# Handshakes on the way at once, in each process.
AT_ONCE = 25
OPENING_S = 120.0


class Seen(Struct):
    """How a client was let go and came back; 0 where it didn't happen. `named_ms` is what it was told.

    `held` is whether it never had to call a price stale. `lost` says why it gave up.
    """

    told: int = 0
    named_ms: int = 0
    closed: int = 0
    code: int = 0
    back: int = 0
    resyncs: int = 0
    refusals: int = 0
    failures: int = 0
    held: bool = True
    lost: str | None = None


class Follower(FeedClient):
    """The client as it is, with notes of each message and of each trouble."""

    def __init__(self, url: str, query: dict[str, str], rng: random.Random) -> None:
        super().__init__(url, query, None, rng)
        self.seen = Seen()
        self.here = asyncio.Event()
        self._last: dict[str, int] = {}
        self._longest = 0

    async def follow(self) -> None:
        try:
            async for _ in self:
                pass
        except FeedError as error:
            self.seen.lost = str(error)

    def gap(self) -> int:
        """The longest time in which a price was not told, up to now; from here on it is measured anew."""
        now = time.monotonic_ns()
        longest = max((self._longest, *(now - last for last in self._last.values())))
        self._longest = 0
        return longest

    def _read(self, message: Message) -> list[QuoteObject]:
        now, seen = time.monotonic_ns(), self.seen
        match message.type:
            case "goodbye":
                seen.told, seen.named_ms = now, message.reconnect_in_ms or 0
            case "snapshot":
                self.here.set()
                if seen.closed and not seen.back:
                    seen.back = now
            case "update" if (message.prev or 0) > self._seq:
                seen.resyncs += 1
        quotes = super()._read(message)
        for quote in quotes:
            self._heard(str(quote.asset), now)
        return quotes

    def _heard(self, asset: str, now: int) -> None:
        self._longest = max(self._longest, now - self._last.get(asset, now))
        self._last[asset] = now

    def _age(self) -> list[QuoteObject]:
        self.seen.held = False
        return super()._age()

    def _explain(self, error: Exception) -> str:
        seen = self.seen
        if isinstance(error, InvalidStatus):
            seen.refusals += 1
        elif seen.told and not seen.closed and isinstance(error, ConnectionClosed):
            seen.closed, seen.code = time.monotonic_ns(), error.rcvd.code if error.rcvd else 1006
        else:
            seen.failures += 1
        return super()._explain(error)


async def opened(followers: Sequence[Follower], tasks: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    """All of them, each with its first snapshot. TimeoutError after OPENING_S."""
    following = []
    async with asyncio.timeout(OPENING_S):
        for start in range(0, len(followers), AT_ONCE):
            some = followers[start : start + AT_ONCE]
            following += [tasks.create_task(one.follow()) for one in some]
            for one in some:
                await one.here.wait()
    return following


def held(followers: Sequence[Follower]) -> dict[str, Counter[str]]:
    """Of each asset, how many hold which price."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in followers:
        for asset, quote in one.quotes.items():
            found[asset][str(quote.price)] += 1
    return found


def answer(command: bytes, followers: Sequence[Follower]) -> object:
    match command.strip():
        case b"gaps":
            return [one.gap() for one in followers]
        case b"seen":
            return [one.seen for one in followers]
        case _:
            return held(followers)


def say(words: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(words) + b"\n")
    sys.stdout.buffer.flush()


async def clients(url: str, assets: str, interval: int, first: int, number: int) -> None:
    """Follow until stdin ends."""
    allow_files()
    query = {"assets": assets, "currency": "USD", "interval": str(interval)}
    followers = [Follower(url, query, random.Random(seed)) for seed in range(first, first + number)]
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with asyncio.TaskGroup() as tasks:
        following = await opened(followers, tasks)
        settle()
        say({"opened": len(following)})
        while command := await lines.readline():
            say(answer(command, followers))
        for task in following:
            task.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("assets")
    for name in ("interval", "first", "number"):
        parser.add_argument(name, type=int)
    asked = parser.parse_args()
    run(clients(asked.url, asked.assets, asked.interval, asked.first, asked.number))
