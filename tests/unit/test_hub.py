"""The hub against a model reader that knows only FEED's rules: it always ends up with the book's quotes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.conftest import NOW, tick
from tests.unit.feed_model import EPOCH, PAIRS, Stand, wire
from ticker.messages import INTERVALS

HEARTBEAT = 15_000

names = st.sampled_from(("ann", "bob", "cyd"))
steps = st.one_of(
    st.tuples(
        st.just("price"), st.lists(st.tuples(st.sampled_from(sorted(PAIRS)), st.integers(1, 4)), max_size=3)
    ),
    st.tuples(
        st.just("join"),
        names,
        st.sets(st.sampled_from(sorted(PAIRS)), min_size=1),
        st.sampled_from(INTERVALS),
    ),
    st.tuples(st.just("leave"), names),
    st.tuples(st.just("later"), st.sampled_from((1, 250, 1000, 4_999, 20_000))),
    st.tuples(st.just("deaf"), names, st.booleans()),
)


def do(stand: Stand, step: tuple[Any, ...]) -> None:
    match step:
        case ("price", prices):
            stand.price(prices)
        case ("join", name, assets, interval):
            stand.join(name, assets, interval)
        case ("leave", name):
            stand.leave(name)
        case ("later", ms):
            stand.later(ms)
        case ("deaf", name, deaf) if name in stand.readers:
            stand.readers[name].deaf = deaf


@settings(max_examples=300)
@given(st.lists(steps, max_size=40))
def test_a_reader_that_follows_the_rules_ends_up_with_the_book(history: list[tuple[Any, ...]]) -> None:
    stand = Stand()
    for step in history:
        do(stand, step)
    for reader in stand.readers.values():
        reader.deaf = False
    stand.later(max(INTERVALS))
    # Whoever was deaf at the last frame learns of it by the next one's `prev`.
    stand.price([(name, 99) for name in PAIRS])
    stand.later(max(INTERVALS))
    for reader in stand.readers.values():
        assert reader.quotes == stand.truth(reader)
    assert len(stand.hub) == len(stand.readers)
    assert stand.hub.cohorts == len({reader.key for reader in stand.readers.values()})


@given(st.lists(steps.filter(lambda step: step[0] != "deaf"), max_size=40))
def test_a_reader_that_misses_no_frame_never_has_to_ask(history: list[tuple[Any, ...]]) -> None:
    stand = Stand()
    for step in history:
        do(stand, step)
        assert all(reader.resyncs == 0 for reader in stand.readers.values())
    stand.later(max(INTERVALS))
    for reader in stand.readers.values():
        assert reader.quotes == stand.truth(reader)


def test_what_changes_between_the_frames_of_one_round_is_in_the_next_ones() -> None:
    # The sender yields to the event loop between two frames, and the book goes on.
    stand = Stand()
    ann, bob = stand.join("ann", {"talus", "bitcoin"}), stand.join("bob", {"bitcoin"})
    stand.price([("talus", 1), ("bitcoin", 1)])
    stand.clock.advance(1000)
    round_ = stand.hub.due(stand.clock.now())
    stand.deliver(first := next(round_))
    stand.price([("bitcoin", 2)])
    for frame in round_:
        stand.deliver(frame)
    (second,) = {"ann", "bob"} - set(first.readers)
    assert stand.readers[second].quotes == stand.truth(stand.readers[second])
    stand.later(1000)
    assert (ann.quotes, bob.quotes) == (stand.truth(ann), stand.truth(bob))
    assert (ann.resyncs, bob.resyncs) == (0, 0)


# Cohorts


def test_readers_of_the_same_share_one_payload() -> None:
    stand = Stand()
    stand.join("ann", ["talus", "bitcoin"])
    stand.join("bob", ["bitcoin", "talus"])
    stand.join("cyd", ["talus"])
    assert (len(stand.hub), stand.hub.cohorts) == (3, 2)
    stand.price([("talus", 1)])
    assert sorted(sorted(frame.readers) for frame in stand.later(1000)) == [["ann", "bob"], ["cyd"]]


def test_only_the_latest_value_between_two_frames_is_sent() -> None:
    stand = Stand()
    stand.join("ann", ["talus"])
    stand.price([("talus", 1)])
    stand.price([("talus", 2)])
    (frame,) = stand.later(1000)
    sent = json.loads(frame.payload)
    assert (sent["prev"], sent["seq"], frame.seq) == (0, 2, 2)
    assert sent["quotes"]["talus"]["price"] == "1002"


def test_nothing_is_sent_of_what_nobody_in_the_cohort_reads() -> None:
    stand = Stand()
    stand.join("ann", ["talus"])
    stand.price([("bitcoin", 1)])
    assert stand.later(1000) == []


def test_prev_is_what_the_cohort_was_last_sent_whatever_else_changed() -> None:
    stand = Stand()
    stand.join("ann", ["talus"])
    seen = []
    for prices in ([("talus", 1), ("bitcoin", 1)], [("bitcoin", 2)], [("talus", 2)]):
        stand.price(prices)
        seen += [json.loads(frame.payload) for frame in stand.later(1000)]
    assert [(frame["prev"], frame["seq"]) for frame in seen] == [(0, 2), (2, 4)]


def test_the_first_prev_is_the_seq_of_the_snapshot() -> None:
    stand = Stand()
    stand.price([("talus", 1), ("bitcoin", 1)])
    reader = stand.join("ann", ["talus"])
    stand.price([("talus", 2)])
    (frame,) = stand.later(1000)
    assert json.loads(frame.payload)["prev"] == 2
    assert reader.seq == 3


def test_a_snapshot_is_of_the_quotes_it_is_given_whatever_was_encoded_before() -> None:
    stand = Stand()
    old = stand.join("ann", ["talus"])
    stand.book.apply([tick(PAIRS["talus"], "7")])
    new = stand.join("bob", ["talus"])
    assert (old.quotes["talus"]["price"], new.quotes["talus"]["price"]) == (None, "7")


@pytest.mark.parametrize("interval", INTERVALS)
def test_frames_come_once_in_a_slot_of_wall_time(interval: int) -> None:
    stand = Stand()
    stand.clock.time = NOW - NOW % interval
    stand.join("ann", ["talus"], interval)
    sent = []
    for price in range(1, 51):
        stand.price([("talus", price)])
        if stand.later(interval // 5):
            sent.append(stand.clock.now() % interval)
    assert sent == [0] * 10


def test_a_late_frame_does_not_push_back_the_next() -> None:
    stand = Stand()
    stand.clock.time = NOW - NOW % 1000
    stand.join("ann", ["talus"])
    stand.price([("talus", 1)])
    assert stand.later(1900)
    stand.price([("talus", 2)])
    assert stand.later(100)


def test_a_cohort_without_readers_is_gone() -> None:
    stand = Stand()
    stand.join("ann")
    stand.leave("ann")
    stand.price([("talus", 1)])
    assert (len(stand.hub), stand.hub.cohorts, stand.later(1000)) == (0, 0, [])


def test_a_newcomer_is_not_sent_what_its_snapshot_had() -> None:
    stand = Stand()
    stand.join("ann")
    stand.price([("talus", 1)])
    bob = stand.join("bob")
    assert bob.seq == 1
    (frame,) = stand.later(1000)
    assert sorted(frame.readers) == ["ann", "bob"]
    assert bob.quotes == stand.truth(bob)


# Silence


def test_a_heartbeat_does_not_keep_back_the_first_change_after_it() -> None:
    stand = Stand()
    stand.clock.time = NOW - NOW % 15_000
    stand.join("ann", ["talus"], 15_000)
    stand.clock.advance(15_000)
    assert [list(readers) for _, _, readers in stand.hub.silent(stand.clock.now(), HEARTBEAT)] == [["ann"]]
    stand.price([("talus", 1)])
    assert len(stand.later(250)) == 1


def test_a_heartbeat_is_for_whoever_was_sent_nothing() -> None:
    stand = Stand()
    stand.join("ann", ["talus"])
    stand.join("bob", ["bitcoin"])
    stand.price([("talus", 1)])
    stand.later(HEARTBEAT - 1)
    stand.clock.advance(1)
    now = stand.clock.now()
    assert [list(readers) for _, _, readers in stand.hub.silent(now, HEARTBEAT)] == [["bob"]]
    assert list(stand.hub.silent(now, HEARTBEAT)) == []


@given(st.lists(steps.filter(lambda step: step[0] != "deaf"), max_size=40))
def test_whatever_seq_a_reader_was_told_is_a_point_to_resume_from(history: list[tuple[Any, ...]]) -> None:
    stand = Stand()
    for step in history:
        do(stand, step)
    told = [(seq, name) for _, seq, readers in stand.hub.silent(stand.clock.now(), 0) for name in readers]
    told += [(reader.seq, name) for name, reader in stand.readers.items()]
    assert len(told) == 2 * len(stand.readers)
    for seq, name in told:
        reader = stand.readers[name]
        missed = stand.book.snapshot(reader.key.assets, (EPOCH, seq)).quotes
        assert reader.quotes | {quote.asset: wire(quote) for quote in missed} == stand.truth(reader)
