"""The Store in one SQLite file, through aiosqlite: every statement runs on its thread, never on the loop.

Decimals are plain text, quotes are JSON text, so `sqlite3 ticker.sqlite` shows everything to a person. It
refuses to guess: what can't be read or written is a HistoryError that names the file.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path

import aiosqlite
import msgspec

from ticker.clock import Clock
from ticker.errors import HistoryError
from ticker.history.file import make_ready, trouble
from ticker.history.minutes import MINUTE
from ticker.history.schema import APPLICATION_ID, BOOK, LAST_MINUTES, MIGRATIONS, QUOTES, RANGE
from ticker.history.store import Options, Saved, Store
from ticker.model import Candle, Quote

logger = logging.getLogger(__name__)

# Below the two seconds a stop may take; a write that finds the file locked for longer is tried again anyway.
BUSY_SECONDS = 1.0


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
            seq, epoch = book[0] if book else (0, None)
            kept = tuple(quote for asset, body in quotes if (quote := self._quote(asset, body)))
            return Saved(seq, epoch, kept, tuple(map(_candle, candles)))

    async def save(self, seq: int, epoch: str, quotes: Sequence[Quote], candles: Sequence[Candle]) -> None:
        async with self._transaction() as db:
            await db.execute("REPLACE INTO book VALUES (1, ?, ?)", (seq, epoch))
            await db.executemany("REPLACE INTO quote VALUES (?, ?, ?)", map(_quote_row, quotes))
            await db.executemany(
                "REPLACE INTO candle VALUES (?, ?, ?, ?, ?, ?, ?, ?)", map(_candle_row, candles)
            )

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        async with self._statements() as db:
            rows = await db.execute_fetchall(RANGE, (asset, currency, interval, start, end, limit))
            return [_candle(row) for row in rows][::-1]

    async def prune(self, before: int) -> None:
        async with self._transaction() as db:
            await db.execute("DELETE FROM candle WHERE interval = ? AND start < ?", (MINUTE, before))

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


def _quote_row(quote: Quote) -> tuple[str, str, str]:
    return quote.asset, quote.currency, msgspec.json.encode(quote).decode()


def _candle_row(candle: Candle) -> tuple[str | int, ...]:
    prices = (format(price, "f") for price in (candle.open, candle.high, candle.low, candle.close))
    return candle.asset, candle.currency, candle.interval, candle.start, *prices


def _candle(row: sqlite3.Row) -> Candle:
    asset, currency, interval, start, *prices = row
    return Candle(asset, currency, interval, start, *map(Decimal, prices))
