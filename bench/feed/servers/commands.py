"""What the Python servers share: the port is told on stdout, commands come as single bytes on stdin.

A `t` is a tick: send the payload to everyone. An `s` asks ours for its counts. When stdin ends, so does the
server.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path

import uvloop

TICK, STATUS = b"t", b"s"


def asset_ids(many: int) -> list[str]:
    """The assets that ours has prices of."""
    return [f"asset-{n}" for n in range(many)]


def payload() -> bytes:
    return Path(sys.argv[1]).read_bytes()


def tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


async def commands() -> AsyncIterator[bytes]:
    """Each byte of stdin, until its end."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while command := await reader.read(1):
        yield command


def run(server: Coroutine[object, object, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server)
