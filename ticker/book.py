"""The last-value cache of every asset, and the only maker of Quotes.

Each change gets the next `seq` of this book's `epoch`. Nothing here waits, reads the clock by itself or
knows who listens: ticks and the time go in, Updates come out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from ticker.change import rounded
from ticker.clock import Clock
from ticker.consensus import CROWD, Decision, decide
from ticker.currency import FiatRates, converted
from ticker.errors import RequestError
from ticker.fx import Rate
from ticker.gate import Good, Held
from ticker.model import Asset, Change, Confidence, Observation, Quote, Snapshot, State, Tick, Update, Window
from ticker.sampling import Ages, Policy
from ticker.windows import Windows

T = TypeVar("T")

FRESH = (State.LIVE, State.DELAYED)
OLD = (State.STALE, State.UNAVAILABLE)
# Percentage points between the venues' 24 h change and our own from which one of the two is wrong.
DOUBTFUL = Decimal(5)
# Currencies that are meant to be worth a dollar; where one is found outside PEGGED on some venues only, those
# are wrong, and ABSURD no venue is believed even if it is alone. USDC was truly near 0.88 in March 2023.
STABLE = frozenset({"USDT", "USDC", "FDUSD", "TUSD", "DAI", "USDE", "PYUSD", "BUSD"})
PEGGED = (Decimal("0.9"), Decimal("1.1"))
ABSURD = (Decimal("0.01"), Decimal(2))
# A rate that isn't fresh delays the prices converted at it; older than this (ms) it makes them stale.
RATE_MS = 3_600_000


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
        self._order = {asset.id: place for place, asset in enumerate(assets)}
        self.currencies: Mapping[str, str] = {asset.id: self._target(asset) for asset in assets}
        self._owner = {pair.ref: asset.id for asset in assets for pair in asset.pairs}
        self._ticks: dict[str, dict[str, Tick]] = {asset.id: {} for asset in assets}
        self._decisions: dict[str, Decision] = {}
        self._due: dict[str, int] = {}
        self._good: dict[str, Good] = {}
        self._held: dict[str, Held] = {}
        self._quotes = {
            a.id: Quote(asset=a.id, symbol=a.symbol, name=a.name, currency=self.currencies[a.id])
            for a in assets
        }

    def _target(self, asset: Asset) -> str:
        convertible = {self._base, *self._measured, *self._assumed}
        if not asset.pairs or any(pair.quote in convertible for pair in asset.pairs):
            return self._base
        return asset.pairs[0].quote

    # Reading

    def quote(self, asset: str, currency: str | None = None) -> Quote:
        """The asset's quote; before its first price, one that is unavailable. KeyError for an unknown id.

        In `currency` where a rate into it is known, else in its own.
        """
        quote = self._quotes[asset]
        return quote if currency is None else self.seen_in(quote, currency)

    def seen_in(self, quote: Quote, currency: str) -> Quote:
        """A quote in another currency; as it is where no rate between the two is known."""
        if quote.currency == currency:
            return quote
        coins = {code: self._quotes[asset] for code, asset in self._coins.items()}
        return converted(quote, currency, self._fiat, coins, now=self._clock.now()) or quote

    def require(self, currency: str) -> None:
        """RequestError unknown_currency for one that no rate is known into, with those that there are."""
        known = {self._base, *self._coins, *(self._fiat.currencies if self._fiat else ())}
        if currency not in known:
            listed = ", ".join(sorted(known))
            raise RequestError(
                "unknown_currency", f"no rate into {currency[:16]!r} is known; known are {listed}"
            )

    def quotes(self) -> Sequence[Quote]:
        """All quotes, in the order of the configuration."""
        return tuple(self._quotes.values())

    def observations(self, asset: str) -> Sequence[Observation]:
        """What each source last said about the asset, used or not. KeyError for an unknown id."""
        if asset not in self._quotes:
            raise KeyError(asset)
        decision = self._decisions.get(asset)
        return decision.observations if decision else ()

    def spread(self, asset: str) -> Decimal | None:
        """How far apart the counted sources of the asset are, in percent; None before the first price."""
        decision = self._decisions.get(asset)
        return decision.spread if decision else None

    def snapshot(self, assets: Iterable[str], since: tuple[str, int] | None = None) -> Snapshot:
        """The quotes of `assets`; only those changed after `since`, if that is a point of this book."""
        quotes = tuple(self._quotes[asset] for asset in sorted(assets, key=self._order.__getitem__))
        if since is None or since[0] != self.epoch or since[1] > self.seq:
            return Snapshot(self.epoch, self.seq, quotes)
        return Snapshot(self.epoch, self.seq, tuple(q for q in quotes if q.seq > since[1]), recovered=True)

    # Writing

    def restore(self, quotes: Iterable[Quote], seq: int) -> None:
        """Take up the last prices of an earlier life: stale, whatever they were, until a source says more."""
        self.seq = max(self.seq, seq)
        for saved in quotes:
            now = self._quotes.get(saved.asset)
            if now is not None and saved.price is not None and saved.currency == now.currency:
                stale = replace(saved, symbol=now.symbol, name=now.name, state=State.STALE)
                self._quotes[saved.asset] = stale
                self._good[saved.asset] = Good(saved.price, saved.as_of or 0, agreed=saved.sources > 1)

    def apply(self, ticks: Iterable[Tick]) -> list[Update]:
        """Take in what sources said; an Update for each quote that is now another."""
        touched = {asset for tick in ticks if (asset := self._take(tick)) is not None}
        return self._decide(touched)

    def fix(self, rates: FiatRates) -> list[Update]:
        """Take up the exchange rates of a new day: every price is then another in some currency."""
        self._fiat = rates
        updates = []
        for asset, before in self._quotes.items():
            if before.price is not None:
                self.seq += 1
                self._quotes[asset] = quote = replace(before, seq=self.seq)
                updates.append(Update(quote, before))
        return updates

    def expire(self) -> list[Update]:
        """Let age alone change what it changes; to be called about once a second."""
        now = self._clock.now()
        return self._decide({asset for asset, due in self._due.items() if due <= now})

    def _take(self, tick: Tick) -> str | None:
        """Keep the tick as its pair's latest; None when a later one is there already."""
        asset = self._owner[tick.pair.ref]
        held = self._ticks[asset].get(tick.pair.ref)
        # One dated in the future must not lock out every honest one after it.
        if held is not None and tick.as_of < held.as_of <= tick.seen:
            return None
        self._ticks[asset][tick.pair.ref] = tick
        return asset

    def _decide(self, touched: set[str]) -> list[Update]:
        """Decide the touched assets: first those whose price is a rate, then the others.

        A price follows its rate at its own next tick; at once where the rate has begun or ceased to be fresh.
        """
        self._policy = replace(self._policy, quarantined=self._quarantined())
        rates = {asset: currency for currency, asset in self._measured.items() if asset in touched}
        updates = [update for asset in rates if (update := self._update(asset))]
        for update in updates:
            if update.before is None or update.before.state is not update.quote.state:
                touched = touched | self._quoted_in(rates[update.quote.asset])
        rest = [asset for asset in self._quotes if asset in touched and asset not in rates]
        return updates + [update for asset in rest if (update := self._update(asset))]

    def _quoted_in(self, currency: str) -> set[str]:
        """Assets that have a price in the currency."""
        return {
            asset
            for asset, ticks in self._ticks.items()
            if any(tick.pair.quote == currency for tick in ticks.values())
        }

    def _update(self, asset: str) -> Update | None:
        now = self._clock.now()
        decision = decide(
            tuple(self._ticks[asset].values()),
            currency=self.currencies[asset],
            rates=self._rates() if self.currencies[asset] == self._base else {},
            policy=self._policy,
            now=now,
            good=self._good.get(asset),
            held=self._held.get(asset),
        )
        self._remember(asset, decision)
        before = self._quotes[asset]
        quote = _quoted(before, decision)
        if decision.state in FRESH:
            quote = self._windowed(quote, now)
        if quote == before:
            return None
        self.seq += 1
        self._quotes[asset] = quote = replace(quote, seq=self.seq)
        return Update(quote, before if before.seq else None)

    def _windowed(self, quote: Quote, now: int) -> Quote:
        """A fresh quote with the changes that our own past covers."""
        if quote.price is None or quote.as_of is None:
            return quote
        self._windows.seen(quote.asset, quote.currency, quote.as_of, quote.price)
        hour, day, week = (self._windows.change(quote.asset, window, now, quote.price) for window in Window)
        told = trusted(quote.change_24h, shown(day), quote.sources)
        return replace(quote, change_1h=shown(hour), change_24h=told, change_7d=shown(week))

    def _remember(self, asset: str, decision: Decision) -> None:
        """What the next decision about the asset needs to know of this one."""
        self._decisions[asset] = decision
        _keep(self._due, asset, decision.due)
        _keep(self._held, asset, decision.held)
        if decision.state in FRESH and decision.price is not None and decision.as_of is not None:
            agreed = decision.sources > 1 or (asset in self._good and self._good[asset].agreed)
            self._good[asset] = Good(decision.price, decision.as_of, agreed)

    def _quarantined(self) -> frozenset[str]:
        """Venues that find a stablecoin absurdly priced, or off where others find it where it should be.

        One that lost its peg for true is off on every venue, and then none is in quarantine.
        """
        suspects: set[str] = set()
        for currency in self._measured.keys() & STABLE:
            said = {
                tick.pair.venue: tick.price
                for tick in self._ticks[self._measured[currency]].values()
                if tick.pair.quote == self._base
            }
            off = {venue for venue, price in said.items() if not PEGGED[0] <= price <= PEGGED[1]}
            absurd = {venue for venue in off if not ABSURD[0] <= said[venue] <= ABSURD[1]}
            suspects |= absurd if off == said.keys() else off
        return frozenset(suspects)

    def _rates(self) -> dict[str, Rate]:
        rates = dict(self._assumed)
        for currency, asset in self._measured.items():
            quote = self._quotes[asset]
            if quote.price is None or quote.as_of is None or quote.currency != self._base:
                rates.pop(currency, None)
            else:
                fresh, known = quote.state in FRESH, self._clock.now() - quote.as_of <= RATE_MS
                grade = State.LIVE if fresh else State.DELAYED if known else State.STALE
                rates[currency] = Rate(quote.price, grade, quote.assumed, quote.demo)
        return rates


def shown(change: Change | None) -> Change | None:
    """Rounded as readers see it, so that a change nobody can see is none."""
    return None if change is None else replace(change, percent=rounded(change.percent))


def trusted(venues: Change | None, own: Change | None, sources: int) -> Change | None:
    """The venues' 24 h change; our own where they have none, or where one or two contradict what we saw."""
    if venues is None or own is None:
        return venues or own
    contradicted = sources < CROWD and abs(venues.percent - own.percent) > DOUBTFUL
    return own if contradicted else venues


def _keep(into: dict[str, T], key: str, value: T | None) -> None:
    if value is None:
        into.pop(key, None)
    else:
        into[key] = value


def _quoted(before: Quote, decision: Decision) -> Quote:
    """The quote after a decision. Without a price that may be shown the last one stays, and says why."""
    unagreed = decision.state in (State.HELD, State.DISPUTED) and decision.price is None
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
