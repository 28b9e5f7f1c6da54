"""The book: every change numbered once, the last price kept, rates before what is converted at them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.conftest import NOW, ManualClock, asset, day, pair, tick
from ticker.book import RATE_MS, QuoteBook
from ticker.model import Asset, Confidence, Pair, Quote, State, Tick, Update
from ticker.sampling import FUTURE_MS, Ages

AGES = dict.fromkeys(("mexc", "binance", "coingecko"), Ages(delayed=30_000, stale=120_000))
TALUS, BITCOIN = pair("mexc:USUSDT", "USDT"), pair("binance:BTCUSDT", "USDT")
TALUS_USD, BITCOIN_USD, TETHER = pair("coingecko:talus"), pair("coingecko:bitcoin"), pair("coingecko:tether")
TETHER_USDC = pair("binance:USDTUSDC", "USDC")
ASSETS = (asset("talus", TALUS, TALUS_USD), asset("bitcoin", BITCOIN, BITCOIN_USD), asset("tether", TETHER))
IDS = tuple(a.id for a in ASSETS)


def new_book(clock: ManualClock, *assets: Asset, pegs: dict[str, str] | None = None) -> QuoteBook:
    listed = assets or ASSETS
    measured = {"USDT": "tether"} if any(a.id == "tether" for a in listed) else {}
    return QuoteBook(listed, clock=clock, epoch="k3f9", ages=AGES, measured=measured, pegs=pegs)


def saved(price: str = "0.01", age: int = 60_000, seq: int = 7) -> Quote:
    return Quote(
        asset="talus",
        symbol="OLD",
        name="Old name",
        currency="USD",
        price=Decimal(price),
        as_of=NOW - age,
        state=State.LIVE,
        confidence=Confidence.SINGLE,
        sources=1,
        seq=seq,
    )


def states(updates: Iterable[Update]) -> dict[str, State]:
    return {update.quote.asset: update.quote.state for update in updates}


# Rules that hold for every history

# Milliseconds that pass, then what is observed: pair, price, age.
History = list[tuple[int, list[tuple[Pair, Decimal, int]]]]

rounds = st.lists(
    st.tuples(
        st.integers(0, 150_000),
        st.lists(
            st.builds(
                lambda of, price, age: (of, Decimal(price).scaleb(-2), age),
                st.sampled_from((TALUS, TALUS_USD, BITCOIN, BITCOIN_USD, TETHER)),
                st.integers(1, 5),
                st.sampled_from((0, 1_000, 31_000, 121_000, -FUTURE_MS, -FUTURE_MS - 1)),
            ),
            max_size=4,
        ),
    ),
    max_size=12,
)


def lived(book: QuoteBook, clock: ManualClock, history: History) -> list[Update]:
    """All updates of a history: time passes, age is looked at, ticks come."""
    updates = []
    for pause, observed in history:
        clock.advance(pause)
        updates += book.expire()
        updates += book.apply([tick(of, price, age=age, now=clock.now()) for of, price, age in observed])
    return updates


@given(rounds)
def test_each_update_has_the_next_seq_and_another_quote(history: History) -> None:
    clock = ManualClock()
    book = new_book(clock)
    updates = lived(book, clock, history)
    assert [u.quote.seq for u in updates] == list(range(1, len(updates) + 1))
    assert book.seq == len(updates)
    held: dict[str, Quote] = {}
    for update in updates:
        assert update.before == held.get(update.quote.asset)
        blank = Quote(asset="", symbol="", name="", currency="", seq=0)
        assert replace(update.quote, seq=0) != replace(update.before or blank, seq=0)
        held[update.quote.asset] = update.quote
    assert all(book.quote(name) == quote for name, quote in held.items())


@given(rounds, st.data())
def test_what_is_held_and_what_changed_since_make_the_full_snapshot(
    history: History, data: st.DataObject
) -> None:
    clock = ManualClock()
    book = new_book(clock)
    half = data.draw(st.integers(0, len(history)))
    lived(book, clock, history[:half])
    first = book.snapshot(IDS)
    lived(book, clock, history[half:])
    missed = book.snapshot(IDS, since=(first.epoch, first.seq))
    assert missed.recovered
    held = {quote.asset: quote for quote in (*first.quotes, *missed.quotes)}
    assert tuple(held[name] for name in IDS) == book.snapshot(IDS).quotes


@given(rounds)
def test_a_price_once_known_is_never_lost(history: History) -> None:
    clock = ManualClock()
    updates = lived(new_book(clock), clock, history)
    known = [u for u in updates if u.before is not None and u.before.price is not None]
    strangers = (State.DISPUTED, Confidence.NONE)
    assert all(u.quote.price is not None or (u.quote.state, u.quote.confidence) == strangers for u in known)
    assert all(u.quote.state is not State.UNAVAILABLE for u in known)


@given(rounds)
def test_age_leaves_nothing_behind_that_is_due(history: History) -> None:
    clock = ManualClock()
    book = new_book(clock)
    lived(book, clock, history)
    clock.advance(1)
    book.expire()
    assert book.expire() == []


# Reading


def test_before_its_first_price_a_quote_is_unavailable(clock: ManualClock) -> None:
    book = new_book(clock)
    quote = book.quote("talus")
    assert (quote.price, quote.state, quote.seq, quote.currency) == (None, State.UNAVAILABLE, 0, "USD")
    assert book.observations("talus") == ()


def test_an_unknown_asset_is_a_key_error(clock: ManualClock) -> None:
    book = new_book(clock)
    for read in (book.quote, book.observations, lambda name: book.snapshot([name])):
        with pytest.raises(KeyError, match="nope"):
            read("nope")


def test_quotes_come_in_the_order_of_the_configuration(clock: ManualClock) -> None:
    book = new_book(clock)
    assert [q.asset for q in book.quotes()] == list(IDS)
    assert [q.asset for q in book.snapshot(reversed(IDS)).quotes] == list(IDS)


@pytest.mark.parametrize("since", [None, ("other", 1), ("k3f9", 2)])
def test_a_snapshot_since_no_point_of_this_book_is_a_full_one(
    clock: ManualClock, since: tuple[str, int] | None
) -> None:
    book = new_book(clock)
    book.apply([tick(TALUS_USD, "1")])
    snapshot = book.snapshot(IDS, since)
    assert (len(snapshot.quotes), snapshot.recovered, snapshot.seq) == (3, False, 1)


def test_a_snapshot_since_now_is_empty_and_recovered(clock: ManualClock) -> None:
    book = new_book(clock)
    book.apply([tick(TALUS_USD, "1")])
    snapshot = book.snapshot(IDS, ("k3f9", 1))
    assert (snapshot.quotes, snapshot.recovered) == ((), True)


# Age


def test_stale_quote_keeps_last_price(clock: ManualClock) -> None:
    book = new_book(clock)
    book.apply([tick(TALUS_USD, "0.01021", change_24h=day("0.19"))])
    seen = []
    for ms in (30_000, 1, 89_999, 1, 10**9):
        clock.advance(ms)
        seen.append([u.quote.state for u in book.expire()])
    assert seen == [[], [State.DELAYED], [], [State.STALE], []]
    quote = book.quote("talus")
    assert (quote.price, quote.change_24h, quote.as_of) == (Decimal("0.01021"), day("0.19"), NOW)


def test_the_same_answer_again_is_no_update(clock: ManualClock) -> None:
    book = new_book(clock)
    once = tick(TALUS_USD, "1")
    assert len(book.apply([once])) == 1
    assert book.apply([once]) == []


def test_a_tick_older_than_the_one_held_is_dropped(clock: ManualClock) -> None:
    book = new_book(clock)
    book.apply([tick(TALUS_USD, "2", age=1_000)])
    assert book.apply([tick(TALUS_USD, "1", age=2_000)]) == []
    assert book.apply([tick(TALUS_USD, "2.1", age=1_000)])[0].quote.price == Decimal("2.1")


def test_a_flawed_answer_leaves_the_last_price_as_stale(clock: ManualClock) -> None:
    book = new_book(clock)
    book.apply([tick(TALUS_USD, "2")])
    (update,) = book.apply([tick(TALUS_USD, "0")])
    assert (update.quote.price, update.quote.state) == (Decimal(2), State.STALE)


def test_a_tick_from_a_far_future_does_not_lock_out_the_honest_ones(clock: ManualClock) -> None:
    book = new_book(clock)
    book.apply([tick(TALUS_USD, "9", age=-FUTURE_MS - 1)])
    assert book.apply([tick(TALUS_USD, "1")])[0].quote.price == 1


def test_a_tick_from_a_near_future_does_not_lock_out_the_honest_ones(clock: ManualClock) -> None:
    book = new_book(clock)
    book.apply([tick(TALUS_USD, "9", age=-240_000)])
    clock.advance(120_000)
    book.apply([tick(TALUS_USD, "8", now=clock.now())])
    assert book.quote("talus").price == 8


def test_a_nonsense_price_of_one_venue_is_survived(clock: ManualClock) -> None:
    # What apply() raises ends the poller's task, and with it the service.
    book = new_book(clock)
    book.apply([tick(TALUS_USD, "1"), tick(TALUS, "1e30"), tick(TETHER, "1")])


# Restoring


def test_a_restored_price_is_there_at_once_with_its_age_and_stale(clock: ManualClock) -> None:
    book = new_book(clock)
    (update,) = book.restore([saved()], seq=9)
    quote = book.quote("talus")
    assert (quote.price, quote.as_of, quote.state) == (Decimal("0.01"), NOW - 60_000, State.STALE)
    # Its readers knew it as live: that it isn't any more is a change, which has a number.
    assert (quote.symbol, quote.name, quote.seq, book.seq) == ("TALUS", "Talus", 10, 10)
    assert update.quote == quote
    assert book.snapshot(["talus"], (book.epoch, 9)).quotes == (quote,)


def test_a_restored_price_that_was_stale_already_has_not_changed(clock: ManualClock) -> None:
    first, second = new_book(clock), new_book(clock)
    first.restore([saved()], seq=9)
    assert second.restore(first.quotes(), seq=first.seq) == []
    assert second.quotes() == first.quotes()


def test_after_a_restart_numbers_go_on_and_a_fresh_price_takes_over(clock: ManualClock) -> None:
    book = new_book(clock)
    book.restore([saved()], seq=9)
    (update,) = book.apply([tick(TALUS_USD, "0.011", age=90_000)])
    fresh = (Decimal("0.011"), State.DELAYED, 11)
    assert (update.quote.price, update.quote.state, update.quote.seq) == fresh
    assert update.before is not None


def test_a_source_that_is_staler_than_the_restored_price_does_not_replace_it(clock: ManualClock) -> None:
    book = new_book(clock)
    book.restore([saved(age=60_000)], seq=9)
    assert book.apply([tick(TALUS_USD, "2", age=200_000)]) == []
    assert book.quote("talus").price == Decimal("0.01")


def test_a_stale_source_that_is_newer_than_the_restored_price_replaces_it(clock: ManualClock) -> None:
    book = new_book(clock)
    book.restore([saved(age=600_000)], seq=9)
    (update,) = book.apply([tick(TALUS_USD, "2", age=200_000)])
    assert (update.quote.price, update.quote.state) == (Decimal(2), State.STALE)


def test_what_was_saved_in_another_currency_or_of_another_asset_is_left(clock: ManualClock) -> None:
    book = new_book(clock)
    foreign = [
        replace(saved(), currency="USDT"),
        replace(saved(), asset="gone"),
        replace(saved(), price=None),
    ]
    book.restore(foreign, seq=9)
    assert book.quote("talus").price is None


# Rates


def test_a_pair_is_converted_at_the_measured_rate_of_the_same_round(clock: ManualClock) -> None:
    book = new_book(clock)
    updates = book.apply([tick(BITCOIN, "100"), tick(TETHER, "0.88")])
    assert [u.quote.asset for u in updates] == ["tether", "bitcoin"]
    assert (book.quote("bitcoin").price, book.quote("bitcoin").currency) == (Decimal(88), "USD")
    assert not book.quote("bitcoin").assumed


def test_a_price_waits_for_its_rate_and_comes_with_it(clock: ManualClock) -> None:
    book = new_book(clock)
    assert book.apply([tick(BITCOIN, "100")]) == []
    assert book.observations("bitcoin")[0].reason == "no USDT rate"
    assert states(book.apply([tick(TETHER, "1")])) == {"tether": State.LIVE, "bitcoin": State.LIVE}


def test_a_measured_currency_is_never_pegged(clock: ManualClock) -> None:
    book = new_book(clock, pegs={"USDT": "USD"})
    assert book.apply([tick(BITCOIN, "100")]) == []


def test_a_peg_converts_at_one_and_says_so(clock: ManualClock) -> None:
    book = new_book(clock, asset("talus", TALUS), pegs={"USDT": "USD"})
    (update,) = book.apply([tick(TALUS, "0.01021")])
    assert (update.quote.price, update.quote.currency) == (Decimal("0.01021"), "USD")
    assert update.quote.assumed


def test_without_rate_or_peg_the_quote_names_the_pair_s_own_currency(clock: ManualClock) -> None:
    book = new_book(clock, asset("talus", TALUS))
    (update,) = book.apply([tick(TALUS, "0.01021")])
    assert (update.quote.price, update.quote.currency) == (Decimal("0.01021"), "USDT")
    assert not update.quote.assumed


@pytest.mark.parametrize(
    ("age", "state"), [(0, State.LIVE), (RATE_MS, State.DELAYED), (RATE_MS + 1, State.STALE)]
)
def test_an_old_rate_delays_a_price_and_a_very_old_one_makes_it_stale(
    clock: ManualClock, age: int, state: State
) -> None:
    book = new_book(clock)
    book.apply([tick(TETHER, "1", age=age)])
    assert states(book.apply([tick(BITCOIN, "100")])) == {"bitcoin": state}


def test_a_restored_rate_converts_until_a_fresh_one_comes(clock: ManualClock) -> None:
    book = new_book(clock)
    book.restore([replace(saved("0.88"), asset="tether")], seq=9)
    (update,) = book.apply([tick(BITCOIN, "100")])
    assert (update.quote.price, update.quote.state) == (Decimal(88), State.DELAYED)


def test_a_rate_that_goes_stale_takes_along_what_is_converted_at_it(clock: ManualClock) -> None:
    # A source asked seldom: its price stays live for an hour, the rate for two minutes.
    slow = {**AGES, "binance": Ages(delayed=3_600_000, stale=7_200_000)}
    book = QuoteBook(ASSETS, clock=clock, epoch="k3f9", ages=slow, measured={"USDT": "tether"})
    book.apply([tick(BITCOIN, "100"), tick(TETHER, "1")])
    clock.advance(120_001)
    assert states(book.expire()) == {"tether": State.STALE, "bitcoin": State.DELAYED}


def test_a_rate_that_rests_on_a_peg_is_assumed_too(clock: ManualClock) -> None:
    book = new_book(
        clock, asset("bitcoin", BITCOIN), asset("tether", TETHER, TETHER_USDC), pegs={"USDC": "USD"}
    )
    book.apply([tick(TETHER_USDC, "0.999"), tick(BITCOIN, "100")])
    assert book.quote("tether").assumed
    assert book.quote("bitcoin").assumed


def test_a_price_at_a_made_up_rate_is_a_demo_price(clock: ManualClock) -> None:
    book = new_book(clock)
    book.apply([tick(TETHER, "1.1", demo=True), tick(BITCOIN, "100")])
    assert book.quote("bitcoin").demo


def test_a_tick_of_no_pair_of_the_book_is_a_defect_of_the_caller(clock: ManualClock) -> None:
    stray: Tick = tick(pair("mexc:OTHER"), "1")
    with pytest.raises(KeyError):
        new_book(clock).apply([stray])
