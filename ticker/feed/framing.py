"""How a payload becomes bytes for a socket: RFC 6455 frames, plain or deflated, and Server-Sent Events.

A cohort's payload is framed once, and the same bytes serve every one of its readers. Nothing here knows a
socket or a session.
"""

from __future__ import annotations

import struct
import zlib
from enum import Enum

from websockets.frames import Opcode

from ticker.messages import point

# Below this a compressed message saves less than its computing costs.
DEFLATE_FROM = 500
# RFC 7692, 7.2.1: what a sync flush ends with is left out.
TAIL = b"\x00\x00\xff\xff"
# A message in one frame (RFC 6455, 5.2), and that it is deflated (RFC 7692, 6).
FIN, RSV1 = 0x80, 0x40


class Framing(Enum):
    """One for each kind of connection there is."""

    TEXT = (Opcode.TEXT, False)
    TEXT_DEFLATED = (Opcode.TEXT, True)
    BINARY = (Opcode.BINARY, False)
    BINARY_DEFLATED = (Opcode.BINARY, True)
    EVENTS = (None, False)

    def __init__(self, opcode: Opcode | None, deflates: bool) -> None:  # noqa: FBT001  # as an Enum's value is
        self.opcode = opcode
        self.deflates = deflates

    def frame(self, payload: bytes, epoch: str = "", seq: int = 0) -> bytes:
        """The payload ready for the socket. `epoch` and `seq` are where to resume after it, if anywhere."""
        if self.opcode is None:
            return event(payload, epoch and point(epoch, seq))
        if self.deflates and len(payload) >= DEFLATE_FROM:
            return framed(FIN | RSV1 | self.opcode, deflated(payload))
        return framed(FIN | self.opcode, payload)


def framed(first: int, payload: bytes) -> bytes:
    """A server's frame, unmasked, its first byte given (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((first, size)) + payload
    head = struct.pack("!BBH", first, 126, size) if size < 1 << 16 else struct.pack("!BBQ", first, 127, size)
    return head + payload


def deflated(payload: bytes) -> bytes:
    """A message by itself, with no context before or after (RFC 7692, 7.2.1)."""
    press = zlib.compressobj(wbits=-15)
    return (press.compress(payload) + press.flush(zlib.Z_SYNC_FLUSH)).removesuffix(TAIL)


def event(payload: bytes, resume: str = "") -> bytes:
    """One event of a stream (HTML standard, 9.2). JSON of ours holds no line's end."""
    named = b"id: %b\n" % resume.encode() if resume else b""
    return b"%bdata: %b\n\n" % (named, payload)
