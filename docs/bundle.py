"""Builds the scripts that browsers load from the modules in widgets/static: `make scripts`.

Each is its modules joined into one scope, the box's style sheet inside, every name shortened. What it builds
is committed, so that running the service needs no build; a test holds it to the modules.
"""

from __future__ import annotations

import re

import minify
import msgspec

from widgets.embed import BUILT, STATIC, widget_sheet

PARTS = {
    "embed.js": ("live.js", "paint.js", "convert.js", "format.js", "feed.js", "widget.js", "element.js"),
    "page.js": ("format.js", "amount.js", "page.js"),
    "feed.js": ("feed.js", "transports.js", "line.js", "client.js"),
    "chart.js": ("chart.js",),
    "builder.js": ("builder.js",),
}
# What a script has for those that import it; the others only run. `ways` is the widgets', not documented.
EXPORTS = {"feed.js": "connect,FeedError,ways"}


def bundle(name: str) -> str:
    """The text of a built script."""
    style = (
        f"const BOX_CSS={msgspec.json.encode(widget_sheet('quote')).decode()};\n"
        if name == "embed.js"
        else ""
    )
    if PARTS[name] == (name,):  # a module that needs no other is one already
        alone: str = minify.string("text/javascript", (STATIC / name).read_text("utf-8"))
        return alone
    modules = "\n".join(module(part) for part in PARTS[name])
    # In a block or a function nothing is a global of the page's, so every name may be shortened.
    names = EXPORTS.get(name)
    scope = (
        f"export const{{{names}}}=(()=>{{{modules}\nreturn{{{names}}}}})()"
        if names
        else f"{{{style}{modules}}}"
    )
    shortened: str = minify.string("text/javascript", scope)
    return shortened


def module(name: str) -> str:
    """A module without the lines that tie it to the others: they share one scope now."""
    text = re.sub(
        r"^(import [^;]*|export \{[^;]*);\n", "", (STATIC / name).read_text("utf-8"), flags=re.MULTILINE
    )
    return re.sub(r"^export ", "", text, flags=re.MULTILINE)


if __name__ == "__main__":
    BUILT.mkdir(exist_ok=True)
    for script in PARTS:
        (BUILT / script).write_text(bundle(script), "utf-8")
