"""Limits of one account, an address's or a key's: counted, given back, and turned off by 0."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.conftest import NOW
from ticker.errors import RequestError
from ticker.feed import limits
from ticker.feed.limits import MINUTE_MS, Accounts, Caller, Limits, neighbourhood

HERE = "192.0.2.1"


def caller(address: str = HERE, **limits: int) -> Caller:
    return Caller(neighbourhood(address), Limits(**limits))


def handshaking(limit: int, address: str = HERE) -> Caller:
    return caller(address, handshakes_per_minute=limit, sessions_per_address=0)


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
    accounts, here = Accounts(), caller(sessions_per_address=2)
    for _ in range(2):
        accounts.admit(here, NOW)
    with pytest.raises(RequestError, match="2 sessions are open") as caught:
        accounts.admit(here, NOW)
    assert (caught.value.code, caught.value.status, caught.value.headers["Retry_After"]) == (
        "rate_limited",
        429,
        "60",
    )
    accounts.admit(caller("192.0.2.2", sessions_per_address=2), NOW)
    accounts.release(here.account)
    accounts.admit(here, NOW)


def test_neighbours_in_one_64_share_their_sessions() -> None:
    accounts = Accounts()
    one, other = (caller(address, sessions_per_address=1) for address in ("2001:db8::1", "2001:db8::2"))
    accounts.admit(one, NOW)
    with pytest.raises(RequestError):
        accounts.admit(other, NOW)
    accounts.release(one.account)
    accounts.admit(other, NOW)


def test_a_key_has_its_own_account_and_its_own_limits() -> None:
    accounts = Accounts()
    keyed, nameless = Caller("key:shop", Limits(sessions_per_address=3)), caller(sessions_per_address=1)
    accounts.admit(nameless, NOW)
    for _ in range(3):
        accounts.admit(keyed, NOW)
    with pytest.raises(RequestError, match="3 sessions are open"):
        accounts.admit(keyed, NOW)
    with pytest.raises(RequestError, match="1 sessions are open"):
        accounts.admit(nameless, NOW)


def test_a_refused_session_counts_neither_as_open_nor_as_a_handshake() -> None:
    accounts, here = Accounts(), caller(sessions_per_address=1, handshakes_per_minute=2)
    accounts.admit(here, NOW)
    for _ in range(5):
        with pytest.raises(RequestError, match="sessions are open"):
            accounts.admit(here, NOW)
    accounts.release(here.account)
    accounts.admit(here, NOW)
    accounts.release(here.account)
    with pytest.raises(RequestError, match="opened in a minute"):
        accounts.admit(here, NOW)


def test_a_session_refused_for_its_handshake_is_not_open() -> None:
    accounts, here = Accounts(), caller(handshakes_per_minute=1)
    accounts.admit(here, NOW)
    for _ in range(5):
        with pytest.raises(RequestError, match="opened in a minute"):
            accounts.admit(here, NOW)
    assert accounts._open == {HERE: 1}


def test_a_handshake_is_forgotten_after_a_minute_to_the_millisecond() -> None:
    accounts, here = Accounts(), handshaking(1)
    accounts.admit(here, NOW)
    with pytest.raises(RequestError):
        accounts.admit(here, NOW + MINUTE_MS - 1)
    accounts.admit(here, NOW + MINUTE_MS)


@given(st.lists(st.integers(0, 90_000), min_size=1, max_size=20), st.integers(1, 4))
def test_whoever_waits_as_told_is_admitted_and_waits_hardly_longer_than_needed(
    pauses: list[int], limit: int
) -> None:
    accounts, here, now = Accounts(), handshaking(limit), NOW
    for pause in pauses:
        now += pause
        try:
            accounts.admit(here, now)
        except RequestError as refused:
            told = int(refused.headers["Retry_After"]) * 1000
            with pytest.raises(RequestError):
                accounts.admit(here, now + told - 1001)
            now += told
            accounts.admit(here, now)


@given(st.lists(st.integers(0, 30_000), max_size=40), st.integers(1, 5))
def test_no_minute_has_more_handshakes_than_allowed(pauses: list[int], limit: int) -> None:
    accounts, here, now, admitted = Accounts(), handshaking(limit), NOW, []
    for pause in pauses:
        now += pause
        try:
            accounts.admit(here, now)
        except RequestError:
            continue
        admitted.append(now)
    for end in admitted:
        assert sum(end - MINUTE_MS < at <= end for at in admitted) <= limit


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=60))
def test_no_account_has_more_sessions_than_allowed_and_none_is_kept_without_one(
    moves: list[tuple[bool, str]],
) -> None:
    accounts, sessions = Accounts(), Counter[str]()
    for comes, name in moves:
        if not comes and sessions[name]:
            accounts.release(name)
            sessions[name] -= 1
        elif comes and sessions[name] < 3:
            accounts.admit(Caller(name, Limits(sessions_per_address=3, handshakes_per_minute=0)), NOW)
            sessions[name] += 1
        elif comes:
            with pytest.raises(RequestError):
                accounts.admit(Caller(name, Limits(sessions_per_address=3)), NOW)
        assert accounts._open == +sessions
        assert set(accounts._open) == set(+sessions)


def test_zero_turns_a_limit_off() -> None:
    accounts, here = Accounts(), caller(sessions_per_address=0, handshakes_per_minute=0)
    for _ in range(1000):
        accounts.admit(here, NOW)
    assert accounts._open == {HERE: 1000}
    Limits(assets_per_session=0).check_assets([str(number) for number in range(10_000)])


def test_the_addresses_remembered_are_bounded() -> None:
    accounts = Accounts()
    for number in range(limits.REMEMBERED + 10):
        here = handshaking(1, f"host-{number}")
        accounts.admit(here, NOW)
        accounts.release(here.account)
    assert len(accounts._handshakes) == limits.REMEMBERED
    assert not accounts._open


def test_a_session_holds_so_many_assets_and_no_more() -> None:
    limited = Limits(assets_per_session=2)
    limited.check_assets({"talus", "bitcoin"})
    with pytest.raises(RequestError, match="at most 2 assets") as caught:
        limited.check_assets({"talus", "bitcoin", "solana"})
    assert (caught.value.code, caught.value.status) == ("too_many_assets", 400)


def test_a_client_is_told_the_limits_it_can_keep_to() -> None:
    assert Limits().hello() == {"assets_per_session": 200, "commands_per_10s": 20, "message_bytes": 4096}


def test_a_limit_is_never_below_zero() -> None:
    for name in Limits.__struct_fields__:
        with pytest.raises(msgspec.ValidationError, match=f">= 0 - at `\\$.{name}`"):
            msgspec.convert({name: -1}, Limits)
