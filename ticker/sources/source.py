"""One venue and the pairs we want from it: a round of questions, and what came of each pair.

Here the budget is spent, unknown symbols are found and remembered, unchanged answers are handed out again.
When to ask, and what to do about a failure, is the poller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
from msgspec import Struct
from msgspec.structs import replace

from ticker.clock import Clock
from ticker.errors import RateLimited, SourceError, UnknownSymbol, Unreachable
from ticker.model import Pair, Tick
from ticker.sources.allowance import Allowance
from ticker.sources.base import Options, Outcome, Reading, Request, Venue
from ticker.sources.http import Answer, Validator, fetch
from ticker.sources.lapses import Lapses

# A symbol that failed a request is asked for again after this many seconds: new markets open.
UNKNOWN_FOR = 600.0
# What a venue that says only "too many requests" is left alone for: the usual length of their windows.
RATE_LIMITED_FOR = 60.0
# A round may take this many times one request's timeout.
ROUND = 2
# Bytes from which on a body is read in a thread, so that it doesn't hold the event loop.
LARGE = 65536
# Addresses whose last answer is kept for a 304; one round asks a handful.
HELD = 16


class Held(Struct, frozen=True):
    """The last answer of an address: its version, and what came of it."""

    validator: Validator
    reading: Reading


class Round(Struct):
    """When (by monotonic time) a round must be over, and what each of its answers lacked."""

    deadline: float
    missing: list[frozenset[str]]


class Source:
    """Asks one venue. Rounds may overlap; they share the budget and what is known about symbols."""

    def __init__(
        self,
        venue: Venue,
        pairs: Sequence[Pair],
        options: Options,
        session: aiohttp.ClientSession,
        clock: Clock,
    ) -> None:
        self.venue = venue
        self.pairs = tuple(dict.fromkeys(pairs))
        self.allowance = Allowance(venue.budget_for(options), clock, venue.title)
        self._lapses = Lapses(venue.title)
        self._options = options
        self._session = session
        self._clock = clock
        self._held: dict[Request, Held] = {}
        self._unknown: dict[Pair, tuple[float, UnknownSymbol]] = {}

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields, in the venue's words, that the last round's answers all lacked."""
        return self._lapses.fields

    async def ask(self) -> dict[Pair, Outcome]:
        """One round: every pair with its Tick or with the error that stands for it."""
        now = self._clock.monotonic()
        resting = {pair: error for pair, (until, error) in self._unknown.items() if until > now}
        retried = [pair for pair in self._unknown if pair not in resting]
        known = [pair for pair in self.pairs if pair not in self._unknown]
        # Symbols that failed before are asked for alone, so that they can't fail the others again.
        requests = [
            *self.venue.requests(known),
            *(one for pair in retried for one in self.venue.requests([pair])),
        ]
        this = Round(now + ROUND * self._options.timeout, [])
        outcomes = await self._all(requests, this)
        if this.missing:
            self._lapses.settle(frozenset.intersection(*this.missing))
        return {**resting, **outcomes}

    async def _all(self, requests: Sequence[Request], this: Round) -> dict[Pair, Outcome]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._each(request, this)) for request in requests]
        return {pair: outcome for task in tasks for pair, outcome in task.result().items()}

    async def _each(self, request: Request, this: Round) -> dict[Pair, Outcome]:
        """One request's outcomes; a batch failed by an unknown symbol is halved until that one is alone."""
        try:
            reading = await self._answer(request, this.deadline)
        except UnknownSymbol:
            if len(request.pairs) > 1:
                middle = len(request.pairs) // 2
                halves = (request.pairs[:middle], request.pairs[middle:])
                return await self._all([one for half in halves for one in self.venue.requests(half)], this)
            [pair] = request.pairs
            unknown = self.venue.unknown(pair)
            self._unknown[pair] = (self._clock.monotonic() + UNKNOWN_FOR, unknown)
            return {pair: unknown}
        except SourceError as failure:
            return dict.fromkeys(request.pairs, failure)
        for pair in request.pairs:
            self._unknown.pop(pair, None)
        if reading.missing is not None:
            this.missing.append(reading.missing)
        return reading.outcomes

    async def _answer(self, request: Request, deadline: float) -> Reading:
        await self.allowance.take(request.weight, deadline - self._clock.monotonic())
        left = min(self._options.timeout, deadline - self._clock.monotonic())
        if left <= 0:
            raise Unreachable(
                f"{self.venue.title}: the round took too long; check sources.{self.venue.name}.timeout"
            )
        held = self._held.get(request)
        try:
            answer = await fetch(
                self._session,
                self.venue,
                self._options,
                request,
                self._clock,
                validator=held.validator if held else None,
                within=left,
            )
        except RateLimited as limited:
            self.allowance.pause(RATE_LIMITED_FOR if limited.retry_after is None else limited.retry_after)
            raise
        if answer.used_weight is not None:
            self.allowance.learn(answer.used_weight)
        reading = await self._read(request, answer, held)
        self._hold(request, answer.validator or (held.validator if held else None), reading)
        return reading

    async def _read(self, request: Request, answer: Answer, held: Held | None) -> Reading:
        if answer.unchanged and held is not None:
            before = held.reading
            renewed = {pair: _renewed(outcome, answer) for pair, outcome in before.outcomes.items()}
            return Reading(renewed, before.missing)
        if len(answer.body) > LARGE:
            reading = await asyncio.to_thread(self.venue.read, answer.body, request, answer.seen)
        else:
            reading = self.venue.read(answer.body, request, answer.seen)
        if not answer.demo:
            return reading
        demo = {
            pair: replace(outcome, demo=True) if isinstance(outcome, Tick) else outcome
            for pair, outcome in reading.outcomes.items()
        }
        return Reading(demo, reading.missing)

    def _hold(self, request: Request, validator: Validator | None, reading: Reading) -> None:
        if validator is None:
            return
        self._held.pop(request, None)
        self._held[request] = Held(validator, reading)
        if len(self._held) > HELD:
            del self._held[next(iter(self._held))]


def _renewed(outcome: Outcome, answer: Answer) -> Outcome:
    """An unchanged price is a fresh one: the venue has just said that it still stands."""
    if not isinstance(outcome, Tick):
        return outcome
    return replace(outcome, as_of=max(outcome.as_of, answer.date or answer.seen), seen=answer.seen)
