"""CPU of the server for each frame it delivers, beside websockets' own broadcast in the same run.

Two server processes in turn, the same clients, the same bytes: ours sends one shared frame a cohort straight
to the transports, the other calls `websockets.broadcast`. Clients read raw sockets in a process of their own.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast
from websockets.asyncio.server import serve as serve_websockets

from ticker.book import QuoteBook
from ticker.clock import SystemClock
from ticker.feed import Feed, Limits
from ticker.feed.session import Session
from ticker.hub import Hub
from ticker.model import Asset, Pair, Tick
from ticker.sampling import Ages
from ticker.web import application, serving
from ticker.web.upgrade import route
from ticker.wire import piece, update_frame

SUBSCRIBERS = 1000
FRAMES = 40
PAIR = Pair("mexc", "USUSDT", "US", "USD")
ASSET = Asset("talus", "US", "Talus", (PAIR,))


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def new_book(clock: SystemClock) -> QuoteBook:
    return QuoteBook([ASSET], clock=clock, epoch="bench", ages={"mexc": Ages()})


def tick(at: int, step: int) -> Tick:
    return Tick(pair=PAIR, price=Decimal("0.01021") + Decimal(step) / 100_000, as_of=at, seen=at)


async def ours(ready: Callable[[str], Awaitable[None]]) -> None:
    """The feed itself: an update of the book, the hub's frame, the feed's delivery."""
    clock = SystemClock()
    book, hub = new_book(clock), Hub[Session]()
    limits = Limits(sessions_per_address=0, handshakes_per_minute=0)
    feed = Feed(book, hub, clock, limits, random.Random(1))
    async with serving(application([route(feed)]), "127.0.0.1:0") as url:
        await ready(url.replace("http", "ws") + "/v1/feed?assets=talus&interval=250")
        while len(feed) < SUBSCRIBERS:
            await asyncio.sleep(0.05)
        delivery = asyncio.gather(feed.run())

        def send(step: int) -> None:
            for update in book.apply([tick(clock.now(), step)]):
                hub.publish(update)

        await measured(send)
        delivery.cancel()


async def theirs(ready: Callable[[str], Awaitable[None]]) -> None:
    """The same payload through websockets' server and its broadcast."""
    clock = SystemClock()
    book = new_book(clock)
    connections: set[ServerConnection] = set()

    async def hold(connection: ServerConnection) -> None:
        connections.add(connection)
        await connection.wait_closed()

    def send(step: int) -> None:
        for update in book.apply([tick(clock.now(), step)]):
            frame = update_frame([piece(update.quote)], seq=step + 1, prev=step, time=clock.now())
            broadcast(connections, frame.decode())

    async with serve_websockets(hold, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        await ready(f"ws://127.0.0.1:{port}/")
        while len(connections) < SUBSCRIBERS:
            await asyncio.sleep(0.05)
        await measured(send)


async def measured(send: Callable[[int], object]) -> None:
    """CPU while a frame goes to every subscriber, FRAMES times, four a second; printed for the parent."""
    await asyncio.sleep(1)
    before = cpu()
    for step in range(FRAMES):
        send(step)
        await asyncio.sleep(0.25)
    print(json.dumps({"us": (cpu() - before) / (FRAMES * SUBSCRIBERS) * 1e6}), flush=True)


CLIENTS = """
import socket, sys, time, selectors
from urllib.parse import urlsplit
url = urlsplit(sys.argv[1]); many = int(sys.argv[2]); path = url.path + ("?" + url.query if url.query else "")
head = (f"GET {path} HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
        "Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n").encode()
waiting = selectors.DefaultSelector()
for _ in range(many):
    s = socket.create_connection((url.hostname, url.port)); s.sendall(head); s.setblocking(False)
    waiting.register(s, selectors.EVENT_READ)
while True:
    for key, _ in waiting.select():
        if not key.fileobj.recv(65536): sys.exit()
"""


async def run(which: str) -> None:
    started: list[subprocess.Popen[bytes]] = []

    async def ready(url: str) -> None:
        command = [sys.executable, "-c", CLIENTS, url, str(SUBSCRIBERS)]
        started.append(subprocess.Popen(command))  # noqa: ASYNC220, S603  # starting it is all

    try:
        await {"ours": ours, "theirs": theirs}[which](ready)
    finally:
        for clients in started:
            clients.kill()
            clients.wait()


def figure(which: str) -> float:
    command = [sys.executable, "-m", "bench.fanout", which]
    printed = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603
    us: float = json.loads(printed.stdout.splitlines()[-1])["us"]
    return us


def main() -> None:
    """Ours and theirs in turn, twice, so that a machine that slows down slows both."""
    began = time.perf_counter()
    rounds = [(figure("theirs"), figure("ours")) for _ in range(2)]
    theirs, ours = (min(column) for column in zip(*rounds, strict=True))
    print(f"{SUBSCRIBERS} subscribers, {FRAMES} frames, {time.perf_counter() - began:.0f} s")
    print(f"{'':34}{'broadcast':>14}{'ticker':>10}{'ratio':>8}")
    print(f"{'CPU per delivered frame, us':34}{theirs:14.1f}{ours:10.1f}{ours / theirs:8.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(sys.argv[1]))
    else:
        main()
