"""Opening: what is ours is used, what is damaged is kept aside, what is not ours is left alone."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ticker.errors import HistoryError
from ticker.history import Options, Saved, opening
from ticker.history import file as history_file
from ticker.history.sqlite import MIGRATIONS, SqliteStore
from ticker.model import Candle, Quote, State

NOW = 1_790_000_000_123  # 2026-09-21T14:13:20.123Z
QUOTE = Quote(asset="talus", symbol="US", name="Talus", currency="USD", price=Decimal("0.01021"), seq=7)


class Frozen:
    """A clock that stands still."""

    def now(self) -> int:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("opening waits for nothing")


def candle(start: int) -> Candle:
    price = Decimal("0.01021")
    return Candle("talus", "USD", 60, start, price, price, price, price)


def saved_once(path: Path, candles: int = 1) -> None:
    saved(path, [QUOTE], [candle(n * 60_000) for n in range(candles)])


def saved(path: Path, quotes: list[Quote], candles: list[Candle]) -> None:
    async def save() -> None:
        async with opening(Options(path=str(path)), Frozen()) as store:
            await store.save(7, "k3f9", quotes, candles)

    asyncio.run(save())


def load(path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> Saved:
    async def start() -> Saved:
        async with opening(Options(path=str(path)), Frozen()) as store:
            assert isinstance(store, SqliteStore)
            await store.prepare(migrations)
            return await store.load()

    return asyncio.run(start())


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


def damage_page(path: Path, from_end: int) -> None:
    with path.open("r+b") as file:
        file.seek(-4096 * from_end, os.SEEK_END)
        file.write(b"\xff" * 4096)


def damage_table(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        ((page,),) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,))
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xff" * 4096)


def kept_aside(path: Path) -> list[Path]:
    """Damaged files themselves, without the logs that went with them."""
    return sorted(
        p for p in path.parent.glob(f"{path.name}.corrupt-*") if not p.name.endswith(("-wal", "-shm"))
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ticker.sqlite"


def test_new_file_starts_empty_and_is_found_again(path: Path) -> None:
    assert load(path) == Saved()
    saved_once(path)
    assert load(path) == Saved(7, "k3f9", (QUOTE,), (candle(0),))


def test_empty_file_is_taken_as_new(path: Path) -> None:
    path.touch()
    assert load(path) == Saved()
    assert kept_aside(path) == []


@pytest.mark.parametrize("wanted", [None, ""])
def test_without_a_path_nothing_is_kept_on_disk_and_the_log_says_so(
    wanted: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def round_trip() -> None:
        async with opening(Options(path=wanted), Frozen()) as store:
            await store.save(7, "k3f9", [QUOTE], [candle(0)])
            assert (await store.load()).quotes == (QUOTE,)

    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.INFO, "ticker.history"):
        asyncio.run(round_trip())
    assert [record.getMessage() for record in caplog.records] == [
        "no history path: quotes and candles are kept in memory and end with the process"
    ]
    assert list(tmp_path.iterdir()) == []


def test_relative_path_is_taken_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved_once(Path("prices.sqlite"))
    assert (tmp_path / "prices.sqlite").is_file()


@pytest.mark.parametrize("bytes_", [b"this is no database\n" * 400, b"\0" * 8192], ids=["text", "zeros"])
def test_file_of_other_bytes_is_kept_aside_and_a_new_one_begun(
    bytes_: bytes, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_bytes(bytes_)
    assert load(path) == Saved()
    (kept,) = kept_aside(path)
    assert kept.name == "ticker.sqlite.corrupt-20260921T141320Z"
    assert kept.read_bytes() == bytes_
    (record,) = errors(caplog)
    assert str(path) in record.getMessage()
    assert str(kept) in record.getMessage()
    assert "file is not a database" in record.getMessage()


def test_truncated_file_is_kept_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    saved_once(path, candles=2000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert load(path) == Saved()
    assert len(kept_aside(path)) == 1
    assert len(errors(caplog)) == 1


def test_page_of_garbage_among_the_candles_is_found_at_open(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    saved_once(path, candles=2000)
    damage_page(path, from_end=10)
    assert load(path) == Saved()
    assert len(kept_aside(path)) == 1
    assert len(errors(caplog)) == 1


def test_large_file_with_damage_among_old_candles_still_gives_its_quotes(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    saved_once(path, candles=2000)
    damage_page(path, from_end=10)
    monkeypatch.setattr(history_file, "CHECKED_WHOLE", 4096)
    assert load(path).quotes == (QUOTE,)
    assert kept_aside(path) == []
    assert errors(caplog) == []


def test_large_file_with_damage_in_what_a_start_needs_is_kept_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    saved_once(path, candles=2000)
    damage_table(path, "quote")
    monkeypatch.setattr(history_file, "CHECKED_WHOLE", 4096)
    assert load(path) == Saved()
    assert len(kept_aside(path)) == 1
    assert len(errors(caplog)) == 1


def test_write_ahead_log_moves_with_its_file(path: Path) -> None:
    path.write_bytes(b"x" * 8192)
    Path(f"{path}-wal").write_bytes(b"log")
    Path(f"{path}-shm").write_bytes(b"index")
    load(path)
    (kept,) = kept_aside(path)
    assert Path(f"{kept}-wal").read_bytes() == b"log"
    assert Path(f"{kept}-shm").is_file()


def test_second_damaged_file_in_one_second_does_not_replace_the_first(path: Path) -> None:
    for content in (b"first" * 999, b"second" * 999):
        path.write_bytes(content)
        load(path)
    assert {kept.read_bytes() for kept in kept_aside(path)} == {b"first" * 999, b"second" * 999}


def test_after_a_damaged_file_the_next_start_is_an_ordinary_one(path: Path) -> None:
    path.write_bytes(b"x" * 8192)
    saved_once(path)
    assert load(path).seq == 7
    assert len(kept_aside(path)) == 1


def test_another_programs_database_is_refused_and_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE places (url TEXT)")
        db.commit()
    before = path.read_bytes()
    with pytest.raises(HistoryError, match=r"another program's database; set another history path"):
        load(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_application_id_of_another_program_is_refused_even_without_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA application_id = 1196444487")  # a GeoPackage
    with pytest.raises(HistoryError, match="another program's database"):
        load(path)


def test_newer_schema_is_refused_and_left_as_it_is(path: Path) -> None:
    saved_once(path)
    newer = len(MIGRATIONS) + 1
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {newer}")
    with pytest.raises(HistoryError, match=rf"has schema {newer} and this version knows up to .*upgrade"):
        load(path)
    assert kept_aside(path) == []


def test_older_schema_is_brought_forward_with_its_rows(path: Path) -> None:
    saved_once(path)
    steps = (*MIGRATIONS, ("ALTER TABLE quote ADD COLUMN note TEXT",))
    assert load(path, steps).quotes == (QUOTE,)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (len(steps),)
        assert db.execute("SELECT note FROM quote").fetchall() == [(None,)]


def test_failed_migration_leaves_the_old_schema(path: Path) -> None:
    saved_once(path)
    steps = (
        *MIGRATIONS,
        ("ALTER TABLE quote ADD COLUMN note TEXT", "ALTER TABLE nothing ADD COLUMN note TEXT"),
    )
    with pytest.raises(HistoryError, match="nothing"):
        load(path, steps)
    assert load(path).quotes == (QUOTE,)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("missing/ticker.sqlite", "is no directory; create it"),
        ("plain/ticker.sqlite", "is no directory; create it"),
        (".", "is a directory; set the history path to a file in it"),
        ("/proc/ticker.sqlite", "unable to open database file; make the file and its directory writable"),
    ],
)
def test_unusable_place_is_one_line_with_path_fault_and_remedy(place: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("a file, not a directory")
    wanted = tmp_path / place
    with pytest.raises(HistoryError) as caught:
        load(wanted)
    assert str(caught.value).startswith(f"{wanted}: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_that_another_program_is_writing_is_refused(path: Path) -> None:
    saved_once(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(HistoryError, match="stop the other program that holds it"):
            load(path)
    assert load(path).seq == 7


@pytest.mark.parametrize("mode", [0o555, 0o000], ids=["readable", "closed"])
def test_file_that_may_not_be_written_is_refused_and_left_as_it_is(mode: int) -> None:
    # Not under tmp_path: root, who may write anything, becomes nobody for this, who may not enter there.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ticker.sqlite"
        saved_once(path)
        before = path.read_bytes()
        path.chmod(0o444)
        Path(folder).chmod(mode)
        with without_privilege(), pytest.raises(HistoryError, match="writable for this user"):
            load(path)
        Path(folder).chmod(0o755)
        assert path.read_bytes() == before
        assert list(Path(folder).iterdir()) == [path]


@contextmanager
def without_privilege() -> Iterator[None]:
    was = os.geteuid()
    os.seteuid(65534 if was == 0 else was)
    try:
        yield
    finally:
        os.seteuid(was)


def test_quote_that_cannot_be_read_is_left_out_and_named(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = Quote(asset="bitcoin", symbol="BTC", name="Bitcoin", currency="USD", state=State.STALE)
    saved(path, [QUOTE, other], [])
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE quote SET body = '{\"asset\":1}' WHERE asset = 'bitcoin'")
        db.commit()
    assert load(path).quotes == (QUOTE,)
    (record,) = errors(caplog)
    assert "bitcoin" in record.getMessage()
