"""Looking a token up by name or symbol at CoinGecko, with the venues that trade it.

https://docs.coingecko.com/reference/search-data and https://docs.coingecko.com/reference/coins-id-tickers.
It says what there is and decides nothing: symbols collide, and which token is meant is the operator's to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from ticker.clock import Clock
from ticker.errors import BadAnswer
from ticker.sources.base import Options, Request
from ticker.sources.coingecko import CoinGecko
from ticker.sources.http import fetch

S = TypeVar("S", bound=Struct)

# CoinGecko's word for a venue, ours, and how that venue joins base and quote.
MARKETS = {
    "binance": ("binance", ""),
    "mxc": ("mexc", ""),
    "gdax": ("coinbase", "-"),
    "kraken": ("kraken", "/"),
    "okex": ("okx", "-"),
    "bybit_spot": ("bybit", ""),
    "kucoin": ("kucoin", "-"),
    "gate": ("gate", "_"),
    "bitget": ("bitget", ""),
    "crypto_com": ("cryptocom", "_"),
    "bitstamp": ("bitstamp", "/"),
    "gemini": ("gemini", ""),
}
QUOTES = ("USD", "USDT", "USDC")
# Tokens of one search whose venues are looked up too, and pairs shown of each.
DETAILED, PAIRS = 3, 5


class Found(Struct, frozen=True, kw_only=True):
    """A token: CoinGecko's id, symbol, name, its rank by market value (None: unranked), and pairs of ours."""

    id: str
    symbol: str
    name: str
    rank: int | None = None
    pairs: tuple[str, ...] = ()


class _Coin(Struct):
    id: str
    symbol: str
    name: str
    market_cap_rank: int | None = None


class _Search(Struct):
    coins: list[_Coin]


class _Market(Struct):
    identifier: str


class _Ticker(Struct):
    base: str
    target: str
    market: _Market


class _Tickers(Struct):
    tickers: list[_Ticker]


async def search(
    session: aiohttp.ClientSession, options: Options, clock: Clock, text: str, venues: Iterable[str]
) -> list[Found]:
    """Tokens named or abbreviated like `text`, best first, with their pairs at `venues`. SourceError."""
    venue, known = CoinGecko(), set(venues)
    answer = await fetch(session, venue, options, Request("/search", (("query", text),), ()), clock)
    coins = _decoded(answer.body, _Search).coins
    found = [
        Found(id=coin.id, symbol=coin.symbol.upper(), name=coin.name, rank=coin.market_cap_rank)
        for coin in coins
    ]
    for at, token in enumerate(found[:DETAILED]):
        about = Request(f"/coins/{token.id}/tickers", (), ())
        answer = await fetch(session, venue, options, about, clock)
        pairs = _pairs(_decoded(answer.body, _Tickers).tickers, known)
        found[at] = msgspec.structs.replace(token, pairs=(*pairs, f"coingecko:{token.id}"))
    return found


def _pairs(tickers: Iterable[_Ticker], known: set[str]) -> list[str]:
    """One pair a venue, in its own spelling, the first of the currencies that convert."""
    best: dict[str, tuple[int, str]] = {}
    for ticker in tickers:
        venue, join = MARKETS.get(ticker.market.identifier, ("", ""))
        if venue in known and ticker.target in QUOTES:
            rank = QUOTES.index(ticker.target)
            spelled = f"{ticker.base}{join}{ticker.target}"
            if venue not in best or rank < best[venue][0]:
                best[venue] = (rank, f"{venue}:{spelled.lower() if venue == 'gemini' else spelled}")
    return [pair for _, pair in best.values()][:PAIRS]


def _decoded(body: bytes, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise BadAnswer(f"CoinGecko's search answered with something else: {error}") from error
