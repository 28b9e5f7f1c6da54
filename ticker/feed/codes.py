"""Why a session ends: the close codes of the feed, in the private range of RFC 6455, 7.4.2."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """40xx: don't come back unchanged. 41xx: wait, 1 to 30 s with full jitter. 42xx: come back as told."""

    BAD_REQUEST = 4000
    UNAUTHORIZED = 4001
    FORBIDDEN = 4003
    QUOTA = 4004
    UNSUPPORTED_VERSION = 4005
    OVER_CAPACITY = 4100
    RATE_LIMITED = 4101
    SLOW_CONSUMER = 4102
    SERVER_ERROR = 4103
    DRAIN = 4200
    PONG_TIMEOUT = 4201
    MAX_AGE = 4202
