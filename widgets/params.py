"""What a widget's address may say.

A kind declares its options as one frozen Struct; reading, checking, the canonical form and, later, the
builder and the docs all come from that declaration. Unknown keys are ignored, because pages add their own
to addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Meta, Struct

from ticker.errors import RequestError


class Theme(StrEnum):
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Form(StrEnum):
    """A whole page for an iframe, or the same markup alone for the element's shadow root."""

    DOCUMENT = "document"
    FRAGMENT = "fragment"


class Options(Struct, frozen=True, kw_only=True):
    """What every kind understands."""

    theme: Annotated[Theme, Meta(description="auto follows the reader's system")] = Theme.AUTO
    locale: Annotated[str, Meta(description="language and number format, as BCP 47", max_length=35)] = "en"
    live: Annotated[bool, Meta(description="0: the price as it was when the page was asked for")] = True
    form: Annotated[Form, Meta(description="document for an iframe, fragment for the element")] = (
        Form.DOCUMENT
    )


class QuoteOptions(Options, frozen=True, kw_only=True):
    asset: Annotated[str, Meta(description="the asset's id, as in /v1/assets", max_length=64)]


T = TypeVar("T", bound=Options)


def read(query: Mapping[str, str], options: type[T]) -> T:
    """The options a query asks for. RequestError `bad_option` (400) names the option and its values."""
    try:
        return msgspec.convert(dict(query), options, strict=False)
    except msgspec.ValidationError:
        raise RequestError("bad_option", _complaint(query, options)) from None


def canonical(options: Options) -> str:
    """The query string that asks for exactly these options and says nothing that is a default."""
    said = msgspec.structs.asdict(options)
    defaults = {field.name: field.default for field in msgspec.structs.fields(options)}
    return urlencode({name: said[name] for name in sorted(said) if said[name] != defaults[name]})


def _complaint(query: Mapping[str, str], options: type[Options]) -> str:
    for field in msgspec.structs.fields(options):
        if field.name not in query:
            if field.required:
                return f"Say which {field.name}: ?{field.name}=…"
            continue
        try:
            msgspec.convert(query[field.name], field.type, strict=False)
        except msgspec.ValidationError:
            return f"{field.name} can't be “{query[field.name][:40]}”{_choices(field.default)}"
    return "These options can't be read together"


def _choices(default: object) -> str:
    if isinstance(default, StrEnum):
        return ": use " + ", ".join(type(default))
    return ": use 1 or 0" if isinstance(default, bool) else ""
