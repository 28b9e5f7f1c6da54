"""Monograms, and text measured without a browser."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from widgets.image import contrast, fit, monogram, width

WHITE = (1.0, 1.0, 1.0)


def rgb(colour):
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


@given(st.text(max_size=30), st.text(max_size=12))
def test_white_letters_are_readable_on_every_monogram(asset, symbol):
    mark = monogram(asset, symbol)
    start, end = rgb(mark.start), rgb(mark.end)
    middle = tuple((one + other) / 2 for one, other in zip(start, end, strict=True))
    assert min(contrast(ground, WHITE) for ground in (start, end, middle)) >= 4.5


def test_monogram_is_the_same_every_time_and_differs_between_assets():
    assert monogram("talus", "US") == monogram("talus", "US")
    assert monogram("talus", "US") != monogram("bitcoin", "US")


def test_monogram_shows_at_most_four_letters_and_never_nothing():
    assert monogram("x", "LONGEST").text == "LONG"
    assert monogram("x", "$!").text == "?"


def test_contrast_of_black_on_white_is_twenty_one():
    assert round(contrast((0, 0, 0), WHITE), 2) == 21


@given(st.text(max_size=80), st.integers(20, 300))
def test_fitted_text_fits(text, room):
    assert width(fit(text, 15, room), 15) <= room


def test_text_that_fits_is_left_alone():
    assert fit("Talus", 15, 100) == "Talus"
    assert fit("Talus", 15, 30).endswith("…")
