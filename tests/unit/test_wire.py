"""The wire, byte for byte: plain decimals, nulls, the keys that FEED names, errors that say what to send."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.unit.conftest import NOW, asset, day, pair
from ticker.errors import RequestError
from ticker.model import Basis, Candle, Confidence, Observation, Quote, Snapshot, SourceHealth, State
from ticker.wire import (
    Ack,
    Failure,
    Goodbye,
    Heartbeat,
    Hello,
    Pong,
    QuoteObject,
    Status,
    asset_object,
    candle_object,
    decode_command,
    encode,
    error_body,
    observation_object,
    parse_since,
    piece,
    plain,
    quote_object,
    schemas,
    snapshot_frame,
    update_frame,
)

numbers = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**20), 10**20),
    st.integers(-40, 40),
)
known = st.none() | numbers.map(abs)
changes = st.none() | numbers.filter(lambda n: abs(n) < 10**20).map(lambda n: day(str(n)))
quotes = st.builds(
    Quote,
    asset=st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True),
    symbol=st.text(min_size=1, max_size=24),
    name=st.text(min_size=1, max_size=80),
    currency=st.sampled_from(("USD", "USDT")),
    price=known,
    change_1h=changes,
    change_24h=changes,
    change_7d=changes,
    high_24h=known,
    low_24h=known,
    volume_24h=known,
    market_cap=known,
    as_of=st.none() | st.integers(0, 2**50),
    state=st.sampled_from(State),
    confidence=st.sampled_from(Confidence),
    sources=st.integers(0, 9),
    seq=st.integers(0, 2**50),
    assumed=st.booleans(),
    demo=st.booleans(),
)
TALUS = Quote(
    asset="talus",
    symbol="US",
    name="Talus",
    currency="USD",
    price=Decimal("0.01021"),
    change_1h=day("0.05"),
    change_24h=day("0.19"),
    change_7d=day("-3.41"),
    high_24h=Decimal("0.0104"),
    low_24h=Decimal("0.01"),
    volume_24h=Decimal("1234567.8"),
    as_of=NOW,
    state=State.LIVE,
    confidence=Confidence.SINGLE,
    sources=1,
    seq=812349,
)
AMOUNT = re.compile(r"-?\d+(\.\d+)?")
AMOUNTS = ("price", "change_1h", "change_24h", "change_7d", "high_24h", "low_24h", "volume_24h", "market_cap")


def refuse(number: str) -> NoReturn:
    raise AssertionError(f"{number} is a JSON number with a fraction or exponent")


def read(body: bytes) -> Any:
    """JSON whose numbers are all integers."""
    return json.loads(body, parse_float=refuse, parse_constant=refuse)


# Decimals


@given(numbers)
def test_plain_notation_is_the_number_exactly_and_has_no_exponent(number: Decimal) -> None:
    text = plain(number)
    assert AMOUNT.fullmatch(text)
    assert Decimal(text) == number


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1.234E-5", "0.00001234"),
        ("1.2340e-08", "0.000000012340"),
        ("1E+5", "100000"),
        ("73397.770", "73397.770"),
        ("0E-8", "0.00000000"),
    ],
)
def test_a_price_is_written_as_the_venue_wrote_it_but_for_the_exponent(written: str, text: str) -> None:
    assert plain(Decimal(written)) == text


@given(quotes)
def test_every_amount_of_a_quote_is_a_plain_string_or_null(quote: Quote) -> None:
    sent = read(encode(quote_object(quote)))
    for name in AMOUNTS:
        assert sent[name] is None or AMOUNT.fullmatch(sent[name])
        assert (sent[name] is None) == (getattr(quote, name) is None)


@given(changes)
def test_a_percent_has_two_places_and_is_never_minus_nothing(change: Any) -> None:
    sent = quote_object(Quote(asset="a", symbol="A", name="A", currency="USD", change_24h=change)).change_24h
    assert sent is None or (re.fullmatch(r"-?\d+\.\d\d", sent) and sent != "-0.00")


# The quote


def test_a_quote_is_the_object_that_feed_shows() -> None:
    assert encode(quote_object(TALUS)) == (
        b'{"symbol":"US","name":"Talus","currency":"USD","price":"0.01021",'
        b'"change_1h":"0.05","change_24h":"0.19","change_7d":"-3.41","change_24h_basis":"rolling",'
        b'"high_24h":"0.0104","low_24h":"0.01","volume_24h":"1234567.8","market_cap":null,'
        b'"as_of":1790000000000,"state":"live","confidence":"single","sources":1,"seq":812349}'
    )


def test_an_unknown_price_is_null_and_never_nothing() -> None:
    sent = read(encode(quote_object(Quote(asset="a", symbol="A", name="A", currency="USD"))))
    assert [sent[name] for name in (*AMOUNTS, "change_24h_basis", "as_of")] == [None] * 10
    assert sent["state"] == "unavailable"


def test_demo_and_assumed_are_said_only_when_they_are_so() -> None:
    plain_keys = set(read(encode(quote_object(TALUS))))
    marked = Quote(asset="a", symbol="A", name="A", currency="USD", assumed=True, demo=True)
    sent = read(encode(quote_object(marked, asset=True)))
    assert set(sent) - plain_keys == {"asset", "conversion", "demo"}
    assert (sent["asset"], sent["conversion"], sent["demo"]) == ("a", "assumed", True)


@given(quotes)
def test_a_quote_keeps_to_the_published_schema(quote: Quote) -> None:
    schema = {"$ref": "#/components/schemas/QuoteObject", "components": {"schemas": schemas([QuoteObject])}}
    Draft202012Validator(schema).validate(read(encode(quote_object(quote))))


def test_an_observation_is_as_the_venue_gave_it() -> None:
    seen = Observation(
        source="mexc",
        pair="USUSDT",
        currency="USDT",
        price=Decimal("0.010210"),
        change_24h=day("0.194", Basis.UNKNOWN),
        as_of=NOW,
        used=False,
        reason="121 s old",
    )
    assert read(encode(observation_object(seen))) == {
        "source": "mexc",
        "pair": "USUSDT",
        "currency": "USDT",
        "price": "0.010210",
        "change_24h": "0.19",
        "change_24h_basis": "unknown",
        "as_of": NOW,
        "used": False,
        "reason": "121 s old",
    }


def test_assets_and_candles_have_their_wire_form() -> None:
    listed = asset_object(asset("talus", pair("mexc:USUSDT"), pair("coingecko:talus")))
    assert (listed.id, listed.symbol, listed.pairs) == ("talus", "TALUS", ["mexc:USUSDT", "coingecko:talus"])
    candle = Candle("talus", "USD", 60, NOW, Decimal("1E-8"), Decimal(2), Decimal("1E-8"), Decimal("1.50"))
    assert encode(candle_object(candle)) == (
        b'{"start":1790000000000,"open":"0.00000001","high":"2","low":"0.00000001","close":"1.50"}'
    )


# Frames


@given(st.lists(quotes, unique_by=lambda quote: quote.asset, max_size=4))
def test_an_update_is_joined_from_whole_quotes(changed: list[Quote]) -> None:
    frame = read(update_frame(map(piece, changed), seq=9, prev=5, time=NOW))
    quoted = {quote.asset: read(encode(quote_object(quote))) for quote in changed}
    assert frame == {"type": "update", "seq": 9, "prev": 5, "time": NOW, "quotes": quoted}


@pytest.mark.parametrize("ref", [None, 1, 'a"b\\c'])
@pytest.mark.parametrize("recovered", [True, False])
def test_a_snapshot_answers_the_command_it_is_for(ref: int | str | None, recovered: bool) -> None:
    snapshot = Snapshot("k3f9", 9, (TALUS,), recovered)
    assert read(snapshot_frame([piece(TALUS)], snapshot, ref=ref, time=NOW)) == {
        "type": "snapshot",
        "id": ref,
        "epoch": "k3f9",
        "seq": 9,
        "time": NOW,
        "recovered": recovered,
        "quotes": {"talus": read(encode(quote_object(TALUS)))},
    }


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
    assert read(encode(message)) == sent


def test_an_error_body_has_one_shape() -> None:
    assert error_body("not_ready", 'a "b"') == b'{"error":{"code":"not_ready","message":"a \\"b\\""}}'


# Commands


def test_a_command_is_read_and_what_is_not_known_is_ignored() -> None:
    command = decode_command(
        '{"op":"subscribe","id":2,"assets":["solana"],"since":"k3f9:8","new":{"a":[1.5]}}'
    )
    assert (command.op, command.id, command.assets, command.since) == ("subscribe", 2, ["solana"], "k3f9:8")
    bare = decode_command('{"op":"ping"}')
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
        decode_command(text)
    assert (caught.value.code, caught.value.status) == (code, 400)
    assert code == "bad_json" or '{"op":"subscribe"' in str(caught.value)


def test_a_command_nested_a_thousand_deep_is_bad_json() -> None:
    with pytest.raises(RequestError):
        decode_command('{"op":"ping","x":' + "[" * 1500 + "]" * 1500 + "}")


def test_bytes_that_are_no_text_are_bad_json() -> None:
    with pytest.raises(RequestError):
        decode_command(b'{"op":"\xff"}')


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
