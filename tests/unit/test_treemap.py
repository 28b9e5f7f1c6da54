"""Where the tiles of a treemap are."""

from __future__ import annotations

import math
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from widgets.treemap import Tile, treemap

weights = st.lists(st.floats(min_value=1e-3, max_value=1e6), min_size=1, max_size=60)
sides = st.floats(min_value=10, max_value=2000)


def test_one_weight_takes_all():
    assert treemap([7.0], 30, 20) == [Tile(0, 0, 30, 20)]


def test_nothing_has_no_tiles():
    assert treemap([], 30, 20) == []


@given(weights, sides, sides)
def test_areas_are_in_proportion_and_fill_the_whole(given_weights, width, height):
    tiles = treemap(given_weights, width, height)
    whole = sum(given_weights)
    for weight, tile in zip(given_weights, tiles, strict=True):
        share = tile.width * tile.height / (width * height)
        assert math.isclose(share, weight / whole, rel_tol=1e-6, abs_tol=1e-9)


@given(weights, sides, sides)
def test_tiles_are_inside_and_don_t_overlap(given_weights, width, height):
    tiles = treemap(sorted(given_weights, reverse=True), width, height)
    slack = 1e-7 * max(width, height)
    for tile in tiles:
        assert tile.x >= -slack
        assert tile.y >= -slack
        assert tile.x + tile.width <= width + slack
        assert tile.y + tile.height <= height + slack
    for one, other in combinations(tiles, 2):
        across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        assert across <= slack or down <= slack


def test_equal_tiles_are_nearly_square():
    assert all(0.5 <= tile.width / tile.height <= 2 for tile in treemap([1.0] * 12, 400, 300))
