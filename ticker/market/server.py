"""The market's HTTP server: replies become bytes here, and faults of the connection are played.

Every answer carries `Ticker-Demo: 1`. It serves whoever can reach it and anyone may set faults: it belongs
on a loopback address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from hashlib import blake2s
from typing import Final, TypeVar

import msgspec
from aiohttp import hdrs, web
from multidict import CIMultiDict

from ticker.errors import RequestError
from ticker.market.faults import Fault
from ticker.market.market import VENUES, Market
from ticker.market.streams.server import routes as stream_routes
from ticker.market.venue import Answer, Reply, Venue

DEMO_HEADER = "Ticker-Demo"

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MARKET: Final = web.AppKey("market", Market)
_JSON = msgspec.json.Encoder()
_CHUNK = 1 << 16
_Response = TypeVar("_Response", bound=web.StreamResponse)


def application(market: Market) -> web.Application:
    """Each venue under `/{name}`, `POST` and `DELETE /faults/{venue}`, `DELETE /faults`, and `GET /`."""
    app = web.Application(client_max_size=4096, middlewares=[_problems])
    app[_MARKET] = market
    app.on_response_prepare.append(_mark)
    for venue in VENUES.values():
        for path, answer in venue.routes.items():
            app.router.add_get(f"/{venue.name}{path}", _endpoint(venue, answer))
    app.add_routes(stream_routes(market))
    app.router.add_get("/", _index)
    app.router.add_post("/faults/{venue}", _fail)
    app.router.add_delete("/faults/{venue}", _heal)
    app.router.add_delete("/faults", _heal)
    return app


@asynccontextmanager
async def serving(market: Market, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve the market and yield its base address without a slash at the end. Port 0 takes a free one.

    Raises OSError when the address can't be bound. On leaving, open requests are dropped, slow ones included.
    """
    # Handlers end with their client: a slow fault must not outlive whoever waits for it.
    runner = web.AppRunner(
        application(market), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound, number = runner.addresses[0][:2]
        yield f"http://[{bound}]:{number}" if ":" in bound else f"http://{bound}:{number}"
    finally:
        await runner.cleanup()


async def _mark(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers[DEMO_HEADER] = "1"


def _endpoint(venue: Venue, answer: Answer) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        market = request.app[_MARKET]
        # A parameter given several times is a list with commas.
        query = {name: ",".join(request.query.getall(name)) for name in request.query}
        reply, fault, now = market.respond(venue, answer, {**query, **request.match_info})
        headers = _headers(market, venue, reply, now)
        body = reply.body.encode() if isinstance(reply.body, str) else _JSON.encode(reply.body)
        if reply.fresh is not None:
            headers[hdrs.ETAG] = f'W/"{blake2s(body, digest_size=16).hexdigest()}"'
        response = web.Response(body=body, status=reply.status, headers=headers)
        if fault is not None and fault.kind == "slow":
            await market.clock.sleep(fault.seconds)
        if fault is not None and (broken := _BROKEN.get(fault.kind)):
            return await broken(request, response, body, fault)
        if _unchanged(request, response):
            market.requests[venue.name].unchanged += 1
            return _not_modified(response)
        return _compressed(request, response)

    return handle


def _headers(market: Market, venue: Venue, reply: Reply, now: int) -> CIMultiDict[str]:
    # The venue's own clock, which a frozen fault stops and a test sets.
    headers = CIMultiDict({**venue.headers, hdrs.DATE: _http_date(now // 1000)})
    if isinstance(reply.body, str):
        headers[hdrs.CONTENT_TYPE] = "text/html; charset=utf-8"
    if reply.fresh is not None:
        headers[hdrs.CACHE_CONTROL] = f"public, max-age={reply.fresh}"
    if reply.modified is not None:
        headers[hdrs.LAST_MODIFIED] = _http_date(reply.modified)
    if venue.weight_header is not None:
        headers[venue.weight_header] = str(market.weigh(venue.name, reply.weight))
    headers.update(reply.headers)
    return headers


def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


def _unchanged(request: web.Request, response: web.Response) -> bool:
    """RFC 9110, 13.2.2: If-None-Match decides where it is sent, If-Modified-Since otherwise."""
    if response.etag is None or response.status != 200:
        return False
    if request.if_none_match is not None:
        return any(tag.value in {response.etag.value, "*"} for tag in request.if_none_match)
    since, modified = request.if_modified_since, response.last_modified
    return since is not None and modified is not None and modified <= since


def _not_modified(response: web.Response) -> web.Response:
    kept = (hdrs.ETAG, hdrs.LAST_MODIFIED, hdrs.CACHE_CONTROL, hdrs.DATE, hdrs.SERVER)
    headers = {name: response.headers[name] for name in kept if name in response.headers}
    return web.Response(status=304, headers=headers)


def _compressed(request: web.Request, response: _Response) -> _Response:
    """Gzip alone: it is what these venues send."""
    response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
    if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response


async def _cut(
    request: web.Request, response: web.Response, body: bytes, _fault: Fault
) -> web.StreamResponse:
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.content_length = len(body)
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return stream


async def _truncated(
    _request: web.Request, response: web.Response, body: bytes, _fault: Fault
) -> web.StreamResponse:
    return web.Response(body=body[: len(body) // 2], status=response.status, headers=response.headers)


async def _too_large(
    request: web.Request, response: web.Response, body: bytes, fault: Fault
) -> web.StreamResponse:
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    await _compressed(request, stream).prepare(request)
    await stream.write(body)
    for sent in range(len(body), fault.size, _CHUNK):
        await stream.write(b" " * min(_CHUNK, fault.size - sent))
    return stream


async def _closed(
    request: web.Request, response: web.Response, _body: bytes, _fault: Fault
) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response


_BROKEN: Final = {
    "cut": _cut,
    "truncated": _truncated,
    "too_large": _too_large,
    "closed": _closed,
}


@web.middleware
async def _problems(request: web.Request, handler: _Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RequestError as problem:
        body = {"error": {"code": problem.code, "message": problem.viewer}}
        return web.json_response(body, status=problem.status)


async def _index(request: web.Request) -> web.Response:
    market = request.app[_MARKET]
    faults = market.faults()
    body = {
        "what": "The embedded market of Ticker. Its prices are made up.",
        "demo": True,
        "seed": market.seed,
        "venues": {
            venue.name: {
                "title": venue.title,
                "base": f"/{venue.name}",
                "paths": list(venue.routes),
                "requests": market.requests[venue.name].seen,
                "unchanged": market.requests[venue.name].unchanged,
                "fault": faults.get(venue.name),
            }
            for venue in VENUES.values()
        },
    }
    return web.Response(body=msgspec.json.format(_JSON.encode(body)), content_type="application/json")


async def _fail(request: web.Request) -> web.Response:
    # A page of another site can't send this type without asking first, so it can't set faults.
    if request.content_type != "application/json":
        raise RequestError("bad_type", "a fault is sent as application/json", status=415)
    try:
        fault = msgspec.json.decode(await request.read(), type=Fault)
    except msgspec.MsgspecError as problem:
        raise RequestError("bad_fault", str(problem)) from None
    request.app[_MARKET].fail(request.match_info["venue"], fault)
    return web.Response(status=204)


async def _heal(request: web.Request) -> web.Response:
    request.app[_MARKET].heal(request.match_info.get("venue"))
    return web.Response(status=204)
