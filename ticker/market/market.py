"""The market: a walk for each token, the venues that look at them, and what is wrong with each venue.

It turns a venue's parameters into a Reply and keeps count of requests. It opens no socket and runs no task;
time passes only when somebody asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from ticker.clock import Clock
from ticker.errors import RequestError
from ticker.market import (
    binance,
    bitget,
    bitstamp,
    bybit,
    coinbase,
    coingecko,
    coinmarketcap,
    coinpaprika,
    cryptocom,
    defillama,
    gate,
    gemini,
    kraken,
    kucoin,
    mexc,
    okx,
    pyth,
    rates,
)
from ticker.market.faults import Fault
from ticker.market.scenarios import Scenario
from ticker.market.streams import Streams
from ticker.market.tokens import TOKENS
from ticker.market.venue import Answer, Params, Reply, Venue, View, page
from ticker.market.walk import DAY, Walk

VENUES: Final[Mapping[str, Venue]] = {
    module.VENUE.name: module.VENUE
    for module in (
        binance,
        mexc,
        coinbase,
        kraken,
        okx,
        bybit,
        kucoin,
        gate,
        bitget,
        cryptocom,
        bitstamp,
        gemini,
        coingecko,
        coinpaprika,
        coinmarketcap,
        defillama,
        pyth,
    )
} | {venue.name: venue for venue in rates.VENUES}

# As a venue has no candles from before it listed a token. It also bounds the work of one request.
_HISTORY = 30 * DAY
_REFUSALS = frozenset({"rate_limited", "banned", "geo_blocked", "server_error"})


@dataclass(slots=True)
class Requests:
    """How many requests a venue has seen since the market opened, and how many of them got 304."""

    seen: int = 0
    unchanged: int = 0


class Outcome(NamedTuple):
    """A venue's reply, the fault it was given under, and the venue's own time in milliseconds."""

    reply: Reply
    fault: Fault | None
    now: int


@dataclass(slots=True)
class _Trouble:
    fault: Fault
    since: int
    left: int | None


@dataclass(slots=True)
class _Weight:
    minute: int = 0
    used: int = 0


class Market:
    """Venues over one set of walks. The same seed, opening moment and clock times give the same prices.

    It opens at `clock.now()`: then every token has the price and 24 h change that tokens.py says.
    A scenario begins some seconds later.
    """

    def __init__(self, *, seed: int = 7, clock: Clock, scenario: Scenario | None = None) -> None:
        self.seed = seed
        self.scenario = scenario
        self.clock = clock
        self.opened = clock.now() // 1000
        self.requests: Final[Mapping[str, Requests]] = {name: Requests() for name in VENUES}
        self.streams: Final = Streams()
        self._weights = {name: _Weight() for name in VENUES}
        self._troubles: dict[str, _Trouble] = {}
        self._walks = {
            token.id: Walk(
                f"{seed}:{token.id}", volatility=token.volatility, change=token.change, start=self.opened
            )
            for token in TOKENS
        }

    def fail(self, venue: str, fault: Fault) -> None:
        """From now on `venue` has this fault, in place of any other. RequestError for an unknown venue."""
        self._known(venue)
        self._troubles[venue] = _Trouble(fault, self.clock.now(), fault.times)

    def heal(self, venue: str | None = None) -> None:
        """End the fault of one venue, or of all. RequestError for an unknown venue."""
        if venue is None:
            self._troubles.clear()
        else:
            self._known(venue)
            self._troubles.pop(venue, None)

    def faults(self) -> Mapping[str, Fault]:
        """What is wrong now, by venue."""
        return {name: trouble.fault for name, trouble in self._troubles.items()}

    def view(self, venue: Venue) -> View:
        """What the venue sees now. A fault may have stopped its time or taken a symbol away."""
        now, listings = self.clock.now(), venue.listings
        match self._troubles.get(venue.name):
            case _Trouble(Fault(kind="frozen"), since):
                now = since
            case _Trouble(Fault(kind="unlisted", symbol=gone)):
                listings = {symbol: listing for symbol, listing in listings.items() if symbol != gone}
        elapsed = now // 1000 - self.opened
        return View(
            now=now,
            second=self.opened + elapsed - elapsed % venue.refresh,
            birth=self.opened - _HISTORY,
            listings=listings,
            walks=self._walks,
            venue=venue.name,
            opened=self.opened,
            shifts=self.scenario.shifts if self.scenario else (),
        )

    def respond(self, venue: Venue, answer: Answer, params: Params) -> Outcome:
        """One request to a venue. It uses a limited fault up by one.

        A fault of the connection is handed back, not played: that is the server's part.
        """
        self.requests[venue.name].seen += 1
        trouble = self._troubles.get(venue.name)
        fault = trouble.fault if trouble is not None else None
        view = self.view(venue)
        reply = _worded(venue, answer, params, view, fault)
        self._use_up(venue.name)
        return Outcome(reply, fault, view.now)

    def weigh(self, venue: str, weight: int) -> int:
        """Add to the weight the venue has counted in this minute of the clock, and return it."""
        counted = self._weights[venue]
        minute = self.clock.now() // 60_000
        if minute != counted.minute:
            counted.minute, counted.used = minute, 0
        counted.used += weight
        return counted.used

    def _use_up(self, venue: str) -> None:
        trouble = self._troubles.get(venue)
        if trouble is not None and trouble.left is not None:
            trouble.left -= 1
            if trouble.left == 0:
                del self._troubles[venue]

    def _known(self, venue: str) -> None:
        if venue not in VENUES:
            raise RequestError(
                "unknown_venue", f"no venue {venue}; there are {', '.join(VENUES)}", status=404
            )


def _worded(venue: Venue, answer: Answer, params: Params, view: View, fault: Fault | None) -> Reply:
    if fault is not None and fault.kind in _REFUSALS:
        return venue.refuse(fault, view.now)
    if fault is not None and fault.kind == "html":
        return Reply(page("Be right back", "The site is under maintenance."))
    try:
        reply = answer(view, params)
    except RequestError as problem:
        return Reply(venue.error(problem), problem.status)
    if fault is not None and fault.kind == "prices":
        return replace(reply, body=_spoiled(reply.body, venue.price_fields, fault.value))
    return reply


def _spoiled(body: object, fields: frozenset[str], value: str | int | None) -> object:
    """The same body with `value` under every key of `fields`, but for one that holds an object."""
    match body:
        case dict():
            return {
                key: value if key in fields and not isinstance(item, dict) else _spoiled(item, fields, value)
                for key, item in body.items()
            }
        case list():
            return [_spoiled(item, fields, value) for item in body]
        case _:
            return body
