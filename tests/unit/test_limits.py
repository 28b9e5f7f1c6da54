"""Limits of one address: counted, given back, and turned off by 0."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.conftest import NOW
from ticker.errors import RequestError
from ticker.feed import limits
from ticker.feed.limits import MINUTE_MS, Addresses, Limits, neighbourhood

HERE = "192.0.2.1"


def handshakes(limit: int) -> Addresses:
    return Addresses(Limits(handshakes_per_minute=limit, sessions_per_address=0))


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_subscriber_is_an_ipv4_address_or_an_ipv6_64(address: str, key: str) -> None:
    assert neighbourhood(address) == key


def test_one_session_too_many_is_refused_until_one_is_closed() -> None:
    addresses = Addresses(Limits(sessions_per_address=2))
    keys = [addresses.admit(HERE, NOW) for _ in range(2)]
    with pytest.raises(RequestError, match="2 sessions are open") as caught:
        addresses.admit(HERE, NOW)
    assert (caught.value.code, caught.value.status, caught.value.headers["Retry_After"]) == (
        "rate_limited",
        429,
        "60",
    )
    addresses.admit("192.0.2.2", NOW)
    addresses.release(keys[0])
    addresses.admit(HERE, NOW)


def test_neighbours_in_one_64_share_their_sessions() -> None:
    addresses = Addresses(Limits(sessions_per_address=1))
    key = addresses.admit("2001:db8::1", NOW)
    with pytest.raises(RequestError):
        addresses.admit("2001:db8::2", NOW)
    addresses.release(key)
    addresses.admit("2001:db8::2", NOW)


def test_a_refused_session_counts_neither_as_open_nor_as_a_handshake() -> None:
    addresses = Addresses(Limits(sessions_per_address=1, handshakes_per_minute=2))
    key = addresses.admit(HERE, NOW)
    for _ in range(5):
        with pytest.raises(RequestError, match="sessions are open"):
            addresses.admit(HERE, NOW)
    addresses.release(key)
    key = addresses.admit(HERE, NOW)
    addresses.release(key)
    with pytest.raises(RequestError, match="opened in a minute"):
        addresses.admit(HERE, NOW)


def test_a_handshake_is_forgotten_after_a_minute_to_the_millisecond() -> None:
    addresses = handshakes(1)
    addresses.admit(HERE, NOW)
    with pytest.raises(RequestError):
        addresses.admit(HERE, NOW + MINUTE_MS - 1)
    addresses.admit(HERE, NOW + MINUTE_MS)


@given(st.lists(st.integers(0, 90_000), min_size=1, max_size=20), st.integers(1, 4))
def test_whoever_waits_as_told_is_admitted_and_waits_hardly_longer_than_needed(
    pauses: list[int], limit: int
) -> None:
    addresses, now = handshakes(limit), NOW
    for pause in pauses:
        now += pause
        try:
            addresses.admit(HERE, now)
        except RequestError as refused:
            told = int(refused.headers["Retry_After"]) * 1000
            with pytest.raises(RequestError):
                addresses.admit(HERE, now + told - 1001)
            now += told
            addresses.admit(HERE, now)


@given(st.lists(st.integers(0, 30_000), max_size=40), st.integers(1, 5))
def test_no_minute_has_more_handshakes_than_allowed(pauses: list[int], limit: int) -> None:
    addresses, now, admitted = handshakes(limit), NOW, []
    for pause in pauses:
        now += pause
        try:
            addresses.admit(HERE, now)
        except RequestError:
            continue
        admitted.append(now)
    for end in admitted:
        assert sum(end - MINUTE_MS < at <= end for at in admitted) <= limit


def test_zero_turns_a_limit_off() -> None:
    addresses = Addresses(Limits(sessions_per_address=0, handshakes_per_minute=0))
    assert {addresses.admit(HERE, NOW) for _ in range(1000)} == {HERE}


def test_the_addresses_remembered_are_bounded() -> None:
    addresses = handshakes(1)
    for number in range(limits.REMEMBERED + 10):
        addresses.release(addresses.admit(f"host-{number}", NOW))
    assert len(addresses._handshakes) == limits.REMEMBERED
    assert not addresses._open


def test_a_client_is_told_the_limits_it_can_keep_to() -> None:
    assert Limits().hello() == {"assets_per_session": 200, "commands_per_10s": 20, "message_bytes": 4096}


def test_a_limit_is_never_below_zero() -> None:
    for name in Limits.__struct_fields__:
        with pytest.raises(msgspec.ValidationError, match=f">= 0 - at `\\$.{name}`"):
            msgspec.convert({name: -1}, Limits)
