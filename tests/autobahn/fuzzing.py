"""Runs Autobahn's fuzzing client, and says what it found: how each case behaved, and how it closed.

The suite lives in a Python 2.7 of its own, in the folder that TICKER_AUTOBAHN names; .ci/autobahn makes it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
SUITE = Path(os.environ.get("TICKER_AUTOBAHN") or HERE.parents[1] / ".venv/autobahn")
PYTHON = SUITE / "bin/python"
# An optional feature that isn't there is not a failure, and neither is what the RFC leaves open.
PASSED = {"OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED"}
# What Autobahn's own client can't do where it compresses: these cut up a message that it has not compressed.
UNCUT = ("6.4.3", "6.4.4", "10.*")


class Turn(NamedTuple):
    """A run through `cases` but those `without`; `deflate` offers permessage-deflate in each of them."""

    name: str
    deflate: bool = False
    cases: tuple[str, ...] = ("*",)
    without: tuple[str, ...] = ()


class Case(NamedTuple):
    """One case's outcome, in Autobahn's words. `number` is as in its list, 12.1.3."""

    turn: str
    number: str
    behaviour: str
    closing: str
    result: str

    @property
    def failed(self) -> bool:
        return self.behaviour not in PASSED or self.closing not in PASSED

    @property
    def section(self) -> int:
        return int(self.number.partition(".")[0])


async def fuzz(url: str, turn: Turn, folder: Path, *, within: float) -> list[Case]:
    """All cases of one turn, in their order; TimeoutError when they take longer than `within` (s).

    `folder` gets the suite's own reports, index.html and a page for each case, and what it printed.
    """
    specification = specify(url, turn, folder)
    with (folder / "output.txt").open("wb") as output:
        client = await asyncio.create_subprocess_exec(
            PYTHON, HERE / "client.py", specification, stdout=output, stderr=asyncio.subprocess.STDOUT
        )
        try:
            async with asyncio.timeout(within):
                await client.wait()
        finally:
            if client.returncode is None:
                client.kill()
                await client.wait()
    return outcomes(folder)


def specify(url: str, turn: Turn, folder: Path) -> Path:
    """The turn in the form that Autobahn reads, in a new `folder`."""
    asked = {
        "outdir": str(folder),
        "servers": [{"agent": turn.name, "url": url, "deflate": turn.deflate}],
        "cases": turn.cases,
        "exclude-cases": turn.without,
    }
    folder.mkdir(parents=True)
    written = folder / "specification.json"
    written.write_text(json.dumps(asked))
    return written


def outcomes(folder: Path) -> list[Case]:
    """What the suite's report in `folder` says; none where it didn't come to write one."""
    index = folder / "index.json"
    found: Mapping[str, Mapping[str, Any]] = json.loads(index.read_text()) if index.exists() else {}
    cases = [_case(folder, turn, *item) for turn, all_of in found.items() for item in all_of.items()]
    return sorted(cases, key=lambda case: [int(part) for part in case.number.split(".")])


def _case(folder: Path, turn: str, number: str, said: Mapping[str, Any]) -> Case:
    told = json.loads((folder / said["reportfile"]).read_text())
    result = f"{told['result']} {told['resultClose']}"
    return Case(turn, number, said["behavior"], said["behaviorClose"], result)


def summary(cases: Iterable[Case]) -> list[str]:
    """A line for each section: how many cases behaved how; then one for each that failed."""
    cases = list(cases)
    counts: dict[tuple[str, int], Counter[str]] = {}
    for case in cases:
        behaviour = "FAILED" if case.failed else case.behaviour
        counts.setdefault((case.turn, case.section), Counter())[behaviour] += 1
    lines = [
        f"{turn:10} {section:3} " + ", ".join(f"{behaviour} {n}" for behaviour, n in sorted(counted.items()))
        for (turn, section), counted in sorted(counts.items())
    ]
    return lines + [
        f"{case.turn:10} {case.number} {case.behaviour}, closing {case.closing}: {case.result}"
        for case in cases
        if case.failed
    ]
