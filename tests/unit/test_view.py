"""A quote as the templates get it."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from ticker.errors import RequestError
from ticker.model import Asset, Basis, Change, Observation, Pair, Quote, State, Window
from widgets.view import known, observation_view, quote_view

NOW = 1_790_000_000_123
TALUS = Asset("talus", "US", "Talus", (Pair("mexc", "USUSDT", "US", "USDT"),))


def quote(**fields):
    fields = {"price": Decimal("0.01021"), "state": State.LIVE, "as_of": NOW, "currency": "USD"} | fields
    return Quote(asset="talus", symbol="US", name="Talus", **fields)


def view(**fields):
    return quote_view(TALUS, quote(**fields), NOW)


def day(percent, basis=Basis.ROLLING):
    return Change(Decimal(percent), Window.DAY, basis)


def test_live_quote_is_one_sentence_with_its_time():
    assert view(change_24h=day("0.19")).sentence == (
        "Talus (US) $0.01021 USD, +0.19% (24h), as of 2026-09-21 14:13:20 UTC"
    )


def test_old_quote_says_its_state_and_demo_says_that_it_is_made_up():
    said = view(state=State.STALE, demo=True).sentence
    assert said.startswith("Demo: ")
    assert said.endswith(", stale")


def test_quote_without_a_price_is_unavailable_whatever_its_state():
    seen = view(price=None, state=State.LIVE)
    assert (seen.status.state, seen.status.text, seen.status.iso) == ("unavailable", "unavailable", None)
    assert seen.sentence == "Talus (US): unavailable"


def test_change_since_midnight_is_never_called_24_hours():
    assert view(change_24h=day("1", Basis.UTC_DAY)).change_24h.window == "UTC day"
    assert view(change_24h=day("1")).change_24h.window == "24h"


def test_assumed_peg_is_starred_and_explained():
    seen = view(assumed=True)
    assert (seen.code, seen.peg) == ("USD*", "assumes 1 USDT = 1 USD")
    assert view().code == "USD"


def test_screen_reader_hears_the_state_that_the_eye_sees_as_a_dot():
    assert view(state=State.DELAYED).status.word == "delayed, "
    assert view(state=State.HELD).status.word == ""  # its text begins with the word


def test_observation_keeps_the_price_as_the_venue_gave_it():
    said = Observation(
        source="mexc",
        pair="USUSDT",
        currency="USDT",
        price=Decimal("1.020E-8"),
        change_24h=None,
        as_of=NOW - 9000,
        used=False,
        reason="too old",
    )
    seen = observation_view(said, NOW)
    assert (seen.price, seen.status.text, seen.reason) == ("0.00000001020 USDT", "9 s ago", "too old")


def test_unknown_asset_is_a_404_that_repeats_little_of_what_was_asked():
    board = SimpleNamespace(assets={"talus": TALUS})
    with pytest.raises(RequestError) as caught:
        known(board, "x" * 500)
    assert caught.value.status == 404
    assert len(caught.value.viewer) < 100
