"""`ticker check`: each configured source asked once; what it says, how old, how far apart."""

from __future__ import annotations

import argparse
import asyncio
import random
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from ticker.app import new_book, new_pollers
from ticker.book import QuoteBook
from ticker.change import percent_between, rounded
from ticker.cli import config_file
from ticker.clock import SystemClock
from ticker.config import Config, load
from ticker.errors import SourceError
from ticker.model import Observation, Quote
from ticker.poller import Poller
from ticker.sources.http import new_session
from ticker.windows import Windows
from ticker.wire import plain

# How far a source is from the price, in percent; hundredths hide what is worth seeing.
THOUSANDTH = Decimal("0.001")


def run(options: argparse.Namespace) -> int:
    return asyncio.run(check(load(config_file(options)), Console()))


async def check(config: Config, console: Console) -> int:
    """Ask, and print what was said; 0 when every source answered and every asset has a price."""
    clock = SystemClock()
    assets = config.identified()
    book = new_book(config, assets, clock, "check", Windows())
    async with new_session() as http:
        pollers = new_pollers(config, assets, http, clock, random.Random(), lambda _: None, lambda _: None)
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(_ask(poller, book)) for poller in pollers]
    for poller in pollers:
        console.print(_source_line(poller), highlight=False, soft_wrap=True)
    console.print(_table(book, clock.now()))
    unpriced = [quote.asset for quote in book.quotes() if quote.price is None]
    if unpriced:
        console.print(f"no price: {', '.join(unpriced)}", soft_wrap=True)
    return 0 if all(task.result() for task in asked) and not unpriced else 1


async def _ask(poller: Poller, book: QuoteBook) -> bool:
    """Whether the source answered for every pair."""
    try:
        book.apply(await poller.ask())
    except SourceError:
        return False
    return poller.status.last_error is None


def _source_line(poller: Poller) -> str:
    status = poller.status
    trouble = f": {status.last_error}" if status.last_error else ""
    budget = f"{status.budget.used} of {status.budget.limit} in {status.budget.per_seconds:g} s"
    return f"{status.source} {status.health} · {status.pairs} pairs · budget {budget}{trouble}"


def _table(book: QuoteBook, now: int) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("asset")
    for heading in ("source", "pair"):
        table.add_column(heading)
    for heading in ("price", "24 h", "age", "apart"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for quote in book.quotes():
        for seen in book.observations(quote.asset):
            table.add_row(quote.asset, *_row(quote, seen, now))
    return table


def _row(quote: Quote, seen: Observation, now: int) -> tuple[str, ...]:
    change = "–" if seen.change_24h is None else f"{rounded(seen.change_24h.percent):+}%"
    apart = ""
    if quote.price is not None and quote.currency == seen.currency:
        apart = f"{percent_between(quote.price, seen.price).quantize(THOUSANDTH) + 0:+}%"
    age = f"{max(0, now - seen.as_of) / 1000:.1f} s"
    price = f"{plain(seen.price)} {seen.currency}"
    return seen.source, seen.pair, price, change, age, apart, "" if seen.used else seen.reason or ""
