"""What holds for every venue, over real sockets: each of `VENUES` against the embedded market.

A new venue is covered by being registered. What one can't do stands in `EXCEPT`, with its reason. Answers are
changed on their way by a relay between market and source, where no fault of the market's own will do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from functools import partial
from math import ceil
from typing import Any, get_args, get_type_hints

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from tests.unit.conftest import ManualClock
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, UnknownSymbol, Unreachable
from ticker.market import Fault, Market, serving
from ticker.market.market import VENUES as MARKETS
from ticker.model import Pair, Tick
from ticker.sources import VENUES
from ticker.sources.base import Options, Outcome
from ticker.sources.http import new_session
from ticker.sources.source import Source

EXCEPT: Mapping[tuple[str, str], str] = {
    ("coinbase", "batch"): "its statistics are one product an answer",
    ("gemini", "batch"): "its ticker v2 is one symbol an answer",
    ("defillama", "change"): "it gives prices alone",
    ("pyth", "change"): "it gives prices alone",
    ("coingecko", "shape"): "its answer is a bare mapping by id, and any object may be one that lacks the id",
}
KEY = "Th1s-1s-secret"
FAULTS: list[tuple[Fault, tuple[type[SourceError], ...]]] = [
    (Fault.rate_limited(30), (RateLimited,)),
    (Fault.rate_limited(None), (RateLimited,)),
    (Fault.rate_limited(30, page=True), (RateLimited,)),
    # Banned: 418 where a venue sends that, else a 403 that need not be told from any other.
    (Fault.banned(), (RateLimited, Refused)),
    (Fault.geo_blocked(), (Refused,)),
    (Fault.server_error(500), (Unreachable,)),
    (Fault.server_error(503), (Unreachable,)),
    (Fault.server_error(520), (Unreachable,)),
    (Fault.html(), (BadAnswer,)),
    (Fault.cut(), (Unreachable,)),
    (Fault.closed(), (Unreachable,)),
    (Fault.truncated(), (BadAnswer,)),
    (Fault.too_large(), (BadAnswer,)),
]
NO_PRICES = [None, 0, "0.00000000", "nan", "NaN", "", -1, "-0.5", "1e400", True, "12,5", {}, []]
WRONG = [
    b"null",
    b"true",
    b"12",
    b'"a text"',
    b"[]",
    b"{}",
    b'[1, null, "x"]',
    b'{"result": [], "data": null}',
    b"{'single': 'quotes'}",
    b"\xff\xfe{}",
    b"[" * 100_000,
]
# The market's own numbers go through unchanged, each as JSON number or text as it was.
_EXACT = msgspec.json.Encoder(decimal_format="number")
_READ = msgspec.json.Decoder(float_hook=Decimal)
Edit = Callable[[Any], Any]


class HastyClock(ManualClock):
    """Whoever sleeps wakes at once, and it is that much later."""

    async def sleep(self, seconds: float) -> None:
        self.advance(ceil(seconds * 1000) + 1)
        await asyncio.sleep(0)


class Bench:
    """The market, and sources pointed at it, straight or by way of a relay."""

    def __init__(self, market: Market, base: str, session: aiohttp.ClientSession) -> None:
        self.market, self.base, self.session = market, base, session

    def source(self, name: str, count: int | None = None, base: str | None = None) -> Source:
        options = Options(base_url=base or f"{self.base}/{name}", key=KEY, timeout=20)
        return Source(VENUES[name], pairs(name, count), options, self.session, HastyClock())

    async def ask(self, name: str, count: int | None = None) -> list[Outcome]:
        return list((await self.source(name, count).ask()).values())

    async def relayed(self, name: str, edit: Edit, count: int | None = None) -> list[Outcome]:
        """What the source makes of the market's answers after `edit`."""
        async with self.relay(name, edit) as base:
            return list((await self.source(name, count, base).ask()).values())

    @asynccontextmanager
    async def relay(self, name: str, edit: Edit) -> AsyncIterator[str]:
        async def handler(request: web.Request) -> web.Response:
            url = URL(f"{self.base}/{name}{request.raw_path}", encoded=True)
            async with self.session.get(url, headers={"Accept-Encoding": "identity"}) as response:
                body = edit(_READ.decode(await response.read()))
            return web.Response(body=_EXACT.encode(body), status=200, content_type="application/json")

        async with served(handler) as base:
            yield base


