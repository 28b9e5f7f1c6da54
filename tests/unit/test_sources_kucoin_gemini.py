"""KuCoin, Gate, Bitget, Crypto.com, Bitstamp and Gemini: units, basis, odd rows, spellings, errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.conftest import NOW
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol
from ticker.model import Basis, Pair, Tick, Window
from ticker.sources import VENUES
from ticker.sources.base import Outcome, Venue

PAYLOADS = Path(__file__).parents[1] / "payloads"
SEEN = NOW + 1000
NAMES = ("kucoin", "gate", "bitget", "cryptocom", "bitstamp", "gemini")
KUCOIN, GATE, BITGET, CRYPTOCOM, BITSTAMP, GEMINI = (VENUES[name] for name in NAMES)
BITCOIN = {
    "kucoin": ("all_tickers.json", "BTC-USDT"),
    "gate": ("tickers.json", "BTC_USDT"),
    "bitget": ("tickers.json", "BTCUSDT"),
    "cryptocom": ("get_tickers.json", "BTC_USD"),
    "bitstamp": ("ticker.json", "BTC/USD"),
    "gemini": ("ticker_v2.json", "btcusd"),
}
# What each venue's own time comes to, in ms; the others send none.
TIMES = {
    "kucoin": 1_790_000_000_123,
    "bitget": 1_790_000_000_123,
    "cryptocom": 1_790_000_000_123,
    "bitstamp": 1_790_000_000_000,
}
KEYS = (
    *("code", "label", "result", "data", "ticker", "symbol", "symbolName", "pair", "currency_pair", "i"),
    *("time", "ts", "t", "timestamp", "last", "lastPr", "a", "close"),
)


def pairs(venue: Venue, *symbols: str) -> list[Pair]:
    found = [(symbol, venue.currencies(symbol, None) or ("X", "USD")) for symbol in symbols]
    return [Pair(venue.name, symbol, base, quote) for symbol, (base, quote) in found]


def outcomes(venue: Venue, body: bytes, *symbols: str) -> Mapping[str, Outcome]:
    [request] = venue.requests(pairs(venue, *symbols))
    return {pair.symbol: outcome for pair, outcome in venue.read(body, request, SEEN).outcomes.items()}


def payload(venue: Venue, file: str) -> bytes:
    return (PAYLOADS / venue.name / file).read_bytes()


def read(venue: Venue, *symbols: str) -> Mapping[str, Outcome]:
    return outcomes(venue, payload(venue, BITCOIN[venue.name][0]), *symbols)


def tick(venue: Venue, symbol: str) -> Tick:
    outcome = read(venue, symbol)[symbol]
    assert isinstance(outcome, Tick), outcome
    return outcome


def percent(said: Tick) -> Decimal:
    assert said.change_24h is not None
    assert said.change_24h.window is Window.DAY
    assert said.change_24h.basis is Basis.ROLLING
    return said.change_24h.percent


@pytest.mark.parametrize("name", NAMES)
def test_one_and_a_quarter_percent_is_that_in_every_venues_unit(name: str):
    said = tick(VENUES[name], BITCOIN[name][1])
    assert said.price == 101250
    assert percent(said) == Decimal("1.25")
    assert said.note is None
    assert (said.high_24h, said.low_24h) == (101900, 99500 if name == "bitstamp" else Decimal("99500.5"))


@pytest.mark.parametrize("name", NAMES)
def test_a_price_has_the_venues_own_time_where_it_sends_one(name: str):
    said = tick(VENUES[name], BITCOIN[name][1])
    assert (said.as_of, said.seen) == (TIMES.get(name, SEEN), SEEN)


@pytest.mark.parametrize(
    ("name", "bid", "ask"),
    [
        ("kucoin", "101249.9", "101250"),
        ("gate", "101250", "101250.1"),
        ("bitget", "101249.9", "101250"),
        ("cryptocom", "101249.99", "101250.01"),
        ("bitstamp", "101255", "101260"),
        ("gemini", "101249.99", "101250.01"),
    ],
)
def test_bid_and_ask_are_not_mixed_up(name: str, bid: str, ask: str):
    said = tick(VENUES[name], BITCOIN[name][1])
    assert (said.bid, said.ask) == (Decimal(bid), Decimal(ask))


@pytest.mark.parametrize(
    ("name", "turnover"),
    [
        ("kucoin", "211261234.567"),
        ("gate", "211261234.567"),
        ("bitget", "211261234.567"),
        ("cryptocom", "211261234.56"),
        ("bitstamp", "211272419.07"),  # volume times the average price
        ("gemini", None),
    ],
)
def test_turnover_is_in_quote_units(name: str, turnover: str | None):
    assert tick(VENUES[name], BITCOIN[name][1]).turnover_24h == (turnover and Decimal(turnover))


def test_cryptocom_dollars_are_no_turnover_in_tethers():
    said = tick(CRYPTOCOM, "BTC_USDT")
    assert percent(said) == Decimal("-0.5")
    assert said.turnover_24h is None


def test_kucoin_pairs_are_written_as_traders_see_them():
    said = read(KUCOIN, "NEW-USDT", "OLD-USDT")
    assert isinstance(said["NEW-USDT"], Tick)
    assert format(said["NEW-USDT"].price, "f") == "0.00000996"
    assert isinstance(said["OLD-USDT"], UnknownSymbol)


def test_kucoin_nulls_are_unknown_and_a_market_without_a_trade_is_no_tick():
    said = read(KUCOIN, "NEW-USDT", "IDLE-USDT")
    assert isinstance(said["NEW-USDT"], Tick)
    unknown = said["NEW-USDT"]
    assert (unknown.bid, unknown.change_24h, unknown.high_24h, unknown.turnover_24h) == (None,) * 4
    assert str(said["IDLE-USDT"]) == "KuCoin IDLE-USDT: last: expected a number, got null"


def test_kucoin_answer_without_a_time_is_dated_when_it_arrived():
    body = b'{"code":"200000","data":{"ticker":[{"symbolName":"A-USDT","last":"5"}]}}'
    said = outcomes(KUCOIN, body, "A-USDT")["A-USDT"]
    assert isinstance(said, Tick)
    assert said.as_of == SEEN


def test_gate_nan_is_unknown_and_a_zero_last_no_tick():
    said = read(GATE, "TINY_USDT", "HALT_USDT")
    assert isinstance(said["TINY_USDT"], Tick)
    tiny = said["TINY_USDT"]
    assert format(tiny.price, "f") == "0.00000000996"
    assert (tiny.turnover_24h, tiny.bid, tiny.high_24h) == (None,) * 3
    assert percent(tiny) == Decimal("-1.19")
    assert str(said["HALT_USDT"]) == "Gate HALT_USDT: last: expected a price above zero, got 0"


def test_bitget_pair_that_rests_is_dated_when_it_arrived():
    said = tick(BITGET, "RESTUSDT")
    assert (said.as_of, said.bid, said.ask) == (SEEN, None, Decimal("0.6"))
    assert percent(said) == 0


def test_bitget_change_is_counted_from_the_open_and_contradiction_is_noted():
    said = tick(BITGET, "ODDUSDT")
    assert percent(said) == 10
    assert said.note == "venue's own change +20.00 % differs from last/open +10.00 %"


def test_cryptocom_market_without_a_trade_is_no_tick():
    said = read(CRYPTOCOM, "IDLE_USD", "BTC_USD")
    assert str(said["IDLE_USD"]) == "Crypto.com IDLE_USD: a: expected a number, got null"
    assert isinstance(said["BTC_USD"], Tick)


def test_bitstamp_day_open_is_never_the_24_hours_one():
    said = tick(BITSTAMP, "NEW/EUR")
    assert (said.price, said.change_24h, said.turnover_24h) == (Decimal("1.5"), None, None)


def test_gemini_answer_about_another_symbol_is_not_taken():
    said = outcomes(GEMINI, payload(GEMINI, "ticker_v2.json"), "ethusd")["ethusd"]
    assert isinstance(said, UnknownSymbol)


@pytest.mark.parametrize("name", ["gate", "bitget", "cryptocom", "kucoin", "bitstamp"])
def test_many_pairs_are_one_request_for_all(name: str):
    venue = VENUES[name]
    [request] = venue.requests(pairs(venue, *(f"S{n}" for n in range(500))))
    assert (request.query, len(request.pairs)) == ((), 500)


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("kucoin", ()),
        ("gate", (("currency_pair", "BTC_USDT"),)),
        ("bitget", (("symbol", "BTCUSDT"),)),
        ("cryptocom", (("instrument_name", "BTC_USD"),)),
        ("bitstamp", ()),
    ],
)
def test_one_pair_is_asked_for_alone_where_the_venue_can(name: str, query: tuple[tuple[str, str], ...]):
    venue = VENUES[name]
    [request] = venue.requests(pairs(venue, BITCOIN[name][1]))
    assert request.query == query


def test_gemini_is_asked_once_a_pair_and_a_strange_symbol_stays_one_segment():
    requests = GEMINI.requests(pairs(GEMINI, "btcusd", "a/b?c"))
    assert [request.path for request in requests] == ["/v2/ticker/btcusd", "/v2/ticker/a%2Fb%3Fc"]


@pytest.mark.parametrize(
    ("venue", "symbol", "currencies"),
    [
        (KUCOIN, "BTC-USDT", ("BTC", "USDT")),
        (KUCOIN, "BTCUSDT", None),
        (GATE, "US_USDT", ("US", "USDT")),
        (GATE, "_USDT", None),
        (BITGET, "BTCUSDT", ("BTC", "USDT")),
        (BITGET, "BTCXYZ", None),
        (CRYPTOCOM, "BTC_USD", ("BTC", "USD")),
        (CRYPTOCOM, "BTCUSD-PERP", None),
        (BITSTAMP, "BTC/USD", ("BTC", "USD")),
        (BITSTAMP, "BTC/USD-PERP", None),
        (BITSTAMP, "BTC/", None),
        (GEMINI, "btcusd", ("BTC", "USD")),
        (GEMINI, "ETHBTC", ("ETH", "BTC")),
        (GEMINI, "btcgusd", None),
    ],
)
def test_currencies_of_a_spelling(venue: Venue, symbol: str, currencies: tuple[str, str] | None):
    assert venue.currencies(symbol, None) == currencies


def test_gemini_dollar_of_its_own_is_told_by_the_asset():
    assert GEMINI.currencies("btcgusd", "BTC") == ("BTC", "GUSD")


@pytest.mark.parametrize(
    ("venue", "status", "body", "kind"),
    [
        (GATE, 400, payload(GATE, "invalid_pair.json"), UnknownSymbol),
        (GATE, 400, b'{"label":"TOO_MANY_REQUESTS","message":""}', RateLimited),
        (BITGET, 400, payload(BITGET, "unknown_pair.json"), UnknownSymbol),
        (BITGET, 200, payload(BITGET, "unknown_pair.json"), UnknownSymbol),
        (BITGET, 200, b'{"code":"429","msg":"Too Many Requests","data":null}', RateLimited),
        (BITGET, 200, b'{"code":"40725","msg":"service return an error"}', Refused),
        (KUCOIN, 200, b'{"code":"900001","msg":"The symbol does not exist"}', UnknownSymbol),
        (KUCOIN, 200, b'{"code":"429000","msg":"Too Many Requests"}', RateLimited),
        (KUCOIN, 200, b'{"code":"400302","msg":"not in your country"}', Refused),
        (CRYPTOCOM, 400, payload(CRYPTOCOM, "bad_argument.json"), UnknownSymbol),
        (CRYPTOCOM, 200, b'{"id":-1,"code":42901,"message":"Too many"}', RateLimited),
        (CRYPTOCOM, 200, b'{"id":-1,"code":9010001,"message":"SYSTEM_MAINTENANCE"}', Refused),
        (BITSTAMP, 404, b'{"status":"error","reason":"","response_code":"404.002"}', UnknownSymbol),
        (BITSTAMP, 400, payload(BITSTAMP, "rate_limited.json"), RateLimited),
        (GEMINI, 400, payload(GEMINI, "not_a_symbol.json"), UnknownSymbol),
    ],
)
def test_an_error_is_understood_whatever_the_status(
    venue: Venue, status: int, body: bytes, kind: type[SourceError]
):
    assert type(venue.error(status, {}, body)) is kind


@pytest.mark.parametrize("name", NAMES)
def test_a_good_answer_is_no_error(name: str):
    venue = VENUES[name]
    assert venue.error(200, {}, payload(venue, BITCOIN[name][0])) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_server_error_is_left_to_the_shared_layer(name: str):
    for body in (b'{"code":"500000"}', b'{"code":50001}', b'{"label":"SERVER_ERROR"}', b'{"result":"error"}'):
        assert VENUES[name].error(500, {}, body) is None


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("12345", 12.345), ("0", None), ("", None), ("-1", None), ("²", None), ("9" * 7, None)],
)
def test_kucoin_tells_in_milliseconds_when_to_come_back(reset: str, seconds: float | None):
    failure = KUCOIN.error(429, {"gw-ratelimit-reset": reset}, b'{"code":"429000","msg":""}')
    assert isinstance(failure, RateLimited)
    assert failure.retry_after == seconds


@pytest.mark.parametrize("name", NAMES)
@given(
    said=st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(KEYS),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_no_answer_raises_anything_but_a_source_error(name: str, said: object):
    venue, body = VENUES[name], json.dumps(said).encode()
    venue.error(200, {}, body)
    symbol = BITCOIN[name][1]
    try:
        found = outcomes(venue, body, symbol)
    except BadAnswer:
        return
    assert list(found) == [symbol]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("kucoin", "last"),
        ("gate", "last"),
        ("bitget", "lastPr"),
        ("cryptocom", "a"),
        ("bitstamp", "last"),
        ("gemini", "close"),
    ],
)
def test_a_renamed_price_field_is_named(name: str, field: str):
    venue, (file, symbol) = VENUES[name], BITCOIN[name]
    body = payload(venue, file).replace(f'"{field}":'.encode(), b'"price":')
    said = outcomes(venue, body, symbol)[symbol]
    assert isinstance(said, BadAnswer)
    assert str(said) == f"{venue.title} {symbol}: {field}: missing"
