"""`ticker watch`: a live table in the terminal; one line a change where the output isn't a terminal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import time
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ticker.client import FeedClient, connect
from ticker.wire import QuoteObject

REFRESHES = 4
STATE_STYLES = {"live": "green", "delayed": "yellow", "stale": "yellow", "unavailable": "red"}


def run(options: argparse.Namespace) -> int:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch(options.url, options.assets or ["*"], Console()))
    return 0


async def watch(url: str, assets: Sequence[str], console: Console) -> None:
    """Until the server says not to come back (FeedError) or the reader has seen enough (Ctrl-C)."""
    async with connect(url, assets) as feed:
        if not console.is_terminal:
            async for quote in feed:
                print(line(quote), flush=True)
            return
        # Drawn by the clock, not by what comes: ages go on counting when nothing does.
        drawing = Live(
            console=console,
            get_renderable=lambda: table(feed, url, int(time.time() * 1000)),
            refresh_per_second=REFRESHES,
        )
        with drawing:
            async for _ in feed:
                pass


def line(quote: QuoteObject) -> str:
    """One quote as one line of plain text."""
    price = "unavailable" if quote.price is None else f"{quote.price} {quote.currency}"
    change = "" if quote.change_24h is None else f" {signed(quote.change_24h)}%"
    demo = " demo" if quote.demo is True else ""
    return f"{quote.asset} {price}{change} {quote.state}{demo}"


def table(feed: FeedClient, url: str, now: int) -> Table:
    """All quotes as they are; `now` in ms."""
    quotes = list(feed.quotes.values())
    title = Text(url + (" · demo prices" if any(quote.demo is True for quote in quotes) else ""))
    caption = Text(_caption(feed))
    drawn = Table(title=title, caption=caption, title_justify="left", caption_justify="left", box=None)
    drawn.add_column(no_wrap=True)
    drawn.add_column("price", justify="right", no_wrap=True)
    drawn.add_column(no_wrap=True)
    drawn.add_column("24 h", justify="right", no_wrap=True)
    drawn.add_column("state", no_wrap=True)
    for quote in quotes:
        drawn.add_row(*row(quote, now, connected=feed.connected))
    return drawn


def _caption(feed: FeedClient) -> str:
    if not feed.connected:
        return f"not connected: {feed.trouble or 'connecting'}"
    return f"no such asset: {', '.join(feed.rejected)}" if feed.rejected else ""


def row(quote: QuoteObject, now: int, *, connected: bool) -> tuple[Text, ...]:
    change = Text("–") if quote.change_24h is None else _coloured(quote.change_24h)
    return (
        Text.assemble((quote.name, "bold"), f" ({quote.symbol})"),
        Text(quote.price or "–"),
        Text(quote.currency, style="dim"),
        change,
        _state(quote, now, connected=connected),
    )


def signed(percent: str) -> str:
    """The sign is always shown, and minus is a minus."""
    if percent.startswith("-"):
        return percent.replace("-", "−")
    return f"+{percent}" if percent.strip("0.") else percent


def _coloured(percent: str) -> Text:
    up = not percent.startswith("-")
    arrow = ("▲ " if up else "▼ ") if percent.strip("-0.") else ""
    return Text(f"{arrow}{signed(percent)}%", style="green" if up else "red")


def _state(quote: QuoteObject, now: int, *, connected: bool) -> Text:
    state = str(quote.state) if connected else "stale"
    age = "" if quote.as_of is None else f", {max(0, now - quote.as_of) // 1000} s old"
    return Text(f"{state}{age}", style=STATE_STYLES.get(state, ""))
