"""The JSON source made of configuration alone: paths, units, requests, and what it refuses to be told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, get_type_hints

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from ticker.clock import SystemClock
from ticker.errors import BadAnswer, UnknownSymbol
from ticker.model import Basis, Change, Pair, Tick, Window
from ticker.sources.base import Outcome
from ticker.sources.generic import Endpoint, at, venue
from ticker.sources.http import new_session
from ticker.sources.source import Source

SEEN = 1_790_000_001_000
URL = "https://api.acme.example/v1/price?token={symbol}"


def endpoint(**options: Any) -> Endpoint:
    """As the configuration makes one."""
    return msgspec.convert({"url": URL, "price": "p", **options}, Endpoint)


def pairs(*symbols: str) -> list[Pair]:
    return [Pair("json:acme", symbol, "X", "USD") for symbol in symbols]


def read(said: object, *, of: str = "US", **options: Any) -> Outcome:
    made = venue("acme", endpoint(**options))
    [request] = made.requests(pairs(of))
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    [outcome] = made.read(body, request, SEEN).outcomes.values()
    return outcome


def tick(outcome: Outcome) -> Tick:
    assert isinstance(outcome, Tick), outcome
    return outcome


def day(percent: str, basis: Basis = Basis.ROLLING) -> Change:
    return Change(Decimal(percent), Window.DAY, basis)


# Paths


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", {"b": [1, {"c": "x"}]}),
        ("a.b.0", 1),
        ("a.b.-1.c", "x"),
        ("a.b.1.c", "x"),
        ("0", "key"),
        ("{symbol}.usd", 5),
        ("a.b.7", UNSET),
        ("a.b.-3", UNSET),
        ("a.b.c", UNSET),
        ("a.b.0.c", UNSET),
        ("nothing", UNSET),
    ],
)
def test_a_path_leads_through_keys_and_positions(path: str, found: object):
    said = {"a": {"b": [1, {"c": "x"}]}, "0": "key", "US.D": {"usd": 5}}
    assert at(said, path, "US.D") == found


@given(
    st.recursive(st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_no_path_raises_whatever_the_answer_is(said: object):
    for path in ("a", "0.0", "-1", "..", "{symbol}"):
        at(said, path, "US")


# Figures and their units


@pytest.mark.parametrize("number", ["1.234e-08", '"1.234e-08"', "0.00000001234", '"0.00000001234"'])
def test_a_price_is_exact_as_number_or_text(number: str):
    said = tick(read(f'{{"p":{number}}}'.encode()))
    assert format(said.price, "f") == "0.00000001234"
    assert (said.as_of, said.change_24h, said.pair.venue) == (SEEN, None, "json:acme")


@given(st.decimals("1e-30", "1e20", places=30), st.booleans())
def test_no_digit_of_a_price_is_lost(price: Decimal, quoted: bool):
    text = f'"{price:f}"' if quoted else f"{price:f}"
    assert tick(read(f'{{"p":{text}}}'.encode())).price == price


def test_a_whole_number_beyond_64_bits_is_exact():
    said = tick(read(b'{"p":1,"v":123456789012345678901234567890}', volume="v"))
    assert said.volume_24h == 123456789012345678901234567890


@pytest.mark.parametrize(("unit", "said"), [("percent", 1.73), ("fraction", 0.0173), ("fraction", "0.0173")])
def test_a_change_is_in_percent_whatever_it_was_said_in(unit: str, said: object):
    assert tick(read({"p": 1, "c": said}, change="c", change_unit=unit)).change_24h == day("1.73")


def test_a_change_is_counted_from_the_open_and_a_contradiction_is_noted():
    said = tick(read({"p": 110, "o": "100", "c": 0.1}, open="o", change="c", change_unit="percent"))
    assert said.change_24h == day("10")
    assert said.note == "venue's own change +0.10 % differs from last/open +10.00 %"


@pytest.mark.parametrize("basis", list(Basis))
def test_a_change_has_the_basis_it_was_configured_with(basis: Basis):
    assert tick(read({"p": 110, "o": 100}, open="o", basis=basis.value)).change_24h == day("10", basis)


@pytest.mark.parametrize(
    ("unit", "said", "ms"),
    [
        ("s", 1790000000, 1790000000000),
        ("s", "1790000000.25", 1790000000250),
        ("ms", "1790000000123", 1790000000123),
        ("iso", "2026-09-21T14:13:20Z", 1790000000000),
        ("iso", "2026-09-21T16:13:20.5+02:00", 1790000000500),
        ("iso", "2026-09-21T14:13:20", 1790000000000),
        ("s", None, SEEN),
        ("iso", None, SEEN),
    ],
)
def test_a_time_is_in_milliseconds_whatever_it_was_said_in(unit: str, said: object, ms: int):
    assert tick(read({"p": 1, "t": said}, time="t", time_unit=unit)).as_of == ms


def test_volumes_are_in_base_and_quote_units():
    said = tick(read({"p": 1, "v": ["7", "nan"]}, volume="v.0", turnover="v.1"))
    assert (said.volume_24h, said.turnover_24h) == (7, None)


@pytest.mark.parametrize(
    ("body", "options", "error"),
    [
        ({"data": {}}, {}, "data.p: missing"),
        ({"data": {"p": None}}, {}, "data.p: expected a number, got null"),
        ({"data": {"p": {"usd": 1}}}, {}, "data.p: expected a number, got an object"),
        ({"data": {"p": [[1]]}}, {}, "data.p: expected a number, got a list"),
        ({"data": {"p": True}}, {}, "data.p: expected a number, got true or false"),
        ({"data": {"p": 0}}, {}, "data.p: expected a price above zero, got 0"),
        ({"data": {"p": "nan"}}, {}, "data.p: expected a number, got 'nan'"),
        ({"data": {"p": 1, "c": "up"}}, {"change": "data.c", "change_unit": "percent"}, "data.c: expected a"),
        ({"data": {"p": 1, "t": "noon"}}, {"time": "data.t", "time_unit": "s"}, "data.t: expected a number"),
        ({"data": {"p": 1, "t": "noon"}}, {"time": "data.t", "time_unit": "iso"}, "data.t: invalid RFC3339"),
        ([1], {}, "data.p: missing"),
    ],
)
def test_what_is_no_figure_is_named_by_its_path(body: object, options: dict[str, Any], error: str):
    said = read(body, price="data.p", **options)
    assert isinstance(said, BadAnswer)
    assert str(said).startswith(f"acme US: {error}")


@given(st.binary(max_size=100))
def test_no_answer_raises_anything_but_bad_answer(body: bytes):
    try:
        read(body, price="a.0", time="t", time_unit="iso")
    except BadAnswer:
        return


# Requests


def test_pairs_with_one_address_share_one_request():
    one = venue("acme", endpoint(url="https://h.example/all", price="{symbol}.usd"))
    [request] = one.requests(pairs("US", "BTC"))
    said = one.read(b'{"US":{"usd":1},"BTC":{"usd":"2"}}', request, SEEN)
    assert [tick(outcome).price for outcome in said.outcomes.values()] == [1, 2]
    each = venue("acme", endpoint())
    assert [request.query for request in each.requests(pairs("US", "BTC"))] == [
        (("token", "US"),),
        (("token", "BTC"),),
    ]
    assert each.requests([]) == []


def test_what_is_at_its_path_for_no_pair_is_missing_and_null_is_not():
    made = venue("acme", endpoint(price="p", open="was.open", volume="v"))
    [request] = made.requests(pairs("US"))
    assert made.read(b'{"p":1,"was":{},"v":null}', request, SEEN).missing == {"was.open"}
    assert made.read(b'{"p":1,"was":{"open":null}}', request, SEEN).missing == {"v"}
    assert made.read(b'{"p":0}', request, SEEN).missing is None


def test_two_pairs_never_get_one_price_because_nothing_tells_them_apart():
    made = venue("acme", endpoint(url="https://h.example/price"))
    [request] = made.requests(pairs("US", "BTC"))
    with pytest.raises(BadAnswer, match=r"no \{symbol\} in url or price"):
        made.read(b'{"p":1}', request, SEEN)


def test_a_symbol_cannot_leave_its_place_in_the_address():
    made = venue("acme", endpoint(url="https://h.example/v1/{symbol}/now?k=1"))
    [request] = made.requests(pairs("../a?b=2"))
    assert (request.path, request.query) == ("/v1/..%2Fa%3Fb%3D2/now", (("k", "1"),))


@pytest.mark.parametrize(("quote", "currencies"), [("usdt", ("US", "USDT")), (None, None)])
def test_the_quote_currency_is_the_endpoints_or_not_known(quote: str | None, currencies: object):
    assert venue("acme", endpoint(quote=quote)).currencies("0xabc", "us") == currencies


# Configuration


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"change": "c"}, "change and change_unit"),
        ({"change_unit": "percent"}, "change and change_unit"),
        ({"change": "c", "change_unit": "points"}, "Invalid enum value"),
        ({"time": "t"}, "time and time_unit"),
        ({"url": "ftp://h.example/"}, "url must look like"),
        ({"url": "h.example/price"}, "url must look like"),
        ({"url": "https://{symbol}.example/"}, "not in its host"),
        ({"headers": {"X-Key": "{key}"}}, "key is not set"),
        ({"url": "https://h.example/?k={key}"}, "key is not set"),
        ({"headers": {"X Key": "v"}}, "can't be sent as a header"),
        ({"headers": {"X-Key": "a\r\nHost: b"}}, "can't be sent as a header"),
        ({"per_minute": 0}, "per_minute"),
        ({"price": ""}, "price"),
        ({"prize": "p"}, "prize"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options: dict[str, Any], error: str):
    with pytest.raises(msgspec.ValidationError, match=error):
        endpoint(**options)


def test_every_option_is_described():
    for hint in get_type_hints(Endpoint, include_extras=True).values():
        metas = [*getattr(hint, "__metadata__", ())]
        assert any(meta.description for meta in metas)


def test_neither_key_nor_headers_are_ever_shown():
    shown = repr(endpoint(key="s3cret", headers={"X-Key": "{key}", "Cookie": "s3ssion"}))
    assert "s3cret" not in shown
    assert "s3ssion" not in shown
    assert "X-Key" in shown


def test_its_budget_is_as_configured():
    options = endpoint(per_minute=7)
    assert venue("acme", options).budget_for(options).limit == 7


# Over a real socket


class Upstream:
    """Answers `/v1/<token>` and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path_qs, request.headers.get("X-Key")))
        if request.match_info["coin"] == "NOPE":
            return web.json_response({"error": "no such token"}, status=404)
        return web.json_response({"data": [{"last": "0.01021", "at": 1790000000}]})


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with new_session() as session:
        yield session


