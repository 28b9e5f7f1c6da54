"""The feed's messages: the same in JSON and in MessagePack, and frames joined from pieces."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.conftest import NOW
from tests.unit.quote_strategies import TALUS, quotes, read, refs
from ticker.messages import (
    FIELDS,
    FLAGS,
    JSON,
    MESSAGES,
    MSGPACK,
    Ack,
    Failure,
    Goodbye,
    Heartbeat,
    Hello,
    Pong,
    SnapshotMessage,
    Status,
    UpdateMessage,
)
from ticker.model import Quote, Snapshot, SourceHealth
from ticker.wire import encode, quote_object

BOTH = (JSON, MSGPACK)
some_fields = st.sets(st.sampled_from(FIELDS)).map(lambda asked: tuple(f for f in FIELDS if f in asked))
seqs = st.integers(0, 2**53)


def unpacked(body: bytes) -> Any:
    return msgspec.msgpack.decode(body)


# Frames


@given(st.lists(quotes, unique_by=lambda quote: quote.asset, max_size=4))
def test_an_update_is_joined_from_whole_quotes(changed: list[Quote]) -> None:
    quoted = {quote.asset: read(encode(quote_object(quote))) for quote in changed}
    told = {"type": "update", "seq": 9, "prev": 5, "time": NOW, "quotes": quoted}
    assert read(JSON.update([*map(JSON.piece, changed)], seq=9, prev=5, time=NOW)) == told
    assert unpacked(MSGPACK.update([*map(MSGPACK.piece, changed)], seq=9, prev=5, time=NOW)) == told


@pytest.mark.parametrize("ref", [None, 1, 'a"b\\c'])
@pytest.mark.parametrize("recovered", [True, False])
def test_a_snapshot_answers_the_command_it_is_for(ref: int | str | None, recovered: bool) -> None:
    snapshot = Snapshot("k3f9", 9, (TALUS,), recovered)
    assert read(JSON.snapshot([JSON.piece(TALUS)], snapshot, ref=ref, time=NOW)) == {
        "type": "snapshot",
        "id": ref,
        "epoch": "k3f9",
        "seq": 9,
        "time": NOW,
        "recovered": recovered,
        "quotes": {"talus": read(encode(quote_object(TALUS)))},
    }


@settings(deadline=None)
@given(st.lists(quotes, unique_by=lambda quote: quote.asset, max_size=20), some_fields, seqs, seqs, seqs)
def test_an_update_is_the_same_in_both_encodings(
    changed: list[Quote], fields: tuple[str, ...], seq: int, prev: int, time: int
) -> None:
    packed, text = (
        of.update([of.piece(quote, fields) for quote in changed], seq=seq, prev=prev, time=time)
        for of in (MSGPACK, JSON)
    )
    assert unpacked(packed) == read(text)
    assert [*unpacked(packed)] == [*read(text)]


@settings(deadline=None)
@given(
    st.lists(quotes, unique_by=lambda quote: quote.asset, max_size=20),
    some_fields,
    refs,
    st.text(max_size=16),
    seqs,
    st.booleans(),
)
def test_a_snapshot_is_the_same_in_both_encodings(
    changed: list[Quote], fields: tuple[str, ...], ref: Any, epoch: str, seq: int, recovered: bool
) -> None:
    snapshot = Snapshot(epoch, seq, tuple(changed), recovered)
    packed, text = (
        of.snapshot([of.piece(quote, fields) for quote in changed], snapshot, ref=ref, time=NOW)
        for of in (MSGPACK, JSON)
    )
    assert unpacked(packed) == read(text)
    assert read(text)["id"] == ref


@pytest.mark.parametrize("number", [0, 1, 15, 16, 17, 65_535, 65_536])
def test_a_frame_holds_any_number_of_quotes(number: int) -> None:
    names = [f"asset-{place}" for place in range(number)]
    for of, decode in ((JSON, json.loads), (MSGPACK, unpacked)):
        one = of.piece(TALUS, ("price",)).removeprefix(of.encode("talus"))
        decoded = decode(of.update([of.encode(name) + one for name in names], seq=2, prev=1, time=NOW))
        assert decoded["quotes"].keys() == set(names)
        assert all(quote == {"price": "0.01021"} for quote in decoded["quotes"].values())
        assert decoded["prev"] == 1


@given(st.lists(quotes, unique_by=lambda quote: quote.asset, max_size=3))
def test_frames_keep_to_the_types_that_describe_them(changed: list[Quote]) -> None:
    for of, decode in ((JSON, msgspec.json.decode), (MSGPACK, msgspec.msgpack.decode)):
        pieces = [of.piece(quote) for quote in changed]
        update = decode(of.update(pieces, seq=2, prev=1, time=NOW), type=UpdateMessage)
        snapshot = decode(
            of.snapshot(pieces, Snapshot("k3f9", 2, ()), ref="a", time=NOW), type=SnapshotMessage
        )
        assert update.quotes == snapshot.quotes == {quote.asset: quote_object(quote) for quote in changed}
        assert of.encode(update) == of.update(pieces, seq=2, prev=1, time=NOW)


# Fields


@pytest.mark.parametrize("of", BOTH, ids=lambda of: of.name)
@given(quote=quotes, fields=some_fields)
def test_a_quote_has_the_fields_asked_for_and_what_marks_its_price(
    of: Any, quote: Quote, fields: tuple[str, ...]
) -> None:
    whole = read(encode(quote_object(quote)))
    frame = of.update([of.piece(quote, fields)], seq=2, prev=1, time=NOW)
    sent = (read(frame) if of is JSON else unpacked(frame))["quotes"][quote.asset]
    marks = {name for name in FLAGS if name in whole}
    assert sent == {name: whole[name] for name in {*(fields or FIELDS), *marks}}
    assert ("demo" in sent, "conversion" in sent) == (quote.demo, quote.assumed)
    assert (sent.get("rate_date"), sent.get("change_currency")) == (quote.rate_date, quote.change_currency)


def test_fields_are_all_of_a_quote_that_is_always_there() -> None:
    assert tuple(read(encode(quote_object(TALUS)))) == FIELDS
    assert FLAGS == ("conversion", "demo", "rate_date", "change_currency")


# The other messages


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (
            Hello(epoch="k3f9", seq=1, time=NOW, heartbeat_ms=15000, limits={}),
            {"type": "hello", "v": 1, "epoch": "k3f9", "seq": 1, "time": NOW, "heartbeat_ms": 15000}
            | {"limits": {}, "intervals": [250, 1000, 5000, 15000]},
        ),
        (Heartbeat(1, NOW), {"type": "heartbeat", "seq": 1, "time": NOW}),
        (
            Ack(id=2, op="subscribe", assets=["solana"], rejected={"foo": "unknown_asset"}),
            {"type": "ack", "id": 2, "op": "subscribe", "assets": ["solana"]}
            | {"rejected": {"foo": "unknown_asset"}},
        ),
        (Pong("x", NOW), {"type": "pong", "id": "x", "time": NOW}),
        (Status({"mexc": SourceHealth.UP}), {"type": "status", "sources": {"mexc": "up"}}),
        (
            Failure(id=2, code="rate_limited", message="slower", retry_after_ms=4200),
            {"type": "error", "id": 2, "code": "rate_limited", "message": "slower", "retry_after_ms": 4200},
        ),
        (
            Failure(id=None, code="bad_op", message="no"),
            {"type": "error", "id": None, "code": "bad_op", "message": "no"},
        ),
        (
            Goodbye(reason="drain", reconnect_in_ms=7310, resume="k3f9:812360"),
            {"type": "goodbye", "reason": "drain", "reconnect_in_ms": 7310, "resume": "k3f9:812360"},
        ),
    ],
)
def test_a_message_has_the_keys_that_feed_names(message: Any, sent: dict[str, Any]) -> None:
    assert read(JSON.encode(message)) == sent
    assert msgspec.msgpack.decode(MSGPACK.encode(message)) == sent


def test_every_message_has_a_type_of_its_own() -> None:
    tags = [message.__struct_config__.tag for message in MESSAGES]
    assert len(set(tags)) == len(tags) == 9
