"""Medians and weights: in between, in any order, never ruled by one voice."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ticker.votes import capped, distances, median, spread, tolerance, weighted_median

prices = st.integers(1, 10**9 - 1).map(lambda units: Decimal(units).scaleb(-4))
weights = st.one_of(st.none(), st.integers(1, 10**12).map(Decimal))
votes = st.lists(st.tuples(prices, weights), min_size=1, max_size=9)


def decided(cast: list[tuple[Decimal, Decimal | None]]) -> Decimal:
    return weighted_median([price for price, _ in cast], [weight for _, weight in cast])


@given(votes)
def test_lies_between_the_lowest_and_the_highest(cast):
    assert min(price for price, _ in cast) <= decided(cast) <= max(price for price, _ in cast)


@given(votes.flatmap(lambda cast: st.tuples(st.just(cast), st.permutations(cast))))
def test_does_not_depend_on_the_order(orders):
    one, other = orders
    assert decided(one) == decided(other)


@given(votes, st.integers(0, 8), prices)
def test_is_monotone_a_higher_vote_never_lowers_it(cast, which, more):
    raised = [(price + more if at == which else price, weight) for at, (price, weight) in enumerate(cast)]
    assert decided(raised) >= decided(cast)


@given(st.lists(st.integers(1, 10**12).map(Decimal), min_size=3, max_size=9))
def test_no_weight_is_above_forty_percent_and_none_grows(heavy):
    light = capped(heavy)
    assert max(light) <= sum(light) * Decimal("0.4000001")
    assert all(after <= before for after, before in zip(light, heavy, strict=True))


def test_a_venue_with_nearly_all_the_volume_cannot_decide_alone():
    cast = [(Decimal(100), Decimal(1)), (Decimal(101), Decimal(1)), (Decimal(200), Decimal(10**9))]
    assert decided(cast) == 101


def test_volume_decides_among_three_that_are_close():
    cast = [(Decimal(100), Decimal(9)), (Decimal(101), Decimal(5)), (Decimal(102), Decimal(9))]
    assert decided(cast) == 101
    assert decided([(Decimal(100), Decimal(9)), (Decimal(101), Decimal(1)), (Decimal(102), None)]) == 101


def test_two_weigh_the_same_whatever_their_volume():
    assert decided([(Decimal(100), Decimal(1)), (Decimal(102), Decimal(10**9))]) == 101


def test_equal_values_keep_the_text_of_the_shorter_one_in_any_order():
    assert str(median([Decimal("1.0"), Decimal("1.00"), Decimal("1.0")])) == "1.0"


def test_tolerance_grows_with_a_crowd_that_is_far_apart_but_has_a_floor():
    near, far = [Decimal(100)] * 5, [Decimal(90), Decimal(95), Decimal(100), Decimal(105), Decimal(110)]
    assert tolerance(distances(near), Decimal("0.03")) == Decimal("0.03")
    assert tolerance(distances(far), Decimal("0.03")) > 0.2


def test_distance_and_spread_are_parts_of_the_middle_and_percent_of_the_lowest():
    assert distances([Decimal(99), Decimal(100), Decimal(103)]) == [Decimal("0.01"), 0, Decimal("0.03")]
    assert spread([Decimal(100), Decimal(102)]) == 2
