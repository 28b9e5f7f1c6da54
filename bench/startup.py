"""From process start to the first byte and the first price of the box, and memory when idle with 20 assets.

Beside it, in the same run, the least that could serve a page: an aiohttp application with one handler.
The prices come from the embedded market in a third process, so that its memory isn't counted.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from ticker.config import load

RUNS = 5
IDLE_SECONDS = 10
BARE = """
from aiohttp import web
async def page(request): return web.Response(text="<p>$1</p>", content_type="text/html")
app = web.Application(); app.add_routes([web.get("/", page)])
web.run_app(app, host="127.0.0.1", port={port}, print=None)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(command: Sequence[str], where: Path) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(command, cwd=where, stderr=subprocess.DEVNULL)  # noqa: S603  # our own commands
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(10)


def until(url: str, pattern: str, began: float) -> float:
    """Seconds from `began` until `url` answers with a body that matches."""
    while True:
        try:
            with urllib.request.urlopen(url) as answer:  # noqa: S310  # on loopback
                if re.search(pattern, answer.read().decode()):
                    return time.perf_counter() - began
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.002)


def resident(pid: int) -> float:
    """MiB in memory now (Linux, /proc)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]  # always there


def bare(where: Path) -> tuple[float, float]:
    port, began = free_port(), time.perf_counter()
    with process([sys.executable, "-c", BARE.format(port=port)], where) as started:
        first = until(f"http://127.0.0.1:{port}/", "", began)
        return first, resident(started.pid)


def ours(where: Path, config: Path, idle: float) -> tuple[float, float, float]:
    port, began = free_port(), time.perf_counter()
    listen = ["--config", str(config), "--listen", f"127.0.0.1:{port}"]
    with process([sys.executable, "-m", "ticker", "serve", *listen], where) as started:
        box = f"http://127.0.0.1:{port}/widgets/quote?asset=talus"
        first = until(box, "", began)
        price = until(box, r"\$0\.0\d+", began)
        time.sleep(idle)
        return first, price, resident(started.pid)


def asked() -> set[str]:
    """The venues of the built-in assets."""
    return {pair.venue for asset in load(None, {}).identified() for pair in asset.pairs}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        where, port = Path(folder), free_port()
        config = where / "ticker.toml"
        sources = {f"sources.{venue}": venue for venue in asked()} | {"currency.rates": "frankfurter"}
        config.write_text(
            "\n".join(f'[{s}]\nbase_url = "http://127.0.0.1:{port}/{v}"' for s, v in sources.items()),
            encoding="utf-8",
        )
        with process([sys.executable, "-m", "ticker.market", "--listen", f"127.0.0.1:{port}"], where):
            until(f"http://127.0.0.1:{port}/", "", time.perf_counter())
            pairs = [(bare(where), ours(where, config, 0)) for _ in range(RUNS)]
            *_, memory = ours(where, config, IDLE_SECONDS)
    plain, first, price = (
        median(column) for column in zip(*((b[0], o[0], o[1]) for b, o in pairs), strict=True)
    )
    plain_memory = median(b[1] for b, _ in pairs)
    print(f"{'':34}{'bare aiohttp':>14}{'ticker':>10}{'ratio':>8}")
    print(f"{'start to first byte, ms':34}{plain * 1000:14.0f}{first * 1000:10.0f}{first / plain:8.2f}")
    print(f"{'start to first price, ms':34}{'':14}{price * 1000:10.0f}{price / plain:8.2f}")
    print(f"{'resident, idle, MiB':34}{plain_memory:14.1f}{memory:10.1f}{memory / plain_memory:8.2f}")


if __name__ == "__main__":
    main()
