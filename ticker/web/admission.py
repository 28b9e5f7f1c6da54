"""Who may ask, from where and with which key: the one place that believes or disbelieves a request's headers.

It knows the operator's lists and nothing of sessions: `Door.caller` says on whose account a request goes, and
counting is the feed's. It keeps no key, only digests, and no error or log of its own repeats one.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Annotated
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from msgspec import Meta, Struct
from msgspec.structs import replace

from ticker.errors import RequestError
from ticker.feed.limits import Caller, Count, Limits, neighbourhood
from ticker.web.access import CORS

EVERYONE = "*"
SANDBOX = "null"
BEARER = "bearer"

_LABELS = r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?"
_ENTRY = re.compile(rf"(https?)://(?:(\*\.)?({_LABELS})|(\[[0-9a-f:.]+\]))(?::(\d{{1,5}}))?", re.ASCII)
_HOST = re.compile(r"[\w.\-]+(:\d+)?|\[[\da-fA-F:.]+\](:\d+)?", re.ASCII)
# As proxies write them: `192.0.2.1:5678`, `[2001:db8::1]`, `[2001:db8::1]:5678`.
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+", re.ASCII)
_DIGEST = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_DEFAULT_PORTS = {"http": "80", "https": "443"}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose pages may read, which proxies are believed, and whether the feed asks for a key."""

    origins: Annotated[
        tuple[str, ...],
        Meta(
            description="Origins whose pages may read and frame what is here, beside its own: "
            '"*", "null", "https://example.com", "https://*.example.com".'
        ),
    ] = (EVERYONE,)
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="Addresses or networks of proxies whose X-Forwarded-For, -Proto and -Host count."),
    ] = ()
    require_key: Annotated[
        bool, Meta(description="true: the feed answers only with a key; widgets show prices, but not live.")
    ] = False

    def __post_init__(self) -> None:
        for entry in self.origins:
            canonical(entry)
        networks(self.trusted_proxies)


class Key(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key and what it may have. None is as in [limits], 0 is no limit."""

    sha256: Annotated[
        str, Meta(description="SHA-256 of the key in hex, as `ticker key` prints it; the key stands nowhere.")
    ]
    sessions: Annotated[
        Count | None, Meta(description="Sessions open at once with this key; unset: as for an address.")
    ] = None
    assets_per_session: Annotated[
        Count | None,
        Meta(description="Assets that one of its sessions may subscribe to; unset: as in limits."),
    ] = None
    commands_per_10s: Annotated[
        Count | None,
        Meta(description="Commands that one of its sessions may send in 10 s; unset: as in limits."),
    ] = None
    handshakes_per_minute: Annotated[
        Count | None, Meta(description="Sessions that it may open in a minute; unset: as in limits.")
    ] = None

    def __post_init__(self) -> None:
        # The text isn't repeated: it may be the key itself, put here by mistake.
        if not _DIGEST.fullmatch(self.sha256):
            raise ValueError(
                "sha256: is not 64 hexadecimal digits; `ticker key NAME` prints a key and its digest"
            )

    def limits(self, general: Limits) -> Limits:
        own = {
            "sessions_per_address": self.sessions,
            "assets_per_session": self.assets_per_session,
            "commands_per_10s": self.commands_per_10s,
            "handshakes_per_minute": self.handshakes_per_minute,
        }
        return replace(general, **{name: value for name, value in own.items() if value is not None})


class Door:
    """Decides over requests. `public_url`: the service's own address, where the operator wrote one."""

    def __init__(
        self,
        options: Options | None = None,
        keys: Mapping[str, Key] | None = None,
        limits: Limits | None = None,
        *,
        public_url: str | None = None,
    ) -> None:
        options, limits = options or Options(), limits or Limits()
        listed = [canonical(entry) for entry in options.origins]
        self.everyone = EVERYONE in listed
        self.frames = EVERYONE if self.everyone else " ".join(["'self'", *_sources(listed)])
        self._origins = re.compile("|".join(map(_pattern, listed)) or "(?!)")
        self._trusted = networks(options.trusted_proxies)
        self._require_key = options.require_key
        self._limits = limits
        self._public = public_url
        self._keyed = {
            bytes.fromhex(key.sha256): Caller(f"key:{name}", key.limits(limits))
            for name, key in (keys or {}).items()
        }

    def caller(self, request: web.BaseRequest) -> Caller:
        """On whose account the request goes: its key's, else its address's.

        RequestError 403 for a page of an origin that isn't allowed, 401 for a wrong or a missing key. Only
        browsers send an Origin: a request without one is no other site's page.
        """
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is not None and not self.allows(origin) and not self._is_own(request, origin):
            raise RequestError("forbidden", "pages of this origin may not read here", status=403)
        key = _key(request)
        if key:
            return self._known(key)
        if self._require_key:
            raise _unauthorized(
                "a key is needed: Authorization: Bearer KEY, or ?key=KEY where that can't be set"
            )
        return Caller(neighbourhood(self.address(request)), self._limits)

    def allows(self, origin: str) -> bool:
        """Whether the list names this origin, as a browser's Origin header writes it (RFC 6454, 6.2)."""
        return self.everyone or self._origins.fullmatch(origin) is not None

    def headers(self, request: web.BaseRequest) -> Mapping[str, str]:
        """What an answer tells browsers of the pages that may read it (Fetch standard, CORS protocol)."""
        if self.everyone:
            return CORS
        origin = request.headers.get(hdrs.ORIGIN, "")
        own = CORS | {hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: origin} if self.allows(origin) else {}
        return {**own, hdrs.VARY: hdrs.ORIGIN}

    def address(self, request: web.BaseRequest) -> str:
        """The client's address: the socket's peer, or what trusted proxies say; `unknown` without any.

        X-Forwarded-For is read from its right end, where the nearest proxy wrote; it is believed as far as
        each next address was written by a trusted one.
        """
        found = _parsed(request.remote or "")
        if found is None:
            return "unknown"
        if self._trusts(found):
            told = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))
            for entry in reversed(told.split(",")):
                further = _parsed(entry.strip())
                if further is None:
                    break
                found = further
                if not self._trusts(found):
                    break
        return str(found)

    def public_url(self, request: web.BaseRequest) -> str:
        """The address this request came to, without a slash at its end. RequestError for no host."""
        scheme = self._forwarded(request, hdrs.X_FORWARDED_PROTO).lower()
        return f"{scheme if scheme in _DEFAULT_PORTS else request.scheme}://{self.host(request)}"

    def host(self, request: web.BaseRequest) -> str:
        """The host the reader asked for. RequestError when it can't be one: it goes into pages."""
        host = self._host(request)
        if not _HOST.fullmatch(host):
            raise RequestError("bad_request", "this Host header can't be a host")
        return host

    def _host(self, request: web.BaseRequest) -> str:
        return self._forwarded(request, hdrs.X_FORWARDED_HOST) or request.host

    def _forwarded(self, request: web.BaseRequest, name: str) -> str:
        """What the nearest proxy says, if it is trusted; else nothing."""
        peer = _parsed(request.remote or "")
        if peer is None or not self._trusts(peer):
            return ""
        return ",".join(request.headers.getall(name, ())).rpartition(",")[2].strip()

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)

    def _is_own(self, request: web.BaseRequest, origin: str) -> bool:
        """Whether it is our own page: a widget in a frame has our origin, whoever frames it."""
        host = origin.partition("://")[2]
        return host != "" and host in (self._host(request), urlsplit(self._public or "").netloc)

    def _known(self, key: str) -> Caller:
        given = hashlib.sha256(key.encode(errors="replace")).digest()
        found = [caller for digest, caller in self._keyed.items() if hmac.compare_digest(digest, given)]
        if not found:
            raise _unauthorized("this key isn't known here")
        return found[0]


