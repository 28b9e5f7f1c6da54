"""`ticker demo`: the ordinary service, its ordinary sources pointed at the embedded market.

Every quote it leads to says that it is a demo. Nothing is kept on disk.
"""

from __future__ import annotations

import argparse
import logging

from msgspec.structs import replace

from ticker.cli.serve import in_loop, until_signalled
from ticker.clock import SystemClock
from ticker.config import Config, load
from ticker.errors import ConfigError
from ticker.history import Options as HistoryOptions
from ticker.market import Market, serving
from ticker.market.scenarios import SCENARIOS, Scenario
from ticker.rates import Options as RateOptions
from ticker.sources import VENUES
from ticker.sources.base import Options as SourceOptions
from ticker.sources.streams import STREAMS

log = logging.getLogger("ticker")

# Seconds between two looks at an exchange: livelier than a real one would like.
INTERVAL = 2.0


def run(options: argparse.Namespace) -> int:
    config, scenario = load(None, given={"server.listen": options.listen}), None
    if options.scenario is not None:
        scenario = named(options.scenario)
        log.info("scenario: in 20 s %s", scenario.about)
    return in_loop(demo(config, Market(seed=options.seed, clock=SystemClock(), scenario=scenario)))


def streaming(market: str, venue: str) -> str:
    return f"{market.replace('http', 'ws', 1)}/{venue}/stream"


def named(scenario: str) -> Scenario:
    """ConfigError, with a list of them, for a scenario there isn't."""
    if scenario in SCENARIOS:
        return SCENARIOS[scenario]
    listed = "".join(f"\n  {name}: {known.about}" for name, known in SCENARIOS.items())
    raise ConfigError(f"no scenario {scenario!r}; there are{listed}")


async def demo(config: Config, embedded: Market) -> None:
    async with serving(embedded) as market:
        sources = {
            venue.name: SourceOptions(
                base_url=f"{market}/{venue.name}",
                stream_url=streaming(market, venue.name) if venue.name in STREAMS else None,
                interval=None if venue.aggregator else INTERVAL,
            )
            for venue in VENUES.values()
        }
        forgetful = HistoryOptions(path=None)
        currency = replace(config.currency, rates=RateOptions(base_url=f"{market}/frankfurter"))
        await until_signalled(
            replace(config, sources=sources, history=forgetful, currency=currency),
            "demo prices, made up, on",
        )
