"""A quote in another currency, pure: at a dated reference rate, or at the book's own price of an asset.

It fetches no rates and keeps none. A rate has a date and goes out with it; a change is either counted in the
currency itself, from the rates at both of its ends, or says whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from ticker.change import rounded
from ticker.fx import Rate, convert
from ticker.model import Basis, Change, Quote, State, Window
from ticker.sampling import GRADES

# The ECB's rates come out about 16:00 in Frankfurt: this in summer, an hour later in winter. The earlier hour
# can only take a new rate's first hour for its second, never count two days' moves as one.
PUBLISHED = time(14, tzinfo=UTC)
# Days without a rate that are nothing unusual: from Maundy Thursday to the Tuesday after Easter.
QUIET_DAYS = 5
SPANS = {Window.HOUR: timedelta(hours=1), Window.DAY: timedelta(days=1), Window.WEEK: timedelta(days=7)}


class Fixing(Struct, frozen=True):
    """The reference rates of one day: units of each currency for one and the same amount of money."""

    date: date
    units: Mapping[str, Decimal]

    @property
    def published(self) -> datetime:
        return datetime.combine(self.date, PUBLISHED)

    def rate(self, source: str, target: str) -> Decimal | None:
        """What one unit of `source` is in `target`; None where either isn't among the rates."""
        one, other = self.units.get(source), self.units.get(target)
        return None if one is None or other is None else other / one


class FiatRates(Struct, frozen=True):
    """Fixings, at least one, oldest first. `demo`: the embedded market made them up."""

    fixings: tuple[Fixing, ...]
    demo: bool = False

    @property
    def latest(self) -> Fixing:
        return self.fixings[-1]

    @property
    def currencies(self) -> frozenset[str]:
        """Every currency there is a rate for, as ISO 4217 codes."""
        return frozenset(self.latest.units)

    def at(self, moment: datetime) -> Fixing | None:
        """The fixing in force at a past moment; None before the first."""
        return next((f for f in reversed(self.fixings) if f.published <= moment), None)

    def grade(self, now: int) -> State:
        """LIVE over weekends and holidays, STALE from then on. `now` in ms."""
        return State.LIVE if (_moment(now).date() - self.latest.date).days <= QUIET_DAYS else State.STALE


def converted(
    quote: Quote, currency: str, rates: FiatRates | None, book_rates: Mapping[str, Quote], *, now: int
) -> Quote | None:
    """`quote` in `currency`; None where no rate between the two is known. `now` in ms.

    `book_rates` are the book's quotes of assets that are currencies here: {"BTC": the quote of bitcoin}. They
    come before reference rates. Converted prices have ten significant digits.
    """
    if currency == quote.currency:
        return quote
    measure = book_rates.get(currency)
    end = _measured(measure, quote.currency) if measure else _fixed(rates, quote.currency, currency, now)
    return None if end is None else _through(quote, currency, end)


def moved(percent: Decimal, then: Decimal, now: Decimal) -> Decimal:
    """A change in percent, seen in a currency whose rate went from `then` to `now`, both above zero."""
    return (100 + percent) * now / then - 100


class _End(Struct, frozen=True):
    """The rate now, and between which two rates a change ran, where that is known.

    `seq`: the version of the book the rate is from. `steady`: the rate was about the same all day, so that a
    day's high and low are still that in the other currency.
    """

    rate: Rate
    ends: Callable[[Change], tuple[Decimal, Decimal] | None]
    date: str | None = None
    seq: int = 0
    steady: bool = False


def _fixed(rates: FiatRates | None, source: str, target: str, now: int) -> _End | None:
    """The end at reference rates: a change's other end is the rate that was in force when it began."""
    value = rates.latest.rate(source, target) if rates else None
    if rates is None or value is None:
        return None
    last = value

    def ends(change: Change) -> tuple[Decimal, Decimal] | None:
        fixing = rates.at(_begin(change, now))
        then = fixing.rate(source, target) if fixing else None
        return None if then is None else (then, last)

    rate = Rate(value, rates.grade(now), demo=rates.demo)
    return _End(rate, ends, date=rates.latest.date.isoformat(), steady=True)


def _measured(measure: Quote, source: str) -> _End | None:
    """The end at the book's price of an asset: a change's other end comes from the asset's own change."""
    if measure.price is None or measure.currency != source:
        return None
    changes = {change.window: change for change in _changes(measure).values() if change}

    def ends(change: Change) -> tuple[Decimal, Decimal] | None:
        own = changes.get(change.window)
        if own is None or own.basis is not change.basis or own.percent <= -100:
            return None
        # The rate is one over the price, so the price's two ends change places.
        return 100 + own.percent, Decimal(100)

    grade = measure.state if measure.state in GRADES else State.STALE
    rate = Rate(1 / measure.price, grade, measure.assumed, measure.demo)
    return _End(rate, ends, seq=measure.seq)


def _through(quote: Quote, currency: str, end: _End) -> Quote:
    def scaled(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else convert(amount, end.rate)

    changes, change_currency = _recounted(quote, end)
    return replace(
        quote,
        currency=currency,
        price=scaled(quote.price),
        **changes,
        high_24h=scaled(quote.high_24h) if end.steady else None,
        low_24h=scaled(quote.low_24h) if end.steady else None,
        volume_24h=scaled(quote.volume_24h),
        market_cap=scaled(quote.market_cap),
        state=_worse(quote.state, end.rate.grade),
        seq=max(quote.seq, end.seq),
        assumed=quote.assumed or end.rate.assumed,
        demo=quote.demo or end.rate.demo,
        rate_date=end.date,
        change_currency=change_currency,
    )


def _recounted(quote: Quote, end: _End) -> tuple[dict[str, Change | None], str | None]:
    """The changes, all in one currency, and which where it isn't the new one.

    The 24 h change decides: where its rates aren't known all stay as they were, else those whose rates
    aren't known are unknown.
    """
    changes = _changes(quote)
    recounted = {name: change and _recount(change, end) for name, change in changes.items()}
    if quote.change_24h is not None and recounted["change_24h"] is None:
        return changes, quote.currency
    return recounted, None


def _recount(change: Change, end: _End) -> Change | None:
    ends = end.ends(change)
    return None if ends is None else replace(change, percent=rounded(moved(change.percent, *ends)))


def _changes(quote: Quote) -> dict[str, Change | None]:
    return {"change_1h": quote.change_1h, "change_24h": quote.change_24h, "change_7d": quote.change_7d}


def _begin(change: Change, now: int) -> datetime:
    """When the change began to count; a basis nobody told is taken for a full window."""
    if change.basis is Basis.UTC_DAY:
        return _moment(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return _moment(now) - SPANS[change.window]


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC)


def _worse(state: State, grade: State) -> State:
    """A price is no fresher than the rate it was converted at; a state that is no age stays as it is."""
    return max(state, grade, key=GRADES.index) if state in GRADES else state
