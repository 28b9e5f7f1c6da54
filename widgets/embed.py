"""What a page's author pastes, and the script it loads.

The script was built from the modules beside it (`make scripts`), the box's style sheet inside; its address is
a hash of its bytes, so it can be kept for ever. Nothing here answers a request.
"""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from functools import cache
from hashlib import sha256, sha384
from html import escape
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import brotli

from ticker.model import Asset
from widgets.kinds import KINDS
from widgets.params import Theme, canonical

STATIC = Path(__file__).parent / "static"
BUILT = STATIC / "built"
SnippetForm = Literal["element", "pinned", "iframe", "image"]
FORMS: tuple[SnippetForm, ...] = get_args(SnippetForm)


class Script(NamedTuple):
    """A script as it is served. `name` is its address below `/embed/`; `integrity` is for SRI."""

    name: str
    integrity: str
    body: bytes
    brotli: bytes
    gzip: bytes


@cache
def embed() -> Script:
    """The element and the live feed, in one module."""
    return _script("embed.js")


@cache
def page_script() -> Script:
    """What only the hosted pages do."""
    return _script("page.js")


@cache
def feed_client() -> Script:
    """The feed's client for other people's code, a module that exports `connect` and `FeedError`."""
    return _script("feed.js")


@cache
def feed_types() -> str:
    """The TypeScript declarations of the feed's client."""
    return (STATIC / "types.d.ts").read_text("utf-8")


@cache
def sheet(*names: str) -> str:
    """Style sheets of ours, one after the other, without comments and line breaks."""
    text = "".join((STATIC / name).read_text("utf-8") for name in names)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return (
        re.sub(r"\s*([{};,<>])\s*", r"\1", re.sub(r"\s+", " ", text))
        .replace(": ", ":")
        .replace(";}", "}")
        .strip()
    )


@cache
def style_source(style: str) -> str:
    """A CSP source that allows exactly this style element."""
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"


def snippet(kind: str, asset: Asset, url: str, form: SnippetForm = "element", theme: str = Theme.AUTO) -> str:
    """The HTML to paste for one asset. `url` is the service's public address, without a slash at its end.

    `pinned` is the element with a script whose bytes the browser checks (SRI): it has to be pasted anew after
    an update of the service, so it is not the default. Each form carries its size. KeyError for an unknown
    kind, ValueError for an unknown theme.
    """
    size = KINDS[kind]
    label = escape(f"{asset.name} ({asset.symbol}) live price")
    chart = f"{escape(url)}/assets/{escape(asset.id)}"
    said = "?" + escape(canonical(size.options(asset=asset.id, theme=Theme(theme))))
    address = f"{escape(url)}/widgets/{kind}"
    box = f'width="{size.width}" height="{size.height}"'
    if form == "iframe":
        style = 'style="border:0;border-radius:14px"'
        return f'<iframe src="{address}{said}" title="{label}" {box} loading="lazy" {style}></iframe>'
    if form == "image":
        return f'<a href="{chart}"><img src="{address}.svg{said}" alt="{label}" {box}></a>'
    dressed = "" if theme == Theme.AUTO else f' theme="{escape(theme)}"'
    style = f'style="display:block;height:{size.height}px"'
    element = f'<price-ticker kind="{kind}" asset="{escape(asset.id)}"{dressed} {style}>'
    return f'{_loader(escape(url), form)}\n{element}<a href="{chart}">{label}</a></price-ticker>'


def _loader(url: str, form: SnippetForm) -> str:
    if form == "element":
        return f'<script type="module" src="{url}/embed.js"></script>'
    script = embed()
    source = f'src="{url}/embed/{script.name}" integrity="{script.integrity}"'
    return f'<script type="module" {source} crossorigin></script>'


def _script(name: str) -> Script:
    body = (BUILT / name).read_bytes()
    return Script(
        name=f"{sha256(body).hexdigest()[:16]}.js",
        integrity=f"sha384-{b64encode(sha384(body).digest()).decode()}",
        body=body,
        brotli=brotli.compress(body, quality=11),
        gzip=gzip.compress(body, 9, mtime=0),
    )
