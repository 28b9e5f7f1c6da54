"""A text as HTTP sends it: validator, codings, caching and policy headers.

Each coding is made once, when somebody first asks for it. Nothing here knows what the text says.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from aiohttp import hdrs
from aiohttp.web import Request, Response
from multidict import CIMultiDict

from ticker.codings import LASTING, LIVELY, coded, preferred
from widgets.embed import style_source

BRIEF = "public, max-age=5, stale-while-revalidate=60"
FOREVER = "public, max-age=31536000, immutable"
RENEWED = "public, max-age=300, stale-while-revalidate=86400"
HTML, SVG, SCRIPT, PNG = "text/html", "image/svg+xml", "text/javascript", "image/png"
OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
TEXTUAL = re.compile(r"text/|image/svg|application/(json|xml)")


class Content:
    """A body with its ETag and its headers, ready to be sent in any coding.

    What is kept for longer than a moment is compressed as far as it goes.
    """

    __slots__ = ("_bodies", "_headers", "_quality", "_ready", "_tag", "_textual", "size", "status")

    def __init__(
        self,
        body: str | bytes,
        kind: str,
        headers: Mapping[str, str] | None = None,
        *,
        status: int = 200,
        cache: str = BRIEF,
    ) -> None:
        plain = body.encode() if isinstance(body, str) else body
        self.status = status
        self.size = len(plain)
        self._quality = LIVELY if cache == BRIEF else LASTING
        self._tag = blake2b(plain, digest_size=12).hexdigest()
        self._bodies = {"": plain}
        self._textual = bool(TEXTUAL.match(kind))
        self._headers = {
            "Content-Type": f"{kind}; charset=utf-8" if self._textual else kind,
            "Cache-Control": cache if status == 200 else "no-cache",
            "ETag": f'W/"{self._tag}"',
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            **(headers or {}),
        }
        self._ready: dict[str, CIMultiDict[str]] = {}

    def answer(self, request: Request) -> Response:
        """As this reader likes it; 304 when the reader has it already (RFC 9110, 13.1.2)."""
        if self.status == 200 and hdrs.IF_NONE_MATCH in request.headers and self._held(request):
            return Response(status=304, headers=self._headers)
        coding = preferred(request.headers.get(hdrs.ACCEPT_ENCODING, "")) if self._textual else ""
        headers = self._ready.get(coding)
        if headers is None:
            said = self._headers | ({"Content-Encoding": coding} if coding else {})
            headers = self._ready[coding] = CIMultiDict(said)
        return Response(status=self.status, body=self._body(coding), headers=headers)

    def _held(self, request: Request) -> bool:
        return any(known.value in {self._tag, "*"} for known in request.if_none_match or ())

    def length(self, coding: str) -> int:
        """Bytes that are sent in a coding: br, gzip or the empty one."""
        return len(self._body(coding))

    def _body(self, coding: str) -> bytes:
        body = self._bodies.get(coding)
        if body is None:
            body = self._bodies[coding] = coded(self._bodies[""], coding, self._quality)
        return body


class Kept:
    """Contents by key, the least used dropped first when they are more than `most` bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self._kept: OrderedDict[object, tuple[object, Content]] = OrderedDict()

    def get(self, key: object, stamp: object) -> Content | None:
        """What was kept under this key, if its stamp is still the same."""
        kept = self._kept.get(key)
        if kept is None or kept[0] != stamp:
            return None
        self._kept.move_to_end(key)
        return kept[1]

    def put(self, key: object, stamp: object, content: Content) -> None:
        former = self._kept.pop(key, None)
        self._bytes += content.size - (former[1].size if former else 0)
        self._kept[key] = (stamp, content)
        while self._bytes > self._most:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._bytes -= dropped.size


@lru_cache(maxsize=1024)
def policy(style: str, *, frames: str) -> dict[str, str]:
    """Our own script, our own feed, one known style sheet, and nothing else.

    `'self'` is the feed's websocket, too (CSP 3, 6.7.2.8). A browser too old to know takes the feed's stream.
    """
    rules = (
        "default-src 'none'", f"style-src {style_source(style)}", "script-src 'self'", "img-src 'self' data:",
        "connect-src 'self'", "worker-src 'self'", "base-uri 'none'", "form-action 'self'",
        f"frame-ancestors {frames}",
    )  # fmt: skip
    return {"Content-Security-Policy": "; ".join(rules), "Referrer-Policy": "no-referrer"}
