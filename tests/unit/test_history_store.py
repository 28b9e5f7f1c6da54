"""The store: what goes in comes out, exactly; a save is whole or nothing; the loop is never held."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticker.clock import SystemClock
from ticker.errors import HistoryError
from ticker.history import Options, Saved, Store, opening
from ticker.history.sqlite import SqliteStore
from ticker.model import Basis, Candle, Change, Confidence, Quote, State, Window

MEMORY = Options(path=None)
ONE = Decimal(1)


def plain(start: int, asset: str = "talus", currency: str = "USD", price: Decimal = ONE) -> Candle:
    return Candle(asset, currency, 60, start * 60_000, price, price, price, price)


def quote(asset: str = "talus", price: Decimal | None = ONE, seq: int = 1) -> Quote:
    return Quote(asset=asset, symbol=asset.upper(), name=asset, currency="USD", price=price, seq=seq)


numbers = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**27), 10**27),
    st.integers(-40, 12),
)
changes = st.none() | st.builds(Change, numbers, st.sampled_from(Window), st.sampled_from(Basis))
maybe = st.none() | numbers
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
quotes = st.builds(
    Quote,
    asset=text, symbol=text, name=text, currency=text,
    price=maybe, change_1h=changes, change_24h=changes, change_7d=changes,
    high_24h=maybe, low_24h=maybe, volume_24h=maybe, market_cap=maybe,
    as_of=st.none() | st.integers(0, 2**53), state=st.sampled_from(State),
    confidence=st.sampled_from(Confidence),
    sources=st.integers(0, 50), seq=st.integers(0, 2**53), assumed=st.booleans(), demo=st.booleans(),
)  # fmt: skip


@given(quotes)
@settings(max_examples=60, deadline=None)
def test_any_quote_comes_back_exactly(given_quote: Quote) -> None:
    async def round_trip() -> Saved:
        async with opening(MEMORY, SystemClock()) as store:
            await store.save(1, "k3f9", [given_quote], [])
            return await store.load()

    (back,) = asyncio.run(round_trip()).quotes
    assert back == given_quote
    assert repr(back) == repr(given_quote)  # 1.10 and 1.1 are equal, but not the same


@given(st.tuples(numbers, numbers, numbers, numbers))
@settings(max_examples=60, deadline=None)
def test_any_price_of_a_candle_is_stored_as_plain_text_and_comes_back_exactly(
    prices: tuple[Decimal, Decimal, Decimal, Decimal],
) -> None:
    candle = Candle("talus", "USD", 60, 0, *prices)

    async def round_trip() -> tuple[list[Candle], tuple[str, ...]]:
        async with opening(MEMORY, SystemClock()) as store:
            await store.save(1, "k3f9", [], [candle])
            rows = await inner(store)._db.execute_fetchall("SELECT open, high, low, close FROM candle")
            return await store.candles("talus", "USD", 60, 0, 1, 1), tuple(next(iter(rows)))

    back, texts = asyncio.run(round_trip())
    assert back == [candle]
    assert not any(mark in stored for stored in texts for mark in "eE+")


def inner(store: Store) -> SqliteStore:
    assert isinstance(store, SqliteStore)
    return store


async def test_second_save_replaces_quote_and_candle_of_the_same_key() -> None:
    async with opening(MEMORY, SystemClock()) as store:
        await store.save(1, "a", [quote(seq=1)], [plain(0)])
        await store.save(2, "b", [quote(seq=2, price=Decimal(2))], [plain(0, price=Decimal(2))])
        saved = await store.load()
        assert saved == Saved(2, "b", (quote(seq=2, price=Decimal(2)),), (plain(0, price=Decimal(2)),))


async def test_load_gives_the_last_candle_of_each_quote_in_its_own_currency() -> None:
    async with opening(MEMORY, SystemClock()) as store:
        candles = [
            plain(0),
            plain(3),
            plain(2),
            plain(9, currency="USDT"),
            plain(5, "bitcoin"),
            plain(9, "gone"),
        ]
        await store.save(1, "a", [quote(), quote("bitcoin"), quote("new")], candles)
        assert set((await store.load()).candles) == {plain(3), plain(5, "bitcoin")}


async def test_candles_are_the_newest_of_the_range_oldest_first() -> None:
    async with opening(MEMORY, SystemClock()) as store:
        others = [plain(4, "bitcoin"), plain(4, currency="USDT")]
        await store.save(1, "a", [], [*map(plain, range(10)), *others])
        found = await store.candles("talus", "USD", 60, 2 * 60_000, 8 * 60_000, 3)
        assert found == [plain(5), plain(6), plain(7)]
        assert await store.candles("talus", "USD", 300, 0, 10**12, 3) == []


async def test_prune_deletes_the_minutes_before_and_nothing_else() -> None:
    async with opening(MEMORY, SystemClock()) as store:
        hour = Candle("talus", "USD", 3600, 0, ONE, ONE, ONE, ONE)
        await store.save(1, "a", [quote()], [*map(plain, range(5)), hour])
        await store.prune({60: 3 * 60_000})
        assert await store.candles("talus", "USD", 60, 0, 10**12, 99) == [plain(3), plain(4)]
        assert await store.candles("talus", "USD", 3600, 0, 10**12, 99) == [hour]
        assert (await store.load()).quotes == (quote(),)


async def test_failed_save_leaves_the_one_before_whole(tmp_path: Path) -> None:
    async with opening(Options(path=str(tmp_path / "t.sqlite")), SystemClock()) as store:
        await store.save(1, "a", [quote()], [plain(0)])
        await fill_disk(store)
        with pytest.raises(HistoryError, match=r"full; free space on its disk"):
            await store.save(2, "b", [quote("bitcoin")], [plain(n) for n in range(5000)])
        assert await store.load() == Saved(1, "a", (quote(),), (plain(0),))
        assert await store.candles("talus", "USD", 60, 0, 10**12, 9999) == [plain(0)]


async def test_cancelled_save_leaves_no_transaction_open(tmp_path: Path) -> None:
    async with opening(Options(path=str(tmp_path / "t.sqlite")), SystemClock()) as store:
        for turns in range(12):  # cut off at each of its steps
            save = asyncio.ensure_future(store.save(turns, "a", [quote(seq=turns)], [plain(turns)]))
            for _ in range(turns):
                await asyncio.sleep(0)
            save.cancel()
            await asyncio.wait([save])
            assert not inner(store)._db.in_transaction
        await store.save(99, "a", [quote(seq=99)], [])
        assert (await store.load()).seq == 99


async def test_write_that_waits_for_a_lock_does_not_hold_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    async with opening(Options(path=str(path)), SystemClock()) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            save = asyncio.ensure_future(store.save(5, "a", [quote(f"a{n}") for n in range(200)], []))
            for _ in range(100):
                await asyncio.sleep(0)
            assert not save.done()
            other.execute("ROLLBACK")
            await save
        assert len((await store.load()).quotes) == 200


async def test_file_is_in_wal_mode_and_synced_at_checkpoints(tmp_path: Path) -> None:
    async with opening(Options(path=str(tmp_path / "t.sqlite")), SystemClock()) as store:
        for pragma, value in [("journal_mode", "wal"), ("synchronous", 1), ("busy_timeout", 1000)]:
            ((found,),) = await inner(store)._db.execute_fetchall(f"PRAGMA {pragma}")
            assert found == value


async def test_damage_met_while_running_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    async with opening(Options(path=str(path)), SystemClock()) as store:
        await store.save(1, "a", [quote()], [plain(n) for n in range(2000)])
        await damage(store, path)
        with pytest.raises(HistoryError, match="malformed; stop the service, move the file away"):
            await store.candles("talus", "USD", 60, 0, 10**12, 2000)


@pytest.mark.parametrize(
    "settings_",
    [
        {"flush_seconds": 0},
        {"minutes_days": 0},
        {"fives_days": 0},
        {"hours_days": 0},
        {"path": 3},
        {"flush_second": 1},
    ],
    ids=str,
)
def test_setting_that_makes_no_sense_is_refused(settings_: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings_, Options)


def test_every_setting_has_a_description() -> None:
    properties = msgspec.json.schema(Options)["$defs"]["Options"]["properties"]
    assert set(properties) == {
        "path",
        "flush_seconds",
        "backfill",
        "minutes_days",
        "fives_days",
        "hours_days",
    }
    assert all(setting["description"] for setting in properties.values())


async def fill_disk(store: Store) -> None:
    """Let the file grow no further."""
    ((pages,),) = await inner(store)._db.execute_fetchall("PRAGMA page_count")
    await inner(store)._db.execute(f"PRAGMA max_page_count = {pages}")


async def damage(store: Store, path: Path) -> None:
    """Overwrite all but the first page, with nothing of them left in the log or in memory."""
    await inner(store)._db.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
    await inner(store)._db.execute_fetchall("PRAGMA shrink_memory")
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
