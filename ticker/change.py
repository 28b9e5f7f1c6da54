"""Percent-change arithmetic, pure and exact.

Percent is in percent: 1.73 means +1.73 %. Nothing here knows where the two prices come from.
"""

from __future__ import annotations

from decimal import Context, Decimal

HUNDREDTH = Decimal("0.01")
HUNDRED, ZERO = Decimal(100), Decimal(0)
# Wide enough to round what one nonsense price among sane ones makes of a percentage.
WIDE = Context(prec=128)
UNCHANGED = Decimal("0.00")


def percent_between(then: Decimal, now: Decimal) -> Decimal:
    """The change from `then` to `now` in percent, unrounded. ValueError when `then` isn't above zero."""
    if not then > ZERO:
        raise ValueError(f"a change counts from a price above zero, not from {then}")
    return (now - then) / then * HUNDRED


def inverse(percent: Decimal) -> Decimal:
    """The change that undoes `percent`: +25 % is undone by −20 %. ValueError at −100 % and below."""
    if not percent > -100:
        raise ValueError(f"a change of {percent} % can't be undone")
    return -percent / (100 + percent) * 100


def rounded(percent: Decimal) -> Decimal:
    """To hundredths of a percent, as every reader sees it; never −0.00."""
    return WIDE.quantize(percent, HUNDREDTH) or UNCHANGED
