"""Every message of the feed, held to the schemas of `/asyncapi.json`.

Stricter than the document by one rule: a key it doesn't name is a mistake. Nothing here reads a socket.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from ticker.messages import FIELDS
from ticker.web.asyncapi import document

Schema = dict[str, Any]


def check(message: Mapping[str, Any], *, narrowed: bool = False) -> None:
    """AssertionError for a message that isn't as documented. In a `narrowed` one quotes may lack keys."""
    wrong = [
        f"{error.json_path}: {error.message}" for error in _validator(narrowed)[message["type"]](message)
    ]
    assert not wrong, (wrong, message)


@cache
def _validator(narrowed: bool) -> Mapping[str, Any]:
    described = copy.deepcopy(document())
    schemas: dict[str, Schema] = described["components"]["schemas"]
    for schema in schemas.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    if not narrowed:
        schemas["QuoteObject"]["required"] = list(FIELDS)
    return {
        name: Draft202012Validator({"components": {"schemas": schemas}, **message["payload"]}).iter_errors
        for name, message in described["components"]["messages"].items()
    }
