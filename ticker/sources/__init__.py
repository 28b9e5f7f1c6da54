"""The venues we can ask, by the configuration's names. A new venue is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ticker.sources.base import Venue
from ticker.sources.binance import Binance
from ticker.sources.bitget import Bitget
from ticker.sources.bitstamp import Bitstamp
from ticker.sources.bybit import Bybit
from ticker.sources.coinbase import Coinbase
from ticker.sources.coingecko import CoinGecko
from ticker.sources.coinmarketcap import CoinMarketCap
from ticker.sources.coinpaprika import CoinPaprika
from ticker.sources.cryptocom import CryptoCom
from ticker.sources.defillama import DefiLlama
from ticker.sources.gate import Gate
from ticker.sources.gemini import Gemini
from ticker.sources.kraken import Kraken
from ticker.sources.kucoin import KuCoin
from ticker.sources.mexc import Mexc
from ticker.sources.okx import Okx
from ticker.sources.pyth import Pyth

VENUES: Mapping[str, Venue] = MappingProxyType(
    {
        venue.name: venue
        for venue in (
            Binance(),
            Mexc(),
            Coinbase(),
            Kraken(),
            Okx(),
            Bybit(),
            KuCoin(),
            Gate(),
            Bitget(),
            CryptoCom(),
            Bitstamp(),
            Gemini(),
            CoinGecko(),
            CoinPaprika(),
            CoinMarketCap(),
            DefiLlama(),
            Pyth(),
        )
    }
)
