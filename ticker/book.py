"""The last-value cache of every asset, and the only maker of Quotes.

Each change gets the next `seq` of this book's `epoch`. Nothing here waits, reads the clock by itself or
knows who listens: ticks and the time go in, Updates come out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter

from msgspec.structs import replace

from ticker.change import rounded
from ticker.clock import Clock
from ticker.consensus import CROWD, Decision, decide
from ticker.currency import FiatRates, converted
from ticker.errors import RequestError
from ticker.fx import Rate, Rates
from ticker.gate import Good
from ticker.model import Asset, Change, Confidence, Observation, Quote, Snapshot, State, Tick, Update, Window
from ticker.sampling import Ages, Policy
from ticker.windows import Windows

FRESH = (State.LIVE, State.DELAYED)
OLD = (State.STALE, State.UNAVAILABLE)
UNSURE = (State.HELD, State.DISPUTED)
HOUR, DAY, WEEK = Window.HOUR, Window.DAY, Window.WEEK
UNDECIDED = Decision()
PLACE = attrgetter("place")
# Percentage points between the venues' 24 h change and our own from which one of the two is wrong.
DOUBTFUL = Decimal(5)
# Currencies that are meant to be worth a dollar; where one is found outside PEGGED on some venues only, those
# are wrong, and ABSURD no venue is believed even if it is alone. USDC was truly near 0.88 in March 2023.
STABLE = frozenset({"USDT", "USDC", "FDUSD", "TUSD", "DAI", "USDE", "PYUSD", "BUSD"})
PEGGED = (Decimal("0.9"), Decimal("1.1"))
ABSURD = (Decimal("0.01"), Decimal(2))
# A rate that isn't fresh delays the prices converted at it; older than this (ms) it makes them stale.
RATE_MS = 3_600_000


class Entry:
    """What the book holds of one asset; `place` is the asset's in the configuration, `ticks` are by pair."""

    __slots__ = ("decision", "good", "place", "quote", "ticks")

    def __init__(self, place: int, quote: Quote) -> None:
        self.place = place
        self.quote = quote
        self.ticks: dict[str, Tick] = {}
        self.decision = UNDECIDED
        self.good: Good | None = None


