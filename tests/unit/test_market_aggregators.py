"""The embedded market's aggregators answer in their own shapes, number forms and words, errors included."""

from __future__ import annotations

import json
import re
from decimal import Context, Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clocks import StillClock
from ticker.market import Fault, Market
from ticker.market.aggregate import iso, number
from ticker.market.market import VENUES
from ticker.market.venue import Reply

START = 1_790_000_123_456
QUOTES = "/v3/cryptocurrency/quotes/latest"
LATEST = "/v2/updates/price/latest"
BITCOIN = "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"


@pytest.fixture
def market() -> Market:
    return Market(seed=7, clock=StillClock(START))


def reply(market: Market, venue: str, path: str, **params: str) -> Reply:
    return market.respond(VENUES[venue], VENUES[venue].routes[path], params).reply


def body(market: Market, venue: str, path: str, **params: str) -> Any:
    written = msgspec.json.encode(reply(market, venue, path, **params).body)
    return json.loads(written, parse_float=Decimal)


def test_coinpaprika_answers_all_in_a_list_and_one_as_an_object(market: Market) -> None:
    rows = body(market, "coinpaprika", "/tickers", quotes="USD")
    one = body(market, "coinpaprika", "/tickers/{id}", id="btc-bitcoin")
    assert one in rows
    assert one["quotes"]["USD"]["percent_change_24h"] == Decimal("1.12")
    assert one["last_updated"] == iso(START // 1000)


def test_coinpaprika_has_no_other_currency_and_no_unknown_coin(market: Market) -> None:
    assert reply(market, "coinpaprika", "/tickers", quotes="EUR").status == 400
    answer = reply(market, "coinpaprika", "/tickers/{id}", id="nope")
    assert (answer.status, answer.body) == (404, {"error": "id not found"})


def test_coinmarketcap_answers_in_lists_with_a_status(market: Market) -> None:
    said = body(market, "coinmarketcap", QUOTES, id="1,1027,999", skip_invalid="true")
    assert [row["id"] for row in said["data"]] == [1, 1027]
    assert [quote["symbol"] for quote in said["data"][0]["quote"]] == ["USD"]
    assert said["status"]["error_code"] == 0


@pytest.mark.parametrize(
    "params", [{"id": "1,999"}, {"id": "999", "skip_invalid": "true"}, {"id": "btc"}, {"id": ""}, {}]
)
def test_coinmarketcap_refuses_ids_it_cannot_use(market: Market, params: dict[str, str]) -> None:
    answer = reply(market, "coinmarketcap", QUOTES, **params)
    assert answer.status == 400
    assert answer.body["status"]["error_code"] == 400  # type: ignore[index]


def test_defillama_leaves_unknown_coins_out(market: Market) -> None:
    coins = body(market, "defillama", "/prices/current/{coins}", coins="coingecko:bitcoin,base:0x0")["coins"]
    assert coins.keys() == {"coingecko:bitcoin"}
    assert coins["coingecko:bitcoin"].keys() == {"price", "symbol", "timestamp", "confidence"}


def test_pyth_writes_whole_numbers_as_text(market: Market) -> None:
    [row] = body(market, "pyth", LATEST, **{"ids[]": "0x" + BITCOIN.upper()})["parsed"]
    assert row["id"] == BITCOIN
    assert re.fullmatch(r"[0-9]+", row["price"]["price"])
    assert abs(Decimal(row["price"]["price"]).scaleb(row["price"]["expo"]) - 73012) < 100


@pytest.mark.parametrize(
    ("ids", "status", "text"),
    [
        (f"{BITCOIN},{'0' * 64}", 404, f"Price ids not found: 0x{'0' * 64}"),
        (f"{BITCOIN},xyz", 400, "Failed to deserialize query string: Invalid character in an id"),
    ],
)
def test_one_wrong_id_fails_the_whole_of_pyth_in_plain_text(
    market: Market, ids: str, status: int, text: str
) -> None:
    answer = reply(market, "pyth", LATEST, **{"ids[]": ids})
    assert (answer.status, answer.body) == (status, text)
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("venue", "path", "words"),
    [
        ("coinpaprika", "/tickers", {"error": "too many requests"}),
        ("defillama", "/prices/current/{coins}", {"message": "Too many requests"}),
        ("pyth", LATEST, {"status": 429, "message": "Too many requests"}),
    ],
)
def test_a_refusal_is_worded_by_the_venue(market: Market, venue: str, path: str, words: object) -> None:
    market.fail(venue, Fault.rate_limited(7))
    answer = reply(market, venue, path)
    assert (answer.status, answer.body, answer.headers) == (429, words, {"Retry-After": "7"})


def test_coinmarketcaps_limit_has_its_own_code(market: Market) -> None:
    market.fail("coinmarketcap", Fault.rate_limited(7))
    answer = reply(market, "coinmarketcap", QUOTES)
    assert (answer.status, answer.body["status"]["error_code"]) == (429, 1008)  # type: ignore[index]


@given(st.decimals("1e-15", "1e12", places=15))
def test_a_number_is_json_of_up_to_17_digits(value: Decimal) -> None:
    written = bytes(number(value)).decode()
    assert json.loads(written, parse_float=Decimal, parse_int=Decimal) == Context(prec=17).plus(value)
    assert ("e" in written) is (value.adjusted() < -6)
