"""The hub's forms of one truth: encodings, currencies, fields, deadbands; conflation; nothing left over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.conftest import NOW
from tests.unit.feed_model import ALL, LONG, Stand, decoded, names, prices, some_assets, some_fields
from ticker.hub import ZERO
from ticker.messages import INTERVALS, JSON, MSGPACK

deadbands = st.sampled_from((ZERO, ZERO, Decimal("0.1"), Decimal("0.15"), Decimal("0.25"), Decimal(5)))
joins = st.tuples(
    st.just("join"),
    names,
    some_assets,
    st.sampled_from(INTERVALS),
    st.sampled_from(("USD", "EUR")),
    st.sampled_from((JSON, MSGPACK)),
    some_fields,
    deadbands,
)
still = st.one_of(
    st.tuples(st.just("price"), prices),
    st.just(("expire",)),
    joins,
    st.tuples(st.just("leave"), names),
    st.tuples(st.just("resume"), names),
    st.tuples(st.just("read"), names, some_assets),
    st.tuples(st.just("lag"), names, st.booleans()),
)
# Time passes; between two frames that are then due, something else happens.
passing = st.tuples(
    st.just("round"), st.sampled_from((1, 100, 250, 1000, 4_999, LONG, 40_000)), st.lists(still, max_size=3)
)
histories = st.lists(st.one_of(still, passing), max_size=40)
# The same, dense: everybody reads prices, most of them with a deadband, and they come back often.
dense = st.lists(
    st.one_of(
        st.tuples(
            st.just("price"), st.lists(st.tuples(st.sampled_from(("talus", "bitcoin")), st.integers(1, 5)))
        ),
        st.tuples(st.just("round"), st.sampled_from((100, 250, 1000)), st.just([])),
        st.tuples(st.just("round"), st.just(40_000), st.just([("expire",)])),
        st.just(("expire",)),
        st.tuples(
            st.just("join"),
            names,
            st.just({"talus", "bitcoin"}),
            st.sampled_from((250, 1000)),
            st.just("USD"),
            st.just(JSON),
            st.just(("price",)),
            st.sampled_from((ZERO, Decimal("0.3"))),
        ),
        st.tuples(st.just("leave"), names),
    ),
    min_size=8,
    max_size=30,
)


def do(stand: Stand, step: tuple[Any, ...]) -> None:
    match step:
        case ("price", moves):
            stand.price(moves)
        case ("expire",):
            stand.expire()
        case ("join", name, assets, interval, currency, encoding, fields, deadband):
            stand.join(
                name,
                assets,
                interval,
                currency=currency,
                encoding=encoding,
                fields=fields,
                deadband=deadband,
            )
        case ("leave", name):
            stand.leave(name)
        case ("resume", name) if name in stand.readers:
            stand.resume(name)
        case ("read", name, assets) if name in stand.readers:
            stand.read(name, assets)
        case ("lag", name, deaf) if name in stand.readers:
            lag(stand, name, deaf=deaf)
        case ("round", ms, between):
            inner = iter(between)
            for _ in stand.round(ms):
                do(stand, next(inner, ("nothing",)))


def lag(stand: Stand, name: str, *, deaf: bool) -> None:
    """A lag ends with one snapshot of what was missed."""
    reader = stand.readers[name]
    if reader.deaf and not deaf:
        stand.catch_up(name)
    reader.deaf = deaf


def settle(stand: Stand) -> None:
    for name in stand.readers:
        lag(stand, name, deaf=False)
    stand.later(LONG)


@settings(max_examples=500, deadline=None)
@given(histories | dense)
def test_every_reader_ends_up_with_what_its_terms_promise(history: list[tuple[Any, ...]]) -> None:
    stand = Stand()
    for step in history:
        do(stand, step)
        assert all(reader.resyncs == 0 for reader in stand.readers.values())
    settle(stand)
    assert not stand.hub._waiting
    assert [name for name, reader in stand.readers.items() if not stand.holds(reader)] == []


@settings(max_examples=300, deadline=None)
@given(histories)
def test_whenever_nothing_is_due_every_reader_that_keeps_up_holds_what_it_was_promised(
    history: list[tuple[Any, ...]],
) -> None:
    stand = Stand()
    for step in history:
        do(stand, step)
        if step[0] == "round" and step[1] >= LONG:
            stand.later(LONG)
            up = {name: reader for name, reader in stand.readers.items() if not reader.deaf}
            assert [name for name, reader in up.items() if not stand.holds(reader)] == []


@settings(deadline=None)
@given(histories)
def test_when_all_have_left_nothing_of_them_is_kept(history: list[tuple[Any, ...]]) -> None:
    stand = Stand()
    for step in history:
        do(stand, step)
        shapes = {(r.key.currency, r.key.fields, r.key.encoding) for r in stand.readers.values()}
        assert set(stand.hub._shapes) == shapes
        assert all(shape.pieces.keys() | shape.news.keys() <= ALL for shape in stand.hub._shapes.values())
        assert stand.hub.cohorts == len({reader.key for reader in stand.readers.values()})
    for name in tuple(stand.readers):
        stand.leave(name)
    hub = stand.hub
    assert (len(hub), hub.cohorts, len(hub._shapes), len(hub._waiting)) == (0, 0, 0, 0)
    assert not any(hub._by_asset.values())
    assert hub._by_asset.keys() <= ALL


@settings(deadline=None)
@given(histories)
def test_frames_come_in_order_and_each_has_news(history: list[tuple[Any, ...]]) -> None:
    stand = Stand()
    for step in history:
        do(stand, step)
    for reader in stand.readers.values():
        assert all(frame["prev"] < frame["seq"] for frame in reader.frames)
        assert all(frame["quotes"] for frame in reader.frames)
        for before, after in zip(reader.frames, reader.frames[1:], strict=False):
            assert after["prev"] >= before["prev"]
            assert after["seq"] > before["seq"]


# Conflation


@settings(deadline=None)
@given(st.sampled_from(INTERVALS), st.lists(st.tuples(prices, st.integers(0, 3_000)), max_size=40))
def test_no_slot_of_the_interval_has_two_frames(
    interval: int, moves: list[tuple[list[tuple[str, int]], int]]
) -> None:
    stand = Stand()
    ann = stand.join("ann", interval=interval)
    for move, ms in moves:
        stand.price(move)
        stand.later(ms)
    slots = [NOW // interval, *(frame["time"] // interval for frame in ann.frames)]
    assert len(slots) == len(set(slots))


@pytest.mark.parametrize("interval", INTERVALS)
def test_the_first_change_of_a_quiet_cohort_goes_at_once(interval: int) -> None:
    stand = Stand()
    stand.join("ann", interval=interval)
    stand.clock.advance(10 * interval)
    assert stand.later(7) == []
    stand.price([("talus", 1)])
    (frame,) = stand.later(0)
    assert frame.since == stand.clock.now()


def test_a_frame_says_when_its_first_change_came() -> None:
    stand = Stand()
    stand.clock.time = NOW - NOW % 5000
    stand.join("ann", interval=5000)
    stand.clock.advance(1000)
    stand.price([("talus", 1)])
    stand.clock.advance(1000)
    stand.price([("talus", 2), ("bitcoin", 1)])
    (frame,) = stand.later(3000)
    assert frame.since == NOW - NOW % 5000 + 1000
    stand.price([("talus", 3)])
    (frame,) = stand.later(5000)
    assert frame.since == NOW - NOW % 5000 + 5000


def test_a_change_nobody_was_sent_does_not_date_the_next_frame() -> None:
    stand = Stand()
    stand.join("ann", fields=("state",))
    for price in (1, 2):
        stand.price([("talus", price)])
        stand.later(1000)
    stand.clock.advance(40_000)
    stand.expire()
    (frame,) = stand.later(0)
    assert frame.since == stand.clock.now()


def test_whoever_leaves_between_two_frames_of_a_round_gets_none_and_whoever_comes_a_snapshot() -> None:
    stand = Stand()
    for name, interval in (("ann", 250), ("bob", 1000), ("cyd", 5000), ("dee", 15_000)):
        stand.join(name, ["talus"], interval)
    stand.price([("talus", 1)])
    frames = []
    for frame in stand.round(LONG):
        frames += frame.readers
        for name in {"ann", "bob", "cyd", "dee"} - {*frame.readers}:
            stand.leave(name)
        stand.join("eve", ["talus"], 250)
    assert len(frames) == 1
    assert len(stand.hub) == 2
    assert all(reader.quotes == stand.truth(reader) for reader in stand.readers.values())
    stand.price([("talus", 2)])
    stand.later(LONG)
    assert all(reader.quotes == stand.truth(reader) for reader in stand.readers.values())


@pytest.mark.parametrize("back", [False, True])
def test_whoever_moves_between_two_frames_misses_nothing_of_what_was_on_its_way(back: bool) -> None:
    stand = Stand()
    for name, interval in (("ann", 250), ("bob", 1000), ("cyd", 5000)):
        stand.join(name, ["talus", "bitcoin"], interval)
    stand.price([("talus", 1), ("bitcoin", 1)])
    for _ in stand.round(LONG):
        for name in stand.readers:
            stand.read(name, ["talus", "solana"])
            if back:
                stand.read(name, ["talus", "bitcoin"])
        stand.price([("talus", 2)])
    stand.later(LONG)
    assert all(reader.quotes == stand.truth(reader) for reader in stand.readers.values())
    assert all(reader.resyncs == 0 for reader in stand.readers.values())


def test_a_quote_in_another_currency_is_as_new_as_its_rate() -> None:
    stand = Stand()
    stand.price([("talus", 0)])
    ann = stand.join("ann", ["talus"], currency="EUR")
    stand.dollars = Decimal(4)
    stand.price([("bitcoin", 1)])
    bob = stand.join("bob", ["talus"], currency="EUR")
    assert (ann.quotes["talus"]["price"], bob.quotes["talus"]["price"]) == ("500", "250")


# Fields


@pytest.mark.parametrize("encoding", [JSON, MSGPACK])
def test_a_reader_of_fields_gets_these_and_what_marks_a_price(encoding: Any) -> None:
    stand = Stand()
    fields = ("price", "state")
    dollar = stand.join("ann", ["talus"], encoding=encoding, fields=fields)
    euro = stand.join("bob", ["talus"], encoding=encoding, fields=fields, currency="EUR")
    stand.price([("talus", 2)])
    stand.later(1000)
    assert dollar.quotes == {"talus": {"price": "1002", "state": "live"}}
    assert euro.quotes == {"talus": {"price": "501", "state": "live", "rate_date": "2026-11-23"}}


def test_a_change_of_a_field_nobody_asked_for_is_no_frame() -> None:
    stand = Stand()
    stand.price([("talus", 1), ("bitcoin", 1)])
    ann = stand.join("ann", ["talus", "bitcoin"], fields=("symbol", "state"))
    stand.price([("talus", 2)])
    assert stand.later(1000) == []
    stand.clock.advance(40_000)
    stand.price([("bitcoin", 2)])
    stand.expire()
    (frame,) = stand.later(0)
    assert decoded(frame.payload)["quotes"] == {"talus": {"symbol": "TALUS", "state": "delayed"}}
    assert ann.resyncs == 0


def test_a_change_of_a_field_nobody_asked_for_is_no_frame_after_a_resume_either() -> None:
    # A resume repeats nothing, so the first frame after it is the first time the quote is looked at.
    stand = Stand()
    stand.price([("talus", 1)])
    stand.join("ann", ["talus"], fields=("symbol", "state"))
    stand.resume("ann")
    stand.price([("talus", 2)])
    assert stand.later(1000) == []


@pytest.mark.parametrize("sharing", [False, True])
def test_a_value_that_came_back_is_sent_to_whoever_learnt_of_the_other_elsewhere(sharing: bool) -> None:
    # Polling and the feed have one seq: a reader may resume from a version that was encoded for nobody here.
    stand = Stand()
    stand.price([("talus", 1)])
    stand.join("bob", ["talus"], 15_000, fields=("price",))
    stand.join("cyd", ["bitcoin"], fields=("price",))
    if not sharing:
        stand.leave("bob")
    stand.price([("talus", 2)])
    ann = stand.come("ann", ["talus"], 15_000, fields=("price",))
    stand.price([("talus", 1)])
    stand.later(LONG)
    assert ann.quotes == stand.truth(ann)
