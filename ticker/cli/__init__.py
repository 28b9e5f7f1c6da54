"""The command line: what each command takes, and how it ends. `ticker NAME` is `run` in ticker/cli/NAME.py.

Exit status: 0 when it did what it was asked, 1 when it couldn't, 2 when it was asked wrongly (an unknown
option, a configuration that can't be used).
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ticker import __version__
from ticker.errors import ConfigError, TickerError

CONFIG_FILE = Path("ticker.toml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    options = parser().parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)-7s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    # A command's module is imported when it is asked for: `ticker --help` needs none of them.
    command = importlib.import_module(f"ticker.cli.{options.command}")
    try:
        status: int = command.run(options)
    except ConfigError as error:
        print(f"ticker: {error}", file=sys.stderr)
        return 2
    except TickerError as error:
        print(f"ticker: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `ticker watch … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="ticker", description="A self-hosted price ticker: widgets, a live feed and JSON."
    )
    top.add_argument("--version", action="version", version=f"ticker {__version__}")
    top.add_argument("--verbose", action="store_true", help="log what is done, not only what changes")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    serve = _add(commands, "serve", "run the service")
    _config(serve)
    serve.add_argument("--listen", metavar="HOST:PORT", help="where to listen (default 127.0.0.1:8080)")

    demo = _add(commands, "demo", "run the service on made-up prices, no network needed")
    demo.add_argument("--listen", metavar="HOST:PORT", help="where to listen (default 127.0.0.1:8080)")
    demo.add_argument("--scenario", metavar="NAME", help="a day that goes wrong; an unknown NAME lists them")
    demo.add_argument("--seed", type=int, default=7, help="another seed, other prices (default 7)")

    watch = _add(commands, "watch", "show live prices in the terminal, from a running service")
    watch.add_argument("assets", nargs="*", metavar="ASSET", help="asset ids (default: all)")
    watch.add_argument("--url", default="http://127.0.0.1:8080", help="the service (default %(default)s)")

    snippet = _add(commands, "snippet", "print what to paste into a page")
    snippet.add_argument("kind", metavar="KIND", help="which widget, such as quote or chart")
    snippet.add_argument("asset", metavar="ASSET", help="asset id, such as talus; several with commas")
    snippet.add_argument("--url", help="address of the service (default: server.public_url)")
    snippet.add_argument(
        "--form", default="element", help="element, iframe, markdown, …: a wrong one lists them"
    )
    snippet.add_argument("--theme", choices=["auto", "light", "dark"], default="auto")
    _config(snippet)

    check = _add(commands, "check", "ask each configured source once and show what it says")
    _config(check)

    find = _add(commands, "find", "look a token up by name or symbol, and print what to write for it")
    find.add_argument("text", metavar="TEXT", help="a name, a symbol or an id, such as talus")
    _config(find)

    key = _add(commands, "key", "make a key for the feed, and print what to write for it")
    key.add_argument("name", metavar="NAME", help="whose key it is, such as partner")

    init = _add(commands, "init", "write a commented configuration")
    init.add_argument("file", nargs="?", type=Path, default=CONFIG_FILE, help="default %(default)s")
    return top


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str
) -> argparse.ArgumentParser:
    added = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
    added.set_defaults(command=name)
    return added


def _config(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=os.environ.get("TICKER_CONFIG"),
        help="configuration (default: $TICKER_CONFIG, else ./ticker.toml if there is one, else built in)",
    )


def config_file(options: argparse.Namespace) -> Path | None:
    """The file named, else ./ticker.toml if there is one, else none."""
    if options.config is not None:
        return Path(options.config)
    return CONFIG_FILE if CONFIG_FILE.exists() else None
