"""Autobahn's fuzzing client finds nothing to fail in the feed's session: its fast part, some 20 seconds.

All of it, with messages of megabytes and by the thousand, is `python -m tests.autobahn FOLDER`.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.autobahn.echo import echoing
from tests.autobahn.fuzzing import PYTHON, UNCUT, Turn, fuzz, summary

SLOW = ("9.*", "12.*", "13.*")
# Each sort of data and each offer once, with messages long enough to be compressed; and one in fragments.
SORTS = tuple(f"12.{sort}.4" for sort in range(1, 6))
OFFERS = tuple(f"13.{offer}.4" for offer in range(1, 8))
TURNS = {
    Turn("plain", without=SLOW): 247,
    Turn("deflated", deflate=True, without=SLOW + UNCUT): 244,
    Turn("offers", cases=(*SORTS, *OFFERS, "12.1.11")): 13,
}


async def test_no_case_of_the_fast_part_fails(tmp_path: Path) -> None:
    if not PYTHON.exists() and "CI" not in os.environ:
        pytest.skip("Autobahn's suite is not installed: sh .ci/autobahn")
    async with echoing() as url, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(fuzz(url, turn, tmp_path / turn.name, within=300)) for turn in TURNS]
    found = [task.result() for task in running]
    cases = [case for turn in found for case in turn]
    assert not any(case.failed for case in cases), "\n".join(summary(cases))
    assert [case.number for case in cases if case.behaviour == "UNIMPLEMENTED"] == []
    assert [len(turn) for turn in found] == list(TURNS.values())
