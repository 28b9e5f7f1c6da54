"""Exchange rates of the world's currencies, asked for once an hour from whoever publishes them.

It owns no task: the app runs `run()` in its own TaskGroup. Rates that came stay until newer ones come, with
their date; how old is too old, and what a price is in another currency, is currency.py's.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Literal, NoReturn, Protocol

import aiohttp
from msgspec import Meta, Struct
from yarl import URL

from ticker.clock import Clock
from ticker.currency import FiatRates, Fixing
from ticker.errors import BadAnswer, RateLimited, SourceError
from ticker.model import SourceHealth
from ticker.sources.base import Options as SourceOptions
from ticker.sources.ecb import Ecb
from ticker.sources.frankfurter import Frankfurter
from ticker.sources.http import Validator, by_status, conditions, exchange, validator_told, wait_told

logger = logging.getLogger(__name__)

# The ECB's file of 90 days is the largest answer, at 100 kB.
BODY_LIMIT = 2**20
# The cadence varies by this part of the interval, so that services never ask together.
JITTER = 0.1
BACKOFF_BASE = 1.0
# Rates change once a day: who doesn't answer is asked again soon enough after ten minutes.
BACKOFF_CEILING = 600.0
CODE = re.compile(r"[A-Z]{3}")


class RateSource(Protocol):
    """Who publishes rates: where, and how the answer reads. Without state; opens no socket."""

    name: str
    title: str
    section: str
    docs: str
    base_url: str
    accept: str

    def path(self, today: date) -> str:
        """What to ask for below the base address: the latest rates and those of a week before."""

    def read(self, body: bytes) -> list[Fixing]:
        """The answer's fixings. BadAnswer names the field."""


