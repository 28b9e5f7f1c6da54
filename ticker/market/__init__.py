"""The embedded market: a local server that speaks real venues' REST shapes, for `ticker demo` and for tests.

The ordinary sources are pointed at it by base address alone. Its prices are made up by a seeded walk, and
every answer says so in a `Ticker-Demo: 1` header. It knows nothing of sources, book or feed.
"""

from __future__ import annotations

from ticker.market.faults import Fault
from ticker.market.market import Market
from ticker.market.server import serving

__all__ = ["Fault", "Market", "serving"]
