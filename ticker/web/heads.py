"""Connections on which a request's head doesn't end: closed in time, with one timer for all of them.

aiohttp's own timer runs from the end of one answer to the next head, and is as long as a proxy may keep an
idle connection. Here the shorter time is kept, which starts with a connection and with a head's first byte.
"""

from __future__ import annotations

import asyncio
from collections import deque

from aiohttp import web
from aiohttp.http import HttpProcessingError

from ticker.web.access import failure

# Seconds a head may take. No setting: whoever needs longer for some hundred bytes has lost the connection.
HEAD_SECONDS = 10.0
# Seconds a connection may be idle between requests: longer than proxies keep theirs, which is often a minute.
IDLE_SECONDS = 75.0
TURNS = 10


class Heads:
    """Connections that owe us a head, by age. Each is closed after `seconds`, or up to a tenth later."""

    def __init__(self, seconds: float = HEAD_SECONDS) -> None:
        self._every = seconds / TURNS
        # One more than turns: a connection that comes just before a turn has its whole time, too.
        self._wheel: deque[set[Visitor]] = deque(set() for _ in range(TURNS + 1))
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(self._every, self._turn)

    def __len__(self) -> int:
        return sum(map(len, self._wheel))

    def newest(self) -> set[Visitor]:
        """Where a connection waits that begins now."""
        return self._wheel[-1]

    def stop(self) -> None:
        self._timer.cancel()

    def _turn(self) -> None:
        self._timer = self._loop.call_later(self._every, self._turn)
        late = self._wheel.popleft()
        self._wheel.append(set())
        for visitor in tuple(late):
            visitor.give_up()


class Visitor(web.RequestHandler):
    """aiohttp's connection, which tells `heads` when it begins to wait for a head and when it has one."""

    __slots__ = ("_ahead", "_answering", "_heads", "_waits_in")

    def __init__(self, server: web.Server, heads: Heads) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=IDLE_SECONDS,
            access_log=None,  # type: ignore[arg-type]  # it takes none; an address may hold a key
            auto_decompress=False,  # nobody here reads a body
        )
        self._heads = heads
        self._waits_in: set[Visitor] | None = None
        self._answering = False
        self._ahead = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._answering:
            self._ahead = True
        elif self._waits_in is None and not self._messages:  # else a whole head has come with it
            self._wait()

    def arrived(self) -> None:
        """A head is whole and its request is being answered."""
        self._answering = True
        if self._waits_in is not None:
            self._stop_waiting()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; then the next head is waited for, if any of it came meanwhile."""
        sent = await super().finish_response(request, resp, start_time)
        self._answering = False
        if self._ahead and self.connected:
            self._wait()
        self._ahead = False
        return sent

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def give_up(self) -> None:
        self._stop_waiting()
        if self.transport is not None:
            self.transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What isn't HTTP is its sender's mistake: no trace in the log, where its bytes could hold a key."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        response = failure("bad_request", "this is no HTTP request that can be read", status)
        response.force_close()
        return response

    def _wait(self) -> None:
        self._stop_waiting()
        self._waits_in = self._heads.newest()
        self._waits_in.add(self)

    def _stop_waiting(self) -> None:
        if self._waits_in is not None:
            self._waits_in.discard(self)
            self._waits_in = None
