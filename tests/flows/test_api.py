"""The JSON API of the running service: each documented answer against the document, and HTTP's manners."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import brotli
import pytest
from jsonschema import Draft202012Validator

from tests.flows.conftest import HandClock, Stand, standing
from ticker.history import Options as HistoryOptions
from ticker.market import Fault, Market
from ticker.web.openapi import document

EMPTY = "an empty market"
BROKEN = "a broken history"
# For each status of each documented address, a request that brings it, and what must be wrong before.
REQUESTS: dict[tuple[str, str], tuple[str, str | None]] = {
    ("/v1/assets", "200"): ("/v1/assets", None),
    ("/v1/quotes", "200"): ("/v1/quotes?assets=talus,bitcoin&currency=USD", None),
    ("/v1/quotes", "400"): ("/v1/quotes?currency=xyz", None),
    ("/v1/quotes", "404"): ("/v1/quotes?assets=talus,bitcoinn", None),
    ("/v1/quotes/{asset}", "200"): ("/v1/quotes/bitcoin", None),
    ("/v1/quotes/{asset}", "400"): ("/v1/quotes/bitcoin?currency=xyz", None),
    ("/v1/quotes/{asset}", "404"): ("/v1/quotes/nope", None),
    ("/v1/sources", "200"): ("/v1/sources", None),
    ("/v1/candles/{asset}", "200"): ("/v1/candles/talus?interval=300", None),
    ("/v1/candles/{asset}", "400"): ("/v1/candles/talus?interval=7", None),
    ("/v1/candles/{asset}", "404"): ("/v1/candles/nope", None),
    ("/v1/candles/{asset}", "503"): ("/v1/candles/talus", BROKEN),
    ("/healthz", "200"): ("/healthz", None),
    ("/readyz", "200"): ("/readyz", None),
    ("/readyz", "503"): ("/readyz", EMPTY),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ticker.sqlite"


@pytest.fixture
def market(clock: HandClock) -> Market:
    return Market(clock=clock)


def refusing(market: Market) -> None:
    for venue in ("binance", "mexc", "coingecko"):
        market.fail(venue, Fault.geo_blocked())


def strict(schema: Any) -> Any:
    """The same document where an object may hold no key that isn't described."""
    match schema:
        case {"properties": dict()} as of_object:
            return {"additionalProperties": False} | {key: strict(part) for key, part in of_object.items()}
        case dict():
            return {key: strict(part) for key, part in schema.items()}
        case list():
            return [strict(part) for part in schema]
        case _:
            return schema


def test_every_documented_answer_has_a_request_here() -> None:
    described = {
        (path, status)
        for path, item in document()["paths"].items()
        for status in item["get"]["responses"]
    }  # fmt: skip
    assert described == set(REQUESTS)


@pytest.mark.parametrize(("address", "status"), REQUESTS)
async def test_each_answer_is_as_the_document_says(
    clock: HandClock, market: Market, path: Path, address: str, status: str
) -> None:
    request, wrong = REQUESTS[address, status]
    if wrong is EMPTY:
        refusing(market)
    async with standing(clock, market, history=HistoryOptions(path=str(path))) as stand:
        await stand.tick()
        if wrong is BROKEN:
            with closing(sqlite3.connect(path)) as db:
                db.execute("ALTER TABLE candle RENAME TO elsewhere")
        described = await stand.json("/openapi.json")
        assert described == document()
        response, body = await stand.get(request)
    assert response.status == int(status)
    assert response.content_type == "application/json"
    answer = described["paths"][address]["get"]["responses"][status]["content"]["application/json"]
    whole = strict({**answer["schema"], "components": described["components"]})
    Draft202012Validator.check_schema(whole)
    Draft202012Validator(whole).validate(json.loads(body))
    if status in ("400", "404"):
        assert json.loads(body)["error"]["message"]


