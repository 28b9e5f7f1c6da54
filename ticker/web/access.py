"""What every HTTP answer has in common: errors as JSON, CORS, validators, compression.

Who may read is decided in admission.py; here it is only said.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Mapping

from aiohttp import hdrs, web
from msgspec import Struct
from multidict import istr

from ticker.codings import coded, preferred
from ticker.wire import encode, error_body

log = logging.getLogger("ticker.web")


JSON = "application/json"
# Below this a compressed body saves nothing once its header is counted.
COMPRESS_FROM = 400
COMPRESSIBLE = ("text/", "application/json", "application/javascript", "image/svg+xml")
# Header names that are written at every answer: aiohttp's own or made once, they aren't folded each time.
NOSNIFF, REFERRER = istr("X-Content-Type-Options"), istr("Referrer-Policy")
CORS: dict[str, str] = {
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    hdrs.ACCESS_CONTROL_EXPOSE_HEADERS: "ETag, Retry-After",
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


def refused(request: web.BaseRequest, error: web.HTTPException) -> web.Response:
    """What aiohttp refused by itself, in the documented shape."""
    response = failure(error.reason.lower().replace(" ", "_"), _explain(request, error), error.status)
    if hdrs.ALLOW in error.headers:
        response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
    return response


def _explain(request: web.BaseRequest, error: web.HTTPException) -> str:
    match error.status:
        case 404:
            return f"nothing is at {request.path[:80]}; /openapi.json lists what there is"
        case 405:
            return f"{request.method} isn't served at {request.path[:80]}"
        case _:
            return error.reason


def share(response: web.Response, headers: Mapping[str, str]) -> None:
    """Say which pages may read an answer: `headers` decide alone, whatever a handler wrote of its own."""
    own = response.headers
    if hdrs.ACCESS_CONTROL_ALLOW_ORIGIN not in headers:
        own.popall(hdrs.ACCESS_CONTROL_ALLOW_ORIGIN, None)
    if hdrs.VARY in headers and hdrs.VARY in own:
        headers = {**headers, hdrs.VARY: f"{own[hdrs.VARY]}, {headers[hdrs.VARY]}"}
    own.update(headers)
    own.setdefault(NOSNIFF, "nosniff")
    # An address may hold a key (`?key=`); nobody an answer leads to is to see it.
    own.setdefault(REFERRER, "no-referrer")


async def compress(request: web.BaseRequest, response: web.Response) -> None:
    """Brotli, else gzip, for a text body large enough (RFC 9110, 8.4)."""
    if response.status == 304 or response.content_type.startswith(COMPRESSIBLE):
        response.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)
        body, encoding = response.body, preferred(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        if encoding and isinstance(body, bytes) and len(body) >= COMPRESS_FROM:
            response.body = await asyncio.to_thread(coded, body, encoding)
            response.headers[hdrs.CONTENT_ENCODING] = encoding
