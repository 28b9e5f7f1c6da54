"""`/asyncapi.json`: the feed described from the very types that encode its messages (AsyncAPI 3.0).

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import hdrs, web
from msgspec import Struct

from ticker import __version__
from ticker.messages import FIELDS, INTERVALS, MESSAGES, Command
from ticker.web.access import JSON
from ticker.wire import schemas

Schema = dict[str, Any]

QUERY: Schema = {
    "type": "object",
    "properties": {
        "assets": {"type": "string", "description": "Ids, separated by commas; * for all."},
        "currency": {"type": "string", "default": "usd", "description": "An ISO 4217 code, BTC or ETH."},
        "interval": {"type": "integer", "enum": list(INTERVALS), "default": 1000, "description": "ms"},
        "since": {"type": "string", "description": "epoch:seq, to get only what changed after it."},
        "fields": {
            "type": "string",
            "description": f"Of a quote, separated by commas: {', '.join(FIELDS)}.",
        },
        "deadband": {"type": "string", "description": "Percent; a smaller move of the price is not sent."},
        "key": {"type": "string", "description": "Where the service asks for one."},
    },
}
SUBPROTOCOLS = "ticker.v1.json (text, the default) or ticker.v1.msgpack (binary, the same keys)"


def document() -> Schema:
    """The AsyncAPI document."""
    sent = {_name(kind): _message(kind) for kind in MESSAGES}
    messages = {**sent, "command": _message(Command)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Ticker's feed",
            "version": __version__,
            "description": "Every change of every price, in absolute values: a frame may always be skipped.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": JSON,
        "channels": {
            "feed": _channel("/v1/feed", f"A websocket; its sub-protocol is {SUBPROTOCOLS}.", messages),
            "stream": _channel("/v1/stream", "The same messages as Server-Sent Events.", sent),
        },
        "operations": {
            "tell": _operation("send", "feed", sent, "What the server says."),
            "ask": _operation("receive", "feed", ["command"], "What a client may say; it need not."),
            "stream": _operation("send", "stream", sent, "What the server says, one event a message."),
        },
        "components": {"messages": messages, "schemas": _schemas()},
    }


def _schemas() -> Schema:
    """A quote may be narrowed to some fields, so that none of them is always there."""
    described = copy.deepcopy(dict(schemas([*MESSAGES, Command])))
    del described["QuoteObject"]["required"]
    described["QuoteObject"]["description"] = (
        "A whole quote, or those of its fields that were asked for; what marks a price as made up or assumed "
        "is there whenever it says something."
    )
    return described


def _name(kind: type[Struct]) -> str:
    return str(kind.__struct_config__.tag)


def _message(kind: type[Struct]) -> Schema:
    summary = " ".join((kind.__doc__ or "").split())
    return {
        "name": _name(kind) if kind is not Command else "command",
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        **({"summary": summary} if summary else {}),
    }


def _channel(address: str, description: str, messages: Sequence[str] | Schema) -> Schema:
    return {
        "address": address,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"ws": {"query": QUERY}},
    }


def _operation(action: str, channel: str, messages: Sequence[str] | Schema, summary: str) -> Schema:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def route() -> web.RouteDef:
    body = msgspec.json.encode(document())
    headers = {hdrs.CACHE_CONTROL: "public, max-age=3600"}

    async def asyncapi(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=JSON, headers=headers)

    return web.get("/asyncapi.json", asyncapi)
