"""What several unit tests need: a clock that the test turns by hand, and short ways to write the nouns."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from ticker.model import Asset, Basis, Change, Pair, Tick, Window

NOW = 1_790_000_000_000


class ManualClock:
    """Time stands still until `advance`; whoever sleeps wakes when it has come."""

    def __init__(self, now: int = NOW) -> None:
        self.time = now
        self._sleepers: list[tuple[int, asyncio.Event]] = []

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.time / 1000

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.time + int(seconds * 1000), woken))
        self.advance(0)
        await woken.wait()

    def advance(self, ms: int) -> None:
        self.time += ms
        for until, woken in self._sleepers:
            if until <= self.time:
                woken.set()
        self._sleepers = [(until, woken) for until, woken in self._sleepers if until > self.time]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def pair(ref: str, quote: str = "USD") -> Pair:
    """`mexc:USUSDT` as a Pair quoted in `quote`; the base doesn't matter here."""
    venue, _, symbol = ref.partition(":")
    return Pair(venue, symbol, "BASE", quote)


def asset(name: str, *pairs: Pair) -> Asset:
    return Asset(name, name.upper(), name.title(), pairs)


def tick(of: Pair, price: str | Decimal, *, age: int = 0, now: int = NOW, **more: Any) -> Tick:
    """An observation received at `now` that the venue dated `age` ms before; negative is the future."""
    return Tick(pair=of, price=Decimal(price), as_of=now - age, seen=now, **more)


def day(percent: str, basis: Basis = Basis.ROLLING, window: Window = Window.DAY) -> Change:
    return Change(Decimal(percent), window, basis)
