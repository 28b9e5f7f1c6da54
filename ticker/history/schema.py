"""The tables of the history file, how each version became the next, and what a start reads from them.

Only text: nothing here opens a file. Prices are decimals in plain notation, a quote is JSON.
"""

from __future__ import annotations

APPLICATION_ID = 0x5469636B  # "Tick": https://www.sqlite.org/pragma.html#pragma_application_id

_FIRST = (
    "CREATE TABLE book (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, epoch TEXT NOT NULL)",
    """CREATE TABLE quote (
        asset TEXT PRIMARY KEY, currency TEXT NOT NULL, body TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE candle (
        asset TEXT, currency TEXT, interval INTEGER, start INTEGER,
        open TEXT NOT NULL, high TEXT NOT NULL, low TEXT NOT NULL, close TEXT NOT NULL,
        PRIMARY KEY (asset, currency, interval, start)
    ) WITHOUT ROWID""",
)
# What a candle is rolled into waits in `due`; `fill` is how far a backfill has come.
_TIERS = (
    """CREATE TABLE due (
        asset TEXT, currency TEXT, interval INTEGER, start INTEGER,
        PRIMARY KEY (asset, currency, interval, start)
    ) WITHOUT ROWID""",
    "CREATE INDEX due_start ON due (interval, start)",
    """INSERT INTO due
        SELECT DISTINCT asset, currency, 300, start - start % 300000 FROM candle WHERE interval = 60""",
    """CREATE TABLE fill (
        asset TEXT, currency TEXT, interval INTEGER,
        pair TEXT NOT NULL, reached INTEGER NOT NULL, until INTEGER NOT NULL,
        PRIMARY KEY (asset, currency, interval)
    ) WITHOUT ROWID""",
)
# Whether the process that gave out these seqs ended properly.
_ENDED = ("ALTER TABLE book ADD COLUMN ended INTEGER NOT NULL DEFAULT 0",)
# Version n is what stands after the first n entries. Entries are only ever added; one released never changes.
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _TIERS, _ENDED)

BOOK = "SELECT seq, epoch, ended FROM book"
QUOTES = "SELECT asset, body FROM quote ORDER BY asset"
# CROSS JOIN holds SQLite to this order: one seek a quote, not a walk through all candles.
LAST_MINUTES = """
    SELECT asset, currency, interval, start, open, high, low, close
    FROM quote CROSS JOIN candle USING (asset, currency)
    WHERE interval = 60 AND start = (
        SELECT max(start) FROM candle AS c
        WHERE c.asset = quote.asset AND c.currency = quote.currency AND c.interval = 60
    )"""
RANGE = """
    SELECT asset, currency, interval, start, open, high, low, close FROM candle
    WHERE asset = ? AND currency = ? AND interval = ? AND start >= ? AND start < ?
    ORDER BY start DESC LIMIT ?"""

# Spans of a tier that have closed and wait, the oldest first, and the candles of the tier below in them.
WAITING = """
    SELECT asset, currency, interval, start FROM due
    WHERE interval = :tier AND start <= :latest ORDER BY start, asset, currency LIMIT :most"""
PARTS = """
    WITH span AS MATERIALIZED (
        SELECT asset, currency, start FROM due
        WHERE interval = :tier AND start <= :latest ORDER BY start, asset, currency LIMIT :most
    )
    SELECT c.asset, c.currency, c.interval, c.start, c.open, c.high, c.low, c.close
    FROM span CROSS JOIN candle AS c ON c.asset = span.asset AND c.currency = span.currency
        AND c.interval = :finer AND c.start >= span.start AND c.start < span.start + :tier * 1000
    ORDER BY c.asset, c.currency, c.start"""
UNROLLED = "SELECT min(start) FROM due WHERE asset = ? AND currency = ? AND interval <= ?"
# One seek for each asset and currency; DISTINCT would walk through all candles.
KEPT = """
    WITH RECURSIVE kept (asset, currency) AS (
        SELECT * FROM (SELECT asset, currency FROM candle ORDER BY asset, currency LIMIT 1)
        UNION ALL
        SELECT
            (SELECT c.asset FROM candle AS c WHERE (c.asset, c.currency) > (kept.asset, kept.currency)
                ORDER BY c.asset, c.currency LIMIT 1),
            (SELECT c.currency FROM candle AS c WHERE (c.asset, c.currency) > (kept.asset, kept.currency)
                ORDER BY c.asset, c.currency LIMIT 1)
        FROM kept WHERE kept.asset IS NOT NULL
    )
    SELECT asset, currency FROM kept WHERE asset IS NOT NULL"""
FILLS = "SELECT asset, currency, interval, pair, reached, until FROM fill"
