"""Medians, weights and outliers: the arithmetic of many prices, pure and independent of their order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from ticker.fx import DERIVED

# No source decides alone, however large its volume.
CAP = Decimal("0.4")
# Turns a median absolute deviation into the standard deviation of a normal distribution, times three.
THREE_SIGMA = 3 * Decimal("1.4826")


def ordered(value: Decimal) -> tuple[Decimal, object]:
    """Sort key: equal values may differ in their zeros (1.0, 1.00), and order must not depend on arrival."""
    return value, value.as_tuple().exponent


def ranked(values: Sequence[Decimal]) -> list[int]:
    """The places of the values, from the lowest value to the highest."""
    # Only equal ones may differ in their zeros, and those are seldom.
    keys = values if len(set(values)) == len(values) else [ordered(value) for value in values]
    return sorted(range(len(values)), key=keys.__getitem__)


def median(values: Sequence[Decimal]) -> Decimal:
    """The middle value exactly as it came; of an even number, the two middle ones' mean to ten digits."""
    if len(values) == 1:
        return values[0]
    places = ranked(values)
    half = len(values) // 2
    upper = values[places[half]]
    return upper if len(values) % 2 else between(values[places[half - 1]], upper)


def between(low: Decimal, high: Decimal) -> Decimal:
    """The mean to ten digits, which never leaves the two it is of."""
    mean = DERIVED.divide(low + high, Decimal(2)).normalize()
    return mean if low < mean < high else low


def weighted_median(prices: Sequence[Decimal], weights: Sequence[Decimal | None]) -> Decimal:
    """The price with half of the weight on either side; each weight at most 40 % of all.

    A weight that isn't known counts as the middle one. One or two prices weigh the same.
    """
    if len(prices) < 3:
        return median(prices)
    known = [weight for weight in weights if weight]
    if len(known) < len(weights):
        usual = median(known) if known else Decimal(1)
        known = [weight or usual for weight in weights]
    even = capped(known)
    places = ranked(prices)
    half, below = sum(even) / 2, Decimal(0)
    for place, following in pairwise(places):
        below += even[place]
        if below == half:
            return between(prices[place], prices[following])
        if below > half:
            return prices[place]
    return prices[places[-1]]


def capped(weights: Sequence[Decimal]) -> list[Decimal]:
    """Each weight drawn down to 40 % of what all weigh afterwards; for three or more."""
    falling = sorted(weights, reverse=True)
    for heavy in (1, 2):
        # With `heavy` of them at the cap: cap = CAP * (heavy * cap + the others).
        cap = CAP * sum(falling[heavy:]) / (1 - CAP * heavy)
        if falling[heavy] <= cap:
            return [min(weight, cap) for weight in weights]
    return list(weights)


def distances(prices: Sequence[Decimal]) -> list[Decimal]:
    """How far each price is from the middle one, as a part of it."""
    middle = median(prices)
    return [abs(price - middle) / middle for price in prices]


def tolerance(distances: Sequence[Decimal], floor: Decimal) -> Decimal:
    """How far from the middle is too far: three deviations of the crowd, but never below `floor`."""
    return max(floor, THREE_SIGMA * median(distances))


def spread(prices: Sequence[Decimal]) -> Decimal:
    """The distance between the outermost, in percent of the lowest."""
    low, high = min(prices), max(prices)
    return (high - low) / low * 100
