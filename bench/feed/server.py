"""A server under measurement: its process, how it is told to send, what it uses.

A tick is a byte on the server's stdin, or a request on a connection to it where it is nobody's program to
change. Refuses to measure from inside: CPU and memory are the kernel's count.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from bench.feed.crowd import Greeting
from bench.feed.usage import cpu_seconds, resident_kib

ROOT = Path(__file__).parents[2]
STARTING_S = 20.0


class Failed(Exception):
    """A server that could not be started."""


class Plan(Struct, frozen=True, kw_only=True):
    """How to start a server and subscribe to it. Without `port` it prints its own, as JSON.

    `tick` goes to stdin, or, with `publish`, to a connection to that port after `hello`.
    """

    command: Sequence[str]
    greeting: Greeting
    tick: bytes = b"t"
    port: int = 0
    publish: int = 0
    hello: bytes = b""
    environment: Mapping[str, str] = {}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def connected(port: int) -> socket.socket:
    """A connection to a server that is starting. Failed when it never listens."""
    deadline = time.monotonic() + STARTING_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise Failed(f"nothing listens on port {port}") from None
            time.sleep(0.05)


class Server:
    """A running server. Started when made; ended by `close`."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        self.greeting = plan.greeting
        self._publisher: socket.socket | None = None
        self._log = (folder / "stderr").open("w+", encoding="utf-8", errors="replace")
        self._process = subprocess.Popen(  # noqa: S603  # our own commands
            plan.command,
            cwd=ROOT,
            env={**os.environ, **plan.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        try:
            self.port = plan.port or int(self.said()["port"])
            connected(self.port).close()
        except BaseException:
            self.close()
            raise

    def prepare(self) -> None:
        """Before a window: a publisher's connection of its own, as servers close those that are idle."""
        if self.plan.publish:
            if self._publisher is not None:
                self._publisher.close()
            self._publisher = connected(self.plan.publish)
            self._publisher.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._publisher.sendall(self.plan.hello)

    def tick(self) -> None:
        """Have it send the payload to everyone."""
        if self._publisher is None:
            self.tell(self.plan.tick)
        else:
            self._answers(self._publisher)
            self._publisher.sendall(self.plan.tick)

    def tell(self, command: bytes) -> None:
        assert self._process.stdin is not None
        os.write(self._process.stdin.fileno(), command)

    def said(self) -> dict[str, Any]:
        """The next line that it prints, JSON. Failed when there is none."""
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], STARTING_S)
        line = self._process.stdout.readline() if readable else b""
        if not line:
            raise Failed(self._last_words())
        said: dict[str, Any] = json.loads(line)
        return said

    def cpu(self) -> float:
        """Seconds of user and system time so far, children included."""
        return cpu_seconds(self._process.pid)

    def resident(self) -> int:
        """KiB in memory now, children included."""
        return resident_kib(self._process.pid)

    def close(self) -> None:
        if self._publisher is not None:
            self._publisher.close()
        self._process.terminate()
        try:
            self._process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._log.close()

    def _answers(self, publisher: socket.socket) -> None:
        """Throw away what the publisher was answered, so that it never blocks the server."""
        while select.select([publisher], [], [], 0)[0] and publisher.recv(65536):
            pass

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        return lines[-1] if lines else "it said nothing"


def python(module: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]
