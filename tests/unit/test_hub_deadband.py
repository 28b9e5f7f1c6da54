"""Deadbands of the hub: no reader is as far off as it allowed, and nothing is told for nothing."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.conftest import NOW
from tests.unit.feed_model import LONG, Stand, near, prices, some_fields, wire


@settings(deadline=None)
@given(st.lists(st.tuples(prices, st.sampled_from((0, 300, 1000, LONG, 40_000))), max_size=30), some_fields)
def test_no_deadband_is_a_deadband_of_nothing(
    moves: list[tuple[list[tuple[str, int]], int]], fields: tuple[str, ...]
) -> None:
    stand = Stand()
    ann = stand.join("ann", fields=fields)
    bob = stand.join("bob", fields=fields, deadband=Decimal("0.0"))
    assert ann.key == bob.key
    for move, ms in moves:
        stand.price(move)
        stand.expire()
        stand.later(ms)
    assert ann.frames == bob.frames


def test_a_price_is_sent_when_it_has_moved_by_the_deadband_since_it_was_last_sent() -> None:
    stand = Stand()
    stand.price([("talus", 0)])
    ann = stand.join("ann", ["talus"], deadband=Decimal("0.2"))
    sent = []
    for price in (1, 2, 3, 1, 0, -1, 0, 1, 2):
        stand.price([("talus", price)])
        stand.later(1000)
        sent.append(ann.quotes["talus"]["price"])
    assert sent == ["1000", "1002", "1002", "1002", "1002", "999", "999", "1001", "1001"]


def test_a_state_is_sent_whatever_the_deadband() -> None:
    stand = Stand()
    stand.price([("talus", 0)])
    ann = stand.join("ann", ["talus"], deadband=Decimal(50))
    stand.price([("talus", 1)])
    assert stand.later(1000) == []
    stand.clock.advance(40_000)
    stand.expire()
    stand.later(0)
    assert (ann.quotes["talus"]["state"], ann.quotes["talus"]["price"]) == ("delayed", "1001")


def test_a_state_nobody_asked_for_is_no_frame_where_the_price_is_the_same() -> None:
    stand = Stand()
    stand.price([("talus", 0)])
    stand.join("ann", ["talus"], fields=("price",), deadband=Decimal("0.3"))
    stand.clock.advance(40_000)
    stand.expire()
    assert stand.later(1000) == []


def test_the_first_price_is_sent_whatever_the_deadband() -> None:
    stand = Stand()
    ann = stand.join("ann", ["talus"], deadband=Decimal(50))
    stand.price([("talus", 1)])
    stand.later(1000)
    assert ann.quotes["talus"]["price"] == "1001"


def test_readers_with_a_deadband_share_a_cohort_only_from_one_moment() -> None:
    stand = Stand()
    stand.price([("talus", 1)])
    for name in ("ann", "bob"):
        stand.join(name, ["talus"], deadband=Decimal("0.15"))
    stand.price([("talus", 2)])
    stand.join("cyd", ["talus"], deadband=Decimal("0.15"))
    assert stand.hub.cohorts == 2
    stand.price([("talus", 3)])
    (frame,) = stand.later(1000)
    assert sorted(frame.readers) == ["ann", "bob"]


def test_a_price_that_crept_does_not_hide_behind_a_state_nobody_asked_for() -> None:
    # Others of the same fields had the price long ago, and a frame of another asset has gone out since.
    stand = Stand()
    stand.price([("talus", 0), ("bitcoin", 0)])
    ann = stand.join("ann", ["talus", "bitcoin"], fields=("price",), deadband=Decimal("0.3"))
    stand.join("bob", ["talus"], 250, fields=("price",))
    stand.price([("talus", 2), ("bitcoin", 4)])
    stand.later(1000)
    stand.clock.advance(40_000)
    stand.expire()
    stand.later(1000)
    for price in (2, 4):
        stand.price([("talus", price)])
        stand.later(1000)
    assert near(ann.quotes["talus"], wire(stand.book.quote("talus"), ("price",)), Decimal("0.3"))


def test_a_price_that_others_had_before_is_not_taken_for_told() -> None:
    # The same price came twice; in between, at a frame of the reader's, it was back inside the deadband.
    stand = Stand()
    stand.clock.time = NOW - NOW % 15_000
    stand.price([("talus", 0), ("bitcoin", 0)])
    ann = stand.join("ann", ["talus", "bitcoin"], 1000, fields=("price",), deadband=Decimal("0.3"))
    stand.join("bob", ["talus"], 250, fields=("price",))
    stand.price([("talus", 4)])
    stand.later(250)
    stand.later(600)
    stand.leave("bob")
    stand.price([("talus", 0), ("bitcoin", 4)])
    stand.later(150)
    stand.price([("talus", 4)])
    stand.later(1000)
    assert ann.quotes == stand.truth(ann)
