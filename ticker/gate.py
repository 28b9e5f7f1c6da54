"""The jump gate: what to do with a price that is far from the last good one, or that sources dispute. Pure.

A move that three independent sources make together is taken at once. Any other large one waits, and is
released when it lasts: a guard that hides a true crash is a fault too. Meanwhile the last good price stands.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from ticker.model import State

JUMP = Decimal("0.25")
INDEPENDENT = 3
# How long (ms) a move up to a factor must last before it is believed of fewer than three sources. Beyond the
# last factor no time is long enough: that is a shifted decimal point, and it needs a second source.
HOLDS = ((Decimal(10), 90_000), (Decimal(1000), 1_800_000))
# A good price older than this (ms) says little about where the market is now, a decimal point apart.
FORGOTTEN_MS = 3_600_000
# Two sources further apart than this dispute; a kept price yields to their middle after a while (ms).
DISPUTE = Decimal(2)
DISPUTE_MS = 600_000
# Sources that differ by more than this percentage from the start are hardly of one token.
STRANGERS = Decimal(50)


class Good(Struct, frozen=True, gc=False):
    """The last price that passed, its time (ms), and whether several sources have ever agreed on one."""

    price: Decimal
    as_of: int
    agreed: bool = False


class Held(Struct, frozen=True, gc=False):
    """A price that waits, and since when (ms)."""

    price: Decimal
    since: int


class Verdict(Struct, frozen=True):
    """`state` None: the price passes. Else HELD or DISPUTED, and the last good price stands.

    `held` is to be handed in again next time; `due` (ms) is when waiting may end.
    """

    state: State | None = None
    held: Held | None = None
    due: int | None = None


PASSES = Verdict()


def jump_gate(
    price: Decimal, *, good: Good | None, held: Held | None, votes: int, stayed: bool, now: int
) -> Verdict:
    """Whether a price may follow the last good one. `stayed`: some fresh source is still where that was."""
    if good is None or not _far(price, good.price) or (votes >= INDEPENDENT and not stayed):
        return PASSES
    if held is None or _far(price, held.price):
        held = Held(price, now)
    wait = _wait(max(price / good.price, good.price / price))
    if wait is not None and (now - held.since >= wait or now - good.as_of > FORGOTTEN_MS):
        return PASSES
    due = None if wait is None else held.since + wait
    return Verdict(State.DISPUTED if stayed else State.HELD, held, due)


def _far(price: Decimal, reference: Decimal) -> bool:
    return abs(price - reference) > reference * JUMP


def _wait(factor: Decimal) -> int | None:
    return next((wait for limit, wait in HOLDS if factor <= limit), None)
