"""`ticker serve`: the service in the foreground until a signal ends it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
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

try:
    import resource
except ImportError:  # not on this platform, which has no such limit
    resource = None  # type: ignore[assignment]

log = logging.getLogger("ticker")


def run(options: argparse.Namespace) -> int:
    file = config_file(options)
    config = load(file, given={"server.listen": options.listen})
    log.info("configuration: %s", file or "built in")
    allow_files()
    return in_loop(until_signalled(config, "listening on"))


async def until_signalled(config: Config, how: str) -> None:
    """Run the service until SIGTERM or SIGINT; a second one doesn't wait until everybody has been let go."""
    stop = asyncio.Event()
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    async with running(config) as service:
        venues = ", ".join(poller.venue.title for poller in service.pollers)
        log.info("Ticker %s %s %s", __version__, how, service.url)
        log.info("%d assets from %s", len(service.book.assets), venues)
        settle()
        await stop.wait()
        log.info("stopping")


def settle() -> None:
    """Let the garbage collector look seldom, and never at what is there now.

    Nearly all that the service makes is freed by its last reference. At the default thresholds a full look at
    thousands of sessions or assets holds the event loop for a fifth of a second, again and again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 4, 100)


def allow_files() -> None:
    """Each subscriber is an open file: take as many as the system lets this process have."""
    if resource is not None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(ValueError, OSError):  # some systems name a limit that they don't grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        log.debug("open files: at most %d", resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def in_loop(main: Coroutine[Any, Any, None]) -> int:
    """Run to the end, on uvloop where it exists."""
    factory = uvloop.new_event_loop if uvloop else None
    with contextlib.suppress(asyncio.CancelledError), asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)
    return 0
