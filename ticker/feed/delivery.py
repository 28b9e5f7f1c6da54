"""From the hub to the sockets: shared frames, written in chunks with a yield between, and a wheel of checks.

No session has a task or a timer. What has changed goes out at once where an interval allows it and with the
next beat where it doesn't; whatever else is due is due for a slot of the wheel, and the loop comes by.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterable

from ticker.book import QuoteBook
from ticker.clock import Clock
from ticker.errors import RequestError
from ticker.feed.codes import Code
from ticker.feed.counters import Counters
from ticker.feed.limits import Accounts, Caller, Limits
from ticker.feed.session import Agreement, Session
from ticker.feed.sse import Stream
from ticker.feed.subscriber import Subscriber, fan_out
from ticker.feed.terms import EVERY, Terms
from ticker.hub import Frame, Hub
from ticker.messages import INTERVALS, Goodbye, Heartbeat, Hello, Status, point
from ticker.model import SourceHealth, Update

HEARTBEAT_MS = 15_000
LAG_MS = 30_000
# Each session is checked once a turn of the wheel, and has until the next to answer its ping. In slots this
# short the pings of thousands come a few dozen at a time. Seconds, and so is how far the wheel may be behind.
TURN, SLOT, LATE = 20, 0.1, 1.0
WHEEL = round(TURN / SLOT)
# Sessions written to between two yields to the event loop: some 5 ms of system calls.
CHUNK = 512
# Frames made before the first of them is written: each turn from our code to the kernel's and back costs both
# their caches. With 5,000 cohorts of one reader, 8 took a sixth less CPU than 1 or 128.
BATCH = 8
BEAT_MS = min(INTERVALS)
# A session's life ends within this part of its age, before or after.
SPREAD = 0.2
# Closing all sessions takes this long for each, and no longer in all than the drain's own limit.
EACH_SECONDS = 0.01
# How long closing handshakes may take once the last session has been told to close.
FAREWELL_SECONDS = 1.0
# What an event stream waits before it comes back (ms), and when it has been told to.
RETRY_MS, SOON_MS = (1_000, 5_000), (50, 250)


class Feed:
    """All sessions. `run`, `prompt` and `turn` belong to the composition root; sessions come by `accept`."""

    def __init__(
        self, book: QuoteBook, hub: Hub[Subscriber], clock: Clock, limits: Limits, rng: random.Random
    ) -> None:
        self.book = book
        self.hub = hub
        self.clock = clock
        self.limits = limits
        self.counters = Counters()
        self._rng = rng
        self._accounts = Accounts()
        self._sessions: dict[Subscriber, int] = {}
        self._wheel: list[set[Subscriber]] = [set() for _ in range(WHEEL)]
        self._slots = itertools.cycle(range(WHEEL))
        self._told: dict[str, SourceHealth] = {}
        self._changed = asyncio.Event()
        self._delivering = asyncio.Lock()
        self._draining = False

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def lagging(self) -> int:
        """Sessions that don't keep up now."""
        return sum(session.lagging_since is not None for session in self._sessions)

    @property
    def cohorts(self) -> int:
        """Groups of sessions that share their frames."""
        return self.hub.cohorts

    # Sessions

    def accept(self, terms: Terms, caller: Caller, agreed: Agreement | None) -> Subscriber:
        """A session for a connection that is about to be handed over: a stream's where nothing was agreed.

        RequestError when it may not be: 400, 404, 429 or 503. One that is accepted counts from now on.
        """
        try:
            return self._accept(terms, caller, agreed)
        except RequestError as refusal:
            self.counters.refused[refusal.code] += 1
            raise

    def _accept(self, terms: Terms, caller: Caller, agreed: Agreement | None) -> Subscriber:
        if self._draining:
            raise RequestError("not_ready", "shutting down; come back soon", status=503, Retry_After="5")
        if self.limits.sessions and len(self) >= self.limits.sessions:
            raise RequestError("over_capacity", "full; come back later", status=503, Retry_After="30")
        self.book.require(terms.currency)
        known, rejected = self.known(terms.assets)
        if rejected and not known:
            raise RequestError("unknown_asset", f"no such asset: {', '.join(rejected)}", status=404)
        caller.limits.check_assets(known)
        self._accounts.admit(caller, self.clock.now())
        return Session(self, terms, caller, agreed) if agreed else Stream(self, terms, caller)

    def opened(self, session: Subscriber) -> None:
        slot = next(self._slots)
        self._sessions[session] = slot
        self._wheel[slot].add(session)
        self.counters.opened += 1
        session.key = self.hub.join(session.key, session, self.clock.now())

    def closed(self, session: Subscriber) -> None:
        slot = self._sessions.pop(session)
        self._wheel[slot].discard(session)
        self._accounts.release(session.caller.account)
        self.counters.closes[session.code] += 1
        self.hub.leave(session.key, session)

    def known(self, asked: Iterable[str]) -> tuple[frozenset[str], dict[str, str]]:
        """The assets among those asked for, `*` meaning all, and for each other one the reason against it."""
        asked = tuple(asked)
        every = self.book.assets if EVERY in asked else ()
        rejected = {a: "unknown_asset" for a in asked if a != EVERY and a not in self.book.assets}
        return frozenset(a for a in (*asked, *every) if a in self.book.assets), rejected

    def hello(self, limits: Limits) -> Hello:
        return Hello(
            epoch=self.book.epoch,
            seq=self.book.seq,
            time=self.clock.now(),
            heartbeat_ms=HEARTBEAT_MS,
            limits=limits.hello(),
        )

    def expiry(self) -> float:
        """When a session that begins now has to go, in monotonic seconds: each at a moment of its own."""
        age = self.limits.max_age * self._rng.uniform(1 - SPREAD, 1 + SPREAD)
        return self.clock.monotonic() + age if age else float("inf")

    def retry_ms(self, *, soon: bool = False) -> int:
        return self._rng.randint(*(SOON_MS if soon else RETRY_MS))

    # What there is to tell

    def publish(self, update: Update) -> None:
        """A change of the book, for everyone who subscribed to it."""
        self.hub.publish(update, self.clock.now())
        self._changed.set()

    def tell(self, source: str, health: SourceHealth) -> None:
        """Let every session know that a source's health has changed."""
        self._told[source] = health
        self._changed.set()

    # Delivery

    async def run(self) -> None:
        """Four times a second, what had to wait for its interval, and heartbeats; until cancelled."""
        while True:
            await self.clock.sleep((BEAT_MS - self.clock.now() % BEAT_MS) / 1000)
            async with self._delivering:
                await self._updates()
                await self._heartbeats()

    async def prompt(self) -> None:
        """At once, what need not wait; until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            async with self._delivering:
                await self._updates()
                await self._statuses()

    async def turn(self) -> None:
        """Turn the wheel, slot by slot, until cancelled; a ping does not hold up a price on its way."""
        due = self.clock.monotonic()
        for slot in itertools.cycle(range(WHEEL)):
            async with self._delivering:
                for session in tuple(self._wheel[slot]):
                    self._check(session)
            # What was late is made up for, but not a standstill: a ping needs its time to be answered.
            due = max(due + SLOT, self.clock.monotonic() - LATE)
            if (early := due - self.clock.monotonic()) > 0:
                await self.clock.sleep(early)

    async def drain(self, seconds: float) -> None:
        """Let every session go, each at a moment that it is told first; within `seconds`, sooner for few.

        Until its moment a session gets its updates; nobody new comes in.
        """
        self._draining = True
        leaving = list(self._sessions)
        self._rng.shuffle(leaving)
        # The last ones, too, are to be back elsewhere before the time is over.
        window = max(seconds - FAREWELL_SECONDS, seconds / 2)
        step = min(EACH_SECONDS, window / max(1, len(leaving)))
        began = self.clock.monotonic()
        for place, session in enumerate(leaving, 1):
            # To tell thousands takes a while, in which their moments come nearer.
            left = place * step - (self.clock.monotonic() - began)
            session.tell(self._goodbye(session, "drain", max(0.0, left)))
            if place % CHUNK == 0:
                await self.clock.sleep(0)
        for place, session in enumerate(leaving, 1):
            if (early := began + place * step - self.clock.monotonic()) > 0:
                await self.clock.sleep(early)
            session.close(Code.DRAIN, "drain")
        deadline = self.clock.monotonic() + FAREWELL_SECONDS
        while self._sessions and self.clock.monotonic() < deadline:
            await self.clock.sleep(0.02)
        for session in tuple(self._sessions):
            session.abort()

    async def _updates(self) -> None:
        """Frames of all cohorts that are due, a chunk of writes at a time, whatever they are of."""
        due, room = self.hub.due(self.clock.now()), CHUNK
        while frames := tuple(itertools.islice(due, BATCH)):
            for frame, data in [(frame, self._framed(frame)) for frame in frames]:
                for start in range(0, len(frame.readers), CHUNK):
                    some = frame.readers[start : start + CHUNK]
                    self.counters.wrote(fan_out(some, data, frame.seq), len(some), len(data))
                    room -= len(some)
                    if room <= 0:
                        await self.clock.sleep(0)
                        room = CHUNK
            now = self.clock.now()
            for frame in frames:
                self.counters.latency.observe((now - frame.since) / 1000)

    def _framed(self, frame: Frame[Subscriber]) -> bytes:
        data: bytes = frame.framing.frame(frame.payload, self.book.epoch, frame.seq)
        return data

    async def _heartbeats(self) -> None:
        now = self.clock.now()
        for key, seq, readers in self.hub.silent(now, HEARTBEAT_MS):
            data = key.framing.frame(key.encoding.encode(Heartbeat(seq=seq, time=now)))
            await self._write_all((reader, data) for reader in readers)

    async def _statuses(self) -> None:
        if not self._told:
            return
        told, self._told = self._told, {}
        forms = {(s.key.encoding, s.key.framing) for s in self._sessions}
        framed = {form: form[1].frame(form[0].encode(Status(told))) for form in forms}
        await self._write_all([(s, framed[s.key.encoding, s.key.framing]) for s in self._sessions])

    async def _write_all(self, writes: Iterable[tuple[Subscriber, bytes]]) -> None:
        for place, (session, data) in enumerate(writes, 1):
            if session.lagging_since is None and not session.closing:
                session.write(data)
            if place % CHUNK == 0:
                await self.clock.sleep(0)

    def _check(self, session: Subscriber) -> None:
        """A session's slot of the wheel: still there, still reading, not too old?"""
        lagging = session.lagging_since
        if session.closing:
            session.abort()  # it had a whole turn to finish the closing handshake
        elif lagging is not None:
            if self.clock.now() - lagging > LAG_MS:
                session.close(Code.SLOW_CONSUMER, "too slow")
        elif session.awaiting_pong:
            session.close(Code.PONG_TIMEOUT, "no pong")
        elif self.clock.monotonic() >= session.expires:
            session.tell(self._goodbye(session, "max_age", 0))
            session.close(Code.MAX_AGE, "come back")
        else:
            session.ping()

    def _goodbye(self, session: Subscriber, reason: str, seconds: float) -> Goodbye:
        # What the session holds: the book may be further on, with changes that its interval keeps back.
        resume = point(self.book.epoch, session.seq)
        return Goodbye(reason=reason, reconnect_in_ms=round(seconds * 1000), resume=resume)
