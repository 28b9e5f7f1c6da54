"""The command line: `python -m bench.feed [compare|many|sets|slow|drain|install]`."""

from __future__ import annotations

from bench.feed.cli import run

if __name__ == "__main__":
    run()
