"""`ticker serve`: the service in the foreground until a signal ends it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from collections.abc import Coroutine
from typing import Any

from ticker import __version__
from ticker.app import running
from ticker.cli import config_file
from ticker.config import Config, load

try:
    import uvloop
except ImportError:  # not on this platform: asyncio's own loop does
    uvloop = None  # type: ignore[assignment]

log = logging.getLogger("ticker")


def run(options: argparse.Namespace) -> int:
    file = config_file(options)
    config = load(file, given={"server.listen": options.listen})
    log.info("configuration: %s", file or "built in")
    return in_loop(until_signalled(config, "listening on"))


async def until_signalled(config: Config, how: str) -> None:
    """Run the service until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config) as service:
        venues = ", ".join(poller.venue.title for poller in service.pollers)
        log.info("Ticker %s %s %s", __version__, how, service.url)
        log.info("%d assets from %s", len(service.book.assets), venues)
        await stop.wait()
        log.info("stopping")


def in_loop(main: Coroutine[Any, Any, None]) -> int:
    """Run to the end, on uvloop where it exists."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if uvloop else None) as runner:
        runner.run(main)
    return 0
