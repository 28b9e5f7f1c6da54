"""The Store in one SQLite file, through aiosqlite: every statement runs on its thread, never on the loop.

Decimals are plain text, quotes are JSON text, so `sqlite3 ticker.sqlite` shows everything to a person. It
refuses to guess: what can't be read or written is a HistoryError that names the file.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from itertools import groupby
from pathlib import Path

import aiosqlite
import msgspec
from msgspec.structs import astuple

from ticker.clock import Clock
from ticker.errors import HistoryError
from ticker.history.file import make_ready, trouble
from ticker.history.minutes import rolled_up
from ticker.history.schema import (
    APPLICATION_ID,
    BOOK,
    FILLS,
    KEPT,
    LAST_MINUTES,
    MIGRATIONS,
    PARTS,
    QUOTES,
    RANGE,
    UNROLLED,
    WAITING,
)
from ticker.history.store import Fill, Options, Saved, Store
from ticker.history.tiers import COARSER, FINER, floored
from ticker.model import Candle, Quote

logger = logging.getLogger(__name__)

# Below the two seconds a stop may take; a write that finds the file locked for longer is tried again anyway.
BUSY_SECONDS = 1.0
# Spans rolled up in one transaction, of at most 24 parts each: a few milliseconds.
ROLLED = 100
# Assets whose old candles go in one transaction: once a day 1440 minutes each.
PRUNED = 20


class SqliteStore:
    """A Store on one connection. Calls take turns: a transaction holds one caller's statements."""

    def __init__(self, db: aiosqlite.Connection, path: str) -> None:
        self._db = db
        self._path = path
        self._turn = asyncio.Lock()

    async def load(self) -> Saved:
        async with self._statements() as db:
            book = list(await db.execute_fetchall(BOOK))
            quotes = await db.execute_fetchall(QUOTES)
            candles = await db.execute_fetchall(LAST_MINUTES)
            seq, epoch, ended = book[0] if book else (0, None, 0)
            kept = tuple(quote for asset, body in quotes if (quote := self._quote(asset, body)))
            return Saved(seq, epoch, kept, tuple(map(_candle, candles)), ended=bool(ended))

    async def save(
        self,
        seq: int,
        epoch: str,
        quotes: Sequence[Quote],
        candles: Sequence[Candle],
        *,
        ended: bool = False,
    ) -> None:
        async with self._transaction() as db:
            await db.execute("REPLACE INTO book VALUES (1, ?, ?, ?)", (seq, epoch, ended))
            await db.executemany("REPLACE INTO quote VALUES (?, ?, ?)", map(_quote_row, quotes))
            await _write(db, "REPLACE", candles)

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        async with self._statements() as db:
            rows = await db.execute_fetchall(RANGE, (asset, currency, interval, start, end, limit))
            return [_candle(row) for row in rows][::-1]

    async def roll_up(self, closed: int) -> int:
        # The finest first: a coarser one is made from what they become.
        for tier, finer in FINER.items():
            span = {"tier": tier, "finer": finer, "latest": closed - tier * 1000, "most": ROLLED}
            async with self._transaction() as db:
                waiting = list(await db.execute_fetchall(WAITING, span))
                if waiting:
                    parts = map(_candle, await db.execute_fetchall(PARTS, span))
                    series = groupby(parts, key=lambda candle: (candle.asset, candle.currency))
                    await _write(db, "REPLACE", [one for _, of in series for one in rolled_up(of, tier)])
                    await db.executemany(
                        "DELETE FROM due WHERE asset = ? AND currency = ? AND interval = ? AND start = ?",
                        waiting,
                    )
                    return len(waiting)
        return 0

    async def unrolled(self, asset: str, currency: str, interval: int) -> Sequence[int]:
        async with self._statements() as db:
            ((start,),) = await db.execute_fetchall(UNROLLED, (asset, currency, interval))
            return () if start is None else (start,)

    async def prune(self, before: Mapping[int, int]) -> None:
        async with self._statements() as db:
            kept = list(await db.execute_fetchall(KEPT))
        for at in range(0, len(kept), PRUNED):
            async with self._transaction() as db:
                await db.executemany(
                    "DELETE FROM candle WHERE asset = ? AND currency = ? AND interval = ? AND start < ?",
                    [(*of, *limit) for of in kept[at : at + PRUNED] for limit in before.items()],
                )

    async def fills(self) -> tuple[Fill, ...]:
        async with self._statements() as db:
            return tuple(Fill(*row) for row in await db.execute_fetchall(FILLS))

    async def fill(self, fills: Sequence[Fill], candles: Sequence[Candle] = ()) -> None:
        async with self._transaction() as db:
            await db.executemany("REPLACE INTO fill VALUES (?, ?, ?, ?, ?, ?)", map(astuple, fills))
            await _write(db, "INSERT OR IGNORE", candles)

    async def close(self) -> None:
        async with self._statements() as db:
            await db.close()

    async def prepare(self, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
        """Set the connection up and bring the schema up to date. HistoryError if it can't be written."""
        async with self._statements() as db:
            await self._use_wal(db)
        async with self._transaction() as db:
            # Even when there is nothing to do, the transaction's write lock shows that the file is writable.
            ((version,),) = await db.execute_fetchall("PRAGMA user_version")
            for statement in (line for step in migrations[version:] for line in step):
                await db.execute(statement)
            if version < len(migrations):
                await db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                await db.execute(f"PRAGMA user_version = {len(migrations)}")

    async def _use_wal(self, db: aiosqlite.Connection) -> None:
        ((mode,),) = await db.execute_fetchall("PRAGMA journal_mode = WAL")
        if mode not in {"wal", "memory"}:
            raise HistoryError(
                f"{self._path}: its file system can't do WAL; set a history path on a local disk"
            )
        # With WAL, NORMAL syncs at checkpoints and not at commits. A killed process loses nothing that was
        # committed: the kernel has it. A power cut may take the last commits, each whole, no more.
        await db.execute("PRAGMA synchronous = NORMAL")
        # 1000 pages, 4 MiB: what the log grows to before it is folded into the file.
        await db.execute("PRAGMA wal_autocheckpoint = 1000")

    @asynccontextmanager
    async def _statements(self) -> AsyncIterator[aiosqlite.Connection]:
        async with self._turn:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise trouble(self._path, error) from error
            except InvalidOperation as error:
                raise HistoryError(f"{self._path}: a candle holds no number; check the file") from error

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        async with self._statements() as db:
            try:
                await db.execute("BEGIN IMMEDIATE")
                yield db
                await db.commit()
            finally:
                await db.rollback()  # after a commit there is nothing left to undo

    def _quote(self, asset: str, body: str) -> Quote | None:
        # One quote that can't be read costs itself, not the start: the market soon brings the next one.
        try:
            return msgspec.json.decode(body, type=Quote)
        except msgspec.MsgspecError as error:
            logger.error(
                "%s: the last quote of %s can't be read and is left out: %s", self._path, asset, error
            )
            return None


@asynccontextmanager
async def opening(options: Options, clock: Clock) -> AsyncIterator[Store]:
    """The Store the settings ask for, ready for use, closed at the end.

    Raises HistoryError, one line for the operator, when the file can't be used; a damaged file is moved aside
    to `<path>.corrupt-<UTC time>` and a new one begun.
    """
    path = await _place(options.path, clock)
    try:
        db = await aiosqlite.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    except sqlite3.Error as error:
        raise trouble(path, error) from error
    store = SqliteStore(db, path)
    try:
        await store.prepare()
        yield store
    finally:
        await store.close()


async def _place(wanted: str | None, clock: Clock) -> str:
    if not wanted:
        logger.info("no history path: quotes and candles are kept in memory and end with the process")
        return ":memory:"
    path = Path.cwd() / wanted
    await asyncio.to_thread(make_ready, path, clock.now())
    return str(path)


async def _write(db: aiosqlite.Connection, verb: str, candles: Sequence[Candle]) -> None:
    """Candles, and the spans that are to be rolled up again for their sake."""
    await db.executemany(f"{verb} INTO candle VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_candle_row, candles))
    await db.executemany("INSERT OR IGNORE INTO due VALUES (?, ?, ?, ?)", set(_parents(candles)))


def _parents(candles: Sequence[Candle]) -> Iterator[tuple[str, str, int, int]]:
    for candle in candles:
        if (tier := COARSER.get(candle.interval)) is not None:
            yield candle.asset, candle.currency, tier, floored(candle.start, tier)


def _quote_row(quote: Quote) -> tuple[str, str, str]:
    return quote.asset, quote.currency, msgspec.json.encode(quote).decode()


def _candle_row(candle: Candle) -> tuple[str | int, ...]:
    prices = (format(price, "f") for price in (candle.open, candle.high, candle.low, candle.close))
    return candle.asset, candle.currency, candle.interval, candle.start, *prices


def _candle(row: sqlite3.Row) -> Candle:
    asset, currency, interval, start, *prices = row
    return Candle(asset, currency, interval, start, *map(Decimal, prices))
