"""What a picture needs that a page does not: a monogram's colours, and text measured without a browser.

Pure. It draws nothing from outside: no logo is fetched, no user's SVG is let in.
"""

from __future__ import annotations

import colorsys
import unicodedata
from functools import cache
from hashlib import blake2s
from typing import NamedTuple

ENOUGH = 4.6
"""WCAG 2.2, 1.4.3 asks for a contrast of 4.5:1; a little more survives rounding to eight bits."""


class Monogram(NamedTuple):
    """Up to four letters on a gradient of two colours, always the same for the same id."""

    text: str
    size: float
    start: str
    end: str
    id: str


def monogram(asset: str, symbol: str) -> Monogram:
    text = "".join(letter for letter in symbol if letter.isalnum())[:4].upper() or "?"
    hue = int.from_bytes(blake2s(asset.encode(), digest_size=2).digest(), "big") % 360
    size = {1: 17.0, 2: 15.0, 3: 12.5}.get(len(text), 10.5)
    return Monogram(text, size, _ground(hue), _ground(hue + 42), f"mono-{hue}")


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """WCAG's contrast ratio of two sRGB colours, each part from 0 to 1."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def width(text: str, size: float) -> float:
    """About how wide `text` is in a system sans at `size` pixels; rather too wide than too narrow."""
    return sum(_advance(letter) for letter in text) * size


def fit(text: str, size: float, room: float) -> str:
    """`text`, cut with an ellipsis where it would not fit in `room` pixels."""
    if width(text, size) <= room:
        return text
    kept = text
    while kept and width(f"{kept}…", size) > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def _advance(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter in "ijl.,:;'|!()[] ":
        return 0.32
    if letter in "mwMW%@":
        return 0.9
    return 0.7 if letter.isupper() else 0.6


@cache
def _ground(hue: int) -> str:
    """The lightest tone of a hue on which white text is readable, as #rrggbb."""
    for lightness in range(62, 0, -1):
        tone = colorsys.hls_to_rgb(hue % 360 / 360, lightness / 100, 0.68)
        if contrast(tone, (1, 1, 1)) >= ENOUGH:
            break
    return "#" + "".join(f"{round(part * 255):02x}" for part in tone)


def _luminance(colour: tuple[float, ...]) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
