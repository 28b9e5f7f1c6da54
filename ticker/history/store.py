"""What history is asked to keep, and what keeps it.

The settings, what a restart gets back, and the Store protocol. It knows no file, no table and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from ticker.model import Candle, Quote


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of history."""

    path: Annotated[
        str | None,
        Meta(description="SQLite file of last quotes and candles; empty keeps nothing on disk"),
    ] = "ticker.sqlite"
    flush_seconds: Annotated[float, Meta(description="Seconds between two writes", ge=0.1)] = 2.0
    backfill: Annotated[bool, Meta(description="Whether venues are asked for the past on first start")] = True
    minutes_days: Annotated[int, Meta(description="Days for which one-minute candles are kept", ge=1)] = 2
    fives_days: Annotated[int, Meta(description="Days for which five-minute candles are kept", ge=1)] = 30
    hours_days: Annotated[
        int, Meta(description="Days for which hourly candles are kept; daily ones are kept for ever", ge=1)
    ] = 730


class Saved(Struct, frozen=True):
    """What the last save left: all of one moment, since a save is one transaction.

    `ended`: whoever saved it gave out no later seq, so `epoch` may go on from `seq`. One that was killed may
    have, and those numbers must not be given out again under its epoch. `candles` is the last one-minute
    candle of each quote's asset in its currency, so that a minute cut in two by a restart becomes one.
    """

    seq: int = 0
    epoch: str | None = None
    quotes: tuple[Quote, ...] = ()
    candles: tuple[Candle, ...] = ()
    ended: bool = False


class Fill(Struct, frozen=True):
    """A backfill of one asset's candles of `interval` seconds from `pair`: those that start in [reached,
    until) ms are still to be asked for.
    """

    asset: str
    currency: str
    interval: int
    pair: str
    reached: int
    until: int


class Store(Protocol):
    """Keeps quotes and candles. Every method raises HistoryError when it can't do what it says."""

    async def load(self) -> Saved:
        """What was saved last; an empty Saved if nothing was."""

    async def save(
        self,
        seq: int,
        epoch: str,
        quotes: Sequence[Quote],
        candles: Sequence[Candle],
        *,
        ended: bool = False,
    ) -> None:
        """Keep all of it or, on an error, none: the newest quote of an asset, the newest form of a candle.

        `ended`: no seq above `seq` will be given out before another save.
        """

    async def candles(
        self, asset: str, currency: str, interval: int, start: int, end: int, limit: int
    ) -> list[Candle]:
        """The newest `limit` candles of `interval` seconds that start in [start, end) ms, oldest first."""

    async def roll_up(self, closed: int) -> int:
        """Roll some of what waits into candles of the next tier, those that end at `closed` ms or before.

        One small transaction; how many it made up its mind about, 0 when nothing waits any more.
        """

    async def unrolled(self, asset: str, currency: str, interval: int) -> Sequence[int]:
        """The start (ms) of the oldest candle of `interval` seconds or less that waits, if one does."""

    async def prune(self, before: Mapping[int, int]) -> None:
        """Delete candles of each interval that start before its moment, ms."""

    async def fills(self) -> tuple[Fill, ...]:
        """Every backfill that was begun, the finished ones too."""

    async def fill(self, fills: Sequence[Fill], candles: Sequence[Candle] = ()) -> None:
        """Keep how far these backfills are and what they brought, all or none. What is there stays."""

    async def close(self) -> None: ...
