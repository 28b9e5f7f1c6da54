"""Where the tiles of a treemap are: weights in, rectangles out.

Squarified (Bruls, Huizing, van Wijk, 2000): the tiles are laid in rows along the shorter side, each row as
long as that makes its tiles more square. Pure, and knows nothing of what a tile shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Tile(NamedTuple):
    """A rectangle, in the unit of the whole."""

    x: float
    y: float
    width: float
    height: float


def treemap(weights: Sequence[float], width: float, height: float) -> list[Tile]:
    """One tile a weight, in their order, with areas in proportion; together they fill `width` × `height`.

    Every weight is above zero. The tiles are most square where the largest weight is first.
    """
    whole = sum(weights)
    rest = [weight / whole * width * height for weight in weights]
    tiles: list[Tile] = []
    place = Tile(0.0, 0.0, width, height)
    while rest:
        count = _row(rest, min(place.width, place.height))
        laid, place = _laid(rest[:count], place, last=count == len(rest))
        tiles += laid
        rest = rest[count:]
    return tiles


def _row(areas: Sequence[float], side: float) -> int:
    """How many of the next areas make the best row along a side."""
    count, worst = 1, _worst(areas[:1], side)
    while count < len(areas):
        longer = _worst(areas[: count + 1], side)
        if longer > worst:
            break
        count, worst = count + 1, longer
    return count


def _worst(row: Sequence[float], side: float) -> float:
    """The ratio of the sides of a row's least square tile."""
    thick = sum(row) / side
    return max(max(area / thick / thick, thick * thick / area) for area in row)


def _laid(row: Sequence[float], place: Tile, *, last: bool) -> tuple[list[Tile], Tile]:
    """The tiles of a row at the start of a place, and what is left of it."""
    x, y, width, height = place
    upright = width >= height
    side = height if upright else width
    thick = sum(row) / side
    if last:  # takes what is there: no sum of floats leaves a gap
        thick = width if upright else height
    tiles, at, full = [], 0.0, sum(row)
    for area in row:
        long = side * area / full
        tiles.append(Tile(x, y + at, thick, long) if upright else Tile(x + at, y, long, thick))
        at += long
    left = Tile(x + thick, y, width - thick, height) if upright else Tile(x, y + thick, width, height - thick)
    return tiles, left