async def test_the_documents_of_quotes_are_not_so_loose_that_anything_fits(clock: HandClock) -> None:
    async with standing(clock) as stand:
        quote = await stand.json("/v1/quotes/talus")
    schemas = document()["components"]
    detail = {"$ref": "#/components/schemas/QuoteDetail", "components": schemas}
    valid = Draft202012Validator(detail).is_valid
    assert valid(quote)
    assert not valid(quote | {"price": "1E-8"})
    assert not valid(quote | {"price": 0.01})
    assert not valid(quote | {"state": "fine"})


async def test_an_unchanged_answer_is_304(clock: HandClock) -> None:
    async with standing(clock) as stand:
        first, body = await stand.get("/v1/quotes")
        tag = first.headers["ETag"]
        again, nothing = await stand.get("/v1/quotes", **{"If-None-Match": f'"old", {tag}'})
        assert (again.status, nothing, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"] == "public, max-age=1"
        assert again.headers["Access-Control-Allow-Origin"] == "*"
        await stand.tick()
        changed, other = await stand.get("/v1/quotes", **{"If-None-Match": tag})
        assert changed.status == 200
        assert other != body


async def test_304_varies_as_the_200_does(clock: HandClock) -> None:
    async with standing(clock) as stand:
        first, _ = await stand.get("/v1/quotes")
        again, _ = await stand.get("/v1/quotes", **{"If-None-Match": first.headers["ETag"]})
        assert (again.status, again.headers.get("Vary")) == (304, first.headers["Vary"])


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/v1/assets", "public, max-age=60"),
        ("/v1/candles/talus", "public, max-age=5"),
        ("/openapi.json", "public, max-age=3600"),
        ("/v1/quotes/nope", "no-store"),
        ("/nothing", "no-store"),
    ],
)
async def test_how_long_an_answer_may_be_kept_is_said(clock: HandClock, path: str, cache: str) -> None:
    async with standing(clock) as stand:
        response, _ = await stand.get(path)
        assert response.headers["Cache-Control"] == cache


@pytest.mark.parametrize("path", ["/v1/quotes", "/v1/quotes/nope", "/nothing", "/v1/feed", "/openapi.json"])
async def test_any_page_may_read_any_answer(clock: HandClock, path: str) -> None:
    async with standing(clock) as stand:
        response, _ = await stand.get(path, Origin="null")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in response.headers["Access-Control-Expose-Headers"]


async def test_preflight_is_answered(clock: HandClock) -> None:
    asked = {
        "Origin": "https://example.com",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    async with (
        standing(clock) as stand,
        stand.http.options(f"{stand.service.url}/v1/quotes", headers=asked) as response,
    ):
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "GET" in response.headers["Access-Control-Allow-Methods"]
        assert "If-None-Match" in response.headers["Access-Control-Allow-Headers"]
        assert int(response.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("identity", None),
        ("gzip;q=0", None),
    ],
)
async def test_compression_is_the_readers_choice(
    clock: HandClock, accepted: str, encoding: str | None
) -> None:
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[encoding]
    async with standing(clock) as stand:
        plain, body = await stand.get("/v1/quotes")
        packed, small = await stand.get("/v1/quotes", **{"Accept-Encoding": accepted})
    assert packed.headers.get("Content-Encoding") == encoding
    assert unpack(small) == body
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["ETag"] == plain.headers["ETag"]
    assert encoding is None or len(small) < len(body)


@pytest.mark.parametrize("path", ["/v1/quotes", "/openapi.json", "/healthz", "/widgets/quote?asset=talus"])
async def test_head_is_get_without_the_body(clock: HandClock, path: str) -> None:
    async with standing(clock) as stand:
        got, body = await stand.get(path)
        async with stand.http.head(stand.service.url + path) as response:
            assert (response.status, await response.read()) == (got.status, b"")
            assert int(response.headers["Content-Length"]) == len(body)


async def test_a_browser_finds_the_icon_of_a_page_that_names_none(clock: HandClock) -> None:
    async with standing(clock) as stand:
        named, drawing = await stand.get("/favicon.svg")
        sought, same = await stand.get("/favicon.ico")
        assert (sought.status, sought.content_type) == (200, "image/svg+xml")
        assert same == drawing
        assert sought.headers["Cache-Control"] == named.headers["Cache-Control"]
        again, nothing = await stand.get("/favicon.ico", **{"If-None-Match": named.headers["ETag"]})
        assert (again.status, nothing) == (304, b"")


