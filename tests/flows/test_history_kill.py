"""A recorder killed with SIGKILL under load, again and again: what it had acknowledged is in the file.

Run as a program, this file is the one to be killed: it records a series of quotes that follows from the step
alone, as fast as it can, and prints the step of each finished write.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

from ticker.clock import SystemClock
from ticker.history import Options, Recorder, Saved, opening
from ticker.history.minutes import extended
from ticker.model import Candle, Quote, State

ROOT = Path(__file__).parents[2]
BEGIN = 1_789_992_000_000  # 2026-09-21T12:00:00Z
STEP_MS = 1_700
MINUTE_MS = 60_000
ASSETS = [f"asset-{n}" for n in range(20)]


class StepClock:
    """A clock of 1.7 s a step; sleeping takes a hundredth of the time asked for."""

    def __init__(self, step: int) -> None:
        self.step = step

    def now(self) -> int:
        return BEGIN + self.step * STEP_MS

    def monotonic(self) -> float:
        return self.step * STEP_MS / 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


def quote(asset: str, step: int) -> Quote:
    """The quote of an asset at a step, always the same."""
    price = Decimal(random.Random(f"{asset} {step}").randrange(1, 10**9)).scaleb(-8)
    at = BEGIN + step * STEP_MS
    return Quote(
        asset=asset,
        symbol="US",
        name=asset,
        currency="USD",
        price=price,
        as_of=at,
        state=State.LIVE,
        seq=step,
    )


def candles(asset: str, last: int) -> list[Candle]:
    """The candles of an asset from the first step to `last`."""
    found: dict[int, Candle] = {}
    for step in range(1, last + 1):
        start = (BEGIN + step * STEP_MS) // MINUTE_MS * MINUTE_MS
        price = quote(asset, step).price
        assert price is not None
        known = found.get(start)
        found[start] = (
            extended(known, price) if known else Candle(asset, "USD", 60, start, price, price, price, price)
        )
    return list(found.values())


async def record_until_killed(path: str) -> None:
    options = Options(path=path, minutes_days=999)
    async with opening(options, SystemClock()) as store:
        saved = await store.load()
        clock = StepClock(saved.seq)
        recorder = Recorder(store, clock, options, epoch="k3f9", saved=saved)
        async with asyncio.TaskGroup() as group:
            group.create_task(recorder.run())
            group.create_task(load(recorder, clock))


async def load(recorder: Recorder, clock: StepClock) -> None:
    while True:
        clock.step += 1
        for asset in ASSETS:
            recorder.record(quote(asset, clock.step))
        # Most steps only pile up beside a write of `run`; every seventh waits for its own and tells of it.
        if clock.step % 7 == 0:
            await recorder.flush()
            os.write(sys.stdout.fileno(), b"%d\n" % clock.step)
        await asyncio.sleep(0)


@asynccontextmanager
async def child(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, str(path),
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def acknowledged_at_a_kill(path: Path, writes: int, delay: float) -> int:
    """Let a child finish `writes` writes, kill it a moment later, and give the last step it acknowledged."""
    async with child(path) as process:
        assert process.stdout is not None
        said = [await process.stdout.readline() for _ in range(writes)]
        await asyncio.sleep(delay)  # not to wait for anything: the kill has to fall anywhere within a write
        process.kill()
        said += (await process.stdout.read()).splitlines(keepends=True)
        await process.wait()
        assert process.returncode == -9
    return max(int(line) for line in said if line.endswith(b"\n"))


async def reopened(path: Path) -> tuple[Saved, dict[str, list[Candle]]]:
    async with opening(Options(path=str(path)), SystemClock()) as store:
        kept = {asset: await store.candles(asset, "USD", 60, 0, 1 << 50, 10_000) for asset in ASSETS}
        return await store.load(), kept


async def test_killed_under_load_the_file_holds_every_acknowledged_quote_and_minute(tmp_path: Path) -> None:
    path = tmp_path / "ticker.sqlite"
    chance = random.Random(20260921)
    before = 0
    for _ in range(5):
        acknowledged = await acknowledged_at_a_kill(path, chance.randrange(1, 60), chance.uniform(0, 0.02))
        saved, kept = await reopened(path)
        assert saved.seq >= acknowledged > before
        assert saved.epoch == "k3f9"
        assert {q.asset: q for q in saved.quotes} == {asset: quote(asset, saved.seq) for asset in ASSETS}
        assert kept == {asset: candles(asset, saved.seq) for asset in ASSETS}
        before = saved.seq
    assert len(candles(ASSETS[0], before)) > 10, "too little load to show anything"
    assert names(tmp_path) == {"ticker.sqlite"}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


if __name__ == "__main__":
    asyncio.run(record_until_killed(sys.argv[1]))
