"""The whole service on up to 10,000 assets, polled each five seconds: CPU, memory, how long its loop is held.

The market is a process of its own. It sends MEXC's list of all tickers with a row for each asset, every
price another one than five seconds before, which is the worst case; the bodies are made beforehand. A probe
in the service wakes every 5 ms and notes how late. Memory for each asset is counted against ten assets.
"""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from aiohttp import web
from msgspec import Struct

from bench.startup import free_port, process, resident, until
from ticker.app import Service, running
from ticker.cli.serve import settle
from ticker.clock import SystemClock
from ticker.config import load
from ticker.market import Market
from ticker.market.mexc import VENUE as MEXC
from ticker.market.server import application

SIZES = (10, 2_000, 10_000)
INTERVAL = 5
WARM_UP, MEASURED = 20, 40
# How often the probe looks, in seconds: what is shorter isn't seen.
LOOK = 0.005
PATH = "/api/v3/ticker/24hr"
# Where a row has its time, until it is sent.
NOW = 10**12
WALKED = ("lastPrice", "bidPrice", "askPrice", "highPrice")


class Figures(Struct):
    """What one run showed. Seconds, MiB, and CPU in percent of one core."""

    start: float
    first: float
    cpu: float
    updates: float
    held: float
    busy: float
    memory: float
    quotes_kib: float
    quotes: float
    quotes_busy: float


# How each is shown: in words, by what it is multiplied, to how many digits after the point.
ROWS = {
    "start": ("CPU until it listens, s", 1, 2),
    "first": ("process start to all prices live, s", 1, 2),
    "cpu": ("CPU, % of one core", 1, 1),
    "updates": ("quotes changed in a second", 1, 0),
    "held": ("event loop held at most, by the clock, ms", 1000, 0),
    "busy": ("the same, CPU of its own thread, ms", 1000, 0),
    "memory": ("resident, MiB", 1, 1),
    "quotes_kib": ("/v1/quotes, KiB", 1, 0),
    "quotes": ("/v1/quotes, ms", 1000, 0),
    "quotes_busy": ("the loop's thread in one go for it, ms", 1000, 0),
}


# The market


def bodies(assets: int) -> list[bytes]:
    """Two lists of `assets` tickers, prices a little apart: the embedded market's under other symbols."""
    market = Market(clock=SystemClock())
    rows: Any = MEXC.routes[PATH](market.view(MEXC), {}).body
    named = [rows[at % len(rows)] | {"symbol": f"T{at}USDT", "closeTime": NOW} for at in range(assets)]
    return [msgspec.json.encode(named), msgspec.json.encode([_risen(row) for row in named])]


def _risen(row: dict[str, Any]) -> dict[str, Any]:
    """The row with one digit more at each price, so that none stays as it was."""
    return row | {name: f"{row[name]}5" for name in WALKED}


def market(port: int, assets: int) -> None:
    """Serves until it is terminated: the tickers at /mexc, the embedded market at /market."""
    clock, alternating = SystemClock(), cycle(bodies(assets))

    async def tickers(_request: web.Request) -> web.Response:
        body = next(alternating).replace(b"%d" % NOW, b"%d" % clock.now())
        response = web.Response(body=body, content_type="application/json")
        response.enable_compression(web.ContentCoding.gzip)
        return response

    app = web.Application()
    app.router.add_get(f"/mexc{PATH}", tickers)
    app.add_subapp("/market", application(Market(clock=clock)))
    web.run_app(app, host="127.0.0.1", port=port, print=None)


def configuration(assets: int, at: int, listen: int, where: Path) -> str:
    """`assets` assets and Tether, their sources the market on port `at`; the history is kept in `where`."""
    base = f"http://127.0.0.1:{at}"
    return "\n".join(
        (
            f'[server]\nlisten = "127.0.0.1:{listen}"',
            f'[history]\npath = "{where / "history.sqlite"}"\nbackfill = false',
            f'[sources.mexc]\nbase_url = "{base}/mexc"\ninterval = {INTERVAL}',
            f'[sources.coingecko]\nbase_url = "{base}/market/coingecko"',
            f'[currency.rates]\nbase_url = "{base}/market/frankfurter"',
            '[assets.tether]\nsymbol = "USDT"\nname = "Tether"\npairs = ["coingecko:tether"]',
            *(
                f'[assets.t{n}]\nsymbol = "T{n}"\nname = "Token {n}"\npairs = ["mexc:T{n}USDT"]'
                for n in range(assets)
            ),
        )
    )


# The service


