"""Tiers: what is rolled up equals what the minutes say, whenever it happens, and only what is old goes."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.conftest import ManualClock
from ticker.clock import SystemClock
from ticker.history import Fill, Options, Recorder, Saved, Store, opening
from ticker.history import schema as schema_module
from ticker.history.minutes import rolled_up
from ticker.history.sqlite import SqliteStore
from ticker.history.tiers import TIERS, boundaries, tier_for
from ticker.model import Candle, Quote, State

MEMORY = Options(path=None)
DAY_MS = 86_400_000
MIDNIGHT = 20_700 * DAY_MS
FOREVER = 1 << 50
ASSETS = ("talus", "bitcoin")


def minute(start: int, price: int | str, asset: str = "talus", interval: int = 60) -> Candle:
    close = Decimal(price)
    return Candle(asset, "USD", interval, start, close + 1, close + 3, close / 2, close)


async def rolled(store: Store, closed: int = FOREVER) -> int:
    turns = 0
    while await store.roll_up(closed):
        turns += 1
    return turns


async def stored(store: Store, interval: int, asset: str = "talus") -> list[Candle]:
    return await store.candles(asset, "USD", interval, 0, FOREVER, 1_000_000)


moments = st.integers(0, 3 * 1440).map(lambda n: MIDNIGHT + n * 60_000)
batches = st.lists(
    st.tuples(
        st.dictionaries(st.tuples(moments, st.sampled_from(ASSETS)), st.integers(1, 10**9), max_size=30),
        st.sampled_from(["wait", "roll up", "roll up what has closed"]),
    ),
    max_size=6,
)


@given(batches)
@settings(max_examples=60, deadline=None)
def test_every_tier_equals_a_recomputation_from_minutes_in_whatever_order_they_come(
    walk: list[tuple[dict[tuple[int, str], int], str]],
) -> None:
    minutes: dict[tuple[int, str], Candle] = {}

    async def checked() -> None:
        async with opening(MEMORY, SystemClock()) as store:
            for batch, then in walk:
                news = {key: minute(key[0], price, key[1]) for key, price in batch.items()}
                minutes.update(news)
                await store.save(1, "a", [], list(news.values()))
                if then != "wait":
                    await rolled(store, FOREVER if then == "roll up" else MIDNIGHT + DAY_MS)
            await rolled(store)
            for asset in ASSETS:
                own = [minutes[key] for key in sorted(minutes) if key[1] == asset]
                for tier in TIERS:
                    assert await stored(store, tier, asset) == rolled_up(own, tier)

    asyncio.run(checked())


steps = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2, 7, 60, 400, 1500]),  # minutes that pass
        st.integers(1, 10**9),
        st.sampled_from(["go on", "go on", "write", "restart"]),
    ),
    min_size=1,
    max_size=25,
)


@given(steps, st.sampled_from([60, 300, 900, 3600, 7200, 86400, 172_800]), st.integers(1, 40))
@settings(max_examples=80, deadline=None)
def test_reader_sees_every_interval_as_if_made_from_minutes_wherever_rolling_up_has_come(
    walk: list[tuple[int, int, str]], interval: int, limit: int
) -> None:
    async def checked() -> None:
        clock = ManualClock(MIDNIGHT)
        keeps_all = Options(path=None, minutes_days=999)
        async with opening(MEMORY, clock) as store:
            recorder = Recorder(store, clock, keeps_all, epoch="a", saved=Saved())
            for passed, price, then in walk:
                clock.time += passed * 60_000
                recorder.record(quote(price, clock.time))
                if then != "go on":
                    await recorder.flush()
                if then == "restart":
                    recorder = Recorder(store, clock, keeps_all, epoch="a", saved=await store.load())
            minutes = await recorder.candles("talus", "USD", 60, 0, FOREVER, 100_000)
            found = await recorder.candles("talus", "USD", interval, 0, FOREVER, limit)
        assert found == rolled_up(minutes, interval)[-limit:]

    asyncio.run(checked())


def quote(price: int, at: int) -> Quote:
    return Quote(
        asset="talus", symbol="US", name="Talus", currency="USD", price=Decimal(price), as_of=at,
        state=State.LIVE, seq=1,
    )  # fmt: skip


async def test_span_is_rolled_up_only_when_it_has_closed() -> None:
    async with opening(MEMORY, SystemClock()) as store:
        await store.save(1, "a", [], [minute(MIDNIGHT + n * 60_000, n + 1) for n in range(7)])
        await rolled(store, MIDNIGHT + 299_999)
        assert await stored(store, 300) == []
        await rolled(store, MIDNIGHT + 300_000)
        assert [candle.start for candle in await stored(store, 300)] == [MIDNIGHT]
        assert await stored(store, 3600) == []


async def test_rolling_up_goes_in_small_steps() -> None:
    async with opening(MEMORY, SystemClock()) as store:
        await store.save(1, "a", [], [minute(MIDNIGHT + n * 300_000, n + 1) for n in range(250)])
        done = [await store.roll_up(FOREVER) for _ in range(3)]
        assert done == [100, 100, 50]


async def test_what_is_let_go_is_older_than_its_tier_is_kept_and_days_stay() -> None:
    async with opening(MEMORY, SystemClock()) as store:
        newest = MIDNIGHT + 4 * 60_000
        ages = {60: 2, 300: 30, 3600: 730, 86400: 5000}
        old = [
            minute(MIDNIGHT - days * DAY_MS - tier * 1000, 1, "talus", tier) for tier, days in ages.items()
        ]
        kept = [minute(MIDNIGHT - days * DAY_MS, 1, "talus", tier) for tier, days in ages.items()]
        for asset in ("talus", "bitcoin"):
            await store.fill([], [minute(c.start, 1, asset, c.interval) for c in [*old, *kept]])
        await store.prune(boundaries(newest, MEMORY))
        for asset in ASSETS:
            assert [c.start for tier in (60, 300, 3600) for c in await stored(store, tier, asset)] == [
                c.start for c in kept[:3]
            ]
            assert len(await stored(store, 86400, asset)) == 2


async def test_rolling_up_after_pruning_leaves_the_tiers_above_as_they_are() -> None:
    async with opening(MEMORY, SystemClock()) as store:
        minutes = [minute(MIDNIGHT + n * 60_000, n + 1) for n in range(3 * 1440)]
        await store.save(1, "a", [], minutes)
        await rolled(store)
        before = [await stored(store, tier) for tier in TIERS[1:]]
        await store.prune(boundaries(minutes[-1].start, MEMORY))
        left = await stored(store, 60)
        await store.save(1, "a", [], left)  # makes every span that has minutes wait again
        await rolled(store)
        assert len(left) < len(minutes)
        assert [await stored(store, tier) for tier in TIERS[1:]] == before


@pytest.mark.parametrize(
    ("interval", "tier"), [(60, 60), (240, 60), (300, 300), (900, 300), (3600, 3600), (14400, 3600)]
)
def test_interval_is_answered_from_the_coarsest_tier_that_divides_it(interval: int, tier: int) -> None:
    assert tier_for(interval) == tier


async def test_fill_replaces_no_candle_and_is_remembered() -> None:
    async with opening(MEMORY, SystemClock()) as store:
        own = minute(MIDNIGHT, 5)
        await store.save(1, "a", [], [own])
        fill = Fill("talus", "USD", 60, "mexc:USUSDT", MIDNIGHT + 60_000, MIDNIGHT + 120_000)
        await store.fill([fill], [minute(MIDNIGHT, 9), minute(MIDNIGHT - 60_000, 9)])
        assert await stored(store, 60) == [minute(MIDNIGHT - 60_000, 9), own]
        assert await store.fills() == (fill,)


async def test_file_of_the_first_schema_is_brought_up_to_date_and_rolled_up(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    minutes = [minute(MIDNIGHT + n * 60_000, n + 1) for n in range(130)]
    with closing(sqlite3.connect(path)) as db:
        for statement in schema_module.MIGRATIONS[0]:
            db.execute(statement)
        rows = [
            ("talus", "USD", 60, c.start, *(format(p, "f") for p in (c.open, c.high, c.low, c.close)))
            for c in minutes
        ]
        db.executemany("INSERT INTO candle VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        db.execute(f"PRAGMA application_id = {schema_module.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
        db.commit()
    async with opening(Options(path=str(path)), SystemClock()) as store:
        assert isinstance(store, SqliteStore)
        await rolled(store)
        assert [await stored(store, tier) for tier in TIERS] == [rolled_up(minutes, tier) for tier in TIERS]
