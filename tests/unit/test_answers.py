"""What is kept, in which coding it is sent, and when it is sent again."""

from __future__ import annotations

import gzip

import brotli
import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from ticker.codings import preferred
from widgets.answers import HTML, PNG, Content, Kept

TEXT = "<p>0.01021</p>" * 40


def ask(**headers):
    return make_mocked_request("GET", "/", headers=headers)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", ""), ("br", "br"), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "br"), ("br;q=0, gzip", "gzip"),
        ("br;q=0.0,gzip;q=0", ""), ("GZIP;q=0.5", "gzip"), ("identity", ""), ("*", ""),
    ],
)  # fmt: skip
def test_the_better_coding_that_is_taken_is_chosen(accepted, coding):
    assert preferred(accepted) == coding


@pytest.mark.parametrize(
    ("accepted", "unpacked"), [("br", brotli.decompress), ("gzip", gzip.decompress), ("", bytes)]
)
def test_each_coding_is_the_same_text(accepted, unpacked):
    answer = Content(TEXT, HTML).answer(ask(**{"Accept-Encoding": accepted}))
    assert unpacked(answer.body) == TEXT.encode()
    assert answer.headers.get("Content-Encoding", "") == accepted
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_picture_of_pixels_is_not_compressed_again():
    answer = Content(b"\x89PNG", PNG).answer(ask(**{"Accept-Encoding": "br"}))
    assert (answer.body, answer.headers["Content-Type"]) == (b"\x89PNG", "image/png")
    assert "Content-Encoding" not in answer.headers


def test_what_a_reader_holds_is_not_sent_again_but_an_error_is():
    content, failed = Content(TEXT, HTML), Content(TEXT, HTML, status=404)
    tag = content.answer(ask()).headers["ETag"]
    assert content.answer(ask(**{"If-None-Match": tag})).status == 304
    assert content.answer(ask(**{"If-None-Match": f'"x", {tag}'})).status == 304
    assert content.answer(ask(**{"If-None-Match": '"x"'})).status == 200
    assert failed.answer(ask(**{"If-None-Match": tag})).status == 404
    assert failed.answer(ask()).headers["Cache-Control"] == "no-cache"


def test_another_stamp_is_another_content():
    kept = Kept(1000)
    kept.put("a", (1, 0), Content("one", HTML))
    assert kept.get("a", (2, 0)) is None
    assert kept.get("b", (1, 0)) is None
    assert kept.get("a", (1, 0)) is not None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40)), max_size=60))
def test_never_more_than_the_limit_is_kept_and_the_newest_is(puts):
    kept, alive = Kept(100), {}
    for key, size in puts:
        alive[key] = Content("x" * size, HTML)
        kept.put(key, 0, alive[key])
        assert kept.get(key, 0) is alive[key]
    there = [key for key in alive if kept.get(key, 0) is not None]
    assert sum(alive[key].size for key in there) <= 100
