"""Each venue's declaration over payloads in its own shape: what it asks, and what it makes of the answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol
from ticker.model import Basis, Change, Pair, Tick, Window
from ticker.sources import VENUES
from ticker.sources.base import Options, Outcome, Venue, change_24h
from ticker.sources.mexc import Mexc

PAYLOADS = Path(__file__).parents[1] / "payloads"
SEEN = 1_790_000_001_000
BINANCE, MEXC, COINGECKO = (VENUES[name] for name in ("binance", "mexc", "coingecko"))


def pairs(venue: Venue, *symbols: str) -> list[Pair]:
    return [Pair(venue.name, symbol, "X", "USDT") for symbol in symbols]


def read(venue: Venue, file: str, *symbols: str) -> Mapping[str, Outcome]:
    [request] = venue.requests(pairs(venue, *symbols))
    body = (PAYLOADS / venue.name / file).read_bytes()
    return {pair.symbol: outcome for pair, outcome in venue.read(body, request, SEEN).outcomes.items()}


def tick(outcome: Outcome) -> Tick:
    assert isinstance(outcome, Tick), outcome
    return outcome


def percent(change: Change | None) -> Decimal:
    assert change is not None
    assert change.window is Window.DAY
    assert change.basis is Basis.ROLLING
    return round(change.percent, 2)


@pytest.mark.parametrize("venue", VENUES.values(), ids=list(VENUES))
def test_a_declaration_is_complete_and_keeps_its_own_budget(venue: Venue):
    assert VENUES[venue.name] is venue
    assert venue.docs.startswith("https://")
    assert venue.base_url.startswith("https://")
    many = venue.requests(pairs(venue, *(f"S{n}" for n in range(100))))
    rounds = venue.budget.seconds / venue.interval
    assert sum(request.weight for request in many) * rounds <= venue.budget.limit
    assert venue.requests([]) == []


def test_binance_asks_for_a_batch_in_compact_json():
    [request] = BINANCE.requests(pairs(BINANCE, "BTCUSDT", "ETHUSDT"))
    assert request.path == "/api/v3/ticker/24hr"
    assert request.query == (("symbols", '["BTCUSDT","ETHUSDT"]'),)


@pytest.mark.parametrize(
    ("count", "weights"), [(1, [2]), (20, [2]), (21, [40]), (100, [40]), (101, [40, 2]), (120, [40, 2])]
)
def test_binance_weighs_its_requests_and_keeps_them_below_a_hundred_symbols(count: int, weights: list[int]):
    requests = BINANCE.requests(pairs(BINANCE, *(f"S{n}" for n in range(count))))
    assert [request.weight for request in requests] == weights
    assert sum(len(request.pairs) for request in requests) == count


@pytest.mark.parametrize("count", [121, 3000])
def test_binance_is_asked_for_its_whole_list_where_chunks_weigh_no_less(count: int):
    [request] = BINANCE.requests(pairs(BINANCE, *(f"S{n}" for n in range(count))))
    assert (request.query, request.weight, len(request.pairs)) == ((), 80, count)


def test_binance_batch_comes_out_exact():
    said = read(BINANCE, "ticker_24hr.json", "BTCUSDT", "PEPEUSDT")
    bitcoin, pepe = tick(said["BTCUSDT"]), tick(said["PEPEUSDT"])
    assert bitcoin.price == Decimal("101250.00")
    assert (bitcoin.bid, bitcoin.ask) == (Decimal("101249.99"), Decimal("101250.01"))
    assert (bitcoin.high_24h, bitcoin.low_24h) == (Decimal(101900), Decimal("99500.50"))
    assert (bitcoin.volume_24h, bitcoin.turnover_24h) == (None, Decimal("2112612345.67"))
    assert (bitcoin.as_of, bitcoin.seen) == (1790000000123, SEEN)
    assert percent(bitcoin.change_24h) == Decimal("1.25")
    assert bitcoin.note is None
    assert format(pepe.price, "f") == "0.00000996"
    assert percent(pepe.change_24h) == Decimal("-1.19")
    assert pepe.bid is None


def test_a_halted_market_is_no_tick_and_costs_only_itself():
    said = read(BINANCE, "ticker_24hr.json", "HALTUSDT", "BTCUSDT")
    assert isinstance(said["HALTUSDT"], BadAnswer)
    assert str(said["HALTUSDT"]) == "Binance HALTUSDT: lastPrice: expected a price above zero, got 0.00000000"
    assert isinstance(said["BTCUSDT"], Tick)


def test_mexc_asks_for_one_symbol_alone_and_for_several_at_once():
    [one] = MEXC.requests(pairs(MEXC, "USUSDT"))
    [many] = MEXC.requests(pairs(MEXC, "USUSDT", "BTCUSDT"))
    assert (one.query, one.weight) == ((("symbol", "USUSDT"),), 1)
    assert (many.query, many.weight) == ((), 40)


def test_mexc_percent_is_a_fraction():
    said = tick(read(MEXC, "one.json", "USUSDT")["USUSDT"])
    assert said.price == Decimal("0.01021")
    assert percent(said.change_24h) == Decimal("0.20")  # 0.01021 / 0.01019, which MEXC rounds to 0.0019
    assert said.note is None


def test_mexc_fraction_is_in_percent_where_it_stands_alone():
    [request] = MEXC.requests(pairs(MEXC, "A"))
    body = b'{"symbol":"A","lastPrice":"5","priceChangePercent":"0.0173","openPrice":null}'
    [said] = MEXC.read(body, request, SEEN).outcomes.values()
    assert percent(tick(said).change_24h) == Decimal("1.73")


def test_mexc_list_is_picked_by_symbol_and_strange_rows_cost_only_themselves():
    said = read(MEXC, "ticker_24hr.json", "USUSDT", "BTCUSDT", "ODDUSDT", "NOSUCHUSDT")
    assert tick(said["USUSDT"]).turnover_24h is None
    assert tick(said["BTCUSDT"]).price == 101250
    assert tick(said["BTCUSDT"]).note is None
    assert tick(said["BTCUSDT"]).as_of == 1790000000456
    assert str(said["ODDUSDT"]) == "MEXC ODDUSDT: lastPrice: expected a number, got an object"
    assert isinstance(said["NOSUCHUSDT"], UnknownSymbol)
    assert "mexc:NOSUCHUSDT" in str(said["NOSUCHUSDT"])


def test_coingecko_tiny_numbers_have_no_exponent_when_written_plainly():
    said = tick(read(COINGECKO, "simple_price.json", "tiny-coin")["tiny-coin"])
    assert format(said.price, "f") == "0.00000001234"
    assert said.change_24h is None
    assert said.market_cap is None
    assert said.turnover_24h == Decimal("12.5")


def test_coingecko_takes_seconds_and_percent():
    said = tick(read(COINGECKO, "simple_price.json", "bitcoin")["bitcoin"])
    assert said.price == Decimal("101240.12345678901")
    assert said.as_of == 1790000000000
    assert percent(said.change_24h) == Decimal("1.24")
    assert said.market_cap == Decimal("2024802469135.7802")


def test_coingecko_tells_an_unknown_coin_from_one_without_a_price():
    said = read(COINGECKO, "simple_price.json", "no-such-coin", "listed-coin")
    assert isinstance(said["no-such-coin"], UnknownSymbol)
    assert str(said["listed-coin"]) == "CoinGecko listed-coin: usd: missing"


@pytest.mark.parametrize(
    ("options", "header"),
    [
        (Options(), {}),
        (Options(key="k"), {"x-cg-demo-api-key": "k"}),
        (Options(key="k", base_url="https://pro-api.coingecko.com/api/v3"), {"x-cg-pro-api-key": "k"}),
        (Options(key="k", base_url="https://pro-api.coingecko.com.example/"), {"x-cg-demo-api-key": "k"}),
    ],
)
def test_coingecko_key_goes_into_the_header_of_its_plan(options: Options, header: dict[str, str]):
    assert COINGECKO.headers(options) == header


def test_a_key_brings_its_own_budget():
    assert COINGECKO.budget_for(Options()).limit < COINGECKO.budget_for(Options(key="k")).limit


@pytest.mark.parametrize(
    ("venue", "symbol", "hint", "currencies"),
    [
        (MEXC, "USUSDT", "US", ("US", "USDT")),
        (MEXC, "USUSDT", None, ("US", "USDT")),
        (MEXC, "BTCUSDT", "B", ("BTC", "USDT")),
        (BINANCE, "BTCFDUSD", "btc", ("BTC", "FDUSD")),
        (BINANCE, "ETHBTC", "ETH", ("ETH", "BTC")),
        (BINANCE, "BTCXYZ", "BTC", None),
        (BINANCE, "USDT", None, None),
        (COINGECKO, "bitcoin", "BTC", ("BTC", "USD")),
        (COINGECKO, "official-trump", None, ("OFFICIAL-TRUMP", "USD")),
    ],
)
def test_currencies_of_a_spelling(
    venue: Venue, symbol: str, hint: str | None, currencies: tuple[str, str] | None
):
    assert venue.currencies(symbol, hint) == currencies


def test_two_readings_of_a_symbol_are_settled_by_the_hint_or_not_at_all():
    class Dollars(Mexc):
        quotes = ("USD", "BUSD")

    venue = Dollars()
    assert venue.currencies("BTCBUSD", None) is None
    assert venue.currencies("BTCBUSD", "BTC") == ("BTC", "BUSD")
    assert venue.currencies("BTCBUSD", "BTCB") == ("BTCB", "USD")


@pytest.mark.parametrize(
    ("venue", "status", "body", "kind"),
    [
        (BINANCE, 400, {"code": -1121, "msg": "Invalid symbol."}, UnknownSymbol),
        (
            BINANCE,
            400,
            {"code": -1100, "msg": "Illegal characters found in parameter 'symbols'"},
            UnknownSymbol,
        ),
        (BINANCE, 451, {"code": 0, "msg": "Service unavailable from a restricted location"}, Refused),
        (BINANCE, 400, {"code": -1003, "msg": "Too much request weight used"}, RateLimited),
        (MEXC, 400, {"code": -1121, "msg": "Invalid symbol."}, UnknownSymbol),
    ],
)
def test_venue_errors_have_their_own_kind(venue: Venue, status: int, body: object, kind: type[SourceError]):
    assert type(venue.error(status, {}, json.dumps(body).encode())) is kind


@pytest.mark.parametrize("venue", VENUES.values(), ids=list(VENUES))
@given(
    body=st.one_of(
        st.binary(max_size=64),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["symbol", "lastPrice", "A", "usd", "code"]), inner, max_size=4
                )
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_no_answer_raises_anything_but_a_source_error(venue: Venue, body: bytes):
    venue.error(200, {}, body)
    for symbols in (["A"], ["A", "B"]):
        for request in venue.requests(pairs(venue, *symbols)):
            try:
                outcomes = venue.read(body, request, SEEN).outcomes
            except BadAnswer:
                continue
            assert list(outcomes) == list(request.pairs)


@pytest.mark.parametrize("status", [418, 429])
def test_binance_leaves_a_status_that_says_enough_to_the_shared_layer(status: int):
    assert BINANCE.error(status, {}, b'{"code":-1003,"msg":"Way too much request weight used"}') is None


def test_change_is_counted_from_the_open_and_contradiction_is_noted():
    change, note = change_24h(Decimal("73397.77"), Decimal("72149.26"), Decimal("9.1"))
    assert percent(change) == Decimal("1.73")
    assert note == "venue's own change +9.10 % differs from last/open +1.73 %"


@pytest.mark.parametrize("opened", [None, Decimal(0), Decimal(-1)])
def test_without_an_open_the_venue_is_taken_at_its_word(opened: Decimal | None):
    assert percent(change_24h(Decimal(10), opened, Decimal("2.5"))[0]) == Decimal("2.5")
    assert change_24h(Decimal(10), opened, None) == (None, None)


@given(
    st.decimals("0.000001", "1000000", places=6),
    st.decimals("0.000001", "1000000", places=6),
    st.decimals("-0.5", "0.5", places=4),
)
def test_no_note_within_half_a_point(price: Decimal, opened: Decimal, off: Decimal):
    change, _ = change_24h(price, opened, None)
    assert change is not None
    said = change.percent + off * Decimal("0.99")
    assert change_24h(price, opened, said)[1] is None


def test_a_key_is_never_shown():
    options = Options(key="s3cret", base_url="https://example.com")
    assert "s3cret" not in repr(options) + str(options) + str(options.__rich_repr__())
    assert "example.com" in repr(options)


@pytest.mark.parametrize(
    "base", ["example.com", "ftp://example.com", "https://", "https://host:port", "https://example.com/?a=1"]
)
def test_a_base_address_must_be_one(base: str):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"base_url": base}, Options)


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf")])
def test_an_interval_must_be_a_time(interval: float):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"interval": interval}, Options)


@pytest.mark.parametrize("key", ["", " ", "key\n", "key\r\nHost: example.com", "ключ"])
def test_a_key_must_fit_into_a_header(key: str):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"key": key}, Options)


def test_every_option_is_described():
    for hint in get_type_hints(Options, include_extras=True).values():
        assert any(meta.description for meta in hint.__metadata__)


def test_the_declarations_are_read_without_a_client():
    check = "import sys, ticker.sources; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0  # noqa: S603
