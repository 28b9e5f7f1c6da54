"""`ticker init`: a commented configuration, written from the table of settings the service runs on."""

from __future__ import annotations

import argparse
from pathlib import Path

from ticker.config import built_in_assets, settings
from ticker.errors import ConfigError
from ticker.settings import Setting
from ticker.sources import VENUES

HEAD = """\
# Configuration of Ticker. Every line that begins with '#' shows a default; take the '#' away to change it.
# The environment overrides it: TICKER_SERVER__LISTEN=0.0.0.0:8080 sets listen under [server].
"""
# What a venue declares under the setting's own name.
OF_THE_VENUE = ("base_url", "interval")


def run(options: argparse.Namespace) -> int:
    """Write the file; ConfigError when it is there already, so that nothing is lost."""
    file: Path = options.file
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(commented())
    except FileExistsError as error:
        raise ConfigError("is there already; name another file, or move it away", file=str(file)) from error
    except OSError as error:
        raise ConfigError(f"can't be written: {error.strerror}", file=str(file)) from error
    print(f"wrote {file}; run it with: ticker serve --config {file}")
    return 0


def commented() -> str:
    """The whole configuration: every setting with its default, commented out, and the built-in assets."""
    lines, section = [HEAD], None
    for setting in settings():
        *path, key = setting.keys
        if path[0] in ("assets", "json", "keys"):
            continue
        if path != section:
            section = path
            lines.append(f"\n[{'.'.join(path)}]")
        lines.append(f"# {setting.description}\n# {key} = {_toml(default(setting))}")
    return "\n".join(lines) + "\n\n\n" + built_in_assets()


def default(setting: Setting) -> object:
    """The setting's default; a source's, where it has none of its own, is the venue's."""
    section, *names = setting.keys
    if section == "sources" and names[1] in OF_THE_VENUE:
        return getattr(VENUES[names[0]], names[1])
    return setting.default


def _toml(value: object) -> str:
    match value:
        case None:
            return '""'
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case dict():
            return "{}"
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return str(value)
