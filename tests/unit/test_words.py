"""The words of every locale: all there, short, in its own script and digits."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields

import pytest

from widgets.locales import TAGS, Words, find
from widgets.words import LABELS, RANGES, SAID, UNITS, WORDS

QUOTED = {"said", "ranges", "title", "chart", "demo", "old", "as_of", "day", "utc_day"}
LABELLED = [field.name for field in fields(Words) if field.name not in QUOTED]
HOLES = {"page": 2} | dict.fromkeys(("title", "old", "as_of", "converter", "sort", "price_chart"), 1)
HEADS = ("asset", "price", "change", "volume", "market_cap", "low", "high", "open", "close", "time", "source")
SHARED = {"Instrument", "Pause", "Source", "Sources", "Volume"}
"""English words that another language writes in the same letters."""
FOREIGN = {"el", "bg", "ru", "uk", "he", "ar", "fa", "hi", "bn", "th", "ja", "ko", "zh-Hans", "zh-Hant"}


def labels(tag):
    words = find(tag).words
    return {name: getattr(words, name) for name in LABELLED}


def everything(tag):
    words = find(tag).words
    return [*labels(tag).values(), *words.ranges.values()]


def test_every_table_has_the_same_locales():
    assert list(WORDS) == list(UNITS) == list(LABELS) == list(TAGS)
    assert len(TAGS) >= 30


@pytest.mark.parametrize("tag", TAGS)
def test_every_word_is_there_and_every_pattern_has_its_places(tag):
    words = find(tag).words
    assert (tuple(words.said), tuple(words.ranges)) == (SAID, RANGES)
    assert all(text and text == text.strip() for text in everything(tag))
    patterns = {
        name: text.count("#") for name in HOLES.keys() | set(LABELLED) for text in [getattr(words, name)]
    }
    assert {name: holes for name, holes in patterns.items() if holes} == HOLES


@pytest.mark.parametrize("tag", TAGS)
def test_column_heads_and_buttons_are_short(tag):
    found = labels(tag)
    assert [found[name] for name in HEADS if len(found[name]) > 16] == []
    assert max(len(found[name]) for name in ("pause", "previous", "next", "line", "candles")) <= 14
    assert max(len(text) for text in (found["hour"], found["week"], *find(tag).words.ranges.values())) <= 8


@pytest.mark.parametrize("tag", TAGS)
def test_what_begins_with_a_letter_begins_with_a_capital(tag):
    small = [text for name, text in labels(tag).items() if text[0].islower()]
    assert small == []


@pytest.mark.parametrize("tag", TAGS)
def test_ranges_differ_from_each_other_and_digits_are_the_locales_own(tag):
    assert len(set(find(tag).words.ranges.values())) == len(RANGES)
    digits = {letter for text in everything(tag) for letter in text if letter.isdigit()}
    assert {ord(digit) - unicodedata.digit(digit) for digit in digits} <= {ord(find(tag).zero)}


@pytest.mark.parametrize("tag", [tag for tag in TAGS if tag != "en"])
def test_no_english_is_left_over(tag):
    english = labels("en")
    same = {text for name, text in labels(tag).items() if text == english[name]}
    assert same <= SHARED
    if tag in FOREIGN:
        latin = set(re.findall("[A-Za-z]+", " ".join(everything(tag))))
        assert latin <= {"K"}  # K线, the Chinese name of candles
