"""The venues we can ask, by the configuration's names. A new venue is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ticker.sources.base import Venue
from ticker.sources.binance import Binance
from ticker.sources.coingecko import CoinGecko
from ticker.sources.mexc import Mexc

VENUES: Mapping[str, Venue] = MappingProxyType(
    {venue.name: venue for venue in (Binance(), Mexc(), CoinGecko())}
)
