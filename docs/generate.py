"""Writes README's generated parts from the code: `make docs`. A test holds them to it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from ticker.config import settings
from ticker.settings import Setting
from ticker.sources import VENUES

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"


def table() -> str:
    """Every setting as a Markdown table, one a section; the venues share theirs."""
    first_venue = next(iter(VENUES))
    shown = [s for s in settings() if s.keys[0] != "sources" or s.keys[1] == first_venue]
    return "\n\n".join(_section(title, rows) for title, rows in groupby(shown, _title))


def _title(setting: Setting) -> str:
    *path, _ = setting.keys
    return f"[{'.'.join([path[0], '<venue>'] if path[0] == 'sources' else path)}]"


def _section(title: str, rows: Iterable[Setting]) -> str:
    lines = [f"`{title}`", "", "| key | default | what it does |", "|---|---|---|"]
    lines += [f"| `{s.keys[-1]}` | {_default(s)} | {s.description.rstrip('.')} |" for s in rows]
    return "\n".join(lines)


def _default(setting: Setting) -> str:
    match setting.default:
        case None if setting.keys[0] == "assets":
            return "needed"
        case None | {}:
            return "–"
        case bool():
            return f"`{str(setting.default).lower()}`"
        case str():
            return f'`"{setting.default}"`'
        case _:
            return f"`{setting.default}`"


def generated(text: str) -> str:
    """README with its generated part made anew."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    README.write_text(generated(README.read_text(encoding="utf-8")), encoding="utf-8")
