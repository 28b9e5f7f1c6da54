"""Every kind in every form, from the real snippets, so that a new kind is there by itself."""

from __future__ import annotations

from tests.browser.conftest import Site
from widgets.kinds import KINDS, Size
from widgets.params import Options, choices, read
from widgets.snippets import FormName, snippet

FORMS: tuple[FormName, ...] = ("element", "iframe", "image")
HOST = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>Host</title>'
    "<style>body{{margin:0}}main>*{{margin:0 0 8px}}p,h1{{font:16px sans-serif}}</style>"
    "<main><h1>Host</h1><p>before</p>{}<p>after</p></main></html>"
)


def options(kind: str, asset: str = "bitcoin", **said: str) -> Options:
    """Those of a kind with this asset, if it shows one."""
    asks = {choice.name for choice in choices(KINDS[kind].options)}
    return read(said | ({"asset": asset} if "asset" in asks else {}), KINDS[kind].options)


def reserved(kind: str, **said: str) -> Size:
    return KINDS[kind].size(options(kind, **said))


def pasted(site: Site, form: FormName, kind: str, asset: str = "bitcoin", **said: str) -> str:
    """A snippet's code. The service is at 127.0.0.1."""
    chosen = options(kind, asset, **said)
    shown = [site.board.assets[one] for one in KINDS[kind].assets(site.board, chosen)]
    code = snippet(form, KINDS[kind], chosen, site.url, shown).code
    return code.replace(' loading="lazy"', "")  # or a page is loaded before its frames are


def hosted(site: Site, name: str, *codes: str) -> str:
    """The address of a page with these on it, of another site than the service's."""
    site.hosted[name] = HOST.format("".join(codes))
    return f"http://localhost:{site.port}/host/{name}"
