"""The recorder's writes: what they carry, when they come, and what a failing store costs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from ticker.errors import HistoryError
from ticker.history import Fill, Options, Recorder, Saved, Store, opening
from ticker.history import recorder as recorder_module
from ticker.history.sqlite import SqliteStore
from ticker.model import Candle, Quote, State

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
NOON = 1_789_992_000_000  # 2026-09-21T12:00:00Z
FOREVER = 1 << 50
MEMORY = Options(path=None)


class HandClock:
    """Moves only by hand; `tick` lets one sleeper go on and waits until it sleeps again."""

    def __init__(self) -> None:
        self.time = NOON
        self.naps: list[float] = []
        self._asleep = asyncio.Event()
        self._wake = asyncio.Event()

    def now(self) -> int:
        return self.time

    def monotonic(self) -> float:
        return self.time / 1000

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self._asleep.set()
        await self._wake.wait()
        self._wake.clear()

    async def tick(self) -> None:
        await self._asleep.wait()
        self._asleep.clear()
        self._wake.set()
        await self._asleep.wait()


class Wayward:
    """A store that fails, or waits, when told to; it keeps what it was given, a list entry for each save."""

    def __init__(self) -> None:
        self.broken: str | None = None
        self.saves: list[tuple[int, str, list[Quote], list[Candle]]] = []
        self.pruned: list[int] = []
        self.rolled: list[int] = []
        self.waiting = 0
        self.prune_broken = False
        self.entered = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.reading = asyncio.Event()
        self.reading.set()

    async def load(self) -> Saved:
        return Saved()

    async def save(
        self,
        seq: int,
        epoch: str,
        quotes: Sequence[Quote],
        candles: Sequence[Candle],
        *,
        ended: bool = False,
    ) -> None:
        self.entered.set()
        await self.gate.wait()
        if self.broken:
            raise HistoryError(self.broken)
        self.saves.append((seq, epoch, list(quotes), list(candles)))

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        rows = [candle for *_, candles in self.saves for candle in candles]
        self.entered.set()
        await self.reading.wait()
        return rows

    async def roll_up(self, closed: int) -> int:
        self.rolled.append(closed)
        self.waiting = max(0, self.waiting - 1)
        return self.waiting

    async def unrolled(self, asset: str, currency: str, interval: int) -> Sequence[int]:
        return ()

    async def prune(self, before: Mapping[int, int]) -> None:
        if self.prune_broken:
            raise HistoryError("can't prune")
        self.pruned.append(before[60])

    async def fills(self) -> tuple[Fill, ...]:
        return ()

    async def fill(self, fills: Sequence[Fill], candles: Sequence[Candle] = ()) -> None:
        raise AssertionError("a recorder fills nothing")

    async def close(self) -> None: ...


def quote(
    price: str | None = "1", at: int | None = NOON, asset: str = "talus", currency: str = "USD",
    state: State = State.LIVE, seq: int = 1,
) -> Quote:  # fmt: skip
    value = None if price is None else Decimal(price)
    return Quote(
        asset=asset, symbol="US", name="Talus", currency=currency, price=value, as_of=at, state=state, seq=seq
    )


def candle(start: int, *prices: str, currency: str = "USD") -> Candle:
    seen = [Decimal(price) for price in prices]
    return Candle("talus", currency, 60, start, seen[0], max(seen), min(seen), seen[-1])


def recording(store: Store, clock: HandClock | None = None, saved: Saved | None = None) -> Recorder:
    return Recorder(store, clock or HandClock(), MEMORY, epoch="k3f9", saved=saved or Saved())


async def minutes(recorder: Recorder, currency: str = "USD") -> list[Candle]:
    return await recorder.candles("talus", currency, 60, 0, FOREVER, 10_000)


async def fill_disk(store: Store, pages: int | None = None) -> None:
    """Let the file grow no further, or up to `pages`."""
    assert isinstance(store, SqliteStore)
    ((count,),) = await store._db.execute_fetchall("PRAGMA page_count")
    await store._db.execute(f"PRAGMA max_page_count = {pages or count}")


async def test_write_carries_what_changed_and_only_that() -> None:
    store = Wayward()
    recorder = recording(store)
    await recorder.flush()
    assert store.saves == []
    recorder.record(quote("1", asset="bitcoin", seq=1, state=State.STALE))
    recorder.record(quote("1", seq=2))
    recorder.record(quote("2", seq=3))
    await recorder.flush()
    recorder.record(quote("3", seq=4))
    await recorder.flush()
    await recorder.flush()
    stale = quote("1", asset="bitcoin", seq=1, state=State.STALE)
    assert store.saves == [
        (3, "k3f9", [stale, quote("2", seq=3)], [candle(NOON, "1", "2")]),
        (4, "k3f9", [quote("3", seq=4)], [candle(NOON, "1", "2", "3")]),
    ]
    assert recorder.last_write == NOON


async def test_what_changes_during_a_write_goes_with_the_next() -> None:
    store = Wayward()
    recorder = recording(store)
    recorder.record(quote("1", seq=1))
    store.gate.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(recorder.flush())
        await store.entered.wait()
        recorder.record(quote("2", seq=2))
        store.gate.set()
    await recorder.flush()
    assert [(seq, quotes) for seq, _, quotes, _ in store.saves] == [
        (1, [quote("1", seq=1)]),
        (2, [quote("2", seq=2)]),
    ]
    assert store.saves[1][3] == [candle(NOON, "1", "2")]


async def test_minute_that_is_written_during_a_read_is_in_what_was_read() -> None:
    store = Wayward()
    recorder = recording(store)
    recorder.record(quote("1"))
    store.reading.clear()
    async with asyncio.TaskGroup() as group:
        read = group.create_task(minutes(recorder))
        await store.entered.wait()
        group.create_task(recorder.flush())
        for _ in range(10):  # as far as the write gets while the read goes on
            await asyncio.sleep(0)
        store.reading.set()
    assert read.result() == [candle(NOON, "1")]


async def test_write_cut_off_by_a_stop_is_repeated_by_the_last_one() -> None:
    store = Wayward()
    recorder = recording(store)
    recorder.record(quote("1"))
    store.gate.clear()
    cut = asyncio.ensure_future(recorder.flush())
    await store.entered.wait()
    cut.cancel()
    await asyncio.wait([cut])
    store.gate.set()
    await recorder.flush()
    assert [quotes for _, _, quotes, _ in store.saves] == [[quote("1")]]


async def test_run_writes_at_each_interval() -> None:
    store, clock = Wayward(), HandClock()
    recorder = recording(store, clock)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(recorder.run())
        for n in range(3):
            recorder.record(quote("1", seq=n))
            await clock.tick()
        running.cancel()
    assert [seq for seq, *_ in store.saves] == [0, 1, 2]
    assert set(clock.naps) == {MEMORY.flush_seconds}


async def test_full_disk_is_logged_when_it_begins_and_ends_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = HandClock()
    clock.time = NOON + 3 * DAY_MS
    async with opening(Options(path=str(tmp_path / "t.sqlite")), clock) as store:
        recorder = Recorder(store, clock, Options(minutes_days=9), epoch="k3f9", saved=Saved())
        await fill_disk(store)
        for n in range(3000):
            recorder.record(quote(str(n + 1), NOON + n * MINUTE_MS, seq=n))
            if n % 1000 == 999:
                await recorder.flush()
        assert recorder.failing is not None
        assert "database or disk is full; free space" in recorder.failing
        assert recorder.last_write is None
        await fill_disk(store, pages=1_000_000)
        await recorder.flush()
        assert recorder.failing is None
        assert recorder.last_write == clock.time
        assert (await store.load()).quotes == (quote("3000", NOON + 2999 * MINUTE_MS, seq=2999),)
        assert len(await store.candles("talus", "USD", 60, 0, FOREVER, 9999)) == 3000
    begun, ended = [record for record in caplog.records if record.name == "ticker.history.recorder"]
    assert (begun.levelno, ended.levelno) == (logging.ERROR, logging.WARNING)
    assert "free space" in begun.getMessage()
    assert "written again" in ended.getMessage()


async def test_too_many_waiting_candles_cost_the_oldest_which_are_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, clock = Wayward(), HandClock()
    bound = recorder_module.PENDING
    clock.time = NOON + (bound + 10) * MINUTE_MS
    store.broken = "disk full"
    recorder = recording(store, clock)
    for n in range(bound + 7):
        recorder.record(quote("1", NOON + n * MINUTE_MS))
    await recorder.flush()
    store.broken = None
    await recorder.flush()
    assert recorder.dropped == 7
    ((_, _, _, candles),) = store.saves
    assert [c.start for c in candles] == [NOON + n * MINUTE_MS for n in range(7, bound + 7)]
    assert caplog.records[-1].getMessage().endswith("candles dropped since the start: 7")


async def test_damage_met_while_running_is_a_state(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    async with opening(Options(path=str(path)), HandClock()) as store:
        recorder = recording(store)
        recorder.record(quote("1"))
        await recorder.flush()
        assert isinstance(store, SqliteStore)
        await store._db.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        await store._db.execute_fetchall("PRAGMA shrink_memory")
        overwrite_all_but_the_first_page(path)
        recorder.record(quote("2"))
        await recorder.flush()
        assert recorder.failing is not None
        assert recorder.failing.startswith(f"{path}: database disk image is malformed; ")


async def test_old_minutes_are_pruned_at_the_start_and_then_hourly() -> None:
    store, clock = Wayward(), HandClock()
    recorder = recording(store, clock)
    for n in range(0, 121, 20):
        clock.time = NOON + n * MINUTE_MS
        recorder.record(quote("1", clock.time))
        await recorder.flush()
    keep = MEMORY.minutes_days * DAY_MS
    assert store.pruned == [NOON - keep, NOON + HOUR_MS - keep, NOON + 2 * HOUR_MS - keep]


async def test_rolling_up_stops_when_nothing_waits_and_does_not_hold_up_the_writes_for_long() -> None:
    store = Wayward()
    recorder = recording(store)
    recorder.record(quote("1"))
    for waiting, turns in [(0, 1), (3, 3), (1000, recorder_module.ROLL_UPS)]:
        store.waiting, store.rolled = waiting, []
        await recorder.flush()
        assert store.rolled == [NOON] * turns


async def test_clock_that_runs_ahead_prunes_nothing_that_is_new() -> None:
    store, clock = Wayward(), HandClock()
    clock.time = NOON + 365 * DAY_MS
    recorder = recording(store, clock)
    recorder.record(quote("1", NOON))
    await recorder.flush()
    assert store.pruned == [NOON - MEMORY.minutes_days * DAY_MS]


async def test_pruning_that_fails_is_one_state_and_the_writes_go_on(caplog: pytest.LogCaptureFixture) -> None:
    store = Wayward()
    store.prune_broken = True
    recorder = recording(store)
    for n in range(3):
        recorder.record(quote("1", seq=n))
        await recorder.flush()
    assert len(store.saves) == 3
    assert recorder.failing == "can't prune"
    assert len(caplog.records) == 1
    store.prune_broken = False
    await recorder.flush()
    assert recorder.failing is None


def overwrite_all_but_the_first_page(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
