"""Coinbase, Kraken, OKX and Bybit: units, basis, odd rows, spellings, errors, recorded answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.unit.conftest import NOW
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.model import Basis, Pair, Tick, Window
from ticker.sources import VENUES
from ticker.sources.base import Outcome, Venue

PAYLOADS = Path(__file__).parents[1] / "payloads"
RECORDINGS = Path(__file__).parents[2].parent / "shared" / "recordings"
recorded_only = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings of real venues are not beside this repository"
)
SEEN = NOW + 1000
STAMP = 1_790_000_000_123
NAMES = ("coinbase", "kraken", "okx", "bybit")
COINBASE, KRAKEN, OKX, BYBIT = (VENUES[name] for name in NAMES)
BITCOIN = {
    "coinbase": ("stats.json", "BTC-USD"),
    "kraken": ("ticker.json", "XBTUSD"),
    "okx": ("tickers.json", "BTC-USDT"),
    "bybit": ("tickers.json", "BTCUSDT"),
}


def pairs(venue: Venue, *symbols: str) -> list[Pair]:
    found = [(symbol, venue.currencies(symbol, None) or ("X", "USD")) for symbol in symbols]
    return [Pair(venue.name, symbol, base, quote) for symbol, (base, quote) in found]


def outcomes(venue: Venue, body: bytes, *symbols: str) -> Mapping[str, Outcome]:
    [request] = venue.requests(pairs(venue, *symbols))
    return {pair.symbol: outcome for pair, outcome in venue.read(body, request, SEEN).outcomes.items()}


def payload(venue: Venue, file: str) -> bytes:
    return (PAYLOADS / venue.name / file).read_bytes()


def tick(venue: Venue, symbol: str, body: bytes | None = None) -> Tick:
    outcome = outcomes(venue, body or payload(venue, BITCOIN[venue.name][0]), symbol)[symbol]
    assert isinstance(outcome, Tick), outcome
    return outcome


def error(venue: Venue, body: object, status: int = 200) -> SourceError | None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return venue.error(status, {}, raw)


@pytest.mark.parametrize("name", NAMES)
def test_bitcoin_reads_the_same_in_every_venues_shape(name: str):
    said = tick(VENUES[name], BITCOIN[name][1])
    assert said.price == 101250
    assert (said.high_24h, said.low_24h) == (Decimal("102500.5"), 99000)
    assert said.change_24h is not None
    assert (said.change_24h.percent, said.change_24h.window) == (Decimal("1.25"), Window.DAY)
    assert said.note is None


def test_only_krakens_change_counts_from_midnight():
    bases = {name: tick(VENUES[name], BITCOIN[name][1]).change_24h for name in NAMES}
    assert {name: change.basis for name, change in bases.items() if change} == {
        "coinbase": Basis.ROLLING,
        "kraken": Basis.UTC_DAY,
        "okx": Basis.ROLLING,
        "bybit": Basis.ROLLING,
    }


def test_the_venues_own_time_is_used_where_it_sends_one():
    times = {name: tick(VENUES[name], BITCOIN[name][1]).as_of for name in NAMES}
    assert times == {"coinbase": SEEN, "kraken": SEEN, "okx": STAMP, "bybit": STAMP}


def test_turnover_is_the_venues_or_unknown_and_only_then_there_is_a_volume():
    turnovers = {name: tick(VENUES[name], BITCOIN[name][1]).turnover_24h for name in NAMES}
    counted = Decimal("1234.5") * 100800
    volumes = {name: tick(VENUES[name], BITCOIN[name][1]).volume_24h for name in NAMES}
    assert volumes == {"coinbase": Decimal("1234.5"), "kraken": None, "okx": None, "bybit": None}
    assert turnovers == {"coinbase": None, "kraken": counted, "okx": counted, "bybit": counted}


@pytest.mark.parametrize("name", ["kraken", "okx", "bybit"])
def test_bid_and_ask_are_not_exchanged(name: str):
    said = tick(VENUES[name], BITCOIN[name][1])
    assert (said.bid, said.ask) == (101250, Decimal("101250.1"))


@pytest.mark.parametrize(
    ("name", "dead", "field"),
    [("kraken", "DEADUSD", "c"), ("okx", "DEAD-USDT", "last"), ("bybit", "DEADUSDT", "lastPrice")],
)
def test_a_dead_pair_costs_itself_alone_and_names_the_field(name: str, dead: str, field: str):
    venue = VENUES[name]
    file, alive = BITCOIN[name]
    said = outcomes(venue, payload(venue, file), alive, dead)
    assert isinstance(said[alive], Tick)
    assert isinstance(said[dead], BadAnswer)
    assert f"{dead}: {field}" in str(said[dead])


@pytest.mark.parametrize(
    ("name", "symbol"), [("kraken", "XDGUSD"), ("okx", "NEW-USDT")], ids=["kraken", "okx"]
)
def test_an_open_of_zero_or_none_is_no_change(name: str, symbol: str):
    said = tick(VENUES[name], symbol)
    assert said.change_24h is None
    assert (said.high_24h, said.low_24h) == (None, None)


def test_bybits_fraction_stands_where_there_is_no_open():
    change = tick(BYBIT, "NEWUSDT").change_24h
    assert change is not None
    assert (change.percent, change.basis) == (25, Basis.ROLLING)


def test_bybits_percent_in_place_of_a_fraction_is_noted():
    said = tick(BYBIT, "ETHUSDT")
    assert said.change_24h is not None
    assert round(said.change_24h.percent, 2) == Decimal("-1.00")
    assert said.note is not None
    assert "differs" in said.note
    assert (said.bid, said.turnover_24h) == (None, None)


@pytest.mark.parametrize("symbol", ["XBTUSDT", "BTC/USDT", "XBT/USDT"])
def test_kraken_finds_a_pair_under_any_of_its_names(symbol: str):
    assert tick(KRAKEN, symbol).price == Decimal("101259.5")


def test_kraken_reads_its_oldest_names_too():
    body = payload(KRAKEN, "oldest_names.json")
    assert tick(KRAKEN, "XBTUSD", body).price == 101250
    assert tick(KRAKEN, "BTC/USD", body).price == 101250
    assert tick(KRAKEN, "ETHXBT", body).price == Decimal("0.0385")


def test_kraken_asks_for_a_hundred_pairs_at_once():
    asked = KRAKEN.requests(pairs(KRAKEN, *(f"T{number}USD" for number in range(150))))
    assert [len(request.pairs) for request in asked] == [100, 50]
    assert asked[1].query[0] == ("pair", ",".join(f"T{number}USD" for number in range(100, 150)))


def test_coinbase_asks_for_each_product():
    asked = COINBASE.requests(pairs(COINBASE, "BTC-USD", "A/B-USD"))
    assert [request.path for request in asked] == ["/products/BTC-USD/stats", "/products/A%2FB-USD/stats"]


@pytest.mark.parametrize(
    ("venue", "symbol", "currencies"),
    [
        (COINBASE, "BTC-USD", ("BTC", "USD")),
        (COINBASE, "USDT-EUR", ("USDT", "EUR")),
        (COINBASE, "BTCUSD", None),
        (KRAKEN, "XBTUSDT", ("BTC", "USDT")),
        (KRAKEN, "BTC/USD", ("BTC", "USD")),
        (KRAKEN, "XDGEUR", ("DOGE", "EUR")),
        (KRAKEN, "XXBTZUSD", ("BTC", "USD")),
        (KRAKEN, "USDTUSD", ("USDT", "USD")),
        (KRAKEN, "/USD", None),
        (KRAKEN, "NOSUCH", None),
        (OKX, "BTC-USDT", ("BTC", "USDT")),
        (OKX, "BTC-USDT-SWAP", None),
        (BYBIT, "BTCUSDT", ("BTC", "USDT")),
        (BYBIT, "BTCXYZ", None),
    ],
)
def test_currencies_are_told_from_the_spelling(venue: Venue, symbol: str, currencies: object):
    assert venue.currencies(symbol, None) == currencies


@pytest.mark.parametrize(
    ("venue", "status", "body", "kind"),
    [
        (COINBASE, 404, payload(COINBASE, "not_found.json"), UnknownSymbol),
        (COINBASE, 404, b"<html>", type(None)),
        (COINBASE, 429, {"message": "Public rate limit exceeded"}, type(None)),
        (KRAKEN, 200, payload(KRAKEN, "unknown_pair.json"), UnknownSymbol),
        (KRAKEN, 200, payload(KRAKEN, "oldest_names.json"), type(None)),
        (KRAKEN, 200, {"error": ["EGeneral:Too many requests"]}, RateLimited),
        (KRAKEN, 200, {"error": ["EService:Busy"]}, Unreachable),
        (KRAKEN, 200, {"error": ["EGeneral:Permission denied"]}, Refused),
        (OKX, 200, payload(OKX, "unknown_instrument.json"), UnknownSymbol),
        (OKX, 200, payload(OKX, "tickers.json"), type(None)),
        (OKX, 429, {"code": "50011", "msg": "Too Many Requests"}, RateLimited),
        (OKX, 200, {"code": "50001", "msg": "Service temporarily unavailable"}, Unreachable),
        (OKX, 200, {"code": "50014", "msg": "Parameter cannot be empty"}, Refused),
        (BYBIT, 200, payload(BYBIT, "unknown_symbol.json"), UnknownSymbol),
        (BYBIT, 200, payload(BYBIT, "tickers.json"), type(None)),
        (BYBIT, 200, {"retCode": 10006, "retMsg": "Too many visits!"}, RateLimited),
        (BYBIT, 200, {"retCode": 10016, "retMsg": "Server error."}, Unreachable),
        (BYBIT, 200, {"retCode": 10001, "retMsg": "Category is invalid"}, Refused),
        (BYBIT, 403, b"<html>blocked for your country</html>", Refused),
    ],
)
def test_the_venues_words_for_an_error(venue: Venue, status: int, body: object, kind: type):
    assert type(error(venue, body, status)) is kind


def test_a_403_of_bybit_is_ten_minutes_of_silence():
    said = error(BYBIT, b"access too frequent", 403)
    assert isinstance(said, RateLimited)
    assert said.retry_after == 600


def recorded(name: str) -> Any:
    entries = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    return next(entry["body"] for entry in entries if (entry["path"] or "").startswith("/"))


@recorded_only
def test_recorded_okx_is_exact():
    said = tick(OKX, "BTC-USDT", json.dumps(recorded("okx")).encode())
    assert (said.price, said.bid, said.ask) == tuple(map(Decimal, ("73384.8", "73384.7", "73384.8")))
    assert said.change_24h is not None
    assert round(said.change_24h.percent, 2) == Decimal("1.69")
    assert said.turnover_24h == Decimal("1519926359.597266598")
    assert said.as_of == 1710328243709


@recorded_only
def test_recorded_bybit_is_exact_and_in_percent():
    said = tick(BYBIT, "BTCUSDT", json.dumps(recorded("bybit")).encode())
    assert (said.price, said.bid, said.ask) == tuple(map(Decimal, ("51444.40", "51444.30", "51444.40")))
    assert said.change_24h is not None
    assert round(said.change_24h.percent, 2) == Decimal("2.59")
    assert said.note is None
    assert said.as_of == 1707905549267


@recorded_only
def test_recorded_errors_of_bybit_mean_wait():
    entries = json.loads((RECORDINGS / "errors.json").read_text("utf-8"))
    said = [entry for entry in entries if entry["upstream"] == "bybit"]
    assert said
    for entry in said:
        body = entry["body"]
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        assert isinstance(error(BYBIT, raw, entry["status"]), RateLimited)