async def test_configuration_alone_brings_a_price(session: aiohttp.ClientSession):
    upstream = Upstream()
    app = web.Application()
    app.router.add_get("/v1/{coin}", upstream.answer)
    async with TestServer(app) as server:
        options = endpoint(
            url=f"{server.make_url('/v1/')}{{symbol}}?x=1&x={{key}}",
            price="data.0.last",
            time="data.0.at",
            time_unit="s",
            key="k",
            headers={"X-Key": "Token {key}"},
        )
        made = venue("acme", options)
        outcomes = await Source(made, pairs("US", "NOPE"), options, session, SystemClock()).ask()
    us, nope = outcomes.values()
    assert sorted(upstream.asked) == [("/v1/NOPE?x=1&x=k", "Token k"), ("/v1/US?x=1&x=k", "Token k")]
    assert (tick(us).price, tick(us).as_of) == (Decimal("0.01021"), 1790000000000)
    assert isinstance(nope, UnknownSymbol)


async def test_base_url_stands_in_for_the_addresss_host(session: aiohttp.ClientSession):
    upstream = Upstream()
    app = web.Application()
    app.router.add_get("/mirror/v1/{coin}", upstream.answer)
    async with TestServer(app) as server:
        options = endpoint(
            url="https://api.acme.example/v1/{symbol}",
            base_url=str(server.make_url("/mirror")),
            price="data.0.last",
        )
        [said] = (
            await Source(venue("acme", options), pairs("US"), options, session, SystemClock()).ask()
        ).values()
    assert tick(said).price == Decimal("0.01021")
