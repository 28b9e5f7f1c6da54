"""What was: last quotes and one-minute candles that survive a restart.

Writes what the book says and reads it back; it decides no price and knows no reader.
"""

from __future__ import annotations

from ticker.history.recorder import Recorder
from ticker.history.sqlite import opening
from ticker.history.store import Options, Saved, Store

__all__ = ["Options", "Recorder", "Saved", "Store", "opening"]
