"""Writes README's settings, docs/sources.md and the options of docs/embedding.md from the code: `make docs`.

Tests hold them to it.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from ticker.clock import SystemClock
from ticker.config import settings
from ticker.market import Market, serving
from ticker.market.market import VENUES as MARKETS
from ticker.model import Pair, Tick
from ticker.poller import Poller
from ticker.settings import Setting
from ticker.sources import VENUES
from ticker.sources.base import Options as SourceOptions
from ticker.sources.base import Venue
from ticker.sources.candles import CANDLES
from ticker.sources.http import new_session
from ticker.sources.streams import STREAMS
from widgets.kinds import KINDS
from widgets.params import Choice, Options, choices

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def table() -> str:
    """Every setting as a Markdown table, one a section; the venues share theirs."""
    first_venue = next(iter(VENUES))
    shown = [s for s in settings() if s.keys[0] != "sources" or s.keys[1] == first_venue]
    return "\n\n".join(_section(title, rows) for title, rows in groupby(shown, _title))


def _title(setting: Setting) -> str:
    *path, _ = setting.keys
    return f"[{'.'.join([path[0], '<venue>'] if path[0] == 'sources' else path)}]"


def _section(title: str, rows: Iterable[Setting]) -> str:
    lines = [f"`{title}`", "", "| key | default | what it does |", "|---|---|---|"]
    lines += [f"| `{s.keys[-1]}` | {_default(s)} | {s.description.rstrip('.')} |" for s in rows]
    return "\n".join(lines)


def _default(setting: Setting) -> str:
    match setting.default:
        case None if setting.keys[0] == "assets" or setting.name in NEEDED:
            return "needed"
        case None | {}:
            return "–"
        case bool():
            return f"`{str(setting.default).lower()}`"
        case str():
            return f'`"{setting.default}"`'
        case tuple():
            return f"`{json.dumps(setting.default)}`"
        case _:
            return f"`{setting.default}`"


def generated(text: str) -> str:
    """README with its generated part made anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


EMBEDDING = Path(__file__).parent / "embedding.md"
OPTIONS_BEGIN, OPTIONS_END = "<!-- options: begin -->", "<!-- options: end -->"


def embedding(text: str) -> str:
    """docs/embedding.md with the tables of kinds and of their options made anew."""
    head, _, rest = text.partition(OPTIONS_BEGIN)
    _, _, tail = rest.partition(OPTIONS_END)
    common = {choice.name for choice in choices(Options)}
    kinds = ["| kind | what it is | its own options |", "|---|---|---|"]
    for kind in KINDS.values():
        own = [choice for choice in choices(kind.options) if choice.name not in common]
        kinds.append(f"| `{kind.name}` | {kind.says.rstrip('.')} | {'; '.join(map(_explained, own))} |")
    options = ["| option | what it says | values | else |", "|---|---|---|---|"]
    for choice in choices(Options):
        values = ", ".join(f"`{value}`" for value in choice.values) or "text"
        default = f"`{choice.default}`" if choice.default else "empty"
        options.append(f"| `{choice.name}` | {choice.says} | {values} | {default} |")
    tables = "\n".join([*kinds, "", "Every kind takes these, too:", "", *options])
    return f"{head}{OPTIONS_BEGIN}\n{tables}\n{OPTIONS_END}{tail}"


def _explained(choice: Choice) -> str:
    values = f" ({', '.join(f'`{value}`' for value in choice.values)})" if choice.values else ""
    return f"`{choice.name}`: {choice.says}{values}{', needed' if choice.required else ''}"


NEEDED = ("json.<name>.url", "json.<name>.price", "keys.<name>.sha256")
SOURCES = Path(__file__).parent / "sources.md"
SOURCES_HEAD = """# Sources

What each venue gives, in the words of its own file in `ticker/sources/`; made by `make docs`, which asks
the embedded market's form of each for Bitcoin and looks at the tick. *Basis* is whence a 24 h change counts:
`rolling`, from 24 hours ago, or `utc_day`, from midnight UTC, which is never shown as 24 h. *Recorded* means
that a real answer of the venue is among those the tests run over, where they are at hand.

A pair is written `venue:symbol` in the venue's own spelling.

| venue | gives | basis | every | limit | stream | past | recorded |
|---|---|---|---|---|---|---|---|
"""
# Venues with a recording of a real answer.
RECORDED = {"binance", "mexc", "okx", "bybit", "kucoin", "gemini", "coingecko"}
GIVES = {
    "change_24h": "change",
    "high_24h": "high, low",
    "volume_24h": "volume",
    "turnover_24h": "turnover",
    "bid": "bid, ask",
    "market_cap": "market cap",
}


def sources() -> str:
    """docs/sources.md, whole."""
    ticks = asyncio.run(_ticks())
    return SOURCES_HEAD + "\n".join(_source(venue, ticks[name]) for name, venue in VENUES.items()) + "\n"


def _source(venue: Venue, tick: Tick) -> str:
    given = [word for field, word in GIVES.items() if getattr(tick, field) is not None]
    gives = ", ".join(["price", *given, *(["time"] if tick.as_of != tick.seen else [])])
    basis = str(tick.change_24h.basis) if tick.change_24h else "none"
    key = ", needs a key" if venue.needs_key else ""
    name = f"[{venue.title}]({venue.docs}) `{venue.name}`{key}"
    limit = f"{venue.budget.limit} in {venue.budget.seconds:g} s"
    rest = (name in mapping for mapping, name in ((STREAMS, venue.name), (CANDLES, venue.name)))
    marks = ["yes" if mark else "–" for mark in (*rest, venue.name in RECORDED)]
    return f"| {name} | {gives} | {basis} | {venue.interval:g} s | {limit} | {' | '.join(marks)} |"


class Behind(SystemClock):
    """A market's clock some seconds behind ours, so that a venue's own time can be told from our own."""

    def now(self) -> int:
        return super().now() - 5_000


async def _ticks() -> dict[str, Tick]:
    """What each venue says of Bitcoin on the embedded market."""
    clock, said = SystemClock(), {}
    async with serving(Market(clock=Behind())) as base, new_session() as http:
        for name, venue in VENUES.items():
            symbol = next(s for s, of in MARKETS[name].listings.items() if of.token.id == "bitcoin")
            pair = Pair(name, symbol, *(venue.currencies(symbol, "BTC") or ("BTC", "USD")))
            options = SourceOptions(
                base_url=f"{base}/{name}", key="demo" if venue.needs_key else None, mode="poll"
            )
            poller = Poller(
                venue, [pair], options, http, clock, random.Random(), lambda _: None, lambda _: None
            )
            [said[name]] = await poller.ask()
    return said


if __name__ == "__main__":
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")
    SOURCES.write_text(sources(), encoding="utf-8")
    EMBEDDING.write_text(embedding(EMBEDDING.read_text(encoding="utf-8")), encoding="utf-8")
