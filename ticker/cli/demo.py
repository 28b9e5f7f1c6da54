"""`ticker demo`: the ordinary service, its ordinary sources pointed at the embedded market.

Every quote it leads to says that it is a demo. Nothing is kept on disk.
"""

from __future__ import annotations

import argparse

from msgspec.structs import replace

from ticker.cli.serve import in_loop, until_signalled
from ticker.clock import SystemClock
from ticker.config import Config, load
from ticker.history import Options as HistoryOptions
from ticker.market import Market, serving
from ticker.sources import VENUES
from ticker.sources.base import Options as SourceOptions

# Seconds between two looks at an exchange: livelier than a real one would like.
INTERVAL = 2.0


def run(options: argparse.Namespace) -> int:
    return in_loop(demo(load(None, given={"server.listen": options.listen}), options.seed))


async def demo(config: Config, seed: int) -> None:
    async with serving(Market(seed=seed, clock=SystemClock())) as market:
        sources = {
            venue.name: SourceOptions(
                base_url=f"{market}/{venue.name}", interval=None if venue.aggregator else INTERVAL
            )
            for venue in VENUES.values()
        }
        forgetful = HistoryOptions(path=None)
        await until_signalled(
            replace(config, sources=sources, history=forgetful), "shows demo prices, made up, on"
        )
