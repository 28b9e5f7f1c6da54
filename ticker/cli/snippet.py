"""`ticker snippet`: what to paste into a page."""

from __future__ import annotations

import argparse
import difflib
import sys

from ticker.cli import config_file
from ticker.config import load
from ticker.errors import RequestError
from ticker.web.app import reachable
from widgets.embed import snippet


def run(options: argparse.Namespace) -> int:
    """Print the snippet. RequestError for an asset the configuration doesn't have."""
    config = load(config_file(options))
    assets = {asset.id: asset for asset in config.identified()}
    if options.asset not in assets:
        near = difflib.get_close_matches(options.asset, assets, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(assets)}"
        raise RequestError("unknown_asset", f"no asset {options.asset!r}; {hint}")
    url = options.url or config.server.public_url
    if url is None:
        url = reachable(config.server.listen)
        print(f"ticker: server.public_url isn't set; using {url}", file=sys.stderr)
    print(snippet(options.kind, assets[options.asset], url, options.form, options.theme))
    return 0
