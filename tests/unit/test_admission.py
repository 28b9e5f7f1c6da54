"""The operator's lists: which origins, which proxies, which keys; every mistake says what to write."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.feed.limits import Limits
from ticker.web.admission import Door, Key, Options, canonical, networks

DIGEST = "0f" * 32


def door(*origins: str) -> Door:
    return Door(Options(origins=origins))


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        ("*", "*"),
        ("null", "null"),
        ("https://example.com", "https://example.com"),
        ("HTTPS://Example.COM", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://*.example.com", "https://*.example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_origin_is_kept_as_browsers_write_it(entry: str, origin: str) -> None:
    assert canonical(entry) == origin


@pytest.mark.parametrize(
    ("entry", "write"),
    [
        ("example.com", 'write "https://example.com"'),
        ("*.example.com", 'write "https://*.example.com"'),
        ("https://example.com/", 'write "https://example.com"'),
        ("http://example.com/page?x=1", 'write "http://example.com"'),
        ("localhost:3000", 'write "https://localhost:3000"'),
        ("https://exa*mple.com", 'write "*", "null", "https://example.com" or'),
        ("https://*", 'write "*", "null"'),
        ("https://www.*.com", 'write "*", "null"'),
        ("https://example.com:99999", 'write "*", "null"'),
        ("https://münchen.example", 'write "*", "null"'),
        ("https://a.example https://b.example", 'write "https://a.example"'),
        ("https://example.com;script-src *", 'write "*"'),
        ("ftp://example.com", 'write "*", "null"'),
        ("", 'write "*", "null"'),
    ],
)
def test_what_is_no_origin_is_refused_with_what_to_write(entry: str, write: str) -> None:
    with pytest.raises(ValueError, match="is no origin") as caught:
        Options(origins=(entry,))
    assert write in str(caught.value)


@pytest.mark.parametrize(
    ("listed", "origin", "allowed"),
    [
        ("https://example.com", "https://example.com", True),
        ("https://example.com", "http://example.com", False),
        ("https://example.com", "https://example.com:8443", False),
        ("https://example.com", "https://example.com.evil.net", False),
        ("https://example.com", "https://examplexcom", False),
        ("https://example.com", "https://www.example.com", False),
        ("https://example.com", "null", False),
        ("https://*.example.com", "https://www.example.com", True),
        ("https://*.example.com", "https://a.b.example.com", True),
        ("https://*.example.com", "https://example.com", False),
        ("https://*.example.com", "https://evilexample.com", False),
        ("https://*.example.com", "https://evil.net:1.example.com", False),
        ("https://*.example.com", "https://evil.net/.example.com", False),
        ("https://*.example.com", "https://www.example.com:8443", False),
        ("https://*.example.com:8443", "https://www.example.com:8443", True),
        ("null", "null", True),
        ("null", "", False),
        ("*", "null", True),
        ("*", "https://anything.example", True),
    ],
)
def test_an_origin_is_allowed_whole_or_not_at_all(listed: str, origin: str, allowed: bool) -> None:
    assert door(listed).allows(origin) is allowed


def test_an_empty_list_allows_nobody() -> None:
    assert not any(map(door().allows, ["null", "", "https://example.com"]))
    assert door().frames == "'self'"


@given(st.text(max_size=40))
def test_no_text_at_all_passes_for_another_origin(text: str) -> None:
    listed = door("https://example.com", "https://*.example.org")
    expected = re.fullmatch(r"https://(example\.com|[a-z0-9._-]+\.example\.org)", text) is not None
    assert listed.allows(text) is expected


def test_frames_follow_the_list_as_far_as_a_policy_can_say_it() -> None:
    assert door("*", "https://example.com").frames == "*"
    listed = door("https://example.com:443", "null", "https://*.example.org:8443", "http://[::1]:3000")
    assert listed.frames == "'self' https://example.com https://*.example.org:8443"


@pytest.mark.parametrize("entry", ["127.0.0.1", "10.0.0.0/8", "::1", "2001:db8::/32", "10.1.2.3/32"])
def test_a_proxy_is_an_address_or_a_network(entry: str) -> None:
    assert len(networks([entry])) == 1


@pytest.mark.parametrize(
    ("entry", "write"),
    [
        ("nginx", "such as 127.0.0.1 or 10.0.0.0/8"),
        ("*", "such as 127.0.0.1"),
        ("127.0.0.1:80", "such as 127.0.0.1"),
        ("10.0.0.0/33", "such as 127.0.0.1"),
        ("10.1.2.3/8", "write '10.0.0.0/8'"),
        ("2001:db8::1/64", "write '2001:db8::/64'"),
    ],
)
def test_what_is_no_proxy_is_refused_with_what_to_write(entry: str, write: str) -> None:
    with pytest.raises(ValueError, match="trusted_proxies: ") as caught:
        Options(trusted_proxies=(entry,))
    assert write in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "0f" * 31, "0f" * 33, "zz" * 32, " " + "0f" * 31 + "0", "my-secret-key"]
)
def test_a_digest_is_64_hexadecimal_digits_and_what_stands_there_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="`ticker key NAME`") as caught:
        Key(sha256=text)
    assert not text.strip() or text.strip() not in str(caught.value)


def test_a_key_has_its_own_limits_and_for_the_rest_the_general_ones() -> None:
    general = Limits(sessions_per_address=3, commands_per_10s=4, handshakes_per_minute=5, message_bytes=6)
    assert Key(sha256=DIGEST).limits(general) == general
    own = Key(sha256=DIGEST, sessions=0, assets_per_session=1000, handshakes_per_minute=600).limits(general)
    assert own == msgspec.structs.replace(
        general, sessions_per_address=0, assets_per_session=1000, handshakes_per_minute=600
    )
