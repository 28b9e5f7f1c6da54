"""Answers cut up into rows: both ways of reading one come to the same, and what every row lacks is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import copy
from functools import cache, reduce
from operator import getitem
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw, Struct

from ticker.errors import BadAnswer
from ticker.model import Pair, Tick
from ticker.sources import VENUES
from ticker.sources.base import Reading, Request, Venue
from ticker.sources.decode import Given, Price, Whole
from ticker.sources.rows import Layout, Rows, keyed, lacking

PAYLOADS = Path(__file__).parents[1] / "payloads"
SEEN = 1_790_000_001_000
BITCOIN = "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"
ANSWERS = {
    "binance": ("ticker_24hr.json", "BTCUSDT", "PEPEUSDT"),
    "mexc": ("ticker_24hr.json", "USUSDT", "BTCUSDT"),
    "coinbase": ("stats.json", "BTC-USD"),
    "kraken": ("ticker.json", "XBTUSD", "XDGUSD"),
    "okx": ("tickers.json", "BTC-USDT", "NEW-USDT"),
    "bybit": ("tickers.json", "BTCUSDT", "ETHUSDT"),
    "kucoin": ("all_tickers.json", "BTC-USDT", "NEW-USDT"),
    "gate": ("tickers.json", "BTC_USDT", "TINY_USDT"),
    "bitget": ("tickers.json", "BTCUSDT", "RESTUSDT"),
    "cryptocom": ("get_tickers.json", "BTC_USD", "BTC_USDT"),
    "bitstamp": ("ticker.json", "BTC/USD", "NEW/EUR"),
    "gemini": ("ticker_v2.json", "btcusd"),
    "coingecko": ("simple_price.json", "bitcoin", "tiny-coin"),
    "coinpaprika": ("tickers.json", "btc-bitcoin", "tiny-coin"),
    "coinmarketcap": ("lists.json", "1", "4"),
    "defillama": ("current.json", "coingecko:bitcoin", "sui:0x2::thin::THIN"),
    "pyth": ("latest.json", BITCOIN, "aa".rjust(64, "0")),
}
# What may be told from a number only by looking closely, and what is far from one.
ODD = [
    *("1_000", "_1", "1__0", "+5", ".5", "5.", "-.5", " 5", "5 ", "5\n", "١٢", "0x10", "1,5", "12|5"),
    *(
        "nan",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "",
        "price",
        "1e5",
        "1E-7",
        "1e",
        "1e0005",
        "1E400",
        "0e-999",
    ),
    *("0", "0.000", "-0", "-1", "00012", "9" * 41, "9" * 65, "0." + "0" * 41 + "1", "1." + "0" * 65, "7"),
    *(
        None,
        True,
        False,
        {},
        [],
        [1],
        {"usd": 1},
        0,
        -1,
        5,
        10**39,
        10**41,
        10**70,
        -(10**40),
        10**4200,
        1.5,
        1e-9,
        1e300,
    ),
]


class Row(Struct):
    id: str
    price: Price
    open: Given = UNSET
    time: Whole = UNSET
    note: Given = None


def requests(venue: Venue, *symbols: str) -> Request:
    pairs = [Pair(venue.name, symbol, "X", "USD") for symbol in symbols]
    [request] = venue.requests(pairs)
    return request


def outcome(venue: Venue, body: bytes, request: Request) -> Reading | str:
    try:
        return venue.read(body, request, SEEN)
    except BadAnswer as wrong:
        return str(wrong)


@cache
def carefully(kind: type[Venue]) -> Venue:
    class Careful(kind):
        def rows(self, body: bytes, request: Request, *, quick: bool) -> Rows:
            assert quick in (True, False)
            return super().rows(body, request, quick=False)

    return Careful()


def places(said: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in an answer."""
    match said:
        case dict():
            inner: Any = said.items()
        case list():
            inner = enumerate(said)
        case _:
            inner = ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


@pytest.mark.parametrize("name", ANSWERS)
@given(data=st.data())
def test_both_ways_of_reading_an_answer_come_to_the_same(name: str, data: st.DataObject):
    file, *symbols = ANSWERS[name]
    venue, said = VENUES[name], json.loads((PAYLOADS / name / file).read_text())
    for _ in range(data.draw(st.integers(0, 2))):
        *way, last = data.draw(st.sampled_from(list(places(said))))
        reduce(getitem, way, said)[last] = copy(data.draw(st.sampled_from(ODD)))
    body, request = json.dumps(said, ensure_ascii=False).encode(), requests(venue, *symbols)
    # As text, which tells 1.50 from 1.5.
    assert repr(outcome(venue, body, request)) == repr(outcome(carefully(type(venue)), body, request))