async def problem(stand: Stand, path: str, status: int) -> Any:
    response, body = await stand.get(path)
    assert response.status == status
    assert set(json.loads(body)) == {"error"}
    return json.loads(body)["error"]


async def test_errors_have_one_shape(clock: HandClock) -> None:
    async with standing(clock) as stand:
        assert (await problem(stand, "/nothing", 404))["code"] == "not_found"
        async with stand.http.post(f"{stand.service.url}/v1/quotes") as response:
            assert response.status == 405
            assert "GET" in response.headers["Allow"]
            assert (await response.json())["error"]["code"] == "method_not_allowed"
        unknown = await problem(stand, "/v1/quotes/bitconi", 404)
        assert unknown["code"] == "unknown_asset"
        assert "did you mean bitcoin?" in unknown["message"]
        assert "/v1/assets" in (await problem(stand, "/v1/quotes?assets=zzzz", 404))["message"]


@pytest.mark.parametrize(
    "query", ["interval=7", "interval=x", "limit=0", "limit=2881", "start=-1", "end=1e3", "end=²"]
)
async def test_a_wrong_number_is_a_400_that_names_it(clock: HandClock, query: str) -> None:
    async with standing(clock) as stand:
        error = await problem(stand, f"/v1/candles/talus?{query}", 400)
        assert error["code"] == "bad_request"
        assert query.partition("=")[0] in error["message"]


async def test_a_number_of_thousands_of_digits_is_a_400_too(clock: HandClock) -> None:
    async with standing(clock) as stand:
        response, _ = await stand.get(f"/v1/candles/talus?limit={'9' * 5000}")
        assert response.status == 400


async def test_observations_say_what_was_used_and_why_not(clock: HandClock) -> None:
    async with standing(clock) as stand:
        stand.market.fail("coingecko", Fault.frozen())
        for _ in range(3):
            await clock.advance(100)
        quote = await stand.json("/v1/quotes/bitcoin")
        seen = {one["source"]: one for one in quote["observations"]}
        assert (seen["binance"]["used"], seen["binance"]["reason"]) == (True, None)
        assert (seen["binance"]["pair"], seen["binance"]["currency"]) == ("BTCUSDT", "USDT")
        assert seen["binance"]["change_24h_basis"] == quote["change_24h_basis"] == "rolling"
        assert seen["coingecko"]["used"] is False
        assert "s old" in seen["coingecko"]["reason"]
        assert quote["sources"] == 1


async def test_each_price_says_that_it_is_a_demo(clock: HandClock) -> None:
    async with standing(clock) as stand:
        quotes = await stand.quotes()
        assert [quote["demo"] for quote in quotes.values()] == [True] * 3
        assert (await stand.json("/v1/quotes/talus"))["demo"] is True
        async with stand.reading("assets=*") as reader:
            assert all(quote["demo"] for quote in (await reader.message("snapshot"))["quotes"].values())
        for page in ("/", "/assets/talus", "/widgets/quote?asset=talus", "/widgets/quote.svg?asset=talus"):
            _, body = await stand.get(page)
            assert b"demo" in body.lower()


async def test_prices_are_plain_numbers_at_the_measured_rate(clock: HandClock) -> None:
    async with standing(clock) as stand:
        talus = await stand.json("/v1/quotes/talus")
        rate = Decimal((await stand.json("/v1/quotes/tether"))["price"])
        [seen] = talus["observations"]
        assert talus["currency"] == "USD"
        assert abs(Decimal(talus["price"]) / (Decimal(seen["price"]) * rate) - 1) < Decimal("1e-8")
        assert "conversion" not in talus


