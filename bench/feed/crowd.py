"""Subscribers: processes of client.c, told what to measure and asked what they saw.

Times are nanoseconds of the monotonic clock, which all processes of a machine share. Refuses to wait for
ever: whoever is silent for too long raises Stalled.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

# One process holds fewer than 20,000 files here, and a second core is all that there is.
PER_PROCESS = 15_000
KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455's own example; the floor's answer is to this one
OPENING_S, SILENCE_S = 150.0, 20.0


class Stalled(Exception):
    """Subscribers that wait for what doesn't come, or that could not be opened."""


def handshake(path: str, *extra: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {KEY}",
        *extra,
    )
    return "\r\n".join((*lines, "\r\n")).encode()


class Greeting(Struct, frozen=True):
    """How one subscribes: handshakes taken in turn, what follows their answer, messages that then come.

    `unit`: bytes of one later message, where several may share a websocket frame; else 0.
    """

    handshakes: Sequence[bytes]
    second: bytes = b""
    messages: int = 0
    unit: int = 0


class Round(Struct, frozen=True, array_like=True):
    """What one tick brought: messages, sockets that got none, and ns from the tick to arrival."""

    messages: int
    bare: int
    p50: int
    p99: int
    last: int


class Window(Struct, frozen=True):
    """What a paced window brought: bytes read, sockets closed since the start, rounds."""

    size: int
    closed: int
    rounds: Sequence[Round]

    @property
    def messages(self) -> int:
        return sum(one.messages for one in self.rounds)


class Clients:
    """One process of subscribers."""

    def __init__(self, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._held = b""

    def tell(self, line: str) -> None:
        os.write(self._in, f"{line}\n".encode())

    def line(self, patience: float = SILENCE_S) -> str:
        """The next line it prints. Stalled after `patience` seconds without one."""
        deadline = time.monotonic() + patience
        while b"\n" not in self._held:
            readable, _, _ = select.select([self._out], [], [], max(0.0, deadline - time.monotonic()))
            got = os.read(self._out, 65536) if readable else b""
            if not got:
                raise Stalled("the clients end" if readable else f"nothing for {patience:.0f} s")
            self._held += got
        line, _, self._held = self._held.partition(b"\n")
        text = line.decode()
        if text.startswith("failed"):
            raise Stalled(text)
        return text

    def window(self, patience: float) -> Window:
        return msgspec.json.decode(self.line(patience), type=Window)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


class Crowd:
    """All subscribers of one server. Opened when made; ended by `close`."""

    def __init__(
        self, program: Path, port: int, many: int, greeting: Greeting, folder: Path, *, small: int = 0
    ) -> None:
        self.many = many
        blobs, second = folder / f"handshakes-{port}", folder / f"second-{port}"
        blobs.write_bytes(b"".join(one + b"\0" for one in greeting.handshakes))
        second.write_bytes(greeting.second)
        self._clients = []
        for first in range(0, many, PER_PROCESS):
            share = min(PER_PROCESS, many - first)
            numbers = (port, share, first, greeting.messages, greeting.unit, small if first == 0 else 0)
            self._clients.append(Clients([str(program), *map(str, numbers), str(blobs), str(second)]))

    def opened(self) -> None:
        """Wait until all are subscribed."""
        for clients in self._clients:
            clients.line(OPENING_S)

    def paced(self, began: int, every: int, rounds: int) -> None:
        """Note what arrives from `began` on, in rounds; `window` tells it afterwards."""
        self.tell(f"paced {began} {every} {rounds}")

    def window(self, seconds: float) -> Window:
        """What the paced window brought, which ends in `seconds`."""
        return joined([clients.window(seconds + SILENCE_S) for clients in self._clients])

    def round(self) -> None:
        """Wait until every socket of the flood has had one message more."""
        for clients in self._clients:
            clients.line()

    def stop(self) -> None:
        """End a flood that is over."""
        self.tell("stop")
        for clients in self._clients:
            while not clients.line().startswith("{"):
                pass

    def count(self) -> dict[str, Any]:
        """What the first process counted: messages, closed, and the small ones' snapshots."""
        self.tell("count")
        counted: list[dict[str, Any]] = [json.loads(clients.line()) for clients in self._clients]
        return counted[0]

    def tell(self, line: str) -> None:
        for clients in self._clients:
            clients.tell(line)

    def close(self) -> None:
        for clients in self._clients:
            clients.close()


def joined(windows: Sequence[Window]) -> Window:
    """Several processes' windows as one; of their percentiles, the worst."""
    rounds = [
        Round(sum(r.messages for r in same), sum(r.bare for r in same), *_worst(same))
        for same in zip(*(window.rounds for window in windows), strict=True)
    ]
    return Window(sum(w.size for w in windows), sum(w.closed for w in windows), rounds)


def _worst(same: Sequence[Round]) -> tuple[int, int, int]:
    return max(r.p50 for r in same), max(r.p99 for r in same), max(r.last for r in same)
