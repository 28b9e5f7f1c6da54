"""What an address's query asks for; what it can't have is an error with the choices in it."""

from __future__ import annotations

import pytest

from ticker.errors import RequestError
from ticker.feed.terms import Terms, parse_terms, split
from ticker.wire import INTERVALS


def test_an_empty_query_asks_for_nothing_yet() -> None:
    assert parse_terms({}) == Terms((), "USD", 1000, None)


def test_a_query_says_assets_currency_interval_and_since() -> None:
    query = {"assets": "talus,bitcoin", "currency": "uSd", "interval": "250", "since": "k3f9:12"}
    assert parse_terms(query) == Terms(("talus", "bitcoin"), "USD", 250, ("k3f9", 12))


@pytest.mark.parametrize(
    ("text", "assets"),
    [
        ("", []),
        (",, ,", []),
        (" talus , bitcoin,", ["talus", "bitcoin"]),
        ("b,a,b", ["b", "a"]),
        ("*", ["*"]),
    ],
)
def test_assets_are_split_at_commas_each_once_in_order(text: str, assets: list[str]) -> None:
    assert list(split(text)) == assets


def test_unknown_keys_are_ignored() -> None:
    assert parse_terms({"colour": "red", "deadband": "x"}) == parse_terms({})


def test_a_point_that_is_none_means_from_the_beginning() -> None:
    assert parse_terms({"since": "yesterday"}).since is None


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_on_offer_is_taken(interval: int) -> None:
    assert parse_terms({"interval": str(interval)}).interval == interval


@pytest.mark.parametrize(
    "text", ["", "0", "999", "-250", "1000.0", "1e3", "+250", "0250", "\u0662\u0665\u0660"]
)
def test_an_interval_not_on_offer_is_refused_with_those_that_are(text: str) -> None:
    with pytest.raises(RequestError, match="250, 1000, 5000, 15000") as caught:
        parse_terms({"interval": text})
    assert (caught.value.code, caught.value.status) == ("bad_request", 400)


@pytest.mark.parametrize("text", ["", "x" * 500, "€", "u s"])
def test_what_can_be_no_currency_is_refused_briefly(text: str) -> None:
    with pytest.raises(RequestError, match="is no currency") as caught:
        parse_terms({"currency": text})
    assert caught.value.code == "unknown_currency"
    assert len(str(caught.value)) < 100
