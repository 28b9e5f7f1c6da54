"""Builds the two scripts that browsers load from the modules in widgets/static: `make scripts`.

Each is its modules joined into one scope, the box's style sheet inside, every name shortened. What it builds
is committed, so that running the service needs no build; a test holds it to the modules.
"""

from __future__ import annotations

import re

import minify
import msgspec

from widgets.embed import BUILT, STATIC, sheet

PARTS = {
    "embed.js": ("format.js", "paint.js", "feed.js", "element.js"),
    "page.js": ("format.js", "amount.js", "page.js"),
}


def bundle(name: str) -> str:
    """The text of a built script."""
    style = f"const BOX_CSS={msgspec.json.encode(sheet('box.css')).decode()};\n" if name == "embed.js" else ""
    modules = "\n".join(module(part) for part in PARTS[name])
    # In a block nothing is a global of the page's, so every name may be shortened.
    shortened: str = minify.string("text/javascript", f"{{{style}{modules}}}")
    return shortened


def module(name: str) -> str:
    """A module without the lines that tie it to the others: they share one scope now."""
    text = re.sub(r"^import [^;]*;\n", "", (STATIC / name).read_text("utf-8"), flags=re.MULTILINE)
    return re.sub(r"^export ", "", text, flags=re.MULTILINE)


if __name__ == "__main__":
    BUILT.mkdir(exist_ok=True)
    for script in PARTS:
        (BUILT / script).write_text(bundle(script), "utf-8")