SOURCES: Mapping[str, RateSource] = MappingProxyType(
    {source.name: source for source in (Frankfurter(), Ecb())}
)


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[currency.rates]` of the configuration. ValueError: `base_url` can't be one."""

    source: Annotated[
        Literal["frankfurter", "ecb", "off"],
        Meta(description="Who is asked for exchange rates; off: prices in no currency but their own"),
    ] = "frankfurter"
    base_url: Annotated[
        str | None,
        Meta(
            description="Where the source answers: a mirror, one's own Frankfurter; unset: its public address"
        ),
    ] = None
    interval: Annotated[float, Meta(ge=60, le=86400, description="Seconds between two questions")] = 3600
    timeout: Annotated[
        float, Meta(gt=0, le=300, description="Seconds an answer may take, from connecting to its last byte")
    ] = 10

    def __post_init__(self) -> None:
        SourceOptions(base_url=self.base_url)


class RateStatus(Struct, frozen=True, kw_only=True):
    """How the source of rates is. Times are ms; `date` is the day of the latest rates (ISO 8601)."""

    source: str
    health: SourceHealth
    since: int
    last_answer: int | None
    last_error: str | None
    next_try: int | None
    date: str | None


class RatePoller:
    """Asks one source of rates, for as long as it runs. `rates` are the latest, None before the first."""

    def __init__(
        self,
        source: RateSource,
        options: Options,
        session: aiohttp.ClientSession,
        clock: Clock,
        rng: random.Random,
        on_rates: Callable[[FiatRates], None],
        on_health: Callable[[RateStatus], None],
    ) -> None:
        self.rates: FiatRates | None = None
        self._source = source
        self._options = options
        self._base = (options.base_url or source.base_url).rstrip("/")
        self._session = session
        self._clock = clock
        self._rng = rng
        self._on_rates = on_rates
        self._on_health = on_health
        self._held: dict[str, Validator] = {}
        self._health = SourceHealth.STARTING
        self._since = clock.now()
        self._last_answer: int | None = None
        self._next_try: int | None = None
        self._failure: SourceError | None = None
        self._failures = 0

    @property
    def status(self) -> RateStatus:
        return RateStatus(
            source=self._source.name,
            health=self._health,
            since=self._since,
            last_answer=self._last_answer,
            last_error=str(self._failure) if self._failure else None,
            next_try=self._next_try,
            date=self.rates.latest.date.isoformat() if self.rates else None,
        )

    async def run(self) -> NoReturn:
        """Asks until cancelled. Only SourceErrors are lived with; anything else is a defect and comes out."""
        while True:
            wait = await self._round()
            self._next_try = self._clock.now() + int(wait * 1000)
            await self._clock.sleep(wait)

    async def ask(self) -> FiatRates:
        """One question now, and the rates as they then stand. SourceError."""
        try:
            rates = await self._answer()
        except SourceError as failure:
            self._failed(failure)
            raise
        self._answered()
        if rates != self.rates:
            self.rates = rates
            self._on_rates(rates)
        return rates

    async def _round(self) -> float:
        """Asks once; the seconds until the next round."""
        try:
            await self.ask()
        except SourceError as failure:
            return self._backoff(failure)
        return self._options.interval * self._rng.uniform(1 - JITTER, 1 + JITTER)

    def _backoff(self, failure: SourceError) -> float:
        """Exponential with full jitter, and never before the source said."""
        told = failure.retry_after if isinstance(failure, RateLimited) else None
        grown = BACKOFF_BASE * 2 ** min(self._failures, 16)
        return (told or 0.0) + self._rng.uniform(0, min(BACKOFF_CEILING, grown))

    async def _answer(self) -> FiatRates:
        now = self._clock.now()
        path = self._source.path(_day(now))
        validator = self._held.get(path)
        response, body = await exchange(
            self._session,
            self._source,
            URL(self._base + path),
            {"Accept": self._source.accept, **conditions(validator)},
            seconds=self._options.timeout,
            limit=BODY_LIMIT,
        )
        if response.status == 304 and validator and self.rates:
            return self.rates
        if response.status != 200:
            raise by_status(self._source, response.status, wait_told(response.headers, now))
        rates = FiatRates(self._read(body, _day(now)), demo="Ticker-Demo" in response.headers)
        fresh = validator_told(response.headers)
        self._held = {path: fresh} if fresh else {}
        return self._newer(rates)

    def _read(self, body: bytes, today: date) -> tuple[Fixing, ...]:
        try:
            return _sound(self._source.read(body), today)
        except BadAnswer as wrong:
            raise BadAnswer(f"{self._source.title} sent an answer that can't be read: {wrong}") from wrong

    def _newer(self, rates: FiatRates) -> FiatRates:
        """A cache on the way may be behind another one: what is known doesn't become older by it."""
        held = self.rates
        return held if held and held.latest.date > rates.latest.date else rates

    def _answered(self) -> None:
        now = self._clock.now()
        if self._health is SourceHealth.FAILING:
            logger.info("%s answers again after %.0f s", self._source.title, (now - self._since) / 1000)
        self._last_answer, self._failure, self._failures = now, None, 0
        self._turn(SourceHealth.UP)

    def _failed(self, failure: SourceError) -> None:
        if self._health is not SourceHealth.FAILING:
            logger.warning("no exchange rates from %s: %s", self._source.title, failure)
        self._failure = failure
        self._failures += 1
        self._turn(SourceHealth.FAILING)

    def _turn(self, health: SourceHealth) -> None:
        if health is not self._health:
            self._health, self._since = health, self._clock.now()
            self._on_health(self.status)


def _sound(fixings: Sequence[Fixing], today: date) -> tuple[Fixing, ...]:
    """The fixings, oldest first. BadAnswer where they can't be today's or older, or lack the dollar."""
    ordered = tuple(sorted(fixings, key=lambda fixing: fixing.date))
    if not ordered:
        raise BadAnswer("no day with rates")
    # Somewhere it is tomorrow already.
    if ordered[-1].date > today + timedelta(days=1):
        raise BadAnswer(f"{ordered[-1].date}: rates from the future")
    for fixing in ordered:
        if odd := next((code for code in fixing.units if not CODE.fullmatch(code)), None):
            raise BadAnswer(f"{fixing.date}: {odd!r:.20} is no currency")
        if "USD" not in fixing.units:
            raise BadAnswer(f"{fixing.date} USD: missing")
    return ordered


def _day(ms: int) -> date:
    return datetime.fromtimestamp(ms // 1000, UTC).date()
