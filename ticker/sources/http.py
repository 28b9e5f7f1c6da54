"""The shared HTTP layer: one GET to one venue, within a time and a size, or a SourceError saying what to do.

It keeps nothing between two requests: what to remember (validators) comes in and goes out with the answer.
Redirects stay on the venue's host, certificates are verified, and neither an address's query nor a key
ever gets into an error's text.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Protocol

import aiohttp
from msgspec import Struct
from multidict import CIMultiDictProxy
from yarl import URL

from ticker.clock import Clock
from ticker.errors import BadAnswer, RateLimited, Refused, SourceError, Unreachable
from ticker.sources.base import Options, Request, Venue

# Counted after decompression. The largest answer we ask for, MEXC's whole list, is below 2 MiB.
BODY_LIMIT = 16 * 2**20
# The longest Retry-After we heed. Binance bans for up to three days; asking once an hour costs it one
# request, finds an early end, and outlives a header that is nonsense.
RETRY_CEILING = 3600.0
REDIRECTS = 3
USER_AGENT = "price-ticker"
DELAY = re.compile(r"[0-9]{1,10}")


class Peer(Protocol):
    """Whoever is asked, as its errors name it: in words, and by the section of its settings."""

    @property
    def title(self) -> str: ...
    @property
    def section(self) -> str: ...


class Validator(Struct, frozen=True):
    """What an answer said about its own version (RFC 9110, 8.8)."""

    etag: str | None
    last_modified: str | None


class Answer(Struct, frozen=True, kw_only=True):
    """A venue's usable answer. `unchanged`: it is the one the validator came from, and has no body.

    `seen` is when it arrived, `date` the venue's own clock (both ms; None where it sends no Date).
    """

    body: bytes
    unchanged: bool
    seen: int
    date: int | None
    validator: Validator | None
    used_weight: int | None
    demo: bool


def new_session() -> aiohttp.ClientSession:
    """The client all sources share; the caller closes it. Each request has its own deadline."""
    return aiohttp.ClientSession(
        headers={"User-Agent": USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip, br"},
        connector=aiohttp.TCPConnector(limit=64, limit_per_host=8),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
    )


async def fetch(
    session: aiohttp.ClientSession,
    venue: Venue,
    options: Options,
    request: Request,
    clock: Clock,
    *,
    validator: Validator | None = None,
    within: float | None = None,
    body_limit: int = BODY_LIMIT,
) -> Answer:
    """One request and its answer. `within` (seconds) bounds the whole of it, by default `options.timeout`.

    Raises Unreachable, RateLimited, Refused, BadAnswer, or what the venue makes of its own error.
    """
    headers = {**venue.headers(options), **conditions(validator)}
    url = URL(venue.address(options) + request.path).update_query(request.query)
    seconds = options.timeout if within is None else within
    response, body = await exchange(session, venue, url, headers, seconds=seconds, limit=body_limit)
    seen = clock.now()
    unchanged = response.status == 304 and validator is not None
    if not unchanged and (failure := _failure(venue, response, body, seen)):
        raise failure
    return Answer(
        body=body,
        unchanged=unchanged,
        seen=seen,
        date=_date(response.headers),
        validator=validator_told(response.headers),
        used_weight=_used_weight(venue, response.headers),
        demo="Ticker-Demo" in response.headers,
    )


async def exchange(
    session: aiohttp.ClientSession,
    peer: Peer,
    url: URL,
    headers: Mapping[str, str],
    *,
    seconds: float,
    limit: int,
) -> tuple[aiohttp.ClientResponse, bytes]:
    """The whole of one request, the body read; Unreachable where that failed on the way."""
    try:
        async with asyncio.timeout(seconds), await _get(session, peer, url, headers) as response:
            return response, await _body(response, peer, limit)
    except TimeoutError as late:
        raise Unreachable(
            f"{peer.title} did not answer within {seconds:g} s; "
            f"check the network, or allow more with {peer.section}.timeout"
        ) from late
    except (aiohttp.ClientError, OSError) as broken:
        raise Unreachable(
            f"{peer.title}: {_reason(broken)}; check the network or {_setting(peer)}"
        ) from broken


async def _get(
    session: aiohttp.ClientSession, peer: Peer, url: URL, headers: Mapping[str, str]
) -> aiohttp.ClientResponse:
    """Follows redirects by hand: our key must not go to another host, nor prices come over plain HTTP."""
    for _ in range(REDIRECTS + 1):
        response = await session.get(url, headers=headers, allow_redirects=False)
        location = response.headers.get("Location")
        if response.status not in (301, 302, 303, 307, 308) or location is None:
            return response
        response.close()
        url = _target(peer, url, location)
    raise Refused(f"{peer.title} redirects in circles; check {_setting(peer)}")


def _target(peer: Peer, url: URL, location: str) -> URL:
    try:
        target = url.join(URL(location))
    except ValueError as wrong:
        raise BadAnswer(f"{peer.title} redirects to no address; check {_setting(peer)}") from wrong
    if target.host != url.host or (url.scheme == "https" and target.scheme != "https"):
        raise Refused(f"{peer.title} redirects to {target.host}, which isn't followed; set {_setting(peer)}")
    return target


async def _body(response: aiohttp.ClientResponse, peer: Peer, limit: int) -> bytes:
    """The decompressed body. Read in pieces, so that a bomb is dropped after the first piece too many."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > limit:
            response.close()
            raise BadAnswer(f"{peer.title} sent more than {limit} bytes; check {_setting(peer)}")
    return bytes(body)


