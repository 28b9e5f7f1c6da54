"""From the hub to the sockets: one loop for all sessions, chunks with a yield between, a wheel of pings.

No session has a task or a timer. Whatever is due is due for a slot of the wheel, and the loop comes by.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence

from ticker.book import QuoteBook
from ticker.clock import Clock
from ticker.errors import RequestError
from ticker.feed.limits import Addresses, Limits
from ticker.feed.session import DRAIN, PONG_TIMEOUT, SLOW_CONSUMER, Session, framed
from ticker.feed.terms import EVERY, Terms
from ticker.hub import Hub
from ticker.model import SourceHealth
from ticker.wire import INTERVALS, Goodbye, Heartbeat, Hello, Status, encode

HEARTBEAT_MS = 15_000
LAG_MS = 30_000
# Slots of one second: each session is pinged once a turn, and has until the next turn to answer.
WHEEL = 20
# Sessions written to between two yields to the event loop: some 5 ms of system calls.
CHUNK = 512


class Feed:
    """All sessions. `run()` belongs to the composition root; sessions come in through `accept`."""

    def __init__(
        self, book: QuoteBook, hub: Hub[Session], clock: Clock, limits: Limits, rng: random.Random
    ) -> None:
        self.book = book
        self.hub = hub
        self.clock = clock
        self.limits = limits
        self.skipped = 0
        self._rng = rng
        self._addresses = Addresses(limits)
        self._sessions: dict[Session, int] = {}
        self._wheel: list[set[Session]] = [set() for _ in range(WHEEL)]
        self._slots = itertools.cycle(range(WHEEL))
        self._told: dict[str, SourceHealth] = {}
        self._draining = False

    def __len__(self) -> int:
        return len(self._sessions)

    # Sessions

    def accept(self, terms: Terms, address: str) -> Session:
        """A session for an upgraded connection. RequestError when it may not be: 404, 429 or 503."""
        if self._draining:
            raise RequestError("not_ready", "shutting down; come back in a few seconds", status=503)
        self.book.require(terms.currency)
        known, rejected = self.known(terms.assets)
        if rejected and not known:
            raise RequestError("unknown_asset", f"no such asset: {', '.join(rejected)}", status=404)
        self.limit(known)
        return Session(self, terms, self._addresses.admit(address, self.clock.now()))

    def opened(self, session: Session) -> None:
        slot = next(self._slots)
        self._sessions[session] = slot
        self._wheel[slot].add(session)
        self.hub.join(session.key, session, self.clock.now())

    def closed(self, session: Session) -> None:
        slot = self._sessions.pop(session)
        self._wheel[slot].discard(session)
        self._addresses.release(session.address)
        self.hub.leave(session.key, session)

    def known(self, asked: Iterable[str]) -> tuple[frozenset[str], dict[str, str]]:
        """The assets among those asked for, `*` meaning all, and for each other one the reason against it."""
        asked = tuple(asked)
        every = self.book.assets if EVERY in asked else ()
        rejected = {a: "unknown_asset" for a in asked if a != EVERY and a not in self.book.assets}
        return frozenset(a for a in (*asked, *every) if a in self.book.assets), rejected

    def limit(self, assets: Iterable[str]) -> None:
        """RequestError too_many_assets for a set larger than a session may hold."""
        cap = self.limits.assets_per_session
        if cap and len(frozenset(assets)) > cap:
            raise RequestError("too_many_assets", f"a session holds at most {cap} assets", status=400)

    def hello(self) -> Hello:
        return Hello(
            epoch=self.book.epoch,
            seq=self.book.seq,
            time=self.clock.now(),
            heartbeat_ms=HEARTBEAT_MS,
            limits=self.limits.hello(),
        )

    def tell(self, source: str, health: SourceHealth) -> None:
        """Let every session know that a source's health has changed."""
        self._told[source] = health

    # Delivery

    async def run(self) -> None:
        """Send what is due, four times a second, until cancelled."""
        beat = min(INTERVALS)
        while True:
            now = self.clock.now()
            await self._updates(now)
            await self._heartbeats(now)
            await self._statuses()
            await self.clock.sleep((beat - self.clock.now() % beat) / 1000)

    async def turn(self) -> None:
        """Turn the wheel, a slot a second, until cancelled."""
        for slot in itertools.cycle(range(WHEEL)):
            for session in tuple(self._wheel[slot]):
                self._check(session)
            await self.clock.sleep(1)

    async def drain(self, seconds: float) -> None:
        """Tell every session when to come back, each its own moment; abort those that don't close in time."""
        self._draining = True
        for session in tuple(self._sessions):
            session.close(DRAIN, "drain", framed(self._goodbye()))
        deadline = self.clock.monotonic() + seconds
        while self._sessions and self.clock.monotonic() < deadline:
            await self.clock.sleep(0.02)
        for session in tuple(self._sessions):
            session.abort()

    async def _updates(self, now: int) -> None:
        for frame in self.hub.due(now):
            await self._deliver(framed(frame.payload), frame.seq, frame.readers)

    async def _heartbeats(self, now: int) -> None:
        for seq, readers in self.hub.silent(now, HEARTBEAT_MS):
            await self._deliver(framed(encode(Heartbeat(seq=seq, time=now))), None, readers)

    async def _statuses(self) -> None:
        if self._told:
            told, self._told = self._told, {}
            await self._deliver(framed(encode(Status(told))), None, tuple(self._sessions))

    async def _deliver(self, data: bytes, seq: int | None, readers: Sequence[Session]) -> None:
        for start in range(0, len(readers), CHUNK):
            for session in readers[start : start + CHUNK]:
                if not session.deliver(data, seq):
                    self.skipped += 1
            await self.clock.sleep(0)

    def _check(self, session: Session) -> None:
        """A session's second of the wheel: still there, still reading?"""
        lagging = session.lagging_since
        if session.closing:
            session.abort()  # it had a whole turn to finish the closing handshake
        elif lagging is not None and self.clock.now() - lagging > LAG_MS:
            session.close(SLOW_CONSUMER, "too slow")
        elif session.awaiting_pong and lagging is None:
            session.close(PONG_TIMEOUT, "no pong")
        elif lagging is None:
            session.ping()

    def _goodbye(self) -> bytes:
        return encode(
            Goodbye(
                reason="drain",
                reconnect_in_ms=self._rng.randint(1_000, 10_000),
                resume=f"{self.book.epoch}:{self.book.seq}",
            )
        )
