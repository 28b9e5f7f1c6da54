"""What a venue's stream says, as a declaration: its answers to messages, its tickers, its heartbeat.

One Speaker speaks on one connection and remembers what was subscribed there. It opens no socket and reads no
clock: the view it is handed tells the time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import ClassVar

from ticker.market.venue import Listing, View

# A frame before it is bytes: text as it is, anything else becomes JSON.
Frame = object


class Speaker(ABC):
    """One connection's side of the talk. `subscribed` holds the listings by the stream's spelling."""

    venue: ClassVar[str]

    def __init__(self) -> None:
        self.subscribed: dict[str, Listing] = {}

    def name(self, listing: Listing) -> str:
        """The stream's spelling of a listing."""
        return listing.symbol

    def take(self, view: View, name: str) -> bool:
        """Subscribe to one listing; False where there is none of that name."""
        found = next((one for one in view.listings.values() if self.name(one) == name), None)
        if found is not None:
            self.subscribed[name] = found
        return found is not None

    def greeting(self) -> Iterable[Frame]:
        """What is said before anything was asked."""
        return ()

    @abstractmethod
    def answer(self, view: View, said: object) -> Iterable[Frame]:
        """The answers to a message: decoded JSON, or text where it was none."""

    @abstractmethod
    def ticker(self, view: View, listing: Listing) -> Frame:
        """The 24 hour statistics of one listing."""

    def heartbeat(self, view: View) -> Iterable[Frame]:
        """What is said every second whether prices move or not."""
        return ()


def iso(ms: int) -> str:
    """ISO 8601 in UTC with microseconds and Z."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
