"""Clocks that many tests share; one that a test moves in its own way is beside that test."""

from __future__ import annotations

import asyncio

NOW = 1_790_000_000_123


class StillClock:
    """Time stands where the test sets it; nobody may wait."""

    def __init__(self, time: int = NOW) -> None:
        self.time = time

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.time / 1000

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


class LeapingClock(StillClock):
    """To wait is to be there at once."""

    async def sleep(self, seconds: float) -> None:
        self.time += round(seconds * 1000)
        await asyncio.sleep(0)
