"""CoinPaprika, CoinMarketCap, DefiLlama, Pyth, CoinGecko's keys: units, times, odd rows, errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.model import Basis, Change, Pair, Tick, Window
from ticker.sources import VENUES
from ticker.sources.base import Options, Outcome, Venue
from ticker.sources.moment import ms

PAYLOADS = Path(__file__).parents[1] / "payloads"
RECORDINGS = Path(__file__).parents[2].parent / "shared" / "recordings"
SEEN = 1_790_000_001_000
PAPRIKA, MARKETCAP, LLAMA, PYTH, GECKO = (
    VENUES[name] for name in ("coinpaprika", "coinmarketcap", "defillama", "pyth", "coingecko")
)
NEW = (PAPRIKA, MARKETCAP, LLAMA, PYTH)
BITCOIN = "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"
PRO = "https://pro-api.coingecko.com/api/v3"


def feed(end: str) -> str:
    return end.rjust(64, "0")


def pairs(venue: Venue, *symbols: str) -> list[Pair]:
    return [Pair(venue.name, symbol, "X", "USD") for symbol in symbols]


def read(venue: Venue, file: str, *symbols: str) -> Mapping[str, Outcome]:
    [request] = venue.requests(pairs(venue, *symbols))
    body = (PAYLOADS / venue.name / file).read_bytes()
    return {pair.symbol: outcome for pair, outcome in venue.read(body, request, SEEN).outcomes.items()}


def tick(outcome: Outcome) -> Tick:
    assert isinstance(outcome, Tick), outcome
    return outcome


def rolling(percent: str) -> Change:
    return Change(Decimal(percent), Window.DAY, Basis.ROLLING)


# What is asked


@pytest.mark.parametrize(
    ("count", "paths"), [(0, []), (1, ["/tickers/C0"]), (2, ["/tickers"]), (900, ["/tickers"])]
)
def test_coinpaprika_asks_for_one_coin_or_for_all(count: int, paths: list[str]):
    requests = PAPRIKA.requests(pairs(PAPRIKA, *(f"C{n}" for n in range(count))))
    assert [request.path for request in requests] == paths
    assert all(request.query == (("quotes", "USD"),) for request in requests)


def test_coinpaprikas_id_cannot_leave_its_place_in_the_path():
    [request] = PAPRIKA.requests(pairs(PAPRIKA, "../x?y"))
    assert request.path == "/tickers/..%2Fx%3Fy"


def test_coinmarketcap_asks_for_a_hundred_ids_at_once_and_skips_unknown_ones():
    requests = MARKETCAP.requests(pairs(MARKETCAP, *(str(n) for n in range(101))))
    assert [len(request.pairs) for request in requests] == [100, 1]
    assert requests[1].query == (("id", "100"), ("skip_invalid", "true"))


def test_defillama_asks_for_chains_and_contracts_in_the_path():
    [request] = LLAMA.requests(pairs(LLAMA, "coingecko:bitcoin", "sui:0x2::thin::THIN", "a/b"))
    assert request.path == "/prices/current/coingecko:bitcoin,sui:0x2::thin::THIN,a%2Fb"


def test_pyth_repeats_its_parameter_and_asks_for_fifty_feeds_at_once():
    first, second = PYTH.requests(pairs(PYTH, *(feed(str(n)) for n in range(51))))
    assert len(first.pairs) == 50
    assert second.query == (("ids[]", feed("50")), ("parsed", "true"))


@pytest.mark.parametrize("venue", NEW, ids=lambda venue: venue.name)
def test_an_aggregator_says_that_it_is_one(venue: Venue):
    assert venue.aggregator


@pytest.mark.parametrize("venue", NEW, ids=lambda venue: venue.name)
def test_requests_stay_within_what_servers_take_of_an_address(venue: Venue):
    contract = "avalanche-c-chain:0x" + "f" * 40
    for request in venue.requests(pairs(venue, *(contract for _ in range(300)))):
        query = "".join(f"{name}={value}&" for name, value in request.query)
        assert len(request.path + query) < 8000


# What is made of the answer


def test_coinpaprika_takes_percent_dollars_and_iso_time():
    said = tick(read(PAPRIKA, "one.json", "btc-bitcoin")["btc-bitcoin"])
    assert said.price == Decimal("101240.12345678901")
    assert said.change_24h == rolling("1.24")
    assert (said.turnover_24h, said.market_cap) == (Decimal("41234567890.12"), Decimal(2024802469135))
    assert (said.as_of, said.seen) == (1_790_000_000_250, SEEN)
    assert said.volume_24h is None


def test_coinpaprikas_list_is_picked_by_id_and_odd_rows_cost_only_themselves():
    ids = ("btc-bitcoin", "tiny-coin", "dead-coin", "odd-coin", "no-such-coin")
    said = read(PAPRIKA, "tickers.json", *ids)
    assert tick(said["btc-bitcoin"]).change_24h == rolling("1.24")
    tiny = tick(said["tiny-coin"])
    assert format(tiny.price, "f") == "0.00000001234"
    assert (tiny.change_24h, tiny.market_cap) == (None, None)
    assert str(said["dead-coin"]).endswith("quotes.USD.price: expected a price above zero, got 0")
    assert str(said["odd-coin"]) == "CoinPaprika odd-coin: quotes.USD: missing"
    assert isinstance(said["no-such-coin"], UnknownSymbol)


@pytest.mark.parametrize("file", ["lists.json", "keyed.json"])
def test_coinmarketcap_is_read_as_lists_and_by_key(file: str):
    said = tick(read(MARKETCAP, file, "1")["1"])
    assert said.price == Decimal("101240.12345678901")
    assert said.change_24h == rolling("1.2401234567")
    assert (said.turnover_24h, said.market_cap) == (Decimal("41234567890.12"), Decimal("2024802469135.78"))
    assert said.as_of == 1_790_000_000_000


def test_coinmarketcaps_odd_rows_cost_only_themselves():
    said = read(MARKETCAP, "lists.json", "1", "1027", "4", "999")
    assert tick(said["1"])
    assert str(said["1027"]) == "CoinMarketCap 1027: quote.USD: missing"
    assert str(said["4"]) == "CoinMarketCap 4: quote[0].price: expected a number, got null"
    assert isinstance(said["999"], UnknownSymbol)


def test_coinmarketcaps_rows_without_ids_are_a_changed_answer():
    [request] = MARKETCAP.requests(pairs(MARKETCAP, "1"))
    with pytest.raises(BadAnswer, match=r"data\.id: missing in every row"):
        MARKETCAP.read(b'{"data":[{"cmc_id":1}]}', request, SEEN)


def test_defillama_has_prices_and_no_change():
    coins = ("coingecko:bitcoin", "ethereum:0xdAC17F958D2ee523a2206206994597C13D831ec7")
    bitcoin, tether = (tick(outcome) for outcome in read(LLAMA, "current.json", *coins).values())
    assert (bitcoin.price, bitcoin.as_of) == (Decimal("101240.12345678901"), 1_790_000_000_000)
    assert (tether.price, tether.as_of) == (Decimal("0.99985"), 1_789_999_990_000)
    assert (bitcoin.change_24h, bitcoin.turnover_24h, bitcoin.note) == (None, None, None)


def test_defillamas_doubt_is_passed_on_and_absence_is_an_unknown_coin():
    said = read(LLAMA, "current.json", "sui:0x2::thin::THIN", "coingecko:dead", "base:0x0")
    thin = tick(said["sui:0x2::thin::THIN"])
    assert format(thin.price, "f") == "0.00000001234"
    assert thin.note == "venue's own confidence is 0.52 of 1"
    assert isinstance(said["coingecko:dead"], BadAnswer)
    assert isinstance(said["base:0x0"], UnknownSymbol)
    assert "defillama:base:0x0" in str(said["base:0x0"])


def test_pyth_counts_in_powers_of_ten_exactly():
    said = read(PYTH, "latest.json", BITCOIN, feed("aa"), feed("dd"))
    bitcoin = tick(said[BITCOIN])
    assert format(bitcoin.price, "f") == "101240.12345678"
    assert (bitcoin.as_of, bitcoin.change_24h) == (1_790_000_000_000, None)
    assert format(tick(said[feed("aa")]).price, "f") == "0.00000001234"
    assert format(tick(said[feed("dd")]).price, "f") == "500"


@pytest.mark.parametrize("spelling", ["0x" + BITCOIN, BITCOIN.upper(), "0x" + BITCOIN.upper()])
def test_pyths_id_may_be_written_in_every_usual_way(spelling: str):
    assert tick(read(PYTH, "latest.json", spelling)[spelling]).price > 0


def test_publishers_that_disagree_have_no_price():
    said = read(PYTH, "latest.json", feed("bb"), feed("cc"), feed("ee"))
    assert str(said[feed("bb")]).endswith("price.conf: the publishers are ±397 % apart")
    assert "expected a price above zero" in str(said[feed("cc")])
    assert isinstance(said[feed("ee")], UnknownSymbol)


@given(st.integers(1, 2**63 - 1), st.integers(-30, 20))
def test_pyths_price_loses_no_digit(units: int, expo: int):
    row = {"id": BITCOIN, "price": {"price": str(units), "expo": expo}}
    [request] = PYTH.requests(pairs(PYTH, BITCOIN))
    [said] = PYTH.read(json.dumps({"parsed": [row]}).encode(), request, SEEN).outcomes.values()
    assert tick(said).price == Decimal(units) * Decimal(10) ** expo


# Errors


@pytest.mark.parametrize(
    ("venue", "status", "body", "kind"),
    [
        (PAPRIKA, 404, '{"error":"id not found"}', UnknownSymbol),
        (PAPRIKA, 404, "<html>nothing here</html>", type(None)),
        (PAPRIKA, 402, '{"error":"payment required"}', RateLimited),
        (MARKETCAP, 200, '{"status":{"error_code":1008}}', RateLimited),
        (MARKETCAP, 429, '{"status":{"error_code":1010}}', RateLimited),
        (MARKETCAP, 401, '{"status":{"error_code":1001}}', Refused),
        (MARKETCAP, 200, '{"status":{"error_code":500}}', Unreachable),
        (MARKETCAP, 400, '{"status":{"error_code":400}}', UnknownSymbol),
        (MARKETCAP, 200, '{"status":{"error_code":0},"data":[]}', type(None)),
        (MARKETCAP, 502, "Bad Gateway", type(None)),
        (PYTH, 404, "Price ids not found: 0xab", UnknownSymbol),
        (PYTH, 400, "Failed to deserialize query string: Odd number of digits", UnknownSymbol),
        (PYTH, 404, "<html></html>", type(None)),
        (PYTH, 429, "", type(None)),
        (GECKO, 401, '{"status":{"error_code":10002,"error_message":"API Key Missing"}}', Refused),
        (GECKO, 400, '{"error":{"status":{"error_code":10010}}}', Refused),
        (GECKO, 404, '{"error":"coin not found"}', type(None)),
        (GECKO, 200, '{"bitcoin":{"usd":1}}', type(None)),
    ],
)
def test_errors_have_their_own_kind(venue: Venue, status: int, body: str, kind: type[SourceError]):
    assert type(venue.error(status, {}, body.encode())) is kind


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (10002, "set sources.coingecko.key"),
        (10010, f"set sources.coingecko.base_url to {PRO}"),
        (10011, "unset sources.coingecko.base_url"),
    ],
)
def test_coingecko_says_which_key_belongs_where(code: int, advice: str):
    failure = GECKO.error(401, {}, json.dumps({"status": {"error_code": code}}).encode())
    assert advice in str(failure)


@pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings of real venues are not beside this repository"
)
def test_every_recorded_limit_of_coinmarketcap_is_a_limit():
    [said] = [
        entry
        for entry in json.loads((RECORDINGS / "errors.json").read_text())
        if entry["upstream"] == "coinmarketcap"
    ]
    for code in said["error_codes"]:
        body = json.dumps({"status": {"error_code": int(code)}}).encode()
        assert isinstance(MARKETCAP.error(said["status"], {}, body), RateLimited)


# Keys, plans and currencies


@pytest.mark.parametrize(
    ("venue", "needed"),
    [(MARKETCAP, True), (PYTH, True), (PAPRIKA, False), (LLAMA, False), (GECKO, False)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_venue_says_whether_it_needs_a_key(venue: Venue, needed: bool):
    assert venue.needs_key is needed


@pytest.mark.parametrize(
    ("venue", "header"),
    [
        (MARKETCAP, {"X-CMC_PRO_API_KEY": "k"}),
        (PYTH, {"Authorization": "Bearer k"}),
        (PAPRIKA, {"Authorization": "k"}),
    ],
)
def test_a_key_goes_into_its_header(venue: Venue, header: dict[str, str]):
    assert venue.headers(Options(key="k")) == header
    assert venue.headers(Options()) == {}


def test_coinpaprikas_key_moves_it_to_the_paid_host_unless_told_otherwise():
    assert PAPRIKA.address(Options()) == "https://api.coinpaprika.com/v1"
    assert PAPRIKA.address(Options(key="k")) == "https://api-pro.coinpaprika.com/v1"
    assert PAPRIKA.address(Options(key="k", base_url="http://here/")) == "http://here"


def test_coingeckos_budget_is_its_plans():
    free, demo, paid = Options(), Options(key="k"), Options(key="k", base_url=PRO)
    limits = [GECKO.budget_for(options).limit for options in (free, demo, paid)]
    assert limits == [5, 30, 250]


@pytest.mark.parametrize(
    ("venue", "symbol", "hint", "base"),
    [
        (PAPRIKA, "btc-bitcoin", None, "BTC"),
        (PAPRIKA, "us-talus", "us", "US"),
        (MARKETCAP, "1", "BTC", "BTC"),
        (LLAMA, "coingecko:bitcoin", "btc", "BTC"),
        (PYTH, BITCOIN, "BTC", "BTC"),
    ],
)
def test_quotes_are_in_dollars(venue: Venue, symbol: str, hint: str | None, base: str):
    assert venue.currencies(symbol, hint) == (base, "USD")


# Moments


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001
def test_a_moment_is_exact_to_the_millisecond_whatever_its_offset(moment: datetime, hours: int):
    aware = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    elsewhere = aware.astimezone(timezone(timedelta(hours=hours)))
    expected = ms(aware)
    assert expected is not None
    assert datetime.fromtimestamp(expected / 1000, UTC) == aware
    assert ms(elsewhere) == ms(aware.replace(tzinfo=None)) == expected


def test_no_moment_is_none():
    assert ms(None) is None
