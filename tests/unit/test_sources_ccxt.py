"""Exchanges read through ccxt: what a ticker of the library becomes, and, where installed, a whole round.

The exchange of the round is a local server that speaks one small exchange's API, told by `base_url`.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from ticker.clock import SystemClock
from ticker.errors import (
    BadAnswer,
    ConfigError,
    RateLimited,
    Refused,
    SourceError,
    UnknownSymbol,
    Unreachable,
)
from ticker.model import Basis, Change, Pair, Tick, Window
from ticker.sources.base import Options, Outcome
from ticker.sources.ccxt import PACKAGE, CcxtSource, check, venue
from ticker.sources.http import new_session

SEEN = 1_790_000_001_000
EXCHANGE = venue("p2b")
MISSING = importlib.util.find_spec("ccxt") is None
installed = pytest.mark.skipif(MISSING, reason="the extra ccxt is not installed")


def pairs(*symbols: str) -> list[Pair]:
    return [Pair(EXCHANGE.name, symbol, *symbol.split("/")) for symbol in symbols]


def read(**fields: Any) -> Outcome:
    [request] = EXCHANGE.requests(pairs("US/USDT"))
    [outcome] = EXCHANGE.read(json.dumps({"US/USDT": fields}).encode(), request, SEEN).outcomes.values()
    return outcome


def tick(outcome: Outcome) -> Tick:
    assert isinstance(outcome, Tick), outcome
    return outcome


def day(percent: str, basis: Basis) -> Change:
    return Change(Decimal(percent), Window.DAY, basis)


def test_a_ticker_is_read_exactly():
    said = tick(
        read(
            last="1.234e-8",
            bid="1.2e-8",
            ask="1.3e-8",
            baseVolume="7",
            quoteVolume=None,
            timestamp=1790000000123,
        )
    )
    assert format(said.price, "f") == "0.00000001234"
    assert (said.bid, said.ask) == (Decimal("1.2e-8"), Decimal("1.3e-8"))
    assert (said.volume_24h, said.turnover_24h, said.as_of) == (7, None, 1790000000123)
    assert (said.change_24h, said.note) == (None, None)


@pytest.mark.parametrize(
    ("opened", "percentage", "change"),
    [
        ("100", "10", day("10", Basis.ROLLING)),
        ("100", "10.5", day("10", Basis.ROLLING)),
        ("100", "10.51", day("10", Basis.UNKNOWN)),
        ("100", "0.1", day("10", Basis.UNKNOWN)),
        ("100", None, day("10", Basis.UNKNOWN)),
        (None, "9.9", day("9.9", Basis.UNKNOWN)),
        ("0", "9.9", day("9.9", Basis.UNKNOWN)),
        (None, None, None),
    ],
)
def test_a_change_is_rolling_only_where_open_and_percentage_agree(
    opened: str | None, percentage: str | None, change: Change | None
):
    said = tick(read(last="110", ownOpen=opened, ownPercentage=percentage))
    assert said.change_24h == change
    assert (said.note is not None) is (percentage in ("10.51", "0.1"))


@pytest.mark.parametrize("last", [None, "0", "nan", "-1", {}])
def test_what_is_no_price_is_a_bad_answer(last: object):
    assert isinstance(read(last=last), BadAnswer)


@pytest.mark.parametrize(
    ("symbol", "currencies"),
    [
        ("BTC/USDT", ("BTC", "USDT")),
        ("BTCUSDT", None),
        ("/USDT", None),
        ("BTC/", None),
        ("BTC/USDT:USDT", None),
    ],
)
def test_only_spot_pairs_have_currencies(symbol: str, currencies: tuple[str, str] | None):
    assert EXCHANGE.currencies(symbol, None) == currencies


# With the library


class Upstream:
    """One small exchange: its markets, its tickers, and what goes wrong with them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failure: web.Response | None = None
        self.tickers = {
            "US_USDT": ticker(last="0.01021", open="0.01019", change="0.2", vol="1234567.8", deal="12604.93"),
            "PEPE_USDT": '{"at":1790000000,"ticker":{"last":1.234e-08,"change":"-1.19"}}',
            "ODD_USDT": ticker(last="0", change="0"),
        }

    async def markets(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        listed = [
            {
                "name": name,
                "stock": name.partition("_")[0],
                "money": "USDT",
                "precision": {"money": "8", "stock": "4", "fee": "4"},
                "limits": {"min_amount": "0.0001", "tick_size": "0.00001", "step_size": "0.0001"},
            }
            for name in self.tickers
        ]
        return web.json_response({"success": True, "errorCode": "", "message": "", "result": listed})

    async def all(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.failure is not None:
            return self.failure
        rows = ",".join(f'"{name}":{row}' for name, row in self.tickers.items())
        text = f'{{"success":true,"errorCode":"","message":"","result":{{{rows}}}}}'
        return web.Response(text=text, content_type="application/json", headers={"Ticker-Demo": "1"})


def ticker(**fields: str) -> str:
    return json.dumps({"at": 1790000000, "ticker": fields})


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with new_session() as session:
        yield session


@pytest.fixture
async def base(upstream: Upstream) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/api/v2/public/markets", upstream.markets)
    app.router.add_get("/api/v2/public/tickers", upstream.all)
    async with TestServer(app) as server:
        yield str(server.make_url(""))


def source(session: aiohttp.ClientSession, base: str, *symbols: str, exchange: str = "p2b") -> CcxtSource:
    return CcxtSource(venue(exchange), pairs(*symbols), Options(base_url=base), session, SystemClock())


@installed
async def test_a_round_brings_every_pair_exactly(session, base, upstream):
    asked = source(session, base, "US/USDT", "PEPE/USDT", "ODD/USDT", "NOPE/USDT")
    said = {pair.base: outcome for pair, outcome in (await asked.ask()).items()}
    us, pepe, odd, nope = (said[base] for base in ("US", "PEPE", "ODD", "NOPE"))
    assert tick(us).price == Decimal("0.01021")
    assert tick(us).change_24h is not None
    assert tick(us).change_24h.basis is Basis.ROLLING
    assert round(tick(us).change_24h.percent, 2) == Decimal("0.20")
    assert (tick(us).turnover_24h, tick(us).as_of, tick(us).demo) == (
        Decimal("12604.93"),
        1790000000000,
        True,
    )
    assert format(tick(pepe).price, "f") == "0.00000001234"
    assert tick(pepe).change_24h == day("-1.19", Basis.UNKNOWN)
    assert isinstance(odd, BadAnswer)
    assert isinstance(nope, UnknownSymbol)


@installed
async def test_markets_are_asked_for_once_and_prices_in_one_request(session, base, upstream):
    asked = source(session, base, "US/USDT", "PEPE/USDT")
    await asked.ask()
    await asked.ask()
    assert [path.rpartition("/")[2] for path in upstream.asked] == ["markets", "tickers", "tickers"]
    assert asked.allowance.used == 3


@installed
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (web.Response(status=429), RateLimited),
        (web.Response(status=503), Unreachable),
        (web.Response(status=403), Refused),
        (web.Response(text="<html></html>", content_type="text/html"), BadAnswer),
        (web.json_response({"success": False, "errorCode": 1010, "message": "unauthorized"}), Refused),
        (web.json_response({"success": True, "result": {"US_USDT": [1]}}), BadAnswer),
    ],
    ids=["429", "503", "403", "page", "error in 200", "schema"],
)
async def test_trouble_is_an_error_of_its_kind(session, base, upstream, answer, kind: type[SourceError]):
    upstream.failure = answer
    [outcome] = (await source(session, base, "US/USDT").ask()).values()
    assert type(outcome) is kind


@installed
async def test_an_exchange_that_said_wait_is_left_alone(session, base, upstream):
    upstream.failure = web.Response(status=429, headers={"Retry-After": "90"})
    asked = source(session, base, "US/USDT")
    await asked.ask()
    assert 80 < asked.allowance.paused <= 90
    [waiting] = (await asked.ask()).values()
    assert isinstance(waiting, RateLimited)
    assert len(upstream.asked) == 2


@installed
async def test_a_name_that_is_no_exchange_is_a_problem_of_the_configuration(session, base):
    check("p2b")
    with pytest.raises(ConfigError, match="ccxt:nosuch: ccxt has no exchange of this name"):
        check("nosuch")
    with pytest.raises(ConfigError, match="ccxt:nosuch: ccxt has no exchange of this name"):
        await source(session, base, "US/USDT", exchange="nosuch").ask()


async def test_without_the_library_it_says_what_to_install(session, monkeypatch):
    monkeypatch.setitem(sys.modules, PACKAGE, None)  # as if it weren't there
    with pytest.raises(ConfigError, match=r"pip install 'price-ticker\[ccxt\]'"):
        await source(session, "http://127.0.0.1:9", "US/USDT").ask()
