"""How much one session and one address may ask of the feed. 0 turns a limit off."""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict, deque
from typing import Annotated

from msgspec import Meta, Struct

from ticker.errors import RequestError

Count = Annotated[int, Meta(ge=0)]

MINUTE_MS = 60_000
# Addresses whose handshakes are remembered; beyond it the oldest make room.
REMEMBERED = 100_000


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one session and one address may ask of the feed. 0 turns a limit off."""

    assets_per_session: Annotated[Count, Meta(description="Assets that one session may subscribe to.")] = 200
    commands_per_10s: Annotated[Count, Meta(description="Commands that a session may send in 10 s.")] = 20
    message_bytes: Annotated[Count, Meta(description="Size of one inbound message, in bytes.")] = 4096
    sessions_per_address: Annotated[
        Count, Meta(description="Sessions open at once from one address (an IPv6 /64 counts as one).")
    ] = 30
    handshakes_per_minute: Annotated[
        Count, Meta(description="Sessions that one address may open in a minute.")
    ] = 60

    def hello(self) -> dict[str, int]:
        """Those that a client can keep to by itself."""
        return {
            "assets_per_session": self.assets_per_session,
            "commands_per_10s": self.commands_per_10s,
            "message_bytes": self.message_bytes,
        }


def too_much(message: str, *, retry_after: int) -> RequestError:
    """The refusal of one more, with the seconds after which it may come again."""
    return RequestError("rate_limited", message, status=429, Retry_After=str(retry_after))


def neighbourhood(address: str) -> str:
    """The address, or of an IPv6 address its /64, which is what one subscriber is given (RFC 6177)."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 4:
        return address
    return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))


class Addresses:
    """Open sessions and recent handshakes of each address."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: Counter[str] = Counter()
        self._handshakes: defaultdict[str, deque[int]] = defaultdict(deque)

    def admit(self, address: str, now: int) -> str:
        """Count one more session; returns the key to `release` it with. RequestError for one too many."""
        key = neighbourhood(address)
        limit = self._limits.sessions_per_address
        if limit and self._open[key] >= limit:
            raise too_much(f"{limit} sessions are open from your address; close one", retry_after=60)
        self._count_handshake(key, now)
        self._open[key] += 1
        return key

    def release(self, key: str) -> None:
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]

    def _count_handshake(self, key: str, now: int) -> None:
        limit = self._limits.handshakes_per_minute
        if not limit:
            return
        recent = self._handshakes[key]
        while recent and now - recent[0] >= MINUTE_MS:
            recent.popleft()
        if len(recent) >= limit:
            wait = (MINUTE_MS - (now - recent[0])) // 1000 + 1
            raise too_much(f"more than {limit} sessions opened in a minute", retry_after=wait)
        recent.append(now)
        if len(self._handshakes) > REMEMBERED:
            del self._handshakes[next(iter(self._handshakes))]
