"""A reader of /v1/stream that sees each event's fields (HTML standard, 9.2.6), and how its answer ended.

It believes nothing: a line that is neither a comment nor a known field is a mistake of the server's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from websockets.frames import Opcode

from tests.flows.conftest import Reader, Stand
from tests.flows.contract import check

FIELDS = ("", "id", "retry", "data")


class Events(Reader):
    """A subscriber that only listens. `last` is the id of the last event that had one."""

    last: str | None = None

    async def event(self) -> dict[str, str]:
        """The fields of the next event; a comment's is the empty one."""
        async with asyncio.timeout(5):
            lines = (await self.reader.readuntil(b"\n\n")).decode().removesuffix("\n\n").split("\n")
        fields = {}
        for line in lines:
            name, colon, value = line.partition(":")
            assert colon, line
            assert name in FIELDS, line
            assert name not in fields, lines
            fields[name] = value.removeprefix(" ")
        return fields

    async def next(self) -> tuple[dict[str, str], dict[str, Any]]:
        """The next event that carries a message, and that message, which is as documented."""
        while "data" not in (fields := await self.event()):
            pass
        said: dict[str, Any] = json.loads(fields["data"])
        check(said, narrowed=self.narrowed)
        self.last = fields.get("id", self.last)
        return fields, said

    async def message(self, kind: str | None = None) -> dict[str, Any]:
        while True:
            _, said = await self.next()
            if kind in (None, said["type"]):
                return said

    async def until_event(self, wanted: Callable[[dict[str, str]], bool]) -> dict[str, str]:
        while not wanted(fields := await self.event()):
            pass
        return fields

    def put(self, opcode: Opcode, payload: bytes = b"", *, fin: bool = True) -> None:
        """A listener says nothing."""

    async def ended(self) -> bytes:
        """What was still to come before the server ended the connection."""
        async with asyncio.timeout(5):
            return await self.reader.read()

    async def leave(self) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


@asynccontextmanager
async def streaming(
    url: str, query: str = "", *behind: bytes, request: str = "GET {} HTTP/1.1", **headers: str
) -> AsyncIterator[Events]:
    """A listener at `url`; `behind` goes out in the same segment as the request."""
    address = urlsplit(url)
    lines = {"Host": address.netloc, **{k.replace("_", "-"): v for k, v in headers.items()}}
    head = request.format(f"/v1/stream?{query}") + "\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
    stream, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 24)
    reader = Events(stream, writer, "")
    reader.narrowed = "fields=" in query
    try:
        writer.write(head.encode() + b"\r\n" + b"".join(behind))
        async with asyncio.timeout(5):
            reader.head = (await stream.readuntil(b"\r\n\r\n")).decode()
        yield reader
    finally:
        await reader.leave()


def listening(stand: Stand, query: str = "", *behind: bytes, **given: str) -> Any:
    return streaming(stand.service.url, query, *behind, **given)


async def gone(stand: Stand, left: int = 0) -> None:
    """Every subscriber but `left` has been noticed to be gone."""
    async with asyncio.timeout(5):
        while len(stand.service.feed) > left:  # noqa: ASYNC110  # nobody tells when the last has gone
            await asyncio.sleep(0.01)
