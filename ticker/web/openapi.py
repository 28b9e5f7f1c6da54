"""`/openapi.json`: the HTTP API described from the very types that encode its answers (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct

from ticker import __version__
from ticker.web.access import JSON
from ticker.web.api import (
    CANDLE_INTERVALS,
    MAX_CANDLES,
    Assets,
    Candles,
    Health,
    QuoteDetail,
    Quotes,
    Readiness,
    Sources,
)
from ticker.wire import schemas


class Problem(Struct):
    code: str
    message: str


class Error(Struct):
    """Every error, whatever its status."""

    error: Problem


Schema = dict[str, Any]


class Endpoint(Struct, frozen=True):
    """One address of the API: what it is for, what it takes, what it answers."""

    path: str
    summary: str
    answer: type[Struct]
    query: Mapping[str, tuple[str, Schema]] = {}
    failures: Sequence[int] = ()


CURRENCY = ("The currency to quote in; an asset that can't be converted says its own.", {"type": "string"})
ENDPOINTS = (
    Endpoint("/v1/assets", "What has a price here.", Assets),
    Endpoint(
        "/v1/quotes",
        "The quotes of some assets, or of all.",
        Quotes,
        {
            "assets": ("Ids, separated by commas.", {"type": "string"}),
            "currency": CURRENCY,
            "since": ("epoch:seq of an earlier answer: only what changed after it.", {"type": "string"}),
        },
        (400, 404),
    ),
    Endpoint(
        "/v1/quotes/{asset}",
        "One quote, with what each source said and whether it was used.",
        QuoteDetail,
        {"currency": CURRENCY},
        (400, 404),
    ),
    Endpoint(
        "/v1/sources",
        "Each source's health, last answer, next try and budget; and how the source of exchange rates is.",
        Sources,
    ),
    Endpoint(
        "/v1/candles/{asset}",
        "Candles, the newest last; the last may still be open.",
        Candles,
        {
            "interval": ("Seconds.", {"type": "integer", "enum": list(CANDLE_INTERVALS), "default": 60}),
            "start": ("Milliseconds since the epoch, included.", {"type": "integer", "minimum": 0}),
            "end": ("Milliseconds since the epoch, not included.", {"type": "integer", "minimum": 0}),
            "limit": ("How many at most.", {"type": "integer", "minimum": 1, "maximum": MAX_CANDLES}),
        },
        (400, 404, 503),
    ),
    Endpoint("/healthz", "Whether the process answers.", Health),
    Endpoint("/readyz", "Whether there is a price to show; 503 with the same body when not.", Readiness),
)


def document() -> Schema:
    """The OpenAPI document."""
    types = [*(endpoint.answer for endpoint in ENDPOINTS), Error]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ticker",
            "version": __version__,
            "description": "Prices as plain-notation strings, percents in percent, unknown values null.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": {endpoint.path: {"get": _operation(endpoint)} for endpoint in ENDPOINTS},
        "components": {"schemas": schemas(types)},
    }


def _operation(endpoint: Endpoint) -> Schema:
    of_asset = "{asset}" in endpoint.path
    in_path = [_parameter("asset", "path", "An asset's id.", {"type": "string"})] if of_asset else []
    in_query = [_parameter(name, "query", *about) for name, about in endpoint.query.items()]
    responses = {"200": _content(endpoint.answer.__name__, endpoint.summary)}
    for status in endpoint.failures:
        responses[str(status)] = _content("Error", "The error's code and what to do about it.")
    if endpoint.answer is Readiness:
        responses["503"] = _content("Readiness", "No price to show yet.")
    return {
        "operationId": endpoint.path.strip("/").replace("/", "_").replace("{", "").replace("}", ""),
        "summary": endpoint.summary,
        "parameters": in_path + in_query,
        "responses": responses,
    }


def _parameter(name: str, where: str, description: str, schema: Schema) -> Schema:
    required = where == "path"
    return {"name": name, "in": where, "required": required, "description": description, "schema": schema}


def _content(name: str, description: str) -> Schema:
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": description, "content": {JSON: {"schema": schema}}}


def route() -> web.RouteDef:
    body = msgspec.json.encode(document())
    headers = {hdrs.CACHE_CONTROL: "public, max-age=3600"}

    async def openapi(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=JSON, headers=headers)

    return web.get("/openapi.json", openapi)
