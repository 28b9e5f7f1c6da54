"""What a page's author pastes, and the script it loads.

The script was built from the modules beside it (`make scripts`), the box's style sheet inside; its address is
a hash of its bytes, so it can be kept for ever. Nothing here answers a request.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256, sha384
from pathlib import Path
from typing import NamedTuple

from widgets.colours import properties

STATIC = Path(__file__).parent / "static"
BUILT = STATIC / "built"


class Script(NamedTuple):
    """A script as it is served. `name` is its address below `/embed/`; `integrity` is for SRI."""

    name: str
    integrity: str
    body: bytes


@cache
def embed() -> Script:
    """The element and the live feed, in one module."""
    return _script("embed.js")


@cache
def page_script() -> Script:
    """What only the hosted pages do."""
    return _script("page.js")


@cache
def module(name: str) -> Script:
    """What one kind alone does: a module whose default export gets the widget and returns what ends it."""
    return _script(name)


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
def widget_sheet(*kinds: str) -> str:
    """The style sheet of a page with these kinds on it."""
    return properties() + sheet("base.css", *(f"kinds/{kind}.css" for kind in kinds))


@cache
def style_source(style: str) -> str:
    """A CSP source that allows exactly this style element."""
    return f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"


def _script(name: str) -> Script:
    body = (BUILT / name).read_bytes()
    return Script(
        name=f"{sha256(body).hexdigest()[:16]}.js",
        integrity=f"sha384-{b64encode(sha384(body).digest()).decode()}",
        body=body,
    )
