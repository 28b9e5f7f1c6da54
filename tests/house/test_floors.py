"""The floors of the house hold, and the check that says so can fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRONG = {
    "the book may not know the web": ("ticker/book.py", "import ticker.web.api"),
    "a source may not know another floor's market": ("ticker/sources/mexc.py", "import ticker.market"),
    "widgets may not know the feed": ("widgets/view.py", "import ticker.feed"),
    "the feed's session may not know aiohttp": ("ticker/feed/session.py", "import aiohttp"),
    "the model may not do I/O": ("ticker/model.py", "import sqlite3"),
    "jinja2 lives in one file of widgets": ("widgets/routes.py", "import jinja2"),
    "sources don't know each other": ("ticker/sources/mexc.py", "import ticker.sources.binance"),
}


def lint(where: Path) -> subprocess.CompletedProcess[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    command = [linter, "--config", "pyproject.toml", "--no-cache"]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)  # noqa: S603


def copy(to: Path) -> Path:
    for name in ("ticker", "widgets"):
        shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", to)
    return to


def test_floors_hold(tmp_path: Path):
    result = lint(copy(tmp_path))
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("rule", WRONG)
def test_wrong_import_breaks_the_floors(tmp_path: Path, rule: str):
    file, line = WRONG[rule]
    target = copy(tmp_path) / file
    target.write_text(target.read_text() + f"\n{line}\n")
    result = lint(tmp_path)
    assert result.returncode == 1, rule
    assert "BROKEN" in result.stdout