def canonical(entry: str) -> str:
    """An entry of `origins` as browsers write origins. ValueError that says what to write."""
    if entry in (EVERYONE, SANDBOX):
        return entry
    found = _read(entry)
    if found is None:
        raise ValueError(f"origins: {entry!r} is no origin; write {_suggestion(entry)}")
    scheme, wildcard, name, literal, port = found.groups()
    ending = f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{wildcard or ''}{name or literal}{ending}"


def networks(entries: Iterable[str]) -> tuple[Network, ...]:
    """The proxies' networks. ValueError that says what to write."""
    found: list[Network] = []
    for entry in entries:
        try:
            network = ipaddress.ip_network(entry, strict=False)
        except ValueError as error:
            hint = "write an address or a network, such as 127.0.0.1 or 10.0.0.0/8"
            raise ValueError(f"trusted_proxies: {entry!r} is neither; {hint}") from error
        if "/" in entry and str(network.network_address) != str(ipaddress.ip_interface(entry).ip):
            raise ValueError(f"trusted_proxies: {entry!r} lies within a network; write {str(network)!r}")
        found.append(network)
    return tuple(found)


def _read(entry: str) -> re.Match[str] | None:
    found = _ENTRY.fullmatch(entry.lower())
    return found if found and int(found[5] or 0) < 65536 else None


def _suggestion(entry: str) -> str:
    """What was probably meant, else the forms there are."""
    found = re.match(r"(?:(https?)://)?([^/\s]+)", entry.lower())
    meant = f"{found[1] or 'https'}://{found[2]}" if found else ""
    if _read(meant):
        return f'"{meant}"'
    return '"*", "null", "https://example.com" or "https://*.example.com"'


def _pattern(entry: str) -> str:
    return re.escape(entry).replace(r"\*\.", r"[a-z0-9._-]+\.")


def _sources(listed: Iterable[str]) -> list[str]:
    """Those of the list that a policy's frame-ancestors can name: no opaque origin, no IPv6 address."""
    return [entry for entry in listed if entry != SANDBOX and "[" not in entry]


def _parsed(text: str) -> Address | None:
    """An address with or without a port; an IPv4 one in IPv6's clothes is the IPv4 one."""
    found = _WITH_PORT.fullmatch(text)
    try:
        ip = ipaddress.ip_address(found[1] or found[2] if found else text)
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def _key(request: web.BaseRequest) -> str:
    """The key that came along, or nothing. Browsers can't set a websocket's headers: theirs is a query's."""
    scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == BEARER and token.strip():
        return token.strip()
    return request.query.get("key", "")


def _unauthorized(message: str) -> RequestError:
    return RequestError("unauthorized", message, status=401, WWW_Authenticate="Bearer")
