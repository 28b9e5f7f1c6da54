"""The one composition root: every part is made here, given what it needs, started, and ended in order.

async with running(config) as service:
    ...                                  # service.url answers until the block ends
"""

from __future__ import annotations

import asyncio
import logging
import random
import string
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
from msgspec import Struct

from ticker import history
from ticker.backfill import Backfill
from ticker.book import QuoteBook
from ticker.clock import Clock, SystemClock
from ticker.config import Config
from ticker.currency import FiatRates
from ticker.feed import Feed
from ticker.feed.subscriber import Subscriber
from ticker.history import Recorder
from ticker.history.store import Saved, Store
from ticker.hub import Hub
from ticker.model import Asset, Pair, Tick, Update
from ticker.poller import SLICE, Poller, SourceStatus
from ticker.rates import SOURCES as RATE_SOURCES
from ticker.rates import RatePoller, RateStatus
from ticker.sampling import Ages
from ticker.sources.asker import Asked
from ticker.sources.base import Venue
from ticker.sources.http import new_session
from ticker.web import application, serving
from ticker.web.admission import Door
from ticker.web.api import Api
from ticker.web.asyncapi import route as asyncapi_route
from ticker.web.metrics import Metrics
from ticker.web.metrics import route as metrics_route
from ticker.web.openapi import route as openapi_route
from ticker.web.upgrade import routes as feed_routes
from ticker.windows import Windows
from widgets.logos import Logos
from widgets.raster import Raster
from widgets.routes import routes as widget_routes

log = logging.getLogger("ticker")

EPOCH = string.digits + string.ascii_lowercase


class Service(Struct, frozen=True):
    """A running service, for whoever started it. `url` is http://host:port, `metrics_url` the operator's."""

    url: str
    metrics_url: str | None
    book: QuoteBook
    feed: Feed
    recorder: Recorder
    pollers: tuple[Poller, ...]


@asynccontextmanager
async def running(
    config: Config, *, clock: Clock | None = None, rng: random.Random | None = None
) -> AsyncIterator[Service]:
    """The whole service, until the block ends. ConfigError or HistoryError when it can't start."""
    clock, rng = clock or SystemClock(), rng or random.Random()
    async with history.opening(config.history, clock) as store:
        saved = await store.load()
        assets, windows = config.identified(), Windows()
        book = new_book(config, assets, clock, await epoch_of(store, saved, rng), windows)
        restored = book.restore(saved.quotes, saved.seq)
        recorder = Recorder(store, clock, config.history, epoch=book.epoch, saved=saved)
        hub: Hub[Subscriber] = Hub(seq=book.seq, quotes=book.quotes(), view=book.seen_in)
        feed = Feed(book, hub, clock, config.limits, rng)
        door = Door(config.access, config.keys, config.limits, public_url=config.server.public_url)

        for update in restored:
            recorder.record(update.quote)

        def publish(updates: Iterable[Update]) -> None:
            for update in updates:
                feed.publish(update)
                recorder.record(update.quote)

        def take(ticks: Sequence[Tick]) -> None:
            publish(book.apply(ticks))

        def fix(rates: FiatRates) -> None:
            publish(book.fix(rates))

        def tell(status: SourceStatus) -> None:
            feed.tell(status.source, status.health)

        async def age() -> None:
            while True:
                await clock.sleep(1)
                overdue = book.overdue()
                for start in range(0, len(overdue), SLICE):
                    publish(book.expire(overdue[start : start + SLICE]))
                    await clock.sleep(0)

        fonts = [Path(font) for font in config.widgets.fonts]
        async with AsyncExitStack() as last, new_session() as http, Raster(fonts) as raster:
            last.push_async_callback(recorder.end)  # however the block ends
            pollers = new_pollers(config, assets, http, clock, rng, take, tell)
            fiat = new_rates(config, http, clock, rng, fix)

            def statuses() -> list[SourceStatus]:
                return [poller.status for poller in pollers]

            def rate_status() -> RateStatus | None:
                return next((source.status for source in fiat), None)

            routes = [
                *feed_routes(feed, door.caller, door.headers),
                openapi_route(),
                asyncapi_route(),
                *Api(book, recorder, statuses, feed, clock, rate_status).routes(),
                *widget_routes(
                    book,
                    config.server.public_url or door.public_url,
                    clock,
                    door.frames,
                    past=recorder,
                    logos=Logos(Path(config.widgets.logos)),
                    raster=raster,
                ),
            ]
            past = Backfill(
                assets,
                book.currencies,
                pegs=config.currency.pegs,
                measured=config.measured(assets),
                venues=asked(config, pollers) if config.history.backfill else {},
                store=store,
                recorder=recorder,
                windows=windows,
                session=http,
                clock=clock,
                rng=rng,
            )
            parts = [feed.run, feed.prompt, feed.turn, recorder.run, age, past.run]
            parts += [*(poller.run for poller in pollers), *(poller.run for poller in fiat)]
            async with (
                serving(
                    application(routes, door), config.server.listen, reuse_port=config.server.reuse_port
                ) as url,
                measuring(config, Metrics(feed, book, statuses, clock)) as metrics_url,
                asyncio.TaskGroup() as tasks,
            ):
                started = [tasks.create_task(part()) for part in parts]
                try:
                    yield Service(url, metrics_url, book, feed, recorder, pollers)
                finally:
                    if config.server.reuse_port:
                        await url.stop_listening()  # who comes now is another process's
                    await feed.drain(config.server.drain_seconds)
                    for task in started:
                        task.cancel()


