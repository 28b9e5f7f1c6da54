"""One venue's cadence: ask at once, then again and again; on failure back off, and say so once.

Where the venue has a stream, that speaks and questions rest; they come back within one interval of its last
price. The app runs `run()` in its own TaskGroup and ends it by cancelling. Nothing is decided about prices
here; what came goes to `on_ticks`, a change of health to `on_health`, both called synchronously.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn

import aiohttp
from msgspec import Struct

from ticker.clock import Clock
from ticker.errors import ConfigError, Refused, SourceError, UnknownSymbol
from ticker.model import Pair, SourceHealth, Tick
from ticker.sources.allowance import Allowance
from ticker.sources.base import Options, Venue
from ticker.sources.ccxt import Ccxt, CcxtSource
from ticker.sources.source import Source
from ticker.sources.streams import STREAMS
from ticker.sources.streams.stream import Connection

logger = logging.getLogger(__name__)

# The first questions are spread over this long (seconds): apart, yet well within a second of start.
FIRST = 0.1
# The cadence varies by this part of the interval, so that sources never beat together.
JITTER = 0.1
# Prices handed on at once: some milliseconds of deciding.
SLICE = 32
BACKOFF_BASE = 1.0
BACKOFF_CEILING = 60.0
# A venue that refuses us rarely changes its mind within a minute, and some count the attempts.
REFUSED_CEILING = 600.0
# A pair the stream has had no news of for this long (seconds), though it had of others, is asked for: below
# the age at which a price counts as late.
QUIET = 20.0


class BudgetState(Struct, frozen=True):
    """Weight spent in the window that ends now, what the window holds, and how long it is."""

    used: int
    limit: int
    per_seconds: float


class SourceStatus(Struct, frozen=True, kw_only=True):
    """How a source is. Times are ms; `since` is when its health last changed, `last_answer` its last price.

    `last_error` is None once every pair answers; `unknown` holds the symbols the venue says it doesn't know,
    `missing` the fields, in the venue's words, that no row of its last answer had though it gives them,
    or no row that its stream last brought.
    """

    source: str
    health: SourceHealth
    since: int
    last_answer: int | None
    last_error: str | None
    next_try: int | None
    budget: BudgetState
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    pairs: int


class Poller:
    """Asks one venue for its pairs, and listens to its stream, for as long as it runs.

    ValueError when there are no pairs; ConfigError when a stream is wanted where there is none.
    """

    def __init__(
        self,
        venue: Venue,
        pairs: Sequence[Pair],
        options: Options,
        session: aiohttp.ClientSession,
        clock: Clock,
        rng: random.Random,
        on_ticks: Callable[[Sequence[Tick]], None],
        on_health: Callable[[SourceStatus], None],
    ) -> None:
        if not pairs:
            raise ValueError(f"nothing to ask {venue.title} for")
        self._source: Source | CcxtSource
        if isinstance(venue, Ccxt):
            self._source = CcxtSource(venue, pairs, options, session, clock)
        else:
            self._source = Source(venue, pairs, options, session, clock)
        self._title = venue.title
        self._interval = options.interval or venue.interval
        self._clock = clock
        self._rng = rng
        self._on_ticks = on_ticks
        self._on_health = on_health
        self._health = SourceHealth.STARTING
        self._since = clock.now()
        self._last_answer: int | None = None
        self._next_try: int | None = None
        self._failure: SourceError | None = None
        self._failed_at = self._since
        self._failures = 0
        self._troubles: Mapping[Pair, SourceError] = {}
        self._polls = options.mode != "stream"
        self._connections = self._connect(options)
        # By monotonic time: each connection's newest price, each pair's last price, the last round's end.
        self._newest = dict.fromkeys(self._connections, -math.inf)
        self._told = dict.fromkeys(self._source.pairs, -math.inf)
        self._asked = -math.inf

    def _connect(self, options: Options) -> tuple[Connection, ...]:
        """The connections, not yet opened, that the options and the stream's limit ask for; none for none."""
        venue, pairs = self._source.venue, self._source.pairs
        stream = STREAMS.get(venue.name)
        if stream is None and options.mode == "stream":
            raise ConfigError(
                f"{venue.title} has no stream; use auto or poll", key=f"sources.{venue.name}.mode"
            )
        if stream is None or (address := stream.address(options)) is None:
            return ()
        return tuple(
            Connection(
                stream,
                pairs[at : at + stream.limit],
                address,
                options,
                self._clock,
                self._rng,
                on_ticks=self._streamed,
                on_open=self._snapshot,
                on_trouble=self._interrupted,
            )
            for at in range(0, len(pairs), stream.limit)
        )

    @property
    def venue(self) -> Venue:
        return self._source.venue

    @property
    def allowance(self) -> Allowance:
        """What the venue's budget has left, for whoever else asks it."""
        return self._source.allowance

    @property
    def status(self) -> SourceStatus:
        allowance, speakers = self._source.allowance, (self._source, *self._connections)
        streams = [connection.trouble for connection in self._connections if connection.trouble]
        troubles = [self._failure] if self._failure else [*streams, *self._troubles.values()]
        return SourceStatus(
            source=self._source.venue.name,
            health=self._health,
            since=self._since,
            last_answer=self._last_answer,
            last_error=str(troubles[0]) if troubles else None,
            next_try=self._next_try,
            budget=BudgetState(allowance.used, allowance.budget.limit, allowance.budget.seconds),
            unknown=tuple(
                pair.symbol for pair, error in self._troubles.items() if isinstance(error, UnknownSymbol)
            ),
            missing=tuple(sorted({name for each in speakers for name in each.missing})),
            pairs=len(self._source.pairs),
        )

    async def run(self) -> NoReturn:
        """Works until cancelled. SourceErrors are lived with; anything else is a defect and comes out."""
        if not self._connections:
            await self._poll()
        parts = [connection.run for connection in self._connections] + [self._poll] * self._polls
        *others, last = parts
        async with asyncio.TaskGroup() as tasks:
            for other in others:
                tasks.create_task(other())
            await last()

    async def _poll(self) -> NoReturn:
        await self._clock.sleep(self._rng.uniform(0, FIRST))
        while True:
            wait = self._until_due() or await self._round()
            self._next_try = self._clock.now() + int(wait * 1000)
            await self._clock.sleep(wait)

    async def ask(self) -> list[Tick]:
        """One round now. SourceError when not one pair has a price; one pair's trouble is in `status`."""
        outcomes = await self._source.ask()
        self._asked = self._clock.monotonic()
        ticks = [outcome for outcome in outcomes.values() if isinstance(outcome, Tick)]
        troubles = {pair: error for pair, error in outcomes.items() if isinstance(error, SourceError)}
        if ticks:
            self._answered(troubles)
            return ticks
        failure = _gravest(troubles.values())
        self._failed(failure, troubles)
        raise failure

    def _until_due(self) -> float:
        """Seconds for which the streams' own word is enough; 0 when it is time to ask."""
        quiet = max(min(self._told.values()), self._asked) + max(QUIET, self._interval)
        return max(0.0, min(self._streams_until, quiet) - self._clock.monotonic())

    @property
    def _streams_until(self) -> float:
        """When (by monotonic time) the first connection's newest price is an interval old."""
        return min(self._newest.values(), default=-math.inf) + self._interval

    def _streamed(self, connection: Connection, ticks: Sequence[Tick]) -> None:
        """What a stream said. It counts by the venue's time: one that lags must not keep us from asking."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        told = {tick.pair: monotonic - max(0, now - tick.as_of) / 1000 for tick in ticks}
        self._told.update(told)
        self._newest[connection] = max(self._newest[connection], *told.values())
        self._last_answer = now
        if self._troubles:
            self._settle({pair: error for pair, error in self._troubles.items() if pair not in told})
        self._turn(SourceHealth.UP)
        self._on_ticks(ticks)

    async def _snapshot(self) -> None:
        """One round beside the stream that has just opened, for what was missed before it."""
        try:
            ticks = await self.ask()
        except SourceError:
            return  # it is in the status, and the next round is due as ever
        await self._hand_on(ticks)

    async def _hand_on(self, ticks: Sequence[Tick]) -> None:
        """In slices, so that deciding thousands of prices doesn't hold the event loop."""
        for start in range(0, len(ticks), SLICE):
            self._on_ticks(ticks[start : start + SLICE])
            if start + SLICE < len(ticks):
                await self._clock.sleep(0)

    def _interrupted(self, trouble: SourceError) -> None:
        if not self._polls:
            self._failed(trouble, {})

    async def _round(self) -> float:
        """Asks once, hands on what came, and gives the seconds until the next round."""
        began = self._clock.monotonic()
        try:
            ticks = await self.ask()
        except SourceError as failure:
            wait = self._backoff(failure)
        else:
            await self._hand_on(ticks)
            cadence = self._interval * self._rng.uniform(1 - JITTER, 1 + JITTER)
            wait = max(0.0, began + cadence - self._clock.monotonic())
        # A venue that said when to come back is believed, whatever else the round brought.
        paused = self._source.allowance.paused
        return max(wait, paused + self._rng.uniform(0, BACKOFF_BASE)) if paused else wait

    def _backoff(self, failure: SourceError) -> float:
        """Exponential with full jitter: half of those who fail together don't come back together."""
        ceiling = REFUSED_CEILING if isinstance(failure, Refused) else BACKOFF_CEILING
        return self._rng.uniform(0, min(ceiling, BACKOFF_BASE * 2 ** min(self._failures, 16)))

    def _answered(self, troubles: Mapping[Pair, SourceError]) -> None:
        now = self._clock.now()
        if self._failure is not None:
            logger.info("%s answers again after %.0f s", self._title, (now - self._failed_at) / 1000)
        self._settle(troubles)
        self._last_answer, self._failure, self._failures = now, None, 0
        self._turn(SourceHealth.UP)

    def _failed(self, failure: SourceError, troubles: Mapping[Pair, SourceError]) -> None:
        if self._failure is None:
            logger.warning("no prices from %s: %s", self._title, failure)
            self._failed_at = self._clock.now()
        if isinstance(failure, UnknownSymbol):
            self._troubles = troubles
        self._failure = failure
        self._failures += 1
        # While the stream brings prices the source isn't down; that it can't be asked is in the status.
        if self._streams_until <= self._clock.monotonic():
            self._turn(SourceHealth.FAILING)

    def _settle(self, troubles: Mapping[Pair, SourceError]) -> None:
        for pair in troubles.keys() - self._troubles.keys():
            logger.warning("%s", troubles[pair])
        for pair in self._troubles.keys() - troubles.keys():
            logger.info("%s gives %s again", self._title, pair.symbol)
        self._troubles = troubles

    def _turn(self, health: SourceHealth) -> None:
        if health is not self._health:
            self._health, self._since = health, self._clock.now()
            self._on_health(self.status)


def _gravest(troubles: Iterable[SourceError]) -> SourceError:
    """The one that tells most about the venue itself: an unknown symbol says only that it answers."""
    return min(troubles, key=lambda error: isinstance(error, UnknownSymbol))
