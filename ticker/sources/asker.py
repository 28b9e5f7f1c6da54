"""Asks one venue for pages of candles, within a share of the budget that its prices live on too.

It waits for whatever passes by itself and gives up only where asking again would bring the same. What to ask
for, and what becomes of it, is the backfill's.
"""

from __future__ import annotations

import asyncio
import random
from math import inf

import aiohttp
from msgspec import Struct

from ticker.clock import Clock
from ticker.errors import BadAnswer, RateLimited, Unreachable
from ticker.model import Pair
from ticker.sources.allowance import Allowance
from ticker.sources.base import Budget, Options, Venue
from ticker.sources.candles import Bar, Candles
from ticker.sources.http import fetch

# One part in so many of a venue's budget, so that its prices are never late for candles' sake.
SHARE = 2
# What a venue that says only "too many requests" is left alone for, seconds.
PAUSE = 60.0
# Seconds before a venue that could not be reached is tried again, at most.
CEILING = 300.0


class Asked(Struct, frozen=True):
    """A venue as it is configured, with the allowance that its prices are asked under too."""

    venue: Venue
    options: Options
    allowance: Allowance


class Asker:
    """Asks one venue for candles, within a share of its budget, for as long as it takes."""

    def __init__(
        self,
        asked: Asked,
        candles: Candles,
        session: aiohttp.ClientSession,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self.candles = candles
        self.aggregator = asked.venue.aggregator
        self._asked = asked
        self._session = session
        self._clock = clock
        self._rng = rng
        whole = asked.allowance.budget
        self._share = Allowance(Budget(max(1, whole.limit // SHARE), whole.seconds), clock, asked.venue.title)

    async def page(self, pair: Pair, interval: int, start: int, end: int) -> list[Bar]:
        """The candles that start in [start, end) ms. Refused, UnknownSymbol or BadAnswer when there are none
        to be had; what passes by itself is waited for.
        """
        request = self.candles.request(pair, interval, start, end)
        failures = 0
        while True:
            await self._room(request.weight)
            try:
                answer = await fetch(
                    self._session, self._asked.venue, self._asked.options, request, self._clock
                )
            except RateLimited as limited:
                self._asked.allowance.pause(PAUSE if limited.retry_after is None else limited.retry_after)
            except Unreachable:
                failures += 1
                await self._clock.sleep(self._rng.uniform(0, min(CEILING, 2.0 ** min(failures, 16))))
            else:
                # A thousand candles take longer to read than the loop may be held.
                return await asyncio.to_thread(self._read, pair, answer.body, interval, start, end)

    def _read(self, pair: Pair, body: bytes, interval: int, start: int, end: int) -> list[Bar]:
        try:
            return self.candles.read(body, interval, start, end)
        except BadAnswer as wrong:
            raise BadAnswer(f"{self._asked.venue.title} {pair.symbol}: {wrong}") from wrong

    async def _room(self, weight: int) -> None:
        await self._share.take(weight, inf)
        while True:
            try:
                return await self._asked.allowance.take(weight, inf)
            except RateLimited as paused:
                await self._clock.sleep((paused.retry_after or PAUSE) + self._rng.uniform(0, 1))