@asynccontextmanager
async def measuring(config: Config, metrics: Metrics) -> AsyncIterator[str | None]:
    """The operator's figures on their own address until the block ends, where one is configured."""
    if config.metrics.listen is None:
        yield None
        return
    async with serving(application([metrics_route(metrics)]), config.metrics.listen) as url:
        log.info("metrics at %s/metrics", url)
        yield url


async def epoch_of(store: Store, saved: Saved, rng: random.Random) -> str:
    """The epoch that goes on, where all its seqs are known; else a new one. Kept before any is given out."""
    fresh = "".join(rng.choices(EPOCH, k=6))
    epoch = saved.epoch if saved.ended and saved.epoch else fresh
    await store.save(saved.seq, epoch, (), ())
    return epoch


def asked(config: Config, pollers: Iterable[Poller]) -> dict[str, Asked]:
    """The venues as they are asked for prices, for who asks them for the past too."""
    return {
        poller.venue.name: Asked(poller.venue, config.source(poller.venue.name), poller.allowance)
        for poller in pollers
    }


def new_book(
    config: Config, assets: Sequence[Asset], clock: Clock, epoch: str, windows: Windows
) -> QuoteBook:
    venues = config.venues()
    return QuoteBook(
        assets,
        clock=clock,
        epoch=epoch,
        ages={name: ages(config, venue) for name, venue in venues.items()},
        aggregators=[name for name, venue in venues.items() if venue.aggregator],
        measured=config.measured(assets),
        pegs=config.currency.pegs,
        coins=config.coins(assets),
        windows=windows,
    )


def ages(config: Config, venue: Venue) -> Ages:
    """A price is late after four missed rounds and stale after ten, but never within 30 s and 2 min."""
    interval = config.source(venue.name).interval or venue.interval
    return Ages(delayed=int(max(30, 4 * interval) * 1000), stale=int(max(120, 10 * interval) * 1000))


def new_pollers(
    config: Config,
    assets: Sequence[Asset],
    http: aiohttp.ClientSession,
    clock: Clock,
    rng: random.Random,
    on_ticks: Callable[[Sequence[Tick]], None],
    on_health: Callable[[SourceStatus], None],
) -> tuple[Poller, ...]:
    """One for each venue that is enabled and has pairs."""
    venues = config.venues()
    return tuple(
        Poller(venues[name], pairs, config.source(name), http, clock, rng, on_ticks, on_health)
        for name, pairs in pairs_by_venue(assets).items()
        if config.source(name).enabled
    )


def new_rates(
    config: Config,
    http: aiohttp.ClientSession,
    clock: Clock,
    rng: random.Random,
    on_rates: Callable[[FiatRates], None],
) -> list[RatePoller]:
    """The source of exchange rates; none where they are off."""
    options = config.currency.rates
    source = RATE_SOURCES.get(options.source)
    if source is None:
        return []
    return [RatePoller(source, options, http, clock, rng, on_rates, lambda _: None)]


def pairs_by_venue(assets: Iterable[Asset]) -> Mapping[str, list[Pair]]:
    found: dict[str, list[Pair]] = {}
    for asset in assets:
        for pair in asset.pairs:
            found.setdefault(pair.venue, []).append(pair)
    return found
