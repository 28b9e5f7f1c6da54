"""All of Autobahn's cases, on the event loop the service runs on: `python -m tests.autobahn FOLDER`.

The fast part is a test; this takes a quarter of an hour and writes the suite's reports to FOLDER.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop

from tests.autobahn.echo import echoing
from tests.autobahn.fuzzing import UNCUT, Turn, fuzz, summary

TURNS = (Turn("plain"), Turn("deflated", deflate=True, without=(*UNCUT, "12.*", "13.*")))
SECONDS = 7200


async def whole(folder: Path) -> int:
    """How many cases failed."""
    async with echoing() as url, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(fuzz(url, turn, folder / turn.name, within=SECONDS)) for turn in TURNS]
    cases = [case for turn in running for case in turn.result()]
    print(*summary(cases), sep="\n")  # noqa: T201
    return sum(case.failed for case in cases)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.exit(runner.run(whole(Path(sys.argv[1]))) > 0)