@pytest.mark.parametrize("interval", [60, 300, 3600, 86400])
async def test_candles_of_each_interval_are_aligned_and_hold_the_prices(
    clock: HandClock, market: Market, path: Path, interval: int
) -> None:
    async with standing(clock, market, history=HistoryOptions(path=str(path))) as stand:
        prices = []
        async with stand.reading("assets=talus") as reader:
            for _ in range(30):
                await stand.tick()
                prices.append(Decimal((await reader.message("update"))["quotes"]["talus"]["price"]))
        answer = await stand.json(f"/v1/candles/talus?interval={interval}")
    assert (answer["asset"], answer["currency"], answer["interval"]) == ("talus", "USD", interval)
    candles = answer["candles"]
    starts = [candle["start"] for candle in candles]
    assert starts == sorted(set(starts))
    assert all(start % (interval * 1000) == 0 for start in starts)
    assert max(Decimal(candle["high"]) for candle in candles) >= max(prices)
    assert min(Decimal(candle["low"]) for candle in candles) <= min(prices)
    assert Decimal(candles[-1]["close"]) == prices[-1]
    for one in candles:
        low, high = Decimal(one["low"]), Decimal(one["high"])
        assert low <= min(Decimal(one["open"]), Decimal(one["close"]))
        assert high >= max(Decimal(one["open"]), Decimal(one["close"]))


async def test_candles_are_cut_by_start_end_and_limit(clock: HandClock) -> None:
    async with standing(clock) as stand:
        for _ in range(40):
            await stand.tick()
        every = (await stand.json("/v1/candles/talus"))["candles"]
        assert len(every) >= 4
        assert (await stand.json("/v1/candles/talus?limit=2"))["candles"] == every[-2:]
        cut = f"start={every[1]['start']}&end={every[3]['start']}"
        assert (await stand.json(f"/v1/candles/talus?{cut}"))["candles"] == every[1:3]
        assert (await stand.json("/v1/candles/talus?start=9&end=3"))["candles"] == []


async def test_not_ready_before_any_price_and_ready_with_the_first(clock: HandClock, market: Market) -> None:
    refusing(market)
    async with standing(clock, market) as stand:
        response, body = await stand.get("/readyz")
        assert response.status == 503
        assert json.loads(body) == {
            "ready": False, "assets": 3, "priced": 0, "live": 0, "failing": ["mexc", "binance", "coingecko"],
        }  # fmt: skip
        assert (await stand.json("/healthz"))["status"] == "ok"
        quote = (await stand.quotes())["talus"]
        assert (quote["price"], quote["state"], quote["as_of"]) == (None, "unavailable", None)
        market.heal()
        await clock.advance(700)
        ready = await stand.json("/readyz")
        assert (ready["ready"], ready["priced"], ready["failing"]) == (True, 3, [])


async def test_not_ready_is_told_to_one_who_has_heard_it_before(clock: HandClock, market: Market) -> None:
    refusing(market)
    async with standing(clock, market) as stand:
        first, body = await stand.get("/readyz")
        again, same = await stand.get("/readyz", **{"If-None-Match": first.headers.get("ETag", '"none"')})
        assert (again.status, same) == (503, body)


async def test_health_counts_sessions_and_time(clock: HandClock) -> None:
    async with standing(clock) as stand, stand.reading("assets=talus") as reader:
        await reader.message("snapshot")
        health = await stand.json("/healthz")
        assert (health["sessions"], health["history"]["failing"]) == (1, None)
        await clock.advance(100)
        later = await stand.json("/healthz")
        assert later["uptime"] - health["uptime"] == 100
        assert later["history"]["last_write"] == clock.ms


async def test_sources_tell_health_budget_and_next_try(clock: HandClock) -> None:
    async with standing(clock) as stand:
        sources = {one["source"]: one for one in (await stand.json("/v1/sources"))["sources"]}
        assert list(sources) == ["mexc", "binance", "coingecko"]
        mexc = sources["mexc"]
        assert (mexc["health"], mexc["last_error"], mexc["unknown"], mexc["pairs"]) == ("up", None, [], 1)
        assert mexc["last_answer"] <= clock.ms < mexc["next_try"]
        assert mexc["budget"] == {"used": 2, "limit": 300, "per_seconds": 10.0}
        assert "secret" not in json.dumps(sources), "a key is never shown"
