"""`ticker find`: a token looked up by name or symbol, with what to write into the configuration for it.

CoinGecko is asked; where it doesn't answer, what the configuration knows is searched. A symbol that several
tokens share is never resolved: all of them are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from ticker.cli import config_file
from ticker.clock import SystemClock
from ticker.config import Config, load
from ticker.errors import SourceError
from ticker.model import Asset
from ticker.sources import VENUES
from ticker.sources.http import new_session
from ticker.sources.search import Found, search


def run(options: argparse.Namespace) -> int:
    """0 when something was found."""
    return asyncio.run(find(load(config_file(options)), options.text))


async def find(config: Config, text: str) -> int:
    try:
        async with new_session() as http:
            found = await search(http, config.source("coingecko"), SystemClock(), text, VENUES)
    except SourceError as error:
        print(f"ticker: {error}; searching what is configured", file=sys.stderr)
        found = [_known(asset) for asset in config.identified() if _like(asset, text)]
    if not found:
        print(f"nothing found for {text!r}", file=sys.stderr)
        return 1
    print("\n\n".join(described(token) for token in found))
    alike = [token.name for token in found if token.symbol == text.upper()]
    if len(alike) > 1:
        print(f"\n{len(alike)} tokens have the symbol {text.upper()}: {', '.join(alike)}. Choose by name.")
    return 0


def described(token: Found) -> str:
    """The token in a comment, then the lines to paste; without pairs, only what is known."""
    rank = "unranked" if token.rank is None else f"rank {token.rank}"
    head = f"# {token.name} ({token.symbol}), {token.id}, {rank}"
    if not token.pairs:
        return head
    pairs = ", ".join(f'"{pair}"' for pair in token.pairs)
    lines = [
        f"[assets.{token.id}]",
        f'symbol = "{token.symbol}"',
        f'name = "{token.name}"',
        f"pairs = [{pairs}]",
    ]
    return "\n".join([head, *lines])


def _known(asset: Asset) -> Found:
    pairs: Sequence[str] = [pair.ref for pair in asset.pairs]
    return Found(id=asset.id, symbol=asset.symbol, name=asset.name, pairs=tuple(pairs))


def _like(asset: Asset, text: str) -> bool:
    wanted = text.casefold()
    return any(wanted in word.casefold() for word in (asset.id, asset.symbol, asset.name))