class QuoteBook:
    """Prices of `assets`, in `currency` wherever a rate into it can be known.

    `measured` names the asset whose price is a currency's rate ({"USDT": "tether"}), `pegs` the rates the
    operator asserts instead ({"USDT": "USD"}), `coins` the assets that other quotes can be had in ({"BTC":
    "bitcoin"}). An asset none of whose pairs can be converted is quoted in its first pair's own currency.
    """

    def __init__(
        self,
        assets: Sequence[Asset],
        *,
        clock: Clock,
        epoch: str,
        ages: Mapping[str, Ages],
        aggregators: Collection[str] = (),
        measured: Mapping[str, str] | None = None,
        pegs: Mapping[str, str] | None = None,
        coins: Mapping[str, str] | None = None,
        windows: Windows | None = None,
        currency: str = "USD",
    ) -> None:
        self.assets: Mapping[str, Asset] = {asset.id: asset for asset in assets}
        self.epoch = epoch
        self.seq = 0
        self._clock = clock
        self._policy = Policy(ages=ages, aggregators=frozenset(aggregators))
        self._base = currency
        self._measured = measured or {}
        self._coins = coins or {}
        self._fiat: FiatRates | None = None
        self._windows = windows or Windows()
        self._assumed = {
            c: Rate(Decimal(1), assumed=True) for c, to in (pegs or {}).items() if to == currency
        }
        self.currencies: Mapping[str, str] = {asset.id: self._target(asset) for asset in assets}
        self._entries = {a.id: Entry(place, self._blank(a)) for place, a in enumerate(assets)}
        self._owner = {pair.ref: self._entries[asset.id] for asset in assets for pair in asset.pairs}
        # Whose price is the rate of which currency, and the rates as they are.
        self._measures = {self._entries[asset]: currency for currency, asset in self._measured.items()}
        self._rates: Rates = {}

    def _target(self, asset: Asset) -> str:
        convertible = {self._base, *self._measured, *self._assumed}
        if not asset.pairs or any(pair.quote in convertible for pair in asset.pairs):
            return self._base
        return asset.pairs[0].quote

    def _blank(self, asset: Asset) -> Quote:
        """The quote before the first price."""
        return Quote(asset=asset.id, symbol=asset.symbol, name=asset.name, currency=self.currencies[asset.id])

    # Reading

    def quote(self, asset: str, currency: str | None = None) -> Quote:
        """The asset's quote; before its first price, one that is unavailable. KeyError for an unknown id.

        In `currency` where a rate into it is known, else in its own.
        """
        quote = self._entries[asset].quote
        return quote if currency is None else self.seen_in(quote, currency)

    def seen_in(self, quote: Quote, currency: str) -> Quote:
        """A quote in another currency; as it is where no rate between the two is known."""
        if quote.currency == currency:
            return quote
        coins = {code: self._entries[asset].quote for code, asset in self._coins.items()}
        return converted(quote, currency, self._fiat, coins, now=self._clock.now()) or quote

    def require(self, currency: str) -> None:
        """RequestError unknown_currency for one that no rate is known into, with those that there are."""
        known = self.known_currencies()
        if currency not in known:
            listed = ", ".join(known)
            raise RequestError(
                "unknown_currency", f"no rate into {currency[:16]!r} is known; known are {listed}"
            )

    def known_currencies(self) -> Sequence[str]:
        """Every currency that quotes can be had in, by its code."""
        return sorted({self._base, *self._coins, *(self._fiat.currencies if self._fiat else ())})

    def quotes(self) -> Sequence[Quote]:
        """All quotes, in the order of the configuration."""
        return tuple([entry.quote for entry in self._entries.values()])

    def observations(self, asset: str) -> Sequence[Observation]:
        """What each source last said about the asset, used or not. KeyError for an unknown id."""
        return tuple(self._entries[asset].decision.observations)

    def spread(self, asset: str) -> Decimal | None:
        """How far apart the counted sources of the asset are, in percent; None before the first price."""
        return self._entries[asset].decision.spread

    def snapshot(self, assets: Iterable[str], since: tuple[str, int] | None = None) -> Snapshot:
        """The quotes of `assets`; only those changed after `since`, if that is a point of this book."""
        entries = sorted([self._entries[asset] for asset in assets], key=PLACE)
        quotes = tuple([entry.quote for entry in entries])
        if since is None or since[0] != self.epoch or since[1] > self.seq:
            return Snapshot(self.epoch, self.seq, quotes)
        return Snapshot(self.epoch, self.seq, tuple(q for q in quotes if q.seq > since[1]), recovered=True)

    # Writing

    def restore(self, quotes: Iterable[Quote], seq: int) -> list[Update]:
        """Take up the last prices of an earlier life: stale, whatever they were, until a source says more.

        An Update for each that is now another than its readers knew.
        """
        self.seq = max(self.seq, seq)
        updates = []
        for saved in quotes:
            entry = self._entries.get(saved.asset)
            if entry is not None and saved.price is not None and saved.currency == entry.quote.currency:
                now = entry.quote
                entry.quote = replace(saved, symbol=now.symbol, name=now.name, state=State.STALE)
                entry.good = Good(saved.price, saved.as_of or 0, agreed=saved.sources > 1)
                if entry.quote != saved:
                    self.seq += 1
                    entry.quote = replace(entry.quote, seq=self.seq)
                    updates.append(Update(entry.quote, saved))
        return updates

    def apply(self, ticks: Iterable[Tick]) -> list[Update]:
        """Take in what sources said; an Update for each quote that is now another."""
        touched = {entry for tick in ticks if (entry := self._take(tick)) is not None}
        return self._decide(touched)

    def fix(self, rates: FiatRates) -> list[Update]:
        """Take up the exchange rates of a new day: every price is then another in some currency."""
        self._fiat = rates
        updates = []
        for entry in self._entries.values():
            before = entry.quote
            if before.price is not None:
                self.seq += 1
                entry.quote = replace(before, seq=self.seq)
                updates.append(Update(entry.quote, before))
        return updates

    def overdue(self) -> Sequence[str]:
        """The assets whose quote age alone may have changed."""
        now, entries = self._clock.now(), self._entries.items()
        return [asset for asset, e in entries if (due := e.decision.due) is not None and due <= now]

    def expire(self, assets: Iterable[str] | None = None) -> list[Update]:
        """Let age alone change what it changes, of `assets` or all; to be called about once a second."""
        overdue = self.overdue() if assets is None else assets
        return self._decide({self._entries[asset] for asset in overdue})

    def _take(self, tick: Tick) -> Entry | None:
        """Keep the tick as its pair's latest; None when a later one is there already."""
        ref = tick.pair.ref
        entry = self._owner[ref]
        held = entry.ticks.get(ref)
        # One dated in the future must not lock out every honest one after it.
        if held is not None and tick.as_of < held.as_of <= tick.seen:
            return None
        entry.ticks[ref] = tick
        return entry

    def _decide(self, touched: set[Entry]) -> list[Update]:
        """Decide the touched assets: first those whose price is a rate, then the others.

        A price follows its rate at its own next tick; at once where the rate has begun or ceased to be fresh.
        """
        now = self._clock.now()
        first = [entry for entry in self._measures if entry in touched]
        if first:
            self._policy = replace(self._policy, quarantined=self._quarantined())
        self._rates = self._known_rates(now)
        updates = [update for entry in first if (update := self._update(entry, now))]
        for update in updates:
            if update.before is None or update.before.state is not update.quote.state:
                rate = self._entries[update.quote.asset]
                touched = touched | self._quoted_in(self._measures[rate])
        rest = sorted(touched.difference(first), key=PLACE)
        return updates + [update for entry in rest if (update := self._update(entry, now))]

    def _quoted_in(self, currency: str) -> set[Entry]:
        """Entries that have a price in the currency."""
        return {
            entry
            for entry in self._entries.values()
            if any(tick.pair.quote == currency for tick in entry.ticks.values())
        }

    def _update(self, entry: Entry, now: int) -> Update | None:
        before = entry.quote
        decision = entry.decision = decide(
            entry.ticks.values(),
            currency=before.currency,
            rates=self._rates if before.currency == self._base else {},
            policy=self._policy,
            now=now,
            good=entry.good,
            held=entry.decision.held,
        )
        quote = _quoted(before, decision)
        if decision.state in FRESH and decision.price is not None and decision.as_of is not None:
            agreed = decision.sources > 1 or (entry.good is not None and entry.good.agreed)
            entry.good = Good(decision.price, decision.as_of, agreed)
            quote = self._windowed(quote, decision.price, decision.as_of, now)
        if quote == before:
            return None
        self.seq += 1
        entry.quote = quote = replace(quote, seq=self.seq)
        if entry in self._measures:
            self._rates = self._known_rates(now)
        return Update(quote, before if before.seq else None)

    def _windowed(self, quote: Quote, price: Decimal, as_of: int, now: int) -> Quote:
        """A fresh quote with the changes that our own past covers."""
        asset, change = quote.asset, self._windows.change
        self._windows.seen(asset, quote.currency, as_of, price)
        told = trusted(quote.change_24h, shown(change(asset, DAY, now, price)), quote.sources)
        hour, week = shown(change(asset, HOUR, now, price)), shown(change(asset, WEEK, now, price))
        return replace(quote, change_1h=hour, change_24h=told, change_7d=week)

    def _quarantined(self) -> frozenset[str]:
        """Venues that find a stablecoin absurdly priced, or off where others find it where it should be.

        One that lost its peg for true is off on every venue, and then none is in quarantine.
        """
        suspects: set[str] = set()
        for currency in self._measured.keys() & STABLE:
            said = {
                tick.pair.venue: tick.price
                for tick in self._entries[self._measured[currency]].ticks.values()
                if tick.pair.quote == self._base
            }
            off = {venue for venue, price in said.items() if not PEGGED[0] <= price <= PEGGED[1]}
            absurd = {venue for venue in off if not ABSURD[0] <= said[venue] <= ABSURD[1]}
            suspects |= absurd if off == said.keys() else off
        return frozenset(suspects)

    def _known_rates(self, now: int) -> Rates:
        rates = dict(self._assumed)
        for currency, asset in self._measured.items():
            quote = self._entries[asset].quote
            if quote.price is None or quote.as_of is None or quote.currency != self._base:
                rates.pop(currency, None)
            else:
                fresh, known = quote.state in FRESH, now - quote.as_of <= RATE_MS
                grade = State.LIVE if fresh else State.DELAYED if known else State.STALE
                rates[currency] = Rate(quote.price, grade, quote.assumed, quote.demo)
        return rates


