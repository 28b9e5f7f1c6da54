"""`ticker snippet`: what to paste into a page."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Collection, Mapping

from ticker.cli import config_file
from ticker.config import load
from ticker.errors import RequestError
from ticker.model import Asset
from ticker.web.app import reachable
from widgets.kinds import KINDS
from widgets.params import read
from widgets.snippets import PLACES, snippet


def run(options: argparse.Namespace) -> int:
    """Print the snippet. RequestError for an asset, a kind or a form that there isn't."""
    config = load(config_file(options))
    _known("widget", options.kind, KINDS)
    _known("form", options.form, PLACES)
    shown = _shown(options.asset, {asset.id: asset for asset in config.identified()})
    url = options.url or config.server.public_url
    if url is None:
        url = reachable(config.server.listen)
        print(f"ticker: server.public_url isn't set; using {url}", file=sys.stderr)
    kind = KINDS[options.kind]
    # A kind reads the one it takes: one asset, or a list.
    asked = {"asset": options.asset, "assets": options.asset, "theme": options.theme}
    print(snippet(options.form, kind, read(asked, kind.options), url.rstrip("/"), shown).code)
    return 0


def _shown(names: str, assets: Mapping[str, Asset]) -> list[Asset]:
    """The assets that a list with commas names."""
    return [assets[_known("asset", name, assets)] for name in names.split(",")]


def _known(what: str, name: str, names: Collection[str]) -> str:
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
        raise RequestError(f"unknown_{what}", f"no {what} {name!r}; {hint}")
    return name
