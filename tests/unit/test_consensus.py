"""One price from many: in between, in any order, by the venues' own age, and everything stays in sight."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.conftest import NOW, day, pair, tick
from ticker.consensus import Decision, decide
from ticker.fx import Rate, Rates
from ticker.model import Basis, Change, Confidence, State, Tick, Window
from ticker.sampling import FUTURE_MS, Ages, Policy
from ticker.votes import median
from ticker.wire import plain

AGES = Ages(delayed=30_000, stale=120_000)
VENUES = tuple("abcdef")
BY_SOURCE: Mapping[str, Ages] = dict.fromkeys(VENUES, AGES)
A, B, C, D = (pair(f"{venue}:X") for venue in "abcd")
IN_USDT = pair("e:XUSDT", "USDT")

# Up to nine digits: the mean of two such is exact in the ten that a derived price has.
prices = st.integers(1, 10**9 - 1).map(lambda units: Decimal(units).scaleb(-4))
ages = st.integers(-FUTURE_MS, 300_000)


@st.composite
def rounds(draw: st.DrawFn) -> list[Tick]:
    """The latest tick of one pair at each of some venues, of any age."""
    venues = draw(st.lists(st.sampled_from(VENUES), unique=True, max_size=6))
    return [tick(pair(f"{venue}:X"), draw(prices), age=draw(ages)) for venue in venues]


def decided(ticks: Sequence[Tick], *, rates: Rates | None = None, now: int = NOW) -> Decision:
    return decide(ticks, currency="USD", rates=rates or {}, policy=Policy(ages=BY_SOURCE), now=now)


def seen(decision: Decision, source: str) -> tuple[bool, str | None]:
    found = next(o for o in decision.observations if o.source == source)
    return found.used, found.reason


def without_words(decision: Decision) -> Decision:
    """A decision but for the reasons, which count seconds."""
    told = tuple(sorted((replace(o, reason=None) for o in decision.observations), key=lambda o: o.source))
    return replace(decision, observations=told)


# Rules that hold for every round


@given(rounds())
def test_the_price_lies_between_the_lowest_and_the_highest_that_counted(ticks: list[Tick]) -> None:
    decision = decided(ticks)
    counted = [o.price for o in decision.observations if o.used]
    assume(counted)
    assert decision.price is not None
    assert min(counted) <= decision.price <= max(counted)


@given(rounds().flatmap(lambda ticks: st.tuples(st.just(ticks), st.permutations(ticks))))
def test_the_decision_does_not_depend_on_the_order_of_ticks(
    orders: tuple[list[Tick], list[Tick]],
) -> None:
    one, other = (without_words(decided(ticks)) for ticks in orders)
    assert one == other


@given(rounds())
def test_every_tick_stays_in_sight(ticks: list[Tick]) -> None:
    observed = [(o.source, o.price, o.as_of) for o in decided(ticks).observations]
    assert observed == [(t.pair.venue, t.price, t.as_of) for t in ticks]


@given(rounds())
def test_what_does_not_count_has_a_reason(ticks: list[Tick]) -> None:
    assert all(o.used or o.reason for o in decided(ticks).observations)


@given(rounds(), st.integers(0, 500_000))
def test_age_changes_nothing_before_it_is_due(ticks: list[Tick], later: int) -> None:
    decision = decided(ticks)
    assume(decision.due is None or NOW + later < decision.due)
    assert without_words(decided(ticks, now=NOW + later)) == without_words(decision)


@given(rounds())
def test_what_is_due_is_due_later(ticks: list[Tick]) -> None:
    due = decided(ticks).due
    assert due is None or due > NOW


# Age


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (-FUTURE_MS, State.LIVE),
        (0, State.LIVE),
        (30_000, State.LIVE),
        (30_001, State.DELAYED),
        (120_000, State.DELAYED),
        (120_001, State.STALE),
    ],
)
def test_a_price_is_as_old_as_its_venue_says(age: int, state: State) -> None:
    decision = decided([replace(tick(A, "1", age=age), seen=NOW)])
    assert (decision.state, decision.price) == (state, Decimal(1))


@given(st.integers(-FUTURE_MS, 120_000))
def test_one_price_changes_its_state_at_the_very_moment_it_is_due(age: int) -> None:
    alone = [tick(A, "1", age=age)]
    due = decided(alone).due
    assert due is not None
    assert decided(alone, now=due - 1).state is decided(alone).state
    assert decided(alone, now=due).state is not decided(alone).state


def test_a_stale_price_is_never_due() -> None:
    assert decided([tick(A, "1", age=120_001)]).due is None


def test_a_price_dated_further_ahead_than_clocks_differ_does_not_count() -> None:
    decision = decided([tick(A, "9", age=-FUTURE_MS - 1000), tick(B, "1")])
    assert decision.price == 1
    assert seen(decision, "a") == (False, "dated 301 s in the future")


def test_a_price_dated_ahead_is_due_when_it_begins_to_count() -> None:
    early = [tick(A, "9", age=-FUTURE_MS - 1000)]
    assert decided(early, now=NOW + 1000).price == 9
    assert decided(early).due == NOW + 1000


def test_an_old_price_does_not_count_among_fresh_ones_and_says_how_old_it_is() -> None:
    decision = decided([tick(A, "1"), tick(B, "5", age=121_000), tick(C, "3", age=40_000)])
    assert (decision.price, decision.state, decision.sources) == (Decimal(1), State.LIVE, 1)
    assert seen(decision, "b") == (False, "121 s old")
    assert seen(decision, "c") == (False, "40 s old")


def test_prices_that_are_all_stale_are_the_best_known_but_none_is_called_used() -> None:
    decision = decided([tick(A, "1", age=200_000), tick(B, "3", age=300_000)])
    assert (decision.price, decision.state) == (Decimal(2), State.STALE)
    assert [o.used for o in decision.observations] == [False, False]
    assert decision.as_of == NOW - 200_000


@pytest.mark.parametrize("ticks", [[], [tick(IN_USDT, "1")], [tick(A, "0")]])
def test_without_a_usable_price_there_is_none(ticks: list[Tick]) -> None:
    decision = decided(ticks)
    assert (decision.price, decision.state, decision.confidence, decision.due) == (
        None,
        State.UNAVAILABLE,
        Confidence.NONE,
        None,
    )


# Flaws


@pytest.mark.parametrize(
    ("flawed", "reason"),
    [
        (tick(A, "0"), "price 0 is not above zero"),
        (tick(A, "-1"), "price -1 is not above zero"),
        (tick(A, "NaN"), "price NaN is not above zero"),
        (tick(A, "Infinity"), "price Infinity is not above zero"),
        (tick(A, "5", bid=Decimal(6), ask=Decimal(5)), "bid 6 above ask 5"),
    ],
)
def test_a_flawed_observation_is_set_aside_in_words(flawed: Tick, reason: str) -> None:
    decision = decided([flawed, tick(B, "5")])
    assert (decision.price, decision.sources) == (Decimal(5), 1)
    assert seen(decision, "a") == (False, reason)


def test_bid_equal_to_ask_is_no_flaw() -> None:
    assert decided([tick(A, "5", bid=Decimal(5), ask=Decimal(5))]).price == 5


# Currencies


def test_a_currency_without_a_rate_does_not_count() -> None:
    decision = decided([tick(IN_USDT, "5"), tick(A, "4")])
    assert decision.price == 4
    assert seen(decision, "e") == (False, "no USDT rate")


@pytest.mark.parametrize("grade", [State.LIVE, State.DELAYED, State.STALE])
def test_a_price_is_no_fresher_than_its_rate(grade: State) -> None:
    decision = decided([tick(IN_USDT, "100")], rates={"USDT": Rate(Decimal("0.88"), grade)})
    assert (decision.price, decision.state) == (Decimal(88), grade)


def test_a_price_at_an_old_rate_yields_to_one_that_needs_none() -> None:
    rates = {"USDT": Rate(Decimal(1), State.DELAYED)}
    decision = decided([tick(IN_USDT, "5"), tick(A, "4")], rates=rates)
    assert (decision.price, decision.state) == (Decimal(4), State.LIVE)
    assert seen(decision, "e") == (False, "USDT rate is old")


def test_an_observation_keeps_the_venue_s_price_and_currency() -> None:
    (observation,) = decided([tick(IN_USDT, "100.50")], rates={"USDT": Rate(Decimal("0.5"))}).observations
    assert (str(observation.price), observation.currency) == ("100.50", "USDT")


def test_the_price_is_assumed_only_if_what_counted_is() -> None:
    rates = {"USDT": Rate(Decimal(1), assumed=True)}
    assert decided([tick(IN_USDT, "5"), tick(A, "5")], rates=rates).assumed
    assert not decided([tick(IN_USDT, "5", age=40_000), tick(A, "5")], rates=rates).assumed


# Figures beside the price


@pytest.mark.parametrize(
    ("given_prices", "confidence", "spread"),
    [
        (["100"], Confidence.SINGLE, "0.00"),
        (["100", "102"], Confidence.MEDIUM, "2.00"),
        (["100", "102.01"], Confidence.LOW, "2.01"),
        (["100", "100.5", "101"], Confidence.HIGH, "1.00"),
        (["100", "100.5", "101.01"], Confidence.MEDIUM, "1.01"),
        (["100", "100", "103"], Confidence.LOW, "3.00"),
    ],
)
def test_confidence_grows_with_sources_and_falls_with_their_distance(
    given_prices: list[str], confidence: Confidence, spread: str
) -> None:
    decision = decided([tick(of, price) for of, price in zip((A, B, C), given_prices, strict=False)])
    assert (decision.confidence, str(decision.spread)) == (confidence, spread)


def test_two_pairs_of_one_venue_are_one_source() -> None:
    decision = decided([tick(A, "5"), tick(pair("a:OTHER"), "5")])
    assert (decision.confidence, decision.sources) == (Confidence.SINGLE, 1)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([None, None], None),
        ([day("1"), day("2"), day("9")], day("2")),
        ([day("1"), day("2")], day("1.5")),
        ([day("7", Basis.UTC_DAY)], None),
        ([day("7", Basis.UTC_DAY), day("1")], day("1")),
        ([day("7", Basis.UNKNOWN), day("1")], day("1")),
        ([day("7", Basis.UNKNOWN), None], day("7", Basis.UNKNOWN)),
        ([day("7", window=Window.HOUR)], None),
        ([day("-0.001")], day("0")),
    ],
)
def test_the_change_is_the_median_of_rolling_ones_and_never_a_day_s(
    changes: list[Change | None], expected: Change | None
) -> None:
    ticks = [tick(of, "5", change_24h=change) for of, change in zip((A, B, C), changes, strict=False)]
    assert decided(ticks).change_24h == expected


def test_volume_is_the_largest_single_turnover_and_no_sum() -> None:
    ticks = [tick(A, "5", turnover_24h=Decimal(10)), tick(B, "5", turnover_24h=Decimal(30)), tick(C, "5")]
    assert decided(ticks).volume_24h == 30


def test_high_low_volume_and_cap_are_converted_as_the_price_is() -> None:
    figures: dict[str, Any] = {
        name: Decimal(10) for name in ("high_24h", "low_24h", "turnover_24h", "market_cap")
    }
    decision = decided([tick(IN_USDT, "10", **figures)], rates={"USDT": Rate(Decimal("0.88"))})
    amounts = (decision.price, decision.high_24h, decision.low_24h, decision.volume_24h, decision.market_cap)
    assert amounts == (Decimal("8.8"),) * 5


def test_the_market_cap_of_a_slow_aggregator_is_kept_while_its_price_does_not_count() -> None:
    decision = decided([tick(A, "5"), tick(B, "4.9", age=60_000, market_cap=Decimal(999))])
    assert (decision.price, decision.market_cap) == (Decimal(5), Decimal(999))


def test_one_demo_tick_makes_a_demo_quote() -> None:
    assert decided([tick(A, "5"), tick(B, "5", demo=True)]).demo
    assert not decided([tick(A, "5")]).demo


# The median


def test_an_odd_median_is_an_observation_to_its_last_digit() -> None:
    assert str(median([Decimal("3.10"), Decimal("1"), Decimal("9")])) == "3.10"  # noqa: FURB157


def test_a_median_of_long_numbers_lies_between_the_middle_ones() -> None:
    low, high = Decimal("73397.7700004"), Decimal("73397.7700006")
    assert low <= median([low, high]) <= high


def test_the_text_of_the_price_does_not_depend_on_the_order_of_ticks() -> None:
    three = (tick(A, "1.0"), tick(B, "1.00"), tick(C, "2"))
    texts = {plain(d.price) for order in itertools.permutations(three) if (d := decided(order)).price}
    assert len(texts) == 1


def test_a_decimal_shift_makes_a_dispute_and_no_crash() -> None:
    # 10^18 too high, beside a coin of 10^-9: both are sizes that sources/decode.py lets through.
    decision = decided([tick(A, "0.000000001"), tick(B, "1e18"), tick(C, "0.000000001")])
    assert decision.price == Decimal("0.000000001")
