"""Commands of the feed's clients, in both encodings: read, or refused with a code, whatever was sent."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.conftest import NOW
from tests.unit.quote_strategies import refs
from ticker.errors import RequestError
from ticker.messages import JSON, MSGPACK, Command, Pong, decode_command, parse_since, point


def outcome(said: bytes, *, packed: bool) -> Command | str:
    """What was read, or the code of the refusal; anything else is raised."""
    try:
        return decode_command(said, packed=packed)
    except RequestError as error:
        refused = error
    assert refused.status == 400
    assert len(str(refused)) < 300
    return refused.code


def both(said: Any) -> set[Any]:
    """Outcomes of the same value in the two encodings; a Command as its fields."""
    outcomes = (
        outcome(msgspec.json.encode(said), packed=False),
        outcome(msgspec.msgpack.encode(said), packed=True),
    )
    return {found if isinstance(found, str) else repr(found) for found in outcomes}


@pytest.mark.parametrize("packed", [False, True])
def test_a_command_is_read_and_what_is_not_known_is_ignored(packed: bool) -> None:
    def said(**command: Any) -> bytes:
        return (msgspec.msgpack if packed else msgspec.json).encode(command)

    new = {"a": [1.5]}
    command = decode_command(
        said(op="subscribe", id=2, assets=["solana"], since="k3f9:8", new=new), packed=packed
    )
    assert (command.op, command.id, command.assets, command.since) == ("subscribe", 2, ["solana"], "k3f9:8")
    bare = decode_command(said(op="ping"), packed=packed)
    assert (bare.id, bare.assets, bare.since) == (None, [], None)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_json"),
        ("{", "bad_json"),
        ('{"op":"ping"} x', "bad_json"),
        ('{"op":"\\ud800"}', "bad_json"),
        ("[]", "bad_op"),
        ("{}", "bad_op"),
        ('{"op":1}', "bad_op"),
        ('{"op":"subscribe","assets":"talus"}', "bad_op"),
        ('{"op":"ping","id":1.5}', "bad_id"),
        ('{"op":"ping","id":true}', "bad_id"),
        ('{"op":"ping","id":"' + "x" * 65 + '"}', "bad_id"),
    ],
)
def test_a_command_that_can_t_be_read_has_a_code_and_an_example(text: str, code: str) -> None:
    with pytest.raises(RequestError) as caught:
        decode_command(text.encode())
    assert (caught.value.code, caught.value.status) == (code, 400)
    assert code == "bad_json" or '{"op":"subscribe"' in str(caught.value)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"", "bad_json"),
        (b"\x81\xa2op", "bad_json"),
        (b"\x81\xa2op\xa4ping\xc0", "bad_json"),
        (b"\x81\xa2op\xa1\xff", "bad_json"),
        (b"\xc1", "bad_json"),
        (b'{"op":"ping"}', "bad_op"),
        (b"\x90", "bad_op"),
        (b"\x80", "bad_op"),
        (b"\x81\x01\x02", "bad_op"),
        (b"\x81\xa2op\x01", "bad_op"),
        (b"\x82\xa2op\xa4ping\xa6assets\xa5talus", "bad_op"),
        (b"\x82\xa2op\xa4ping\xa2id\xcb\x3f\xf8" + bytes(6), "bad_id"),
        (b"\x82\xa2op\xa4ping\xa2id\xc3", "bad_id"),
        (b"\x82\xa2op\xa4ping\xa2id\xd9\x41" + b"x" * 65, "bad_id"),
    ],
)
def test_a_packed_command_that_can_t_be_read_has_the_same_codes(said: bytes, code: str) -> None:
    assert outcome(said, packed=True) == code


def test_a_command_nested_a_thousand_deep_is_bad_json() -> None:
    with pytest.raises(RequestError) as caught:
        decode_command(b'{"op":"ping","x":' + b"[" * 1500 + b"]" * 1500 + b"}")
    assert caught.value.code == "bad_json"


@pytest.mark.parametrize("where", [b"x", b"op", b"id", b"assets"])
@pytest.mark.parametrize(
    "bomb", [b"\x91", b"\x81\xa1x", b"\xdd\0\0\0\1", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff"]
)
def test_packed_bombs_are_refused(where: bytes, bomb: bytes) -> None:
    # Nested as deep as 4 KiB allow, and lengths that promise gigabytes.
    head = b"\x81" + bytes([0xA0 + len(where)]) + where
    assert outcome((head + bomb * 4096)[:4096], packed=True) in {"bad_json", "bad_op", "bad_id"}
    assert outcome(head + bomb, packed=True) in {"bad_json", "bad_op", "bad_id"}


@pytest.mark.parametrize("bomb", [b"[", b'{"x":', b"[[],", b'"\\u0000', b"1", b"-", b"[1e9,"])
@pytest.mark.parametrize(
    "head", [b"", b'{"op":"ping","x":', b'{"op":', b'{"id":', b'{"op":"ping","assets":[']
)
def test_text_bombs_are_refused(head: bytes, bomb: bytes) -> None:
    assert outcome((head + bomb * 4096)[:4096], packed=False) in {"bad_json", "bad_op", "bad_id"}


def test_bytes_that_are_no_text_are_bad_json() -> None:
    with pytest.raises(RequestError) as caught:
        decode_command(b'{"op":"\xff"}')
    assert caught.value.code == "bad_json"


@settings(max_examples=300)
@given(st.binary(max_size=4096), st.booleans())
def test_any_bytes_at_all_are_a_command_or_a_refusal(said: bytes, packed: bool) -> None:
    found = outcome(said, packed=packed)
    assert isinstance(found, Command) or found in {"bad_json", "bad_op", "bad_id"}


# Values that both encodings have: no text of half a character, no number beyond 64 bits.
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
commands = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(("subscribe", "ping")) | values,
        "id": refs | values,
        "assets": st.lists(st.text(max_size=9), max_size=4) | values,
        "since": st.just("k3f9:8") | values,
        "more": values,
    },
)


@settings(max_examples=300)
@given(commands | values)
def test_a_command_means_the_same_in_both_encodings(said: Any) -> None:
    assert len(both(said)) == 1


@settings(max_examples=300)
@given(commands, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4), st.booleans())
def test_a_command_with_bytes_gone_wrong_is_a_command_or_a_refusal(
    said: Any, wrong: list[tuple[int, int]], packed: bool
) -> None:
    body = bytearray((msgspec.msgpack if packed else msgspec.json).encode(said))
    for place, byte in wrong:
        body[place % len(body)] = byte
    found = outcome(bytes(body), packed=packed)
    assert isinstance(found, Command) or found in {"bad_json", "bad_op", "bad_id"}


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63) - 1, 10**4000])
def test_a_number_for_an_id_is_echoed_digit_for_digit(number: int) -> None:
    found = outcome(f'{{"op":"ping","id":{number}}}'.encode(), packed=False)
    assert isinstance(found, Command)
    assert f'"id":{number},'.encode() in JSON.encode(Pong(found.id, NOW))


@given(refs)
def test_an_answer_echoes_whatever_id_could_be_read(ref: Any) -> None:
    for of, packed in ((JSON, False), (MSGPACK, True)):
        command = decode_command(of.encode({"op": "ping", "id": ref}), packed=packed)
        sent = of.encode(Pong(command.id, NOW))
        assert (msgspec.msgpack.decode(sent) if packed else msgspec.json.decode(sent))["id"] == ref


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("k3f9:812345", ("k3f9", 812345)),
        ("0:0", ("0", 0)),
        (None, None),
        ("", None),
        ("k3f9", None),
        ("k3f9:", None),
        (":1", None),
        ("k3f9:-1", None),
        ("k3f9:1.5", None),
        ("K3F9:1", None),
        ("k3f9:1 ", None),
        ("k" * 17 + ":1", None),
        ("k3f9:" + "1" * 19, None),
    ],
)
def test_a_point_to_resume_from_is_epoch_and_seq_or_none(
    text: str | None, since: tuple[str, int] | None
) -> None:
    assert parse_since(text) == since


@pytest.mark.parametrize("text", ["k3f9:1\n", "k3f9:\u0661"])
def test_what_looks_like_a_point_but_is_none_is_from_the_beginning(text: str) -> None:
    assert parse_since(text) is None


@given(st.from_regex(r"[0-9a-z]{1,16}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_a_point_is_read_as_it_was_written(epoch: str, seq: int) -> None:
    assert parse_since(point(epoch, seq)) == (epoch, seq)
