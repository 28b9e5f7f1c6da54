"""What a venue still allows us: a sliding window of weights, and the pause it asked for.

A request that would exceed the window waits its turn, for as long as its caller has; one that meets a pause
is refused at once. Nothing here is sent anywhere: it keeps us from asking.
"""

from __future__ import annotations

from collections import deque

from ticker.clock import Clock
from ticker.errors import RateLimited
from ticker.sources.base import Budget


class Allowance:
    """One venue's budget as it stands. `title` is for the errors."""

    def __init__(self, budget: Budget, clock: Clock, title: str) -> None:
        self.budget = budget
        self._clock = clock
        self._title = title
        self._spent: deque[tuple[float, int]] = deque()
        self._paused_until = clock.monotonic()

    @property
    def used(self) -> int:
        """Weight spent in the window that ends now."""
        oldest = self._clock.monotonic() - self.budget.seconds
        while self._spent and self._spent[0][0] <= oldest:
            self._spent.popleft()
        return sum(weight for _, weight in self._spent)

    @property
    def paused(self) -> float:
        """Seconds until the venue may be asked again, 0 when it may."""
        return max(0.0, self._paused_until - self._clock.monotonic())

    def pause(self, seconds: float) -> None:
        """The venue said wait. A shorter pause never ends a longer one."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def learn(self, used: int) -> None:
        """What the venue counts for our address: more than we spent means that others share it."""
        unseen = used - self.used
        if unseen > 0:
            self._spent.append((self._clock.monotonic(), unseen))

    async def take(self, weight: int, patience: float) -> None:
        """Spends `weight`, waiting up to `patience` seconds for room; RateLimited where that isn't enough."""
        weight = min(weight, self.budget.limit)
        last_call = self._clock.monotonic() + patience
        self._heed_pause()
        while wait := self._until_room_for(weight):
            if self._clock.monotonic() + wait > last_call:
                raise RateLimited(
                    f"our own budget for {self._title} is used up for {wait:.0f} s; ask it less often",
                    retry_after=wait,
                )
            await self._clock.sleep(wait)
            self._heed_pause()
        self._spent.append((self._clock.monotonic(), weight))

    def _heed_pause(self) -> None:
        if left := self.paused:
            raise RateLimited(f"{self._title} asked us to wait; {left:.0f} s are left", retry_after=left)

    def _until_room_for(self, weight: int) -> float:
        """Seconds until enough of what was spent has left the window; 0 when there is room."""
        excess = self.used + weight - self.budget.limit
        wait = 0.0
        for spent_at, spent in self._spent:
            if excess <= 0:
                break
            excess -= spent
            wait = spent_at + self.budget.seconds - self._clock.monotonic()
        return wait
