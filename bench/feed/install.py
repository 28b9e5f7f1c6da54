"""The peers that registries have, by name@version, into a cache folder: `python -m bench.feed install`.

Refuses to install what the system's package manager has; it says the line instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NODE = ("ws@8.23.0", "socket.io@4.8.4", "bun@1.4.5")
PYTHON = ("picows==2.3.1", "socketify==0.0.31")
BY_HAND = "apt install nodejs npm nginx libnginx-mod-nchan nats-server"


def cache() -> Path:
    """~/.cache/price-ticker-bench, or below XDG_CACHE_HOME."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "price-ticker-bench"


def node_modules() -> Path:
    return cache() / "node" / "node_modules"


def python_packages() -> Path:
    return cache() / "python"


def bun() -> Path | None:
    """The program inside the npm package of this platform: it needs no install script."""
    return next(node_modules().glob("@oven/bun-*/bin/bun"), None)


def install() -> None:
    (cache() / "node").mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", str(python_packages())]
    subprocess.run([*pip, *PYTHON], check=True)  # noqa: S603  # pinned above
    print(f"installed {', '.join(PYTHON)}")
    npm = shutil.which("npm")
    if npm is None:
        print(f"npm is missing, so these are skipped: {', '.join(NODE)}")
    else:
        flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--save-exact"]
        subprocess.run([npm, "install", *flags, "--prefix", str(cache() / "node"), *NODE], check=True)  # noqa: S603
        print(f"installed {', '.join(NODE)}")
    print(f"by hand, on Debian: {BY_HAND}")
