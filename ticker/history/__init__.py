"""What was: last quotes and candles of four sizes that survive a restart.

Writes what the book says and reads it back; it decides no price and knows no reader.
"""

from __future__ import annotations

from ticker.history.recorder import Recorder
from ticker.history.sqlite import opening
from ticker.history.store import Fill, Options, Saved, Store

__all__ = ["Fill", "Options", "Recorder", "Saved", "Store", "opening"]