# Two payloads hold rows that are none; CoinMarketCap's are always read carefully.
@pytest.mark.parametrize("name", sorted(set(ANSWERS) - {"mexc", "coinpaprika", "coinmarketcap"}))
def test_a_plain_answer_is_read_the_quick_way(name: str):
    file, *symbols = ANSWERS[name]
    venue, body = VENUES[name], (PAYLOADS / name / file).read_bytes()
    request = requests(venue, *symbols)
    rows = venue.rows(body, request, quick=True)
    assert rows.by_symbol
    assert not any(isinstance(row, Raw) for row in rows.by_symbol.values())


@pytest.mark.parametrize(
    ("within", "key", "time", "body"),
    [
        ("", "id", "", b'[{"id":"a","price":"5"}]'),
        ("", "id", "", b' {"id":"a","price":"5"}'),
        ("data", "id", "", b'{"data":[{"id":"a","price":"5"}]}'),
        ("data.rows", "id", "time", b'{"data":{"rows":[{"id":"a","price":"5"}]},"time":7}'),
        ("data.rows", "id", "data.time", b'{"data":{"rows":[{"id":"a","price":"5"}],"time":"7"}}'),
        ("", None, "", b'{"a":{"id":"a","price":"5"}}'),
        ("data", None, "", b'{"data":{"a":{"id":"a","price":"5"}}}'),
    ],
)
def test_rows_are_found_where_they_stand(within: str, key: str | None, time: str, body: bytes):
    layout = Layout(Row, within, key, time)
    quick, careful = layout.rows(body, quick=True), layout.rows(body, quick=False)
    assert list(quick.by_symbol) == list(careful.by_symbol) == ["a"]
    assert quick.by_symbol["a"].price == "5"
    assert type(careful.by_symbol["a"]) is Raw
    assert quick.time == careful.time == (7 if time else None)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{}", "data: missing"),
        (b'{"data":null}', "data: expected object, got null"),
        (b'{"data":{}}', "data.rows: missing"),
        (b'{"data":{"rows":{}}}', "data.rows: expected array, got object"),
        (b'{"data":{"rows":[{}]}}', "id: missing in every row"),
        (b'{"data":{"rows":[],"time":"noon"}}', "data.time: expected int"),
    ],
)
def test_an_answer_of_another_shape_names_the_field(body: bytes, error: str):
    for quick in (True, False):
        with pytest.raises(BadAnswer, match=f"^{error}"):
            Layout(Row, "data.rows", "id", "data.time").rows(body, quick=quick)


@pytest.mark.parametrize("odd", ["7", '{"id":5,"price":1}', '{"price":1}', '{"id":"a","price":1,"time":"x"}'])
def test_an_odd_row_leaves_all_to_the_careful_way(odd: str):
    rows = Layout(Row, "", "id", "").rows(f'[{odd},{{"id":"b","price":1}}]'.encode(), quick=True)
    assert "b" in rows.by_symbol
    assert {type(row) for row in rows.by_symbol.values()} == {Raw}


def test_a_row_without_its_key_costs_only_itself():
    listed = msgspec.json.decode(b'[{"id":"a"},{"id":5},7,{"id":"b"}]', type=list[Raw])
    assert list(keyed(listed, "id")) == ["a", "b"]


def test_an_answer_that_should_have_a_time_and_has_none_lacks_it():
    venue = VENUES["bybit"]
    body = json.loads((PAYLOADS / "bybit/tickers.json").read_text())
    request = requests(venue, "BTCUSDT", "ETHUSDT")
    assert venue.read(json.dumps(body | {"time": None}).encode(), request, SEEN).missing == frozenset()
    del body["time"]
    said = venue.read(json.dumps(body).encode(), request, SEEN)
    assert said.missing == {"time"}
    assert all(isinstance(one, Tick) and one.as_of == SEEN for one in said.outcomes.values())


# What every row lacks


def rows(*said: object, raw: bool) -> list[Any]:
    body = json.dumps([{"id": f"{at}", "price": 1, **row} for at, row in enumerate(said)]).encode()
    return list(Layout(Row, "", "id", "").rows(body, quick=not raw).by_symbol.values())


@pytest.mark.parametrize("raw", [False, True])
def test_only_what_every_row_lacks_is_missing(raw: bool):
    full = {"open": 1, "time": 1}
    assert lacking(Row, rows({}, {}, raw=raw)) == {"open", "time"}
    assert lacking(Row, rows({}, {"open": 1}, raw=raw)) == {"time"}
    assert lacking(Row, rows({"time": 1}, {"open": 1}, raw=raw)) == set()
    assert lacking(Row, rows({}, full, raw=raw)) == set()
    assert lacking(Row, []) == set()


@pytest.mark.parametrize("raw", [False, True])
def test_null_is_not_missing_nor_what_is_given_only_sometimes(raw: bool):
    assert lacking(Row, rows({"open": None, "time": None}, raw=raw)) == set()


def test_a_row_that_cannot_be_read_says_nothing():
    assert lacking(Row, [Raw(b"7"), Raw(b'{"id":"a","price":1,"time":2}')]) == {"open"}
