"""`ticker key`: a new key for the feed, shown once, and the lines that let it in.

The lines go to the output, the key only to the terminal beside it: `ticker key partner >> ticker.toml` keeps
the key out of the file. Nothing is written down here.
"""

from __future__ import annotations

import argparse
import hashlib
import secrets
import sys

from ticker.config import ID
from ticker.errors import ConfigError


def run(options: argparse.Namespace) -> int:
    """ConfigError for a name that can't stand in the configuration."""
    if not ID.fullmatch(options.name):
        raise ConfigError(f"{options.name!r}: a key's name is lower-case letters, digits and hyphens")
    key = secrets.token_urlsafe(32)
    print(f"The key, shown this once: {key}", file=sys.stderr)
    print(lines(options.name, key))
    return 0


def lines(name: str, key: str) -> str:
    """What to write into the configuration for this key."""
    return f'[keys.{name}]\nsha256 = "{hashlib.sha256(key.encode()).hexdigest()}"'
