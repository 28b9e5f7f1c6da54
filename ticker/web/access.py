"""What every HTTP answer has in common: errors as JSON, CORS, validators, compression.

Who may read is decided in admission.py; here it is only said.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping

import brotli
from aiohttp import hdrs, web
from msgspec import Struct

from ticker.errors import RequestError, TickerError
from ticker.wire import encode, error_body

log = logging.getLogger("ticker.web")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Signal = Callable[[web.Request, web.StreamResponse], Awaitable[None]]

JSON = "application/json"
# Below this a compressed body saves nothing once its header is counted.
COMPRESS_FROM = 400
COMPRESSIBLE = ("text/", "application/json", "application/javascript", "image/svg+xml")
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Retry-After",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, If-None-Match, Content-Type, Last-Event-ID",
    "Access-Control-Max-Age": "86400",
}


def answer(request: web.Request, body: Struct, *, max_age: int) -> web.Response:
    """`body` as JSON with a validator of its bytes; 304 when the client holds them. `max_age` in seconds."""
    data = encode(body)
    etag = f'W/"{hashlib.blake2b(data, digest_size=9).hexdigest()}"'
    headers = {hdrs.ETAG: etag, hdrs.CACHE_CONTROL: f"public, max-age={max_age}"}
    held = {tag.strip() for tag in request.headers.get(hdrs.IF_NONE_MATCH, "").split(",")}
    if etag in held or "*" in held:
        return web.Response(status=304, headers=headers)
    return web.Response(body=data, content_type=JSON, headers=headers)


def failure(code: str, message: str, status: int, **headers: str) -> web.Response:
    """The one shape of an error: {"error": {"code", "message"}}. `headers` by name, `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(
        status=status,
        body=error_body(code, message),
        content_type=JSON,
        headers={hdrs.CACHE_CONTROL: "no-store", **named},
    )


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every foreseen error in the documented shape; any other aiohttp logs and answers with a bare 500."""
    try:
        return await handler(request)
    except RequestError as error:
        return failure(error.code, error.viewer, error.status, **error.headers)
    except TickerError as error:
        log.error("%s %s: %s", request.method, request.path, error)
        return failure("not_ready", error.viewer, 503, Retry_After="5")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = failure(error.reason.lower().replace(" ", "_"), _explain(request, error), error.status)
        if hdrs.ALLOW in error.headers:
            response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
        return response


def _explain(request: web.Request, error: web.HTTPException) -> str:
    match error.status:
        case 404:
            return f"nothing is at {request.path[:80]}; /openapi.json lists what there is"
        case 405:
            return f"{request.method} isn't served at {request.path[:80]}"
        case _:
            return error.reason


@web.middleware
async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """OPTIONS is answered for every address alike (Fetch standard, CORS-preflight request)."""
    if request.method == hdrs.METH_OPTIONS:
        return web.Response(status=204, headers=PREFLIGHT)
    return await handler(request)


def sharing(headers: Callable[[web.BaseRequest], Mapping[str, str]]) -> Signal:
    """For `on_response_prepare`, so that streams and failures have it too: which pages may read an answer.

    `headers` decides alone: what a handler wrote of its own about other origins is replaced.
    """

    async def share(request: web.Request, response: web.StreamResponse) -> None:
        response.headers.popall(hdrs.ACCESS_CONTROL_ALLOW_ORIGIN, None)
        for name, value in headers(request).items():
            if name == hdrs.VARY:
                response.headers[name] = ", ".join([*response.headers.getall(name, ()), value])
            else:
                response.headers[name] = value
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        # An address may hold a key (`?key=`); nobody an answer leads to is to see it.
        response.headers.setdefault("Referrer-Policy", "no-referrer")

    return share


@web.middleware
async def compressed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Brotli, else gzip, for a text body large enough that isn't encoded yet (RFC 9110, 8.4)."""
    response = await handler(request)
    if not isinstance(response, web.Response) or hdrs.CONTENT_ENCODING in response.headers:
        return response
    if response.status == 304 or response.content_type.startswith(COMPRESSIBLE):
        response.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)
        body, encoding = response.body, preferred(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        if encoding and isinstance(body, bytes) and len(body) >= COMPRESS_FROM:
            response.body = await asyncio.to_thread(squeeze, body, encoding)
            response.headers[hdrs.CONTENT_ENCODING] = encoding
    return response


def preferred(accepted: str) -> str | None:
    """`br` or `gzip`, whichever is offered with a quality above zero, br first; None for neither."""
    offered = {}
    for part in accepted.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        offered[name.strip()] = parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return next((name for name in ("br", "gzip") if offered.get(name, False)), None)


def squeeze(body: bytes, encoding: str) -> bytes:
    """Levels that cost less than sending the bytes they save."""
    return brotli.compress(body, quality=4) if encoding == "br" else gzip.compress(body, 5, mtime=0)