def _failure(venue: Venue, response: aiohttp.ClientResponse, body: bytes, seen: int) -> SourceError | None:
    status, headers = response.status, response.headers
    own = venue.error(status, headers, body)
    if own is None and status == 200:
        return _not_json(venue, headers, body)
    wait = wait_told(headers, seen)
    failure = own or by_status(venue, status, wait)
    if isinstance(failure, RateLimited) and failure.retry_after is None:
        failure.retry_after = wait
    return failure


def by_status(peer: Peer, status: int, wait: float | None) -> SourceError:
    when = "asked again later" if wait is None else f"asked again in {wait:.0f} s"
    if status == 418:
        return RateLimited(
            f"{peer.title} has banned this address for a while (418); {when}", retry_after=wait
        )
    if status == 429:
        return RateLimited(
            f"{peer.title} says too many requests (429); {when}; raise {peer.section}.interval",
            retry_after=wait,
        )
    if status == 503 and wait is not None:
        return RateLimited(f"{peer.title} is not available (503); {when}", retry_after=wait)
    if status >= 500:
        return Unreachable(f"{peer.title} has trouble of its own ({status}); asked again by itself")
    if status == 451:
        return Refused(
            f"{peer.title} does not serve this location (451); set {_setting(peer)} to a host that does"
        )
    if status in (401, 403):
        return Refused(f"{peer.title} refuses us ({status}); check {_setting(peer)} and any key")
    return Refused(f"{peer.title} answered {status} where 200 was expected; check {_setting(peer)}")


def _not_json(venue: Venue, headers: Mapping[str, str], body: bytes) -> BadAnswer | None:
    if body.lstrip()[:1] == b"<" or headers.get("Content-Type", "").startswith("text/html"):
        return BadAnswer(
            f"{venue.title} sent a web page instead of JSON; check {_setting(venue)} and any proxy"
        )
    return None


def _setting(peer: Peer) -> str:
    return f"{peer.section}.base_url"


def _reason(broken: Exception) -> str:
    """Why there was no answer, in words of our own: aiohttp's may hold the whole address."""
    match broken:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return "its certificate can't be trusted"
        case aiohttp.ClientConnectorDNSError():
            return "its host name can't be resolved"
        case aiohttp.ClientConnectorError():
            return f"no connection ({broken.os_error.strerror or 'refused'})"
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError():
            return "the answer broke off"
        case aiohttp.InvalidURL():
            return "its address can't be used"
    return f"no usable answer ({type(broken).__name__})"


def conditions(validator: Validator | None) -> dict[str, str]:
    if validator is None:
        return {}
    pairs = {"If-None-Match": validator.etag, "If-Modified-Since": validator.last_modified}
    return {name: value for name, value in pairs.items() if value is not None}


def validator_told(headers: CIMultiDictProxy[str]) -> Validator | None:
    etag, modified = headers.get("ETag"), headers.get("Last-Modified")
    return Validator(etag, modified) if etag or modified else None


def _date(headers: Mapping[str, str]) -> int | None:
    return _http_date(headers.get("Date", ""))


def _http_date(text: str) -> int | None:
    """An HTTP date (RFC 9110, 5.6.7) as ms; None when it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def wait_told(headers: Mapping[str, str], seen: int) -> float | None:
    """Seconds to wait (RFC 9110, 10.2.3); a date is counted from the venue's own clock."""
    said = headers.get("Retry-After", "").strip()
    if DELAY.fullmatch(said):
        return min(float(said), RETRY_CEILING)
    until = _http_date(said)
    if until is None:
        return None
    return min(max(0.0, (until - (_date(headers) or seen)) / 1000), RETRY_CEILING)


def _used_weight(venue: Venue, headers: Mapping[str, str]) -> int | None:
    said = headers.get(venue.used_weight_header or "", "")
    return int(said) if DELAY.fullmatch(said) else None
