"""Days that went wrong elsewhere, minute by minute: what our quote says, and what it never says."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from tests.unit.conftest import ManualClock, pair, tick
from ticker.book import QuoteBook
from ticker.model import Asset, Confidence, Pair, Quote, State
from ticker.sampling import Ages

EXCHANGES = ("binance", "coinbase", "kraken", "okx", "bybit")
AGGREGATORS = ("coingecko", "coinmarketcap", "pyth")
SECONDS = 5


class Day:
    """A book fed every five seconds, one price a venue; a venue that is not named goes on as before."""

    def __init__(self, *venues: str) -> None:
        self.clock = ManualClock()
        self.pairs = {venue: pair(f"{venue}:X") for venue in venues}
        ages = dict.fromkeys((*EXCHANGES, *AGGREGATORS), Ages())
        asset = Asset("x", "X", "X", tuple(self.pairs.values()))
        self.book = QuoteBook([asset], clock=self.clock, epoch="e", ages=ages, aggregators=AGGREGATORS)
        self.prices: dict[str, str] = {}

    def say(self, seconds: int = SECONDS, **prices: str) -> Quote:
        """Let it be so for some seconds; the quote at the end. Venues tick one by one, as polls do."""
        self.prices |= prices
        for _ in range(max(1, seconds // SECONDS)):
            self.clock.advance(SECONDS * 1000)
            for venue, price in self.prices.items():
                self.book.apply([tick(self.pairs[venue], price, now=self.clock.now())])
            self.book.expire()
        return self.book.quote("x")

    def all(self, price: str, seconds: int = SECONDS) -> Quote:
        return self.say(seconds, **dict.fromkeys(self.pairs, price))

    def reason(self, venue: str) -> str | None:
        return next(o.reason for o in self.book.observations("x") if o.source == venue)


def shown(quote: Quote) -> tuple[str | None, State]:
    return None if quote.price is None else f"{quote.price:f}", quote.state


def test_pyth_20_september_2021_near_zero_for_two_minutes_is_the_oracle_s_alone():
    day = Day("binance", "coinbase", "kraken", "pyth")
    assert shown(day.all("42000")) == ("42000", State.LIVE)
    assert shown(day.say(120, pyth="5402")) == ("42000", State.LIVE)
    assert "87.14 % apart" in (day.reason("pyth") or "")


def test_binance_us_21_october_2021_a_minute_at_8200_is_never_shown():
    day = Day("binance")
    day.all("65760", 60)
    for _ in range(12):
        assert shown(day.say(binance="8200")) == ("65760", State.HELD)
    assert shown(day.say(binance="65700")) == ("65700", State.LIVE)


def test_binance_us_among_five_is_an_outlier_and_moves_nothing():
    day = Day(*EXCHANGES)
    day.all("65760")
    assert shown(day.say(60, binance="8200")) == ("65760", State.LIVE)
    assert day.reason("binance") == "87.53 % from the others"


def test_gdax_21_june_2017_ten_cents_for_seconds():
    day = Day("coinbase")
    day.all("317.81", 60)
    assert shown(day.say(coinbase="0.10")) == ("317.81", State.HELD)
    assert shown(day.say(coinbase="315.00")) == ("315.00", State.LIVE)


def test_coinmarketcap_14_december_2021_alone_is_not_believed_for_hours():
    day = Day("coinmarketcap")
    day.all("50000")
    quote = day.say(7200, coinmarketcap="850867136053.72")
    assert quote.price == 50000
    assert quote.state in (State.HELD, State.STALE)
    assert shown(day.say(coinmarketcap="50100")) == ("50100", State.LIVE)


def test_coinmarketcap_that_finds_usdt_at_69_million_is_in_quarantine_as_a_whole():
    clock = ManualClock()
    tether = (pair("coinmarketcap:825"), pair("coingecko:tether"))
    bitcoin = (Pair("binance", "BTCUSDT", "BTC", "USDT"), pair("coinmarketcap:1"))
    assets = [Asset("tether", "USDT", "Tether", tether), Asset("bitcoin", "BTC", "Bitcoin", bitcoin)]
    ages = dict.fromkeys((*EXCHANGES, *AGGREGATORS), Ages())
    book = QuoteBook(
        assets, clock=clock, epoch="e", ages=ages, aggregators=AGGREGATORS, measured={"USDT": "tether"}
    )
    book.apply(
        [tick(tether[0], "1"), tick(tether[1], "1"), tick(bitcoin[0], "50000"), tick(bitcoin[1], "50010")]
    )
    clock.advance(5000)
    now = clock.now()
    book.apply(
        [
            tick(tether[0], "69894267", now=now),
            tick(tether[1], "1", now=now),
            tick(bitcoin[1], "850867136053.72", now=now),
            tick(bitcoin[0], "50100", now=now),
        ]
    )
    assert (book.quote("tether").price, book.quote("tether").state) == (Decimal(1), State.LIVE)
    assert (book.quote("bitcoin").price, book.quote("bitcoin").state) == (Decimal(50100), State.LIVE)
    reasons = {o.source: o.reason for o in book.observations("bitcoin")}
    assert "quarantine" in (reasons["coinmarketcap"] or "")


def test_usdc_11_march_2023_at_88_cents_everywhere_is_the_truth():
    clock = ManualClock()
    pairs = (pair("coinbase:USDC-USD"), pair("kraken:USDCUSD"), pair("coingecko:usd-coin"))
    traded = Pair("binance", "XUSDC", "X", "USDC")
    assets = [Asset("usd-coin", "USDC", "USD Coin", pairs), Asset("x", "X", "X", (traded,))]
    ages = dict.fromkeys((*EXCHANGES, *AGGREGATORS), Ages())
    book = QuoteBook(
        assets, clock=clock, epoch="e", ages=ages, aggregators=AGGREGATORS, measured={"USDC": "usd-coin"}
    )
    book.apply([*(tick(of, "1") for of in pairs), tick(traded, "10")])
    clock.advance(5000)
    now = clock.now()
    book.apply([*(tick(of, "0.88", now=now) for of in pairs), tick(traded, "10", now=now)])
    assert book.quote("usd-coin").price == Decimal("0.88")
    assert book.quote("x").price == Decimal("8.8")


def test_a_true_crash_of_forty_percent_on_all_venues_is_followed_in_the_same_round():
    day = Day(*EXCHANGES)
    day.all("100", 60)
    assert shown(day.all("60")) == ("60", State.LIVE)


def test_a_true_crash_where_there_are_two_venues_is_followed_when_it_lasts():
    day = Day("binance", "kraken")
    day.all("100", 60)
    assert shown(day.all("60", 85)) == ("100", State.HELD)
    assert shown(day.all("60", 10)) == ("60", State.LIVE)


def test_a_majority_that_jumps_while_the_rest_stays_is_a_dispute_until_it_lasts():
    day = Day(*EXCHANGES)
    day.all("100", 60)
    jumped = dict.fromkeys(EXCHANGES[:3], "60")
    assert shown(day.say(60, **jumped)) == ("100", State.DISPUTED)
    assert shown(day.all("60")) == ("60", State.LIVE)


@pytest.mark.parametrize("poison", ["0.000000000000000001", "1e20", "50", "99.4", "100.9", "150"])
def test_one_poisoned_venue_of_five_moves_the_price_by_less_than_a_basis_point(poison: str):
    clean = {"coinbase": "100.001", "kraken": "100.002", "okx": "99.999", "bybit": "100.000"}
    without, with_poison = Day(*clean), Day(*EXCHANGES)
    reference = without.say(60, **clean).price
    with_poison.say(60, binance="100", **clean)
    price = with_poison.say(60, binance=poison).price
    assert reference is not None
    assert price is not None
    assert abs(price - reference) / reference < Decimal("0.0001")


@pytest.mark.parametrize("shift", [18, -18, 6, -6])
def test_a_shifted_decimal_point_of_the_only_source_is_never_shown(shift: int):
    day = Day("binance")
    day.all("0.01021", 60)
    for _ in range(60):
        quote = day.say(60, binance=f"{Decimal('0.01021').scaleb(shift):f}")
        assert quote.price == Decimal("0.01021")


@pytest.mark.parametrize("nonsense", ["0", "-1", "NaN", "Infinity"])
def test_zero_negative_and_no_number_leave_the_last_price(nonsense: str):
    day = Day("binance")
    day.all("100", 60)
    assert shown(day.say(binance=nonsense)) == ("100", State.STALE)


def test_two_sources_three_percent_apart_dispute_and_the_last_good_price_stands():
    day = Day("binance", "kraken")
    day.all("100", 60)
    quote = day.say(60, kraken="103")
    assert shown(quote) == ("100", State.DISPUTED)
    assert quote.confidence is Confidence.LOW
    later = day.say(600)
    assert shown(later) == ("101.5", State.DISPUTED)
    assert shown(day.say(kraken="100.5")) == ("100.25", State.LIVE)


def test_sources_that_differ_by_more_than_half_from_the_start_are_different_tokens():
    day = Day("binance", "kraken")
    quote = day.say(60, binance="0.01021", kraken="4.2")
    assert shown(quote) == (None, State.DISPUTED)
    assert day.reason("kraken") == "probably different tokens with one symbol"


def test_a_halted_market_with_an_old_last_grows_old_by_its_own_time():
    day = Day("binance")
    day.all("100")
    at = day.clock.now()
    states: Mapping[int, State] = {20: State.LIVE, 60: State.DELAYED, 130: State.STALE}
    for seconds, state in states.items():
        day.clock.time = at + seconds * 1000
        day.book.apply([tick(day.pairs["binance"], "100", age=seconds * 1000, now=day.clock.now())])
        assert day.book.quote("x").state is state
