"""`python -m ticker.market`: the embedded market alone, for load tests and for a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

from ticker.clock import SystemClock
from ticker.market import Market, serving


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM. Exit status 1 when the address can't be bound, 2 for bad arguments."""
    options = _parser().parse_args(argv)
    host, port = options.listen
    try:
        asyncio.run(_serve(host, port, options.seed))
    except OSError as problem:
        sys.stderr.write(f"ticker.market: {problem}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ticker.market", description="A local market with made-up prices."
    )
    parser.add_argument("--listen", type=_address, default=("127.0.0.1", 8099), metavar="HOST:PORT")
    parser.add_argument(
        "--seed", type=int, default=7, metavar="N", help="the same seed gives the same prices"
    )
    return parser


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


async def _serve(host: str, port: int, seed: int) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serving(Market(seed=seed, clock=SystemClock()), host=host, port=port) as base:
        sys.stdout.write(f"{base}\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
