"""Reads the command line of `python -m bench.feed`, prints the scene that it asks for, writes it as JSON.

Refuses to choose figures: everything that a scene measured goes to both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from bench.feed import compare, drain, drained, install, scenes
from bench.feed.compare import tell

BEGIN, END = "<!-- {}: begin -->\n", "<!-- {}: end -->"


def run() -> None:
    asked = parser().parse_args()
    if asked.scene == "install":
        install.install()
        return
    lines, result = measured(asked)
    print("\n".join(lines))
    if asked.json:
        asked.json.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    if asked.write:
        put(asked.write, asked.scene, lines)


def measured(asked: argparse.Namespace) -> tuple[list[str], msgspec.Struct]:
    """The scene's lines and its figures."""
    many, seconds = asked.subscribers, asked.seconds
    match asked.scene:
        case "compare":
            compared = compare.compare(many or 3000, seconds, asked.repetitions, asked.only)
            return compare.table(compared), compared
        case "many":
            crowded = scenes.many(many or 15_000, seconds, asked.repetitions)
            return scenes.many_lines(crowded), crowded
        case "sets":
            mixed = scenes.sets(many or 5000, seconds, asked.repetitions)
            return scenes.sets_lines(mixed), mixed
        case "drain":
            let_go = drain.drain(many or 5000, seconds)
            return drained.drain_lines(let_go), let_go
        case _:
            slowed = scenes.slow(many or 5000, seconds)
            return scenes.slow_lines(slowed), slowed


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m bench.feed", description=compare.__doc__)
    made.add_argument(
        "scene", nargs="?", default="compare", choices=["compare", "many", "sets", "slow", "drain", "install"]
    )
    made.add_argument("--subscribers", type=int, default=0, help="0: the scene's own number")
    made.add_argument("--seconds", type=float, default=10, help="of one measured window; of drain, before it")
    made.add_argument("--repetitions", type=int, default=compare.REPETITIONS)
    made.add_argument(
        "--only", nargs="*", default=[], help="of the peers, those with such a word in the name"
    )
    made.add_argument("--json", type=Path, help="write the figures there, too")
    made.add_argument(
        "--write", type=Path, help="put the printed lines between the scene's marks in this file"
    )
    return made


def put(document: Path, scene: str, lines: list[str]) -> None:
    """Replace what stands between the scene's marks. ValueError when they are missing."""
    text = document.read_text(encoding="utf-8")
    begin, end = BEGIN.format(scene), END.format(scene)
    head, tail = text.index(begin) + len(begin), text.index(end)
    block = "\n".join(("```", *lines, "```", ""))
    document.write_text(text[:head] + block + text[tail:], encoding="utf-8")
    tell(f"written to {document}")
