"""The websocket side of the embedded market: five venues' streams in their own words, and their faults.

What can go wrong is here; the streams are served by `server`, which market/server.py puts under each venue.
"""

from __future__ import annotations

from ticker.market.streams.faults import StreamFault, Streams

__all__ = ["StreamFault", "Streams"]
