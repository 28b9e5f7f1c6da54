"""What a maintainer may count on: files stay readable, and the repository speaks of the product alone."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOO_LONG = 400
EXPECTED = {
    "pyproject.toml", "README.md", "Makefile", "CHANGELOG.md", "LICENSE", "SECURITY.md", ".gitignore", ".ci",
    "ticker", "widgets", "tests", "bench", "docs",
}  # fmt: skip


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)  # noqa: S607
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [file for file in files if file.exists()]


@pytest.mark.parametrize("file", [f for f in tracked() if f.suffix in (".py", ".js", ".css")], ids=str)
def test_no_file_is_longer_than_one_reads_at_once(file: Path):
    assert len(file.read_text().splitlines()) <= TOO_LONG


def test_top_level_holds_only_what_a_contributor_expects():
    assert {file.relative_to(ROOT).parts[0] for file in tracked()} <= EXPECTED


@pytest.mark.parametrize(
    "file",
    [f for f in tracked() if f.parts[len(ROOT.parts)] in ("ticker", "widgets") and f.suffix == ".py"],
    ids=str,
)
def test_every_module_says_what_it_holds(file: Path):
    if text := file.read_text():
        assert text.startswith('"""')


def test_no_task_without_an_owner():
    """`create_task` belongs to the composition root or to a TaskGroup."""
    loose = re.compile(r"asyncio\.(create_task|ensure_future)|loop\.create_task")
    guilty = [
        f
        for f in tracked()
        if f.suffix == ".py" and f.is_relative_to(ROOT / "ticker") and loose.search(f.read_text())
    ]
    assert guilty == []


def test_only_the_clock_reads_time():
    reading = re.compile(r"\btime\.(time|time_ns|monotonic|sleep)\(|datetime\.now\(|asyncio\.sleep\(")
    allowed = {ROOT / "ticker/clock.py", ROOT / "ticker/client.py", ROOT / "ticker/cli/watch.py"}
    guilty = [
        f
        for f in tracked()
        if f.suffix == ".py" and f.is_relative_to(ROOT / "ticker") and reading.search(f.read_text())
    ]
    assert set(guilty) <= allowed


def test_every_dependency_says_why():
    text = (ROOT / "pyproject.toml").read_text()
    for name in tomllib.loads(text)["project"]["dependencies"]:
        line = next(line for line in text.splitlines() if f'"{name}"' in line)
        assert "#" in line, f"{name} needs a reason beside it"


def test_every_tool_is_pinned():
    for name in tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["dev"]:
        assert "==" in name
