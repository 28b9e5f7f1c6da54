"""What every request and every answer pass through, in one frame around the whole application.

A head has arrived; every error is answered in the documented shape, one that nobody foresaw is logged; a
text is compressed; and each answer says whose pages may read it. A stream says that itself. No aiohttp
middleware: to have one at all costs a tenth of a small answer.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import hdrs, web

from ticker.errors import RequestError, TickerError
from ticker.web.access import PREFLIGHT, compress, failure, refused, share
from ticker.web.heads import Visitor

log = logging.getLogger("ticker.web")

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def edge(handler: Handler, headers: Callable[[web.BaseRequest], Mapping[str, str]]) -> Handler:
    """`headers` are what an answer to a request tells browsers of the pages that may read it."""

    async def passed(request: web.BaseRequest) -> web.StreamResponse:
        if isinstance(request.protocol, Visitor):
            request.protocol.arrived()
        try:
            # OPTIONS is answered for every address alike (Fetch standard, CORS-preflight request).
            if request.method == hdrs.METH_OPTIONS:
                response: web.StreamResponse = web.Response(status=204, headers=PREFLIGHT)
            else:
                response = await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                share(error, headers(request))
                raise
            response = refused(request, error)
        except TickerError as error:
            response = failed(request, error)
        except Exception:
            log.exception("%s %s", request.method, request.path)
            response = failure("internal", "something went wrong here; the operator's log has it", 500)
        if isinstance(response, web.Response):
            if hdrs.CONTENT_ENCODING not in response.headers:
                await compress(request, response)
            share(response, headers(request))
        return response

    return passed


def failed(request: web.BaseRequest, error: TickerError) -> web.Response:
    """The answer to what a reader got wrong, or to what we can't do now; the latter is logged."""
    if isinstance(error, RequestError):
        return failure(error.code, error.viewer, error.status, **error.headers)
    log.error("%s %s: %s", request.method, request.path, error)
    return failure("not_ready", error.viewer, 503, Retry_After="5")
