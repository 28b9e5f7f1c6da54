"""One connection to a venue's stream, kept for as long as it runs: opened, subscribed, read, replaced.

A connection ends by the venue, by our clock or by silence; the next follows after a wait with full jitter.
Of a pair only the latest price between two hand-overs goes on. It asks nothing by HTTP and decides nothing
about health: both are the poller's, which is told.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import CloseCode

from ticker.clock import Clock
from ticker.errors import RateLimited, Refused, SourceError, Unreachable
from ticker.model import Pair, Tick
from ticker.sources.base import Options
from ticker.sources.http import USER_AGENT
from ticker.sources.lapses import Lapses
from ticker.sources.source import RATE_LIMITED_FOR
from ticker.sources.streams.base import Stream

logger = logging.getLogger(__name__)

# Seconds between two hand-overs: four prices a second are more than anybody can read.
HAND_OVER = 0.25
# A frame is a few hundred bytes; nothing we subscribe to comes near this many.
FRAME_LIMIT = 2**20
# Frames waiting to be read before the socket is left to fill up.
QUEUE = 16
BACKOFF_BASE = 1.0
BACKOFF_CEILING = 60.0
REFUSED_CEILING = 600.0
# The venue's ways to say that it only wants us to come again.
PLANNED = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.SERVICE_RESTART)


class Connection:
    """Brings the prices of `pairs`, at most `stream.limit`, from `address`.

    `on_ticks` gets them, synchronously. `on_open` is awaited beside the reading once all is subscribed;
    `on_trouble` is told each time a connection ends that shouldn't have.
    """

    def __init__(
        self,
        stream: type[Stream],
        pairs: Sequence[Pair],
        address: str,
        options: Options,
        clock: Clock,
        rng: random.Random,
        *,
        on_ticks: Callable[[Connection, Sequence[Tick]], None],
        on_open: Callable[[], Awaitable[None]],
        on_trouble: Callable[[SourceError], None],
    ) -> None:
        self.pairs = tuple(pairs)
        self.trouble: SourceError | None = None
        self._lapses = Lapses(f"{stream.title}'s stream")
        self._stream = stream
        self._address = address
        self._timeout = options.timeout
        self._clock = clock
        self._rng = rng
        self._on_ticks = on_ticks
        self._on_open = on_open
        self._on_trouble = on_trouble
        self._failures = 0
        self._brought = False
        self._spoiled = -math.inf
        self._ended: SourceError | None = None
        self._heard = clock.monotonic()
        self._latest: dict[Pair, Tick] = {}
        self._arrived = asyncio.Event()

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields, in the venue's words, that no row of the last hand-over had."""
        return self._lapses.fields

    async def run(self) -> NoReturn:
        """One connection after another until cancelled. A defect of whoever takes the ticks comes out."""
        while True:
            ended = await self._session()
            self._flush()
            if ended is not None:
                self._failures += 1
                self._complain(ended)
                self._on_trouble(ended)
            await self._clock.sleep(self._wait(ended))

    async def _session(self) -> SourceError | None:
        """A connection from its opening to its end; why it ended, None where that was planned."""
        stream, self._ended = self._stream(self.pairs), None
        self._brought = False
        self._heard = self._clock.monotonic()
        try:
            async with self._opening() as socket, asyncio.TaskGroup() as tasks:
                beside = (
                    self._hand_over(stream),
                    self._subscribe(socket, stream),
                    self._ping(socket),
                    self._notice_silence(socket),
                    self._expire(socket),
                )
                running = [tasks.create_task(part) for part in beside]
                broken = await self._read(socket, stream)
                for task in running:
                    task.cancel()
        except (InvalidHandshake, OSError) as failed:
            return self._unopened(failed)
        return self._ended or self._closed(broken)

    def _opening(self) -> connect:
        # Time and life are ours to keep, by our clock: the library's own pings are off.
        return connect(
            self._address,
            open_timeout=self._timeout,
            close_timeout=1,
            ping_interval=None,
            max_size=FRAME_LIMIT,
            max_queue=QUEUE,
            user_agent_header=USER_AGENT,
            proxy=None,
        )

    async def _subscribe(self, socket: ClientConnection, stream: Stream) -> None:
        # That a connection has ended is for the reading to notice, here and below.
        with suppress(ConnectionClosed):
            for text in stream.subscriptions():
                await socket.send(text)
                await self._clock.sleep(stream.pace)
            await self._on_open()

    async def _read(self, socket: ClientConnection, stream: Stream) -> ConnectionClosed:
        """Reads to the end of the connection, and gives what ended it."""
        demo = socket.response is not None and "Ticker-Demo" in socket.response.headers
        while True:
            try:
                frame = await socket.recv(decode=False)
            except ConnectionClosed as broken:
                return broken
            try:
                ticks = stream.read(frame, self._clock.now())
            except SourceError as wrong:
                self._spoiled = self._clock.monotonic()
                self._complain(type(wrong)(f"{stream.title}'s stream: {wrong}"))
                continue
            self._heard = self._clock.monotonic()
            for tick in ticks:
                self._latest[tick.pair] = replace(tick, demo=True) if demo else tick
            if ticks:
                self._arrived.set()

    async def _hand_over(self, stream: Stream) -> NoReturn:
        while True:
            await self._arrived.wait()
            if (absent := stream.absent()) is not None:
                self._lapses.settle(absent)
            self._flush()
            await self._clock.sleep(HAND_OVER)

    def _flush(self) -> None:
        self._arrived.clear()
        if not self._latest:
            return
        latest, self._latest = self._latest, {}
        self._failures, self._brought = 0, True
        clean = self._clock.monotonic() - self._spoiled >= self._stream.silence
        if self.trouble is not None and clean:
            logger.info("%s's stream is back", self._stream.title)
            self.trouble = None
        self._on_ticks(self, list(latest.values()))

    async def _ping(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while self._stream.ping is not None:
                await self._clock.sleep(self._stream.ping_every)
                await socket.send(self._stream.ping)

    async def _notice_silence(self, socket: ClientConnection) -> None:
        """Ends a connection that is open and says nothing, or nothing that can be read."""
        silence = self._stream.silence
        while (left := self._heard + silence - self._clock.monotonic()) > 0:
            await self._clock.sleep(left)
        self._ended = Unreachable(
            f"{self._stream.title}'s stream is open but has said nothing for {silence:g} s"
        )
        await socket.close()

    async def _expire(self, socket: ClientConnection) -> None:
        # Several connections of one start must not all go in the same moment a day later.
        await self._clock.sleep(self._stream.life * self._rng.uniform(0.9, 1))
        await socket.close()

    def _complain(self, trouble: SourceError) -> None:
        """Says so when trouble begins; what follows until its end replaces it unsaid."""
        if self.trouble is None:
            logger.warning("%s", trouble)
        self.trouble = trouble

    def _wait(self, ended: SourceError | None) -> float:
        """Exponential with full jitter: half of those who fall together don't come back together."""
        ceiling = REFUSED_CEILING if isinstance(ended, Refused) else BACKOFF_CEILING
        floor = RATE_LIMITED_FOR if isinstance(ended, RateLimited) else 0.0
        return floor + self._rng.uniform(0, min(ceiling, BACKOFF_BASE * 2 ** min(self._failures, 16)))

    def _closed(self, broken: ConnectionClosed) -> SourceError | None:
        """Why an open connection was ended; None where either side meant to come back together."""
        close = broken.rcvd or broken.sent
        if self._brought and close is not None and close.code in PLANNED:
            return None
        said = f"{close.code} {close.reason}".strip() if close else "without a word"
        return Unreachable(f"{self._stream.title}'s stream was closed ({said[:80]})")

    def _unopened(self, failed: Exception) -> SourceError:
        name = f"{self._stream.title}'s stream"
        check = f"check the network or sources.{self._stream.venue}.stream_url"
        match failed:
            case InvalidStatus():
                return _refusal(name, failed.response.status_code, check)
            case TimeoutError():
                return Unreachable(f"{name} did not open within {self._timeout:g} s; {check}")
            case OSError() if failed.strerror:
                return Unreachable(f"{name} can't be reached ({failed.strerror}); {check}")
        return Unreachable(f"{name} can't be opened ({type(failed).__name__}); {check}")


def _refusal(name: str, status: int, check: str) -> SourceError:
    if status in (418, 429):
        return RateLimited(f"{name}: too many connections ({status}); tried again later")
    if 400 <= status < 500:
        return Refused(f"{name} refuses us ({status}); {check}")
    return Unreachable(f"{name} has trouble of its own ({status}); tried again by itself")
