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
# Version n is what stands after the first n entries. Entries are only ever added; one released never changes.
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST,)

BOOK = "SELECT seq, epoch FROM book"
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
