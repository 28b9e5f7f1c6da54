"""Is this path a file history may use? Looks before anything is opened for writing.

A damaged file is moved aside with its write-ahead log, never deleted. A file of another program or of a
newer schema is left as it is, like everything else that a person has to decide: that is a HistoryError.
"""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from ticker.errors import HistoryError
from ticker.history.schema import APPLICATION_ID, BOOK, LAST_MINUTES, MIGRATIONS, QUOTES

logger = logging.getLogger(__name__)

# A check reads every page: 0.1 s for two days of 200 assets (35 MB), which a start can afford. Above this
# size only what a start reads is read; damage elsewhere is met when the service runs, and is a failing state.
CHECKED_WHOLE = 64 * 1024 * 1024

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_WRITABLE = "make the file and its directory writable for this user, or set another history path"
_ADVICE = {
    sqlite3.SQLITE_FULL: "free space on its disk",
    sqlite3.SQLITE_IOERR: "check its disk",
    sqlite3.SQLITE_BUSY: "stop the other program that holds it",
    sqlite3.SQLITE_READONLY: _WRITABLE,
    sqlite3.SQLITE_CANTOPEN: _WRITABLE,
    sqlite3.SQLITE_PERM: _WRITABLE,
    sqlite3.SQLITE_CORRUPT: "stop the service, move the file away and start again",
    sqlite3.SQLITE_NOTADB: "stop the service, move the file away and start again",
}


def trouble(path: str | Path, error: sqlite3.Error) -> HistoryError:
    """SQLite's error as ours: one line with the path, what is wrong and what to do."""
    return HistoryError(f"{path}: {error}; {_ADVICE.get(_code(error), 'check the file')}")


def make_ready(path: Path, now: int) -> None:
    """See to it that `path` is free or holds a sound history file.

    `now`, ms UTC, names a damaged file that is moved aside.
    Raises HistoryError when a person has to decide: a wrong place, another program's file, a newer schema.
    """
    try:
        _check_place(path)
        damage = _damage(path) if path.exists() and path.stat().st_size else None
        if damage is not None:
            kept = _move_aside(path, now)
            logger.error("%s is damaged (%s); kept as %s, starting with a new file", path, damage, kept)
    except OSError as error:
        raise HistoryError(f"{path}: {error.strerror}; {_WRITABLE}") from error


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise HistoryError(f"{path}: is a directory; set the history path to a file in it")
    if not path.parent.is_dir():
        raise HistoryError(f"{path}: {path.parent} is no directory; create it, or set another history path")


def _damage(path: Path) -> str | None:
    """What is wrong with the bytes of the file, None if nothing is."""
    # Read-only, so that looking neither changes a stranger's file nor folds the log into a damaged one.
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            current = _version(db, path) == len(MIGRATIONS)
            if current and path.stat().st_size > CHECKED_WHOLE:
                verdict = _read_start(db)
            else:
                verdict = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if _code(error) not in _DAMAGE:
            raise trouble(path, error) from error
        return str(error)
    return None if verdict == "ok" else " ".join(verdict.split())


def _read_start(db: sqlite3.Connection) -> str:
    for query in (BOOK, QUOTES, LAST_MINUTES):
        db.execute(query).fetchall()
    return "ok"


def _version(db: sqlite3.Connection, path: Path) -> int:
    """The schema of our file, 0 where there is no table yet; HistoryError for a stranger's or a newer one."""
    owner = db.execute("PRAGMA application_id").fetchone()[0]
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    blank = owner == version == 0 and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if owner != APPLICATION_ID and not blank:
        raise HistoryError(f"{path}: is another program's database; set another history path")
    if version > len(MIGRATIONS):
        raise HistoryError(
            f"{path}: has schema {version} and this version knows up to {len(MIGRATIONS)}; "
            "upgrade, or set another history path"
        )
    return version


def _move_aside(path: Path, now: int) -> Path:
    stamp = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = _free(f"{path}.corrupt-{stamp}")
    # The file goes last: a start that dies in between finds it damaged again, no new file beside an old log.
    for suffix in ("-shm", "-wal", ""):
        part = Path(f"{path}{suffix}")
        if part.exists():
            part.rename(f"{kept}{suffix}")
    return kept


def _free(name: str) -> Path:
    """`name`, or `name.1`, `name.2` …: the first under which nothing is kept yet."""
    candidates = (Path(f"{name}.{n}" if n else name) for n in count())
    return next(p for p in candidates if not any(Path(f"{p}{s}").exists() for s in ("", "-wal", "-shm")))


def _code(error: sqlite3.Error) -> int:
    """The primary result code (https://www.sqlite.org/rescode.html); 0 where the error isn't SQLite's own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
