"""Widget HTML from cache, requests a second, beside a bare aiohttp handler that returns the same answer.

Both are asked in turn, over kept connections, by this process; each answers from a process of its own on
the same event loop. Ours is the whole web application over a real book: its door, its errors, its headers.
The ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from statistics import median
from typing import cast

import uvloop
from aiohttp import web

from ticker.book import QuoteBook
from ticker.cli.serve import settle
from ticker.clock import SystemClock
from ticker.model import Asset, Pair, Tick
from ticker.sampling import Ages
from ticker.web import application, serving
from ticker.web.admission import Door
from widgets.routes import routes

CONNECTIONS, SECONDS, ROUNDS = 16, 2.0, 7
PATHS = ("/widgets/quote?asset=talus&form=fragment", "/widgets/quote?asset=talus&theme=dark")
ASK = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip, deflate, br\r\n\r\n"
MINUTES_AHEAD = 3_600_000


class Asking(asyncio.Protocol):
    """One connection that asks the same thing again and again, and counts the whole answers."""

    def __init__(self, ask: bytes) -> None:
        self.ask = ask
        self.answers = 0
        self.length = 0
        self.head = b""
        self._left = 0
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self.ask)

    def data_received(self, data: bytes) -> None:
        if not self._left:
            head, end, rest = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            assert head.startswith(b"HTTP/1.1 200"), head
            length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
            self._head, self.head, self.length, data = b"", head, int(length), rest
            self._left = self.length
        self._left -= len(data)
        if not self._left:
            self.answers += 1
            self._transport.write(self.ask)


async def rate(port: int, path: str, seconds: float) -> tuple[float, Asking]:
    """Answers a second, and who asked for the first of them."""
    loop, ask = asyncio.get_running_loop(), ASK.format(path=path).encode()
    pairs = [await loop.create_connection(lambda: Asking(ask), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    taken = time.perf_counter() - began
    for transport, _ in pairs:
        transport.abort()
    return sum(asking.answers for _, asking in pairs) / taken, pairs[0][1]


def book() -> QuoteBook:
    """One asset with one price, of which the venue says that it is an hour from now: it stays live."""
    clock, pair = SystemClock(), Pair("mexc", "USUSDT", "US", "USD")
    ages = {"mexc": Ages(delayed=MINUTES_AHEAD, stale=MINUTES_AHEAD)}
    made = QuoteBook([Asset("talus", "US", "Talus", (pair,))], clock=clock, epoch="bench0", ages=ages)
    made.apply([Tick(pair=pair, price=Decimal("0.01021"), as_of=clock.now(), seen=clock.now())])
    return made


async def ours() -> None:
    app = application(routes(book(), Door().public_url, SystemClock()), Door())
    async with serving(app, "127.0.0.1:0") as url:
        settle()  # as the command does
        print(url.rpartition(":")[2], flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def bare(length: int, headers: dict[str, str]) -> None:
    body = random.Random(1).randbytes(length)

    async def page(_request: web.Request) -> web.Response:
        return web.Response(body=body, headers=headers)

    runner = web.AppRunner(web.Application(), access_log=None)
    runner.app.add_routes([web.get("/{tail:.*}", page)])
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


@contextmanager
def server(*what: str) -> Iterator[int]:
    """Its port, until the block ends."""
    command = [sys.executable, "-m", "bench.widgets", *what]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:  # noqa: S603
        assert started.stdout is not None
        assert started.stdin is not None
        yield int(started.stdout.readline())
        started.stdin.close()


def own_headers(head: bytes) -> dict[str, str]:
    """What our answer says of itself, but for what aiohttp says by itself."""
    lines = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name: value for name, _, value in lines if name not in ("Content-Length", "Date", "Server")}


async def compare(path: str) -> None:
    with server("ours") as mine:
        _, asked = await rate(mine, path, 0.5)
        with server("bare", str(asked.length), json.dumps(own_headers(asked.head))) as other:
            rounds = [
                ((await rate(mine, path, SECONDS))[0], (await rate(other, path, SECONDS))[0])
                for _ in range(ROUNDS)
            ]
    ratio = median(one / two for one, two in rounds)
    best = [round(median(column)) for column in zip(*rounds, strict=True)]
    print(
        f"{path}: {asked.length} bytes, {best[0]:,} answers a second, bare aiohttp {best[1]:,}: {ratio:.2f}"
    )


def main() -> None:
    for path in PATHS:
        uvloop.run(compare(path))


if __name__ == "__main__":
    if sys.argv[1:2] == ["ours"]:
        uvloop.run(ours())
    elif sys.argv[1:2] == ["bare"]:
        uvloop.run(bare(int(sys.argv[2]), json.loads(sys.argv[3])))
    else:
        main()
