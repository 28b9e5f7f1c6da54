"""The two programs in C, compiled at run time into a folder that the caller gives.

Refuses to go on without a compiler: neither the clients nor the floor have a stand-in.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def compiled(name: str, folder: Path) -> Path:
    """The program made from `name`.c. SystemExit with a word of advice where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        sys.exit("bench.feed needs a C compiler, `cc`; on Debian: apt install gcc libc6-dev")
    program = folder / name
    command = [compiler, "-O2", "-Wall", "-Wextra", "-o", str(program), str(HERE / f"{name}.c")]
    subprocess.run(command, check=True)  # noqa: S603  # our own sources
    return program
