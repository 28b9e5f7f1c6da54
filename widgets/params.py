"""What a widget's address may say: one table that reads it, checks it, writes it and explains it.

A kind declares its options as one frozen Struct; reading, the canonical form, the builder's fields and the
docs all come from that declaration. Unknown keys are ignored, because pages add their own to addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Annotated, NamedTuple, TypeVar, get_type_hints
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Meta, Struct

from ticker.errors import RequestError
from ticker.model import Asset, Window
from widgets.colours import Palette, Theme
from widgets.locales import find


class Form(StrEnum):
    """A whole page for an iframe, or the same markup alone for the element's shadow root."""

    DOCUMENT = "document"
    FRAGMENT = "fragment"


class Notation(StrEnum):
    """Of a price with many zeros: how many there are (0.0₅1234), or all of them."""

    SUBSCRIPT = "subscript"
    PLAIN = "plain"


class Scale(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class Target(StrEnum):
    """Where a link opens: a new tab, the frame's own place, or the whole page."""

    NEW = "new"
    SAME = "same"
    TOP = "top"


TARGETS = {Target.NEW: "_blank", Target.SAME: "_self", Target.TOP: "_top"}
NO_LINK = "none"


class Options(Struct, frozen=True, kw_only=True):
    """What every kind understands."""

    theme: Annotated[Theme, Meta(description="auto follows the reader's system")] = Theme.AUTO
    palette: Annotated[Palette, Meta(description="the colours of up and down")] = Palette.WESTERN
    locale: Annotated[str, Meta(description="language and number format, as BCP 47", max_length=35)] = "en"
    currency: Annotated[
        str, Meta(description="an ISO 4217 code with a known rate, BTC or ETH", max_length=8)
    ] = "USD"
    window: Annotated[Window, Meta(description="the span of the change that is shown")] = Window.DAY
    notation: Annotated[Notation, Meta(description="of prices with many zeros: 0.0₅1234 or all digits")] = (
        Notation.SUBSCRIPT
    )
    size: Annotated[Scale, Meta(description="how much room it takes")] = Scale.MEDIUM
    transparent: Annotated[bool, Meta(description="1: no ground and no border of its own")] = False
    link: Annotated[
        str,
        Meta(
            description="where a click leads, with {asset} and {symbol} in it; "
            "empty for the live chart here, none for nowhere",
            max_length=300,
        ),
    ] = ""
    target: Annotated[Target, Meta(description="new: a new tab, same: the widget's frame, top: the page")] = (
        Target.NEW
    )
    live: Annotated[bool, Meta(description="0: the price as it was when the page was asked for")] = True
    logo: Annotated[bool, Meta(description="0: no logo")] = True
    form: Annotated[Form, Meta(description="document for an iframe, fragment for the element")] = (
        Form.DOCUMENT
    )

    def __post_init__(self) -> None:
        set_ = msgspec.structs.force_setattr
        set_(self, "locale", find(self.locale).tag)
        set_(self, "currency", self.currency.upper())
        if self.link not in ("", NO_LINK) and not _leads_somewhere(self.link):
            said = f"link can't be “{self.link[:40]}”: use an address that begins with https:// or /"
            raise RequestError("bad_option", said)

    def href(self, asset: Asset, site: str) -> str:
        """Where a click on an asset leads; empty for nowhere. `site` is where the service is."""
        if self.link == NO_LINK:
            return ""
        if not self.link:
            return f"{site}/assets/{quote(asset.id, safe='')}"
        named = {"{asset}": asset.id, "{symbol}": asset.symbol}
        return re.sub(r"\{(?:asset|symbol)\}", lambda found: quote(named[found[0]], safe=""), self.link)


class AssetOptions(Options, frozen=True, kw_only=True):
    """Of a kind that shows one asset."""

    asset: Annotated[str, Meta(description="the asset's id, as in /v1/assets", max_length=64)]


class ListOptions(Options, frozen=True, kw_only=True):
    """Of a kind that shows several assets."""

    assets: Annotated[
        str, Meta(description="ids with commas between; empty for all that are configured", max_length=2000)
    ] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        ids = dict.fromkeys(part.strip() for part in self.assets.split(",") if part.strip())
        msgspec.structs.force_setattr(self, "assets", ",".join(ids))

    @property
    def ids(self) -> Sequence[str]:
        return self.assets.split(",") if self.assets else ()


T = TypeVar("T", bound=Options)


class Choice(NamedTuple):
    """An option, for whoever explains or offers it. `values` is empty where any text may do."""

    name: str
    says: str
    default: str
    values: Sequence[str]
    required: bool


def read(query: Mapping[str, str], options: type[T]) -> T:
    """The options a query asks for. RequestError `bad_option` (400) names the option and its values."""
    try:
        return msgspec.convert(dict(query), options, strict=False)
    except msgspec.ValidationError:
        raise RequestError("bad_option", _complaint(query, options)) from None


def canonical(options: Options, **other: object) -> str:
    """The query string that asks for exactly these options and says nothing that is a default.

    `other` are options to be changed, for a link to the same widget in another state.
    """
    said = msgspec.structs.asdict(options) | other
    defaults = _defaults(type(options))
    return urlencode(
        {name: _written(said[name]) for name in sorted(said) if said[name] != defaults[name]}, safe=",:/{}"
    )


def choices(options: type[Options]) -> list[Choice]:
    """Every option of a kind, its own first; `form` is the snippets' to choose."""
    fields = [field for field in msgspec.structs.fields(options) if field.name != "form"]
    common = {field.name for field in msgspec.structs.fields(Options)}
    fields.sort(key=lambda field: field.name in common)
    says = _says(options)
    return [
        Choice(
            name=field.name,
            says=says[field.name],
            default="" if field.required else _written(field.default),
            values=_values(field.default),
            required=field.required,
        )
        for field in fields
    ]


def _says(options: type[Options]) -> Mapping[str, str]:
    """The description of each option."""
    hints = get_type_hints(options, include_extras=True)
    return {
        name: meta.description or ""
        for name, hint in hints.items()
        for meta in getattr(hint, "__metadata__", ())
    }


def _leads_somewhere(link: str) -> bool:
    """http, https or this very host; no control characters, and nothing that a browser reads as a scheme."""
    return bool(re.fullmatch(r"(https?://[^\s/\\]|/(?![/\\]))[^\s\\\x00-\x1f\x7f]*", link))


def _written(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


@cache
def _defaults(options: type[Options]) -> Mapping[str, object]:
    """Looked up once: msgspec resolves every annotation each time it is asked."""
    return {field.name: field.default for field in msgspec.structs.fields(options)}


def _complaint(query: Mapping[str, str], options: type[Options]) -> str:
    for field in msgspec.structs.fields(options):
        if field.name not in query:
            if field.required:
                return f"Say which {field.name}: ?{field.name}=…"
            continue
        try:
            msgspec.convert(query[field.name], field.type, strict=False)
        except msgspec.ValidationError:
            values = _values(field.default)
            use = f": use {', '.join(values)}" if values else ""
            return f"{field.name} can't be “{query[field.name][:40]}”{use}"
    return "These options can't be read together"


def _values(default: object) -> Sequence[str]:
    if isinstance(default, StrEnum):
        return tuple(str(value) for value in type(default))
    return ("1", "0") if isinstance(default, bool) else ()
