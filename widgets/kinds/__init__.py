"""The kinds of widget by name. A new one is a file here, its templates, its test, and its place below."""

from __future__ import annotations

from typing import Any

from widgets.kinds import badge, card, chart, converter, heatmap, quote, table, tape
from widgets.kinds.base import Kind, Need, Scene, Size

__all__ = ["KINDS", "Kind", "Need", "Scene", "Size"]

KINDS: dict[str, Kind[Any]] = {
    kind.name: kind
    for kind in (
        quote.KIND,
        card.KIND,
        chart.KIND,
        converter.KIND,
        tape.KIND,
        table.KIND,
        heatmap.KIND,
        badge.KIND,
    )
}
