"""Currency conversion, pure.

A currency is worth what it was measured at, never what it is named after: USDT is not USD. Where the
operator wrote a peg instead, the conversion says that it assumed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal

from msgspec import Struct

from ticker.model import State

ZERO, ONE = Decimal(0), Decimal(1)
# A converted price carries no more digits than were measured; ten hide nothing a venue quotes.
DERIVED = Context(prec=10)


class Rate(Struct, frozen=True):
    """What one unit of a currency is worth in another.

    `grade` is how fresh the measure is: a price is no fresher than the rate it was converted at. `assumed`:
    no measure at all, but the operator's peg. `demo`: the embedded market made it up.
    """

    value: Decimal
    grade: State = State.LIVE
    assumed: bool = False
    demo: bool = False


IDENTITY = Rate(ONE)

# Rates into one target currency, by the currency they come from.
Rates = Mapping[str, Rate]


def rate(currency: str, target: str, rates: Rates) -> Rate | None:
    """The rate from `currency` into `target`; None where it isn't known."""
    return IDENTITY if currency == target else rates.get(currency)


def convert(amount: Decimal, by: Rate) -> Decimal:
    """`amount` at the rate: exact at one to one, else to ten significant digits."""
    return amount if by.value == ONE else DERIVED.multiply(amount, by.value).normalize()
