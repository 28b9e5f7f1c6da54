"""How much one session and one address may ask of the feed. 0 turns a limit off."""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict, deque
from collections.abc import Collection
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
    sessions: Annotated[Count, Meta(description="Sessions open at once, of all addresses together.")] = 0
    max_age: Annotated[
        Count,
        Meta(description="Seconds after which a session is told to come back, give or take a fifth."),
    ] = 86400

    def check_assets(self, assets: Collection[str]) -> None:
        """RequestError too_many_assets for a set larger than a session may hold."""
        cap = self.assets_per_session
        if cap and len(assets) > cap:
            raise RequestError("too_many_assets", f"a session holds at most {cap} assets", status=400)

    def hello(self) -> dict[str, int]:
        """Those that a client can keep to by itself."""
        return {
            "assets_per_session": self.assets_per_session,
            "commands_per_10s": self.commands_per_10s,
            "message_bytes": self.message_bytes,
        }


class Caller(Struct, frozen=True):
    """Who asks: on whose account it goes (an address's or a key's) and how much that may have."""

    account: str
    limits: Limits


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


class Accounts:
    """Open sessions and recent handshakes of each account."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._handshakes: defaultdict[str, deque[int]] = defaultdict(deque)

    def admit(self, caller: Caller, now: int) -> None:
        """Count one more session, to be `release`d. RequestError for one too many."""
        limit = caller.limits.sessions_per_address
        if limit and self._open[caller.account] >= limit:
            raise too_much(f"{limit} sessions are open from your address; close one", retry_after=60)
        self._count_handshake(caller, now)
        self._open[caller.account] += 1

    def release(self, account: str) -> None:
        self._open[account] -= 1
        if self._open[account] <= 0:
            del self._open[account]

    def _count_handshake(self, caller: Caller, now: int) -> None:
        limit = caller.limits.handshakes_per_minute
        if not limit:
            return
        recent = self._handshakes[caller.account]
        while recent and now - recent[0] >= MINUTE_MS:
            recent.popleft()
        if len(recent) >= limit:
            wait = (MINUTE_MS - (now - recent[0])) // 1000 + 1
            raise too_much(f"more than {limit} sessions opened in a minute", retry_after=wait)
        recent.append(now)
        if len(self._handshakes) > REMEMBERED:
            del self._handshakes[next(iter(self._handshakes))]
