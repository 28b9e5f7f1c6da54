"""The jump gate: what waits, what is released, what never is."""

from decimal import Decimal
from typing import Any

import pytest

from ticker.gate import FORGOTTEN_MS, Good, Held, Verdict, jump_gate
from ticker.model import State

NOW = 1_790_000_000_000
GOOD = Good(Decimal(100), NOW - 5_000)


def judged(price: str, **given: Any) -> Verdict:
    asked = {"good": GOOD, "held": None, "votes": 1, "stayed": False, "now": NOW} | given
    return jump_gate(Decimal(price), **asked)


@pytest.mark.parametrize("price", ["75", "100", "125"])
def test_a_move_of_a_quarter_passes(price: str):
    assert judged(price) == Verdict()


@pytest.mark.parametrize("price", ["74.99", "125.01", "60", "1e20", "1e-20"])
def test_a_larger_one_of_one_source_waits(price: str):
    verdict = judged(price)
    assert verdict.state is State.HELD
    assert verdict.held == Held(Decimal(price), NOW)


def test_three_sources_that_agree_are_followed_at_once():
    assert judged("60", votes=3) == Verdict()


def test_three_of_five_that_jump_while_the_others_stay_are_a_dispute():
    assert judged("60", votes=3, stayed=True).state is State.DISPUTED


@pytest.mark.parametrize(
    ("price", "wait"), [("60", 90_000), ("999", 90_000), ("5000", 1_800_000), ("0.2", 1_800_000)]
)
def test_what_lasts_is_released_the_later_the_farther_it_is(price: str, wait: int):
    held = Held(Decimal(price), NOW - wait + 1)
    good = Good(GOOD.price, NOW - wait)
    waiting = judged(price, held=held, good=good)
    assert (waiting.state, waiting.due) == (State.HELD, NOW + 1)
    assert judged(price, held=held, good=good, now=NOW + 1) == Verdict()


def test_a_shifted_decimal_point_is_never_believed_of_one_source():
    held = Held(Decimal("1e18"), NOW - 3_000_000)
    verdict = judged("1e18", held=held)
    assert (verdict.state, verdict.due) == (State.HELD, None)


def test_a_price_that_jumps_on_starts_to_wait_anew():
    verdict = judged("30", held=Held(Decimal(60), NOW - 89_000))
    assert verdict.held == Held(Decimal(30), NOW)


def test_one_that_moves_a_little_while_it_waits_goes_on_waiting():
    verdict = judged("62", held=Held(Decimal(60), NOW - 10_000))
    assert verdict.held == Held(Decimal(60), NOW - 10_000)


def test_a_good_price_of_long_ago_holds_nothing_back():
    assert judged("60", good=Good(Decimal(100), NOW - FORGOTTEN_MS - 1)) == Verdict()
    assert judged("60", good=None) == Verdict()
    assert judged("1e20", good=Good(Decimal(100), 0)).state is State.HELD
