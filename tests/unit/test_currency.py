"""Quotes in other currencies: prices to ten digits, changes from both ends' rates, dates that go out too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ticker.change import inverse
from ticker.currency import FiatRates, Fixing, converted, moved
from ticker.model import Basis, Change, Confidence, Quote, State, Window

PARTS = st.integers(1, 10**12)
PRICES = st.builds(lambda digits, power: Decimal(digits).scaleb(power), PARTS, st.integers(-20, 0))
RATES = st.builds(lambda digits, power: Decimal(digits).scaleb(power), PARTS, st.integers(-10, -4))
PERCENTS = st.decimals(min_value=-99, max_value=10_000, places=2)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


# 2 March 2026 is a Monday.
MONDAY = at("2026-03-02T20:00")


def fixing(day: str, **units: str) -> Fixing:
    return Fixing(date.fromisoformat(day), {code: Decimal(text) for code, text in units.items()})


FRIDAY_AND_MONDAY = FiatRates(
    (
        fixing("2026-02-20", EUR="1", USD="1.25", JPY="150"),
        fixing("2026-02-27", EUR="1", USD="1.25", JPY="160"),
        fixing("2026-03-02", EUR="1", USD="1.20", JPY="162"),
    )
)


def rolling(percent: str, window: Window = Window.DAY, basis: Basis = Basis.ROLLING) -> Change:
    return Change(Decimal(percent), window, basis)


def dollars(price: str | Decimal | None = "100", **more: object) -> Quote:
    plain = Quote(
        asset="talus",
        symbol="US",
        name="Talus",
        currency="USD",
        price=None if price is None else Decimal(price),
        state=State.LIVE,
        confidence=Confidence.HIGH,
        seq=5,
    )
    return replace(plain, **more)


def bitcoin(price: str | None = "50000", **more: object) -> Quote:
    return replace(dollars(price), **{"asset": "bitcoin", "symbol": "BTC", "seq": 9} | more)


class Converted(NamedTuple):
    """A converted quote, with what it says of the conversion beside it."""

    quote: Quote
    rate_date: str | None
    change_currency: str | None


def seen(
    quote: Quote,
    currency: str,
    *,
    rates: FiatRates | None = FRIDAY_AND_MONDAY,
    now: int = MONDAY,
    **book: Quote,
) -> Converted:
    result = converted(quote, currency, rates, book, now=now)
    assert result is not None
    bare = replace(result, rate_date=None, change_currency=None)
    return Converted(bare, result.rate_date, result.change_currency)


# Amounts


def test_a_price_is_converted_across_the_rates_common_base():
    result = seen(dollars("100"), "JPY")
    assert (result.quote.price, result.quote.currency) == (Decimal(13500), "JPY")


def test_every_amount_of_the_quote_is_converted():
    quote = dollars(
        high_24h=Decimal(240), low_24h=Decimal(60), volume_24h=Decimal(12), market_cap=Decimal(36)
    )
    euros = seen(quote, "EUR").quote
    assert (euros.high_24h, euros.low_24h, euros.volume_24h, euros.market_cap) == (200, 50, 10, 30)


def test_a_quote_in_its_own_currency_needs_no_rate_and_is_the_same():
    quote = dollars("0.010210000000000000001", change_24h=rolling("0.19"))
    assert seen(quote, "USD", rates=None) == Converted(quote, None, None)


@pytest.mark.parametrize("currency", ["XTS", "BTC"])
def test_a_currency_without_a_rate_gives_nothing(currency: str):
    assert converted(dollars(), currency, FRIDAY_AND_MONDAY, {}, now=MONDAY) is None
    assert converted(dollars(), currency, None, {}, now=MONDAY) is None


def test_an_asset_without_a_price_has_none_in_any_currency():
    quote = dollars(None, state=State.UNAVAILABLE)
    result = seen(quote, "EUR").quote
    assert (result.price, result.currency, result.state) == (None, "EUR", State.UNAVAILABLE)


@given(PRICES, RATES, RATES)
def test_there_and_back_gives_the_price_within_ten_digits(price: Decimal, dollar: Decimal, yen: Decimal):
    rates = FiatRates((Fixing(date(2026, 3, 2), {"USD": dollar, "JPY": yen}),))
    there = seen(dollars(price), "JPY", rates=rates).quote
    back = seen(there, "USD", rates=rates).quote
    assert back.price is not None
    assert abs(back.price - price) <= price * Decimal("1.1e-9")


@given(PRICES, PRICES, RATES, RATES)
def test_conversion_keeps_the_order_of_prices(one: Decimal, other: Decimal, dollar: Decimal, yen: Decimal):
    rates = FiatRates((Fixing(date(2026, 3, 2), {"USD": dollar, "JPY": yen}),))
    low, high = sorted((one, other))
    below, above = (seen(dollars(price), "JPY", rates=rates).quote.price for price in (low, high))
    assert below is not None
    assert above is not None
    assert below <= above


@given(PRICES, PRICES)
def test_a_price_in_bitcoin_times_bitcoins_price_is_the_price(price: Decimal, of_bitcoin: Decimal):
    result = seen(dollars(price), "BTC", BTC=bitcoin(str(of_bitcoin))).quote
    assert result.price is not None
    assert abs(result.price * of_bitcoin - price) <= price * Decimal("1e-9")
    assert len(result.price.as_tuple().digits) <= 10 or of_bitcoin == 1


# Changes


@given(PERCENTS, RATES, RATES)
def test_a_change_seen_in_a_currency_and_back_is_the_change(percent: Decimal, then: Decimal, now: Decimal):
    away = moved(percent, then, now)
    assert abs(moved(away, now, then) - percent) <= Decimal("1e-12") * (1 + abs(now / then) + abs(then / now))


@given(PERCENTS, PERCENTS)
def test_a_currency_that_moves_as_the_asset_does_leaves_no_change(percent: Decimal, other: Decimal):
    now = 100 * (100 + percent) / (100 + other)
    assert abs(moved(other, Decimal(100), now) - percent) < Decimal("1e-18")
    assert moved(percent, 100 + percent, Decimal(100)) == 0


@given(PERCENTS)
def test_a_change_and_its_inverse_agree_in_another_currency(percent: Decimal):
    gained = moved(percent, Decimal(2), Decimal(3))
    undone = moved(inverse(percent), Decimal(3), Decimal(2))
    assert abs((1 + gained / 100) * (1 + undone / 100) - 1) < Decimal("1e-20")


@given(PERCENTS, PERCENTS, RATES, RATES)
def test_the_larger_change_stays_the_larger(one: Decimal, other: Decimal, then: Decimal, now: Decimal):
    assert (one <= other) == (moved(one, then, now) <= moved(other, then, now))


def test_a_change_is_counted_from_both_ends_rates():
    # A dollar was 0.80 euros on Friday and is 0.8333… on Monday evening.
    result = seen(dollars(change_24h=rolling("10")), "EUR")
    assert result.quote.change_24h == rolling("14.58")
    assert (result.change_currency, result.rate_date) == (None, "2026-03-02")


def test_a_rate_that_has_not_changed_changes_no_change():
    sunday = at("2026-03-01T12:00")
    rates = FiatRates(FRIDAY_AND_MONDAY.fixings[:2])
    assert seen(dollars(change_24h=rolling("10")), "EUR", rates=rates, now=sunday).quote.change_24h == (
        rolling("10.00")
    )


def test_each_window_is_counted_from_the_rate_its_own_beginning_had():
    quote = dollars(
        change_1h=rolling("0", Window.HOUR), change_24h=rolling("0"), change_7d=rolling("0", Window.WEEK)
    )
    result = seen(quote, "JPY").quote
    # 120 yen a dollar ten days ago, 128 on Friday, 135 since this afternoon.
    assert result.change_1h == rolling("0.00", Window.HOUR)
    assert result.change_24h == rolling("5.47")
    assert result.change_7d == rolling("12.50", Window.WEEK)


def test_new_rates_of_a_summer_afternoon_are_compared_with_the_day_before_not_with_two():
    friday, monday, tuesday = (
        fixing(day, EUR="1", USD=rate)
        for day, rate in (("2026-07-03", "1.00"), ("2026-07-06", "1.10"), ("2026-07-07", "1.10"))
    )
    rates = FiatRates((friday, monday, tuesday))
    quote = dollars(change_24h=rolling("3"))
    assert seen(quote, "EUR", rates=rates, now=at("2026-07-07T14:00")).quote.change_24h == rolling("3.00")


def test_a_day_change_is_counted_from_the_rate_of_midnight():
    tuesday = at("2026-03-03T12:00")
    for basis, expected in ((Basis.UTC_DAY, "10.00"), (Basis.ROLLING, "14.58"), (Basis.UNKNOWN, "14.58")):
        quote = dollars(change_24h=rolling("10", basis=basis))
        assert seen(quote, "EUR", now=tuesday).quote.change_24h == rolling(expected, basis=basis)


def test_a_change_whose_rate_is_not_known_stays_the_dollars_and_says_so():
    rates = FiatRates(FRIDAY_AND_MONDAY.fixings[2:])
    quote = dollars(change_24h=rolling("10"), change_1h=rolling("1", Window.HOUR))
    result = seen(quote, "EUR", rates=rates)
    assert (result.quote.change_24h, result.quote.change_1h) == (quote.change_24h, quote.change_1h)
    assert result.change_currency == "USD"


def test_a_week_whose_rate_is_not_known_is_unknown_beside_a_day_whose_rate_is():
    rates = FiatRates(FRIDAY_AND_MONDAY.fixings[1:])
    quote = dollars(change_24h=rolling("10"), change_7d=rolling("20", Window.WEEK))
    result = seen(quote, "EUR", rates=rates)
    assert (result.quote.change_24h, result.quote.change_7d) == (rolling("14.58"), None)
    assert result.change_currency is None


def test_an_unknown_change_stays_unknown():
    result = seen(dollars(), "EUR")
    assert (result.quote.change_24h, result.change_currency) == (None, None)


# Bitcoin and ether


def test_a_change_in_bitcoin_is_counted_from_bitcoins_own():
    result = seen(dollars(change_24h=rolling("10")), "BTC", BTC=bitcoin(change_24h=rolling("25")))
    assert result.quote.price == Decimal("0.002")
    assert result.quote.change_24h == rolling("-12.00")
    assert (result.rate_date, result.change_currency) == (None, None)


def test_bitcoin_in_bitcoin_is_one_and_never_moves():
    quote = bitcoin("73397.77", change_24h=rolling("1.73"))
    result = seen(quote, "BTC", BTC=quote).quote
    assert (result.price, result.change_24h) == (1, rolling("0.00"))


@pytest.mark.parametrize("own", [None, rolling("1", basis=Basis.UTC_DAY), rolling("-100")])
def test_a_change_bitcoin_cannot_answer_stays_the_dollars_and_says_so(own: Change | None):
    result = seen(dollars(change_24h=rolling("10")), "BTC", BTC=bitcoin(change_24h=own))
    assert (result.quote.change_24h, result.change_currency) == (rolling("10"), "USD")


def test_a_days_high_in_bitcoin_is_not_known():
    quote = dollars(high_24h=Decimal(120), low_24h=Decimal(90), market_cap=Decimal(5000))
    result = seen(quote, "BTC", BTC=bitcoin()).quote
    assert (result.high_24h, result.low_24h, result.market_cap) == (None, None, Decimal("0.1"))


def test_a_price_in_bitcoin_is_as_new_as_the_newer_of_both():
    assert seen(dollars(), "BTC", BTC=bitcoin()).quote.seq == 9
    assert seen(dollars(seq=11), "BTC", BTC=bitcoin()).quote.seq == 11


@pytest.mark.parametrize("measure", [bitcoin(None), bitcoin(currency="EUR")])
def test_bitcoin_without_a_price_in_the_quotes_currency_gives_nothing(measure: Quote):
    assert converted(dollars(), "BTC", FRIDAY_AND_MONDAY, {"BTC": measure}, now=MONDAY) is None


# What a price inherits from its rate


@pytest.mark.parametrize(
    ("own", "of_bitcoin", "expected"),
    [
        (State.LIVE, State.LIVE, State.LIVE),
        (State.LIVE, State.DELAYED, State.DELAYED),
        (State.STALE, State.LIVE, State.STALE),
        (State.LIVE, State.DISPUTED, State.STALE),
        (State.LIVE, State.HELD, State.STALE),
        (State.DISPUTED, State.STALE, State.DISPUTED),
        (State.UNAVAILABLE, State.LIVE, State.UNAVAILABLE),
    ],
)
def test_a_price_is_no_fresher_than_its_rate(own: State, of_bitcoin: State, expected: State):
    assert seen(dollars(state=own), "BTC", BTC=bitcoin(state=of_bitcoin)).quote.state is expected


@pytest.mark.parametrize(
    ("now", "state"),
    [
        ("2026-04-07T13:00", State.LIVE),  # the Tuesday after Easter, before the new rates
        ("2026-04-08T00:00", State.STALE),
    ],
)
def test_an_old_rate_is_shown_as_old_but_not_over_the_longest_holiday(now: str, state: State):
    thursday = FiatRates((fixing("2026-04-02", EUR="1", USD="1.25"),))
    result = seen(dollars(), "EUR", rates=thursday, now=at(now))
    assert (result.quote.state, result.quote.price, result.rate_date) == (state, 80, "2026-04-02")


def test_what_is_made_up_or_assumed_about_a_rate_goes_out_with_the_price():
    assert seen(dollars(), "EUR", rates=FiatRates(FRIDAY_AND_MONDAY.fixings, demo=True)).quote.demo
    plain = seen(dollars(), "EUR").quote
    assert (plain.demo, plain.assumed) == (False, False)
    result = seen(dollars(), "BTC", BTC=bitcoin(assumed=True, demo=True)).quote
    assert (result.demo, result.assumed) == (True, True)


# The table of rates


def test_a_rate_is_in_force_from_the_afternoon_of_its_day():
    fixings = FRIDAY_AND_MONDAY.fixings
    afternoon = fixings[2].published
    assert FRIDAY_AND_MONDAY.at(afternoon) is fixings[2]
    assert FRIDAY_AND_MONDAY.at(afternoon - timedelta(seconds=1)) is fixings[1]
    assert FRIDAY_AND_MONDAY.at(fixings[0].published - timedelta(seconds=1)) is None


def test_the_currencies_are_those_of_the_latest_day():
    rates = FiatRates((fixing("2026-02-27", USD="1", RUB="80"), fixing("2026-03-02", USD="1", EUR="0.9")))
    assert rates.currencies == {"USD", "EUR"}