class Probe:
    """Sleeps and wakes for as long as it runs. Seconds at most, between two wakings:

    `held` by the clock, beyond the sleep: other threads and other processes count too; `busy` is the CPU that
    the loop's own thread spent.
    """

    def __init__(self) -> None:
        self.held = self.busy = 0.0

    async def run(self) -> None:
        while True:
            began, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(LOOK)
            self.held = max(self.held, time.perf_counter() - began - LOOK)
            self.busy = max(self.busy, time.thread_time() - worked)

    def taken(self) -> dict[str, float]:
        """What was longest; what comes is counted anew."""
        said = {"held": self.held, "busy": self.busy}
        self.held = self.busy = 0.0
        return said


def spent() -> float:
    """CPU seconds of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def service(file: Path) -> None:
    """The service with a probe beside it. At each SIGUSR1 it prints what was since the last, as JSON."""
    probe = Probe()
    async with running(load(file)) as started, asyncio.TaskGroup() as tasks:
        settle()
        tasks.create_task(probe.run())
        report = reporting(started, probe)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, report)
        print(json.dumps({"start": spent()}), flush=True)
        await asyncio.get_running_loop().create_future()


def reporting(started: Service, probe: Probe) -> Callable[[], None]:
    before = [time.perf_counter(), spent(), started.book.seq]

    def report() -> None:
        now = [time.perf_counter(), spent(), started.book.seq]
        seconds, cpu, updates = (new - old for new, old in zip(now, before, strict=True))
        before[:] = now
        said = {"cpu": 100 * cpu / seconds, "updates": updates / seconds, **probe.taken()}
        print(json.dumps(said), flush=True)

    return report


# The measurement


def run(assets: int, measured: float) -> Figures:
    """A market, a service on it, and what it costs once it is warm."""
    with tempfile.TemporaryDirectory() as folder:
        where, at, listen = Path(folder), free_port(), free_port()
        file = where / "ticker.toml"
        file.write_text(configuration(assets, at, listen, where), encoding="utf-8")
        us = [sys.executable, "-m", "bench.assets"]
        with process([*us, "market", str(at), str(assets)], Path.cwd()):
            until(f"http://127.0.0.1:{at}/market/", "", time.perf_counter())
            began = time.perf_counter()
            with subprocess.Popen([*us, "service", str(file)], stdout=subprocess.PIPE) as started:  # noqa: S603
                try:
                    return figures(started, f"http://127.0.0.1:{listen}", assets, began, measured)
                finally:
                    started.kill()


def figures(
    started: subprocess.Popen[bytes], url: str, assets: int, began: float, measured: float
) -> Figures:
    assert started.stdout is not None
    start = json.loads(started.stdout.readline())["start"]
    first = until(f"{url}/readyz", rf'"live":{assets + 1}\b', began)
    time.sleep(WARM_UP)
    asked(started)
    time.sleep(measured)
    steady = asked(started)
    memory = resident(started.pid)
    before = time.perf_counter()
    with urllib.request.urlopen(f"{url}/v1/quotes") as answer:  # noqa: S310  # on loopback
        size = len(answer.read())
    quotes = time.perf_counter() - before
    return Figures(
        start=start,
        first=first,
        memory=memory,
        quotes_kib=size / 1024,
        quotes=quotes,
        quotes_busy=asked(started)["busy"],
        **steady,
    )


def asked(started: subprocess.Popen[bytes]) -> dict[str, float]:
    """What the service says of the time since it was last asked."""
    assert started.stdout is not None
    started.send_signal(signal.SIGUSR1)
    said: dict[str, float] = json.loads(started.stdout.readline())
    return said


def main() -> None:
    shown = [run(assets, MEASURED) for assets in SIZES]
    few, *_, many = shown
    each = (many.memory - few.memory) * 1024 / (SIZES[-1] - SIZES[0])
    print(f"every {INTERVAL} s from one venue, {MEASURED} s after {WARM_UP} s to warm up; all prices move")
    print(f"{'':42}" + "".join(f"{f'{assets:,} assets':>16}" for assets in SIZES))
    for field, (label, unit, digits) in ROWS.items():
        cells = (f"{getattr(figures, field) * unit:.{digits}f}" for figures in shown)
        print(f"{label:42}" + "".join(f"{cell:>16}" for cell in cells))
    print(f"{'memory for each asset more, KiB':42}{'':{16 * (len(SIZES) - 1)}}{each:16.1f}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["market", port, assets]:
            market(int(port), int(assets))
        case ["service", file]:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(service(Path(file)))
        case _:
            main()