def shown(change: Change | None) -> Change | None:
    """Rounded as readers see it, so that a change nobody can see is none."""
    return change and replace(change, percent=rounded(change.percent))


def trusted(venues: Change | None, own: Change | None, sources: int) -> Change | None:
    """The venues' 24 h change; our own where they have none, or where one or two contradict what we saw."""
    if venues is None or own is None:
        return venues or own
    contradicted = sources < CROWD and abs(venues.percent - own.percent) > DOUBTFUL
    return own if contradicted else venues


def _quoted(before: Quote, decision: Decision) -> Quote:
    """The quote after a decision. Without a price that may be shown the last one stays, and says why."""
    unagreed = decision.price is None and decision.state in UNSURE
    if unagreed and decision.confidence is not Confidence.NONE:
        return replace(before, state=decision.state, confidence=decision.confidence)
    newer = decision.price is not None and (before.as_of or 0) < (decision.as_of or 0)
    if decision.state in OLD and before.price is not None and not newer:
        return replace(before, state=State.STALE)
    return replace(
        before,
        price=decision.price,
        change_24h=decision.change_24h,
        high_24h=decision.high_24h,
        low_24h=decision.low_24h,
        volume_24h=decision.volume_24h,
        market_cap=decision.market_cap,
        as_of=decision.as_of,
        state=decision.state,
        confidence=decision.confidence,
        sources=decision.sources,
        assumed=decision.assumed,
        demo=decision.demo,
    )
