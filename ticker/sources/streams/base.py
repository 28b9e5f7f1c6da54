"""What a venue's stream is: a declaration of where it is, what to say to it, and how its frames read.

A venue's own file holds its address, its subscribe messages, its rules for keeping a connection and `read`;
stream.py keeps the connection. One instance reads one connection, so that it may remember what came before
on it; it opens no socket and reads no clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import msgspec
from msgspec import Struct

from ticker.errors import BadAnswer
from ticker.model import Pair, Tick
from ticker.sources.base import Options
from ticker.sources.rows import lacking

# All five venues, or the balancers before them, end a connection after a day; we go first, at our own time.
LIFE = 23.5 * 3600


class Stream(ABC):
    """The declaration. Seconds throughout.

    `chunk` is how many pairs one subscribe message names, `pace` the time between two of them, `limit` the
    pairs one connection may carry. `ping` is sent every `ping_every`. A connection that has said nothing for
    `silence` is taken for dead, whatever its socket says; `life` is when we replace it ourselves.
    """

    venue: ClassVar[str]
    title: ClassVar[str]
    docs: ClassVar[str]
    url: ClassVar[str]
    chunk: ClassVar[int]
    limit: ClassVar[int]
    silence: ClassVar[float]
    pace: ClassVar[float] = 0.25
    ping: ClassVar[str | None] = None
    ping_every: ClassVar[float] = 20
    life: ClassVar[float] = LIFE

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = {self.symbol(pair): pair for pair in pairs}
        self._absent: set[str] | None = None

    @classmethod
    def symbol(cls, pair: Pair) -> str:
        """The stream's own spelling of a pair, where it differs from the one for questions."""
        return pair.symbol

    @classmethod
    def address(cls, options: Options) -> str | None:
        """Where to connect under these options; None where prices are only asked for.

        Who has set a mirror or a proxy for questions is not sent past it to the public stream unasked.
        """
        if options.mode == "poll" or (options.mode == "auto" and options.base_url and not options.stream_url):
            return None
        return options.stream_url or cls.url

    def subscriptions(self) -> list[str]:
        """The messages that ask for every pair, in chunks the venue takes."""
        symbols = list(self._pairs)
        return [self.subscribe(symbols[at : at + self.chunk]) for at in range(0, len(symbols), self.chunk)]

    def pair(self, symbol: str) -> Pair:
        """The pair of the stream's spelling. BadAnswer for one we didn't ask for."""
        try:
            return self._pairs[symbol]
        except KeyError:
            raise BadAnswer(f"spoke of {symbol[:40]}, which was not asked for") from None

    def noted(self, row: Struct) -> None:
        """A whole row that was read, for `absent`. Its fields are declared as a Venue's are."""
        if self._absent is None:
            self._absent = lacking(type(row), [row])
        elif self._absent:  # else every field was seen, and the others of this hand-over need no look
            self._absent &= lacking(type(row), [row])

    def absent(self) -> set[str] | None:
        """The fields that none of the rows noted since the last call had; None where there was no row."""
        absent, self._absent = self._absent, None
        return absent

    @abstractmethod
    def subscribe(self, symbols: Sequence[str]) -> str:
        """One subscribe message."""

    @abstractmethod
    def read(self, frame: bytes, seen: int) -> list[Tick]:
        """The prices in a frame that arrived at `seen` (ms); none in an acknowledgement or a heartbeat.

        BadAnswer when it can't be read, UnknownSymbol or Refused when it turns a subscription down.
        """


def message(**said: object) -> str:
    """A JSON message to a venue."""
    return msgspec.json.encode(said).decode()


def milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch of a venue's ISO 8601 time."""
    return int(moment.timestamp() * 1000)