@asynccontextmanager
async def served(handler: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


@pytest.fixture(scope="module")
def market() -> Market:
    """One for all, its time standing still: to walk through the day before it opens is what takes long."""
    return Market(clock=ManualClock())


@pytest.fixture
async def bench(market: Market) -> AsyncIterator[Bench]:
    market.heal()
    async with serving(market) as base, new_session() as session:
        yield Bench(market, base, session)


@pytest.fixture(params=VENUES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def pairs(name: str, count: int | None = None) -> list[Pair]:
    """The first of the venue's listings, all by default."""
    listed = list(MARKETS[name].listings.values())[:count]
    spelled = ((one.symbol, VENUES[name].currencies(one.symbol, one.token.symbol)) for one in listed)
    return [Pair(name, symbol, *(currencies or ("X", "USD"))) for symbol, currencies in spelled]


def unless_excepted(name: str, case: str) -> None:
    if reason := EXCEPT.get((name, case)):
        pytest.skip(f"{VENUES[name].title}: {reason}")


def ticks(outcomes: list[Outcome]) -> list[Tick]:
    return [outcome for outcome in outcomes if isinstance(outcome, Tick)]


def errors(outcomes: list[Outcome]) -> list[SourceError]:
    return [outcome for outcome in outcomes if isinstance(outcome, SourceError)]


def unknown(outcomes: list[Outcome]) -> list[UnknownSymbol]:
    return [outcome for outcome in outcomes if isinstance(outcome, UnknownSymbol)]


def fields(name: str) -> frozenset[str]:
    return MARKETS[name].price_fields


def figures(body: Any, wanted: frozenset[str], change: Edit) -> Any:
    """`body` with `change` made to every figure under `wanted`; of a list, to the first in it."""
    match body:
        case dict():
            return {
                key: _first(item, change)
                if key in wanted and not isinstance(item, dict)
                else figures(item, wanted, change)
                for key, item in body.items()
            }
        case list():
            return [figures(item, wanted, change) for item in body]
    return body


def _first(item: Any, change: Edit) -> Any:
    return [change(item[0]), *item[1:]] if isinstance(item, list) and item else change(item)


def rows(body: Any, wanted: frozenset[str]) -> Iterator[dict[str, Any]]:
    """The objects in `body` that hold prices."""
    if isinstance(body, dict) and any(
        key in wanted and not isinstance(item, dict) for key, item in body.items()
    ):
        yield body
    elif isinstance(body, dict | list):
        for item in body.values() if isinstance(body, dict) else body:
            yield from rows(item, wanted)


def entries(body: Any, change: Callable[[str, Any], tuple[str, Any]]) -> Any:
    """`body` with `change` made to each key and its value."""
    match body:
        case dict():
            return dict(change(key, entries(item, change)) for key, item in body.items())
        case list():
            return [entries(item, change) for item in body]
    return body


def renamed(body: Any, field: str) -> Any:
    return entries(body, lambda key, item: (f"{key}_v2" if key == field else key, item))


def emptied(body: Any, field: str) -> Any:
    return entries(body, lambda key, item: (key, None if key == field else item))


def always(kind: Any) -> Iterator[str]:
    """The venue's names of what each row has, as it is declared: what is UNSET where it is absent."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind)
        for field in msgspec.structs.fields(kind):
            if field.default is msgspec.UNSET:
                yield field.encode_name
            yield from always(hints[field.name])
    for inner in get_args(kind):
        yield from always(inner)


def as_number(figure: Any) -> Any:
    try:
        return Decimal(figure)
    except (InvalidOperation, TypeError):
        return figure


def as_text(figure: Any) -> Any:
    return f"{figure:f}" if isinstance(figure, Decimal) else str(figure)


def test_every_venue_is_in_the_market_and_says_what_it_is(name: str):
    venue = VENUES[name]
    assert len(pairs(name)) > 2
    assert fields(name)
    assert venue.docs.startswith("https://")
    assert venue.base_url.startswith("https://")
    assert venue.budget.limit > 0
    assert venue.requests([]) == []


def test_what_is_excepted_exists():
    assert {venue for venue, _ in EXCEPT} <= set(VENUES)
    assert {case for _, case in EXCEPT} <= {"batch", "change", "shape"}


@pytest.mark.parametrize("count", [1, 2, None], ids=["one", "two", "all"])
async def test_every_pair_asked_for_comes_out(bench: Bench, name: str, count: int | None):
    outcomes = await bench.source(name, count).ask()
    assert list(outcomes) == pairs(name, count)
    for pair, outcome in outcomes.items():
        assert isinstance(outcome, Tick), outcome
        assert (outcome.pair, outcome.demo) == (pair, True)
        assert "differs" not in (outcome.note or "")
        assert ((name, "change") in EXCEPT) is (outcome.change_24h is None)
        assert type(outcome.price) is Decimal
        # Within three hundredths of a percent of where the market opened, and a tick.
        token = MARKETS[name].listings[pair.symbol].token
        assert abs(outcome.price / token.price - 1) < Decimal("0.01")


async def test_two_pairs_are_one_request(bench: Bench, name: str):
    unless_excepted(name, "batch")
    before = bench.market.requests[name].seen
    assert len(ticks(await bench.ask(name, 2))) == 2
    assert bench.market.requests[name].seen == before + 1


async def test_requests_of_a_round_fit_the_budget(name: str):
    venue = VENUES[name]
    spent = sum(request.weight for request in venue.requests(pairs(name)))
    assert spent <= venue.budget.limit * venue.interval / venue.budget.seconds


@pytest.mark.parametrize("count", [1, 2, None], ids=["alone", "of two", "of all"])
async def test_an_unknown_symbol_costs_the_others_nothing(bench: Bench, name: str, count: int | None):
    gone, *others = pairs(name, count)
    bench.market.fail(name, Fault.unlisted(gone.symbol))
    outcomes = await bench.source(name, count).ask()
    assert isinstance(outcomes.pop(gone), UnknownSymbol)
    assert len(ticks(list(outcomes.values()))) == len(others)


@pytest.mark.parametrize(("fault", "kinds"), FAULTS, ids=lambda value: getattr(value, "kind", ""))
async def test_a_fault_is_an_error_of_its_kind(
    bench: Bench, name: str, fault: Fault, kinds: tuple[type[SourceError], ...]
):
    bench.market.fail(name, fault)
    for outcome in await bench.ask(name, 2):
        assert isinstance(outcome, kinds), outcome
        assert VENUES[name].title in str(outcome)
        assert KEY not in str(outcome)


@pytest.mark.parametrize("seconds", [30, None])
async def test_a_venue_that_says_too_many_is_left_alone(bench: Bench, name: str, seconds: int | None):
    asked = bench.source(name, 2)
    bench.market.fail(name, Fault.rate_limited(seconds))
    await asked.ask()
    assert asked.allowance.paused > 0
    before = bench.market.requests[name].seen
    bench.market.heal()
    assert all(isinstance(outcome, RateLimited) for outcome in (await asked.ask()).values())
    assert bench.market.requests[name].seen == before


async def test_what_is_no_price_is_not_taken_for_one(bench: Bench, name: str):
    said: list[object] = []
    async with bench.relay(name, lambda body: figures(body, fields(name), lambda _: said[-1])) as base:
        for wrong in NO_PRICES:
            said.append(wrong)
            for outcome in (await bench.source(name, 2, base).ask()).values():
                assert isinstance(outcome, BadAnswer), (wrong, outcome)
                assert named(str(outcome), fields(name)), (wrong, outcome)


@pytest.mark.parametrize("written", [as_number, as_text])
async def test_figures_may_be_numbers_or_text(bench: Bench, name: str, written: Edit):
    plain = await bench.ask(name)
    assert await bench.relayed(name, lambda body: figures(body, fields(name), written)) == [
        msgspec.structs.replace(tick, demo=False) for tick in ticks(plain)
    ]


async def test_a_renamed_field_is_named(bench: Bench, name: str):
    """Where a price can't be told without the field; else the price still comes."""
    needed = 0
    for field in sorted(fields(name)):
        for outcome in await bench.relayed(name, lambda body, field=field: renamed(body, field), 2):
            if not isinstance(outcome, Tick):
                needed += 1
                assert isinstance(outcome, BadAnswer)
                assert named(str(outcome), {field}), outcome
    assert needed >= 2


async def test_a_field_the_venue_always_gives_is_missing_once_renamed_not_while_null(bench: Bench, name: str):
    given = {*always(VENUES[name].row), VENUES[name].time.rpartition(".")[2]} - {""}
    assert given
    for field in sorted(given):
        for edit, missing in ((renamed, [field]), (emptied, [])):
            async with bench.relay(name, partial(edit, field=field)) as base:
                asked = bench.source(name, 2, base)
                assert len(ticks(list((await asked.ask()).values()))) == 2
                assert [path.rpartition(".")[2] for path in asked.missing] == missing


async def test_one_pair_gone_wrong_costs_the_others_nothing(bench: Bench, name: str):
    edited: list[dict[str, Any]] = []

    def spoiled(body: Any) -> Any:
        for row in rows(body, fields(name)):
            if not edited:
                edited.append(row)
                row.update(figures(row, fields(name), lambda _: None))
        return body

    outcomes = await bench.relayed(name, spoiled)
    [wrong] = errors(outcomes)
    assert isinstance(wrong, BadAnswer)
    assert len(ticks(outcomes)) == len(pairs(name)) - 1


async def test_wrong_json_is_an_error_and_no_price(bench: Bench, name: str):
    said: list[bytes] = []

    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=said[-1], content_type="application/json")

    async with served(handler) as base:
        for body in WRONG:
            said.append(body)
            outcomes = list((await bench.source(name, 2, base).ask()).values())
            assert len(errors(outcomes)) == 2
            # An empty list or object may be an answer that knows neither pair.
            if body not in (b"[]", b"{}") and (name, "shape") not in EXCEPT:
                assert not unknown(outcomes), body


async def test_an_error_with_status_200_is_an_error(bench: Bench, name: str):
    bench.market.fail(name, Fault.rate_limited(30))
    outcomes = await bench.relayed(name, lambda body: body, 2)
    assert len(errors(outcomes)) == 2
    assert not unknown(outcomes)


def named(text: str, wanted: set[str] | frozenset[str]) -> bool:
    return bool(set(re.findall(r"\w+", text)) & wanted)
