"""The feed's messages, in JSON and in MessagePack: the same keys and values in both.

A quote is encoded once, as a piece of a frame; frames are joined from pieces, never encoded anew. Nothing
here sends, or decides who gets what.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ticker.errors import RequestError
from ticker.model import Quote, Snapshot, SourceHealth
from ticker.wire import Millis, QuoteObject, encode, quote_object

PROTOCOL = 1
INTERVALS = (250, 1000, 5000, 15000)
# What `fields` may name; the others are in a quote only when they say something, and then always.
FIELDS = tuple(field.name for field in msgspec.structs.fields(QuoteObject) if field.required)
FLAGS = tuple(name for name in QuoteObject.__struct_fields__ if name not in (*FIELDS, "asset"))

Id = int | Annotated[str, Meta(max_length=64)] | None


# Server to client


class Hello(Struct, tag="hello", kw_only=True):
    """The first message. A limit of 0 is none."""

    v: int = PROTOCOL
    epoch: str
    seq: int
    time: Millis
    heartbeat_ms: int
    limits: dict[str, int]
    intervals: Sequence[int] = INTERVALS


class SnapshotMessage(Struct, tag="snapshot", kw_only=True):
    """All quotes asked for; with `recovered`, those that changed after `since`."""

    id: Id
    epoch: str
    seq: int
    time: Millis
    recovered: bool
    quotes: dict[str, QuoteObject]


class UpdateMessage(Struct, tag="update", kw_only=True):
    """Quotes that changed, each whole. Resync when `prev` is above the last seq; drop when `seq` isn't."""

    seq: int
    prev: int
    time: Millis
    quotes: dict[str, QuoteObject]


class Heartbeat(Struct, tag="heartbeat"):
    seq: int
    time: Millis


class Ack(Struct, tag="ack", kw_only=True):
    id: Id
    op: str
    assets: list[str]
    rejected: dict[str, str]


class Pong(Struct, tag="pong"):
    id: Id
    time: Millis


class Status(Struct, tag="status"):
    """Sources whose health has changed."""

    sources: dict[str, SourceHealth]


class Failure(Struct, tag="error", kw_only=True):
    id: Id
    code: str
    message: str
    retry_after_ms: int | UnsetType = UNSET


class Goodbye(Struct, tag="goodbye", kw_only=True):
    """The connection ends within `reconnect_in_ms` from now; come back then, with `since=` `resume`."""

    reason: str
    reconnect_in_ms: int
    resume: str


MESSAGES = (Hello, SnapshotMessage, UpdateMessage, Heartbeat, Ack, Pong, Status, Failure, Goodbye)


class Encoding(ABC):
    """How messages become bytes. `encode` is for those that belong to one reader."""

    name: str

    @abstractmethod
    def encode(self, message: object) -> bytes:
        """A message, or a part of one."""

    @abstractmethod
    def frame(self, head: Sequence[tuple[str, Any]], pieces: Sequence[bytes]) -> bytes:
        """A message of `head`'s keys and of `quotes`, joined from pieces."""

    def piece(self, quote: Quote, fields: Sequence[str] = ()) -> bytes:
        """A quote as a member of a frame's `quotes`; of `fields` only, if any are named.

        What marks a price as made up or assumed stays with it, whatever was asked for.
        """
        whole = quote_object(quote)
        if not fields:
            return self._member(quote.asset, whole)
        told = {name: value for name in FLAGS if (value := getattr(whole, name)) is not UNSET}
        return self._member(quote.asset, {name: getattr(whole, name) for name in fields} | told)

    @abstractmethod
    def _member(self, asset: str, quote: object) -> bytes: ...

    def update(self, pieces: Sequence[bytes], *, seq: int, prev: int, time: int) -> bytes:
        return self.frame((("type", "update"), ("seq", seq), ("prev", prev), ("time", time)), pieces)

    def snapshot(self, pieces: Sequence[bytes], snapshot: Snapshot, *, ref: Id, time: int) -> bytes:
        """`ref` is the `id` of the command it answers; None for the first, which answers the address."""
        head = (
            ("type", "snapshot"),
            ("id", ref),
            ("epoch", snapshot.epoch),
            ("seq", snapshot.seq),
            ("time", time),
            ("recovered", snapshot.recovered),
        )
        return self.frame(head, pieces)


class Json(Encoding):
    name = "json"

    def encode(self, message: object) -> bytes:
        return encode(message)

    def _member(self, asset: str, quote: object) -> bytes:
        return encode(asset) + b":" + encode(quote)

    def update(self, pieces: Sequence[bytes], *, seq: int, prev: int, time: int) -> bytes:
        head = b'{"type":"update","seq":%d,"prev":%d,"time":%d,"quotes":{' % (seq, prev, time)
        return head + b",".join(pieces) + b"}}"

    def frame(self, head: Sequence[tuple[str, Any]], pieces: Sequence[bytes]) -> bytes:
        return encode(dict(head))[:-1] + b',"quotes":{' + b",".join(pieces) + b"}}"


class MessagePack(Encoding):
    """https://github.com/msgpack/msgpack/blob/master/spec.md"""

    name = "msgpack"

    def __init__(self) -> None:
        self._encode = msgspec.msgpack.Encoder().encode

    def encode(self, message: object) -> bytes:
        return self._encode(message)

    def _member(self, asset: str, quote: object) -> bytes:
        return self._encode(asset) + self._encode(quote)

    def frame(self, head: Sequence[tuple[str, Any]], pieces: Sequence[bytes]) -> bytes:
        # A map of fewer than 16 keys begins with 0x80 + their number; here there is one key more to come.
        opened = bytes([0x81 + len(head)]) + self._encode(dict(head))[1:]
        return b"".join((opened, self._encode("quotes"), _map(len(pieces)), *pieces))


def _map(size: int) -> bytes:
    if size < 16:
        return bytes([0x80 + size])
    return b"\xde" + size.to_bytes(2, "big") if size < 1 << 16 else b"\xdf" + size.to_bytes(4, "big")


JSON, MSGPACK = Json(), MessagePack()


# Client to server


class Command(Struct, kw_only=True):
    """What a client may send. Keys that aren't known are ignored."""

    op: str
    id: Id = None
    assets: list[str] = []
    since: str | None = None


_READERS = (msgspec.json.Decoder(Command), msgspec.msgpack.Decoder(Command))


def decode_command(said: bytes, *, packed: bool = False) -> Command:
    """A command in JSON, or `packed` as MessagePack.

    RequestError bad_json, bad_id or bad_op, with what to send instead.
    """
    try:
        return _READERS[packed].decode(said)
    except msgspec.ValidationError as error:
        code = "bad_id" if "$.id" in str(error) else "bad_op"
        message = f'{error}; send an object such as {{"op":"subscribe","id":1,"assets":["bitcoin"]}}'
        raise RequestError(code, message) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError("bad_json", f"not {'MessagePack' if packed else 'JSON'}: {error}") from error
    except RecursionError as error:
        raise RequestError("bad_json", "nested too deep") from error


SINCE = re.compile(r"([0-9a-z]{1,16}):([0-9]{1,18})")


def parse_since(text: str | None) -> tuple[str, int] | None:
    """`epoch:seq`; None for none and for what can't be one, which then means from the beginning."""
    match = SINCE.fullmatch(text or "")
    return (match[1], int(match[2])) if match else None


def point(epoch: str, seq: int) -> str:
    """A point of the book's life to go on from, as `since` takes it."""
    return f"{epoch}:{seq}"
