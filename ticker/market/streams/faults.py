"""What can be wrong with a venue's stream, apart from its questions and answers, as plain data.

It says what goes wrong and since when; the server plays it, within one second of the market's clock.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from msgspec import Struct

Kind = Literal["cut", "silent", "slow", "garbage", "planned"]


class StreamFault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that is wrong, until it is healed. Make it with the methods below."""

    kind: Kind
    seconds: int = 0

    @staticmethod
    def cut() -> StreamFault:
        """Every connection is reset, and so is each new one."""
        return StreamFault(kind="cut")

    @staticmethod
    def silent() -> StreamFault:
        """Connections open and stay open, and nothing is said on them: no price, answer or heartbeat."""
        return StreamFault(kind="silent")

    @staticmethod
    def slow(seconds: int) -> StreamFault:
        """All that is said was true `seconds` ago."""
        return StreamFault(kind="slow", seconds=seconds)

    @staticmethod
    def garbage() -> StreamFault:
        """In place of every frame comes one that means nothing."""
        return StreamFault(kind="garbage")

    @staticmethod
    def planned() -> StreamFault:
        """Whoever is connected is told to come again (close code 1001); new connections are well."""
        return StreamFault(kind="planned")


class Streams:
    """The streams' faults by venue, and how many connections each venue has ever had."""

    def __init__(self) -> None:
        self.opened: Counter[str] = Counter()
        self._faults: dict[str, tuple[StreamFault, int]] = {}

    def fail(self, venue: str, fault: StreamFault) -> None:
        """From now on the venue's stream has this fault, in place of any other."""
        self._faults[venue] = (fault, self.opened[venue])

    def heal(self) -> None:
        """End the faults of all streams."""
        self._faults.clear()

    def fault(self, venue: str, number: int) -> StreamFault | None:
        """What is wrong for the venue's connection `number`, counted from 1."""
        fault, before = self._faults.get(venue, (None, 0))
        return None if fault is not None and fault.kind == "planned" and number > before else fault
