"""One venue's cadence: ask at once, then again and again; on failure back off, and say so once.

It owns no task: the app runs `run()` in its own TaskGroup and ends it by cancelling. It decides nothing about
prices; what a round found goes to `on_ticks`, a change of health to `on_health`, both called synchronously.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn

import aiohttp
from msgspec import Struct

from ticker.clock import Clock
from ticker.errors import Refused, SourceError, UnknownSymbol
from ticker.model import Pair, SourceHealth, Tick
from ticker.sources.base import Options, Venue
from ticker.sources.source import Source

logger = logging.getLogger(__name__)

# The first questions are spread over this long (seconds): apart, yet well within a second of start.
FIRST = 0.1
# The cadence varies by this part of the interval, so that sources never beat together.
JITTER = 0.1
BACKOFF_BASE = 1.0
BACKOFF_CEILING = 60.0
# A venue that refuses us rarely changes its mind within a minute, and some count the attempts.
REFUSED_CEILING = 600.0


class BudgetState(Struct, frozen=True):
    """Weight spent in the window that ends now, what the window holds, and how long it is."""

    used: int
    limit: int
    per_seconds: float


class SourceStatus(Struct, frozen=True, kw_only=True):
    """How a source is. Times are ms; `since` is when its health last changed, `last_answer` its last price.

    `last_error` is None once every pair answers; `unknown` holds the symbols the venue says it doesn't know.
    """

    source: str
    health: SourceHealth
    since: int
    last_answer: int | None
    last_error: str | None
    next_try: int | None
    budget: BudgetState
    unknown: tuple[str, ...]
    pairs: int


class Poller:
    """Asks one venue for its pairs, for as long as it runs. ValueError when there are no pairs."""

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
        self._failures = 0
        self._troubles: Mapping[Pair, SourceError] = {}

    @property
    def status(self) -> SourceStatus:
        allowance = self._source.allowance
        troubles = [self._failure] if self._failure else list(self._troubles.values())
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
            pairs=len(self._source.pairs),
        )

    async def run(self) -> NoReturn:
        """Asks until cancelled. Only SourceErrors are lived with; anything else is a defect and comes out."""
        await self._clock.sleep(self._rng.uniform(0, FIRST))
        while True:
            wait = await self._round()
            self._next_try = self._clock.now() + int(wait * 1000)
            await self._clock.sleep(wait)

    async def ask(self) -> list[Tick]:
        """One round now. SourceError when not one pair has a price; one pair's trouble is in `status`."""
        outcomes = await self._source.ask()
        ticks = [outcome for outcome in outcomes.values() if isinstance(outcome, Tick)]
        troubles = {pair: error for pair, error in outcomes.items() if isinstance(error, SourceError)}
        if ticks:
            self._answered(troubles)
            return ticks
        failure = _gravest(troubles.values())
        self._failed(failure, troubles)
        raise failure

    async def _round(self) -> float:
        """Asks once, hands on what came, and gives the seconds until the next round."""
        began = self._clock.monotonic()
        try:
            ticks = await self.ask()
        except SourceError as failure:
            wait = self._backoff(failure)
        else:
            self._on_ticks(ticks)
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
        if self._health is SourceHealth.FAILING:
            logger.info("%s answers again after %.0f s", self._title, (now - self._since) / 1000)
        self._log_pairs(troubles)
        self._troubles = troubles
        self._last_answer, self._failure, self._failures = now, None, 0
        self._turn(SourceHealth.UP)

    def _failed(self, failure: SourceError, troubles: Mapping[Pair, SourceError]) -> None:
        if self._health is not SourceHealth.FAILING:
            logger.warning("no prices from %s: %s", self._title, failure)
        if isinstance(failure, UnknownSymbol):
            self._troubles = troubles
        self._failure = failure
        self._failures += 1
        self._turn(SourceHealth.FAILING)

    def _log_pairs(self, troubles: Mapping[Pair, SourceError]) -> None:
        for pair in troubles.keys() - self._troubles.keys():
            logger.warning("%s", troubles[pair])
        for pair in self._troubles.keys() - troubles.keys():
            logger.info("%s gives %s again", self._title, pair.symbol)

    def _turn(self, health: SourceHealth) -> None:
        if health is not self._health:
            self._health, self._since = health, self._clock.now()
            self._on_health(self.status)


def _gravest(troubles: Iterable[SourceError]) -> SourceError:
    """The one that tells most about the venue itself: an unknown symbol says only that it answers."""
    return min(troubles, key=lambda error: isinstance(error, UnknownSymbol))
