"""The venues that push prices, by the configuration's names. A new stream is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ticker.sources.streams.base import Stream
from ticker.sources.streams.binance import BinanceStream
from ticker.sources.streams.bybit import BybitStream
from ticker.sources.streams.coinbase import CoinbaseStream
from ticker.sources.streams.kraken import KrakenStream
from ticker.sources.streams.okx import OkxStream

STREAMS: Mapping[str, type[Stream]] = MappingProxyType(
    {stream.venue: stream for stream in (BinanceStream, CoinbaseStream, KrakenStream, OkxStream, BybitStream)}
)
