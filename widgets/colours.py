"""The colours of every surface and text, by theme and palette, in one table.

Pages get them as custom properties, pictures as literal colours, since a picture sees nothing around it. A
test holds each text to WCAG's 4.5:1 on each ground it is written on. Nothing here knows a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import NamedTuple


class Theme(StrEnum):
    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Palette(StrEnum):
    """How up and down are told apart: green and red, red and green, or blue and orange."""

    WESTERN = "western"
    EAST_ASIAN = "east-asian"
    COLOUR_BLIND = "colour-blind"


class Ink(NamedTuple):
    light: str
    dark: str


INKS: dict[str, Ink] = {
    "bg": Ink("#fff", "#12161f"),
    "line": Ink("#e4e7ec", "#262d3b"),
    "text": Ink("#0f1728", "#f2f5fa"),
    "muted": Ink("#5b6577", "#9aa5b8"),
    "accent": Ink("#2f5bea", "#8aa7ff"),
    "warn": Ink("#8a5300", "#f0b34a"),
    "warn-soft": Ink("#fdf1dc", "#33260d"),
    "late": Ink("#c77700", "#f0b34a"),
    "ok": Ink("#0b7a3b", "#3ecf82"),
}
_GREEN, _RED = Ink("#0b7a3b", "#3ecf82"), Ink("#c0261f", "#ff7a70")
_GREEN_SOFT, _RED_SOFT = Ink("#e8f6ee", "#12301f"), Ink("#fdecea", "#3a1a19")
MOVES: dict[Palette, dict[str, Ink]] = {
    Palette.WESTERN: {"up": _GREEN, "up-soft": _GREEN_SOFT, "down": _RED, "down-soft": _RED_SOFT},
    Palette.EAST_ASIAN: {"up": _RED, "up-soft": _RED_SOFT, "down": _GREEN, "down-soft": _GREEN_SOFT},
    Palette.COLOUR_BLIND: {
        "up": Ink("#1757c2", "#82b1ff"),
        "up-soft": Ink("#e8f0fd", "#14274a"),
        "down": Ink("#9a4300", "#ffa552"),
        "down-soft": Ink("#fdf0e3", "#3a2310"),
    },
}

STRONGER = {2: 0.24, 3: 0.48}
"""How much of up and down is in the second and third of a heatmap's four grounds; the first has none of it,
the last is all of it. A page mixes them by itself (`kinds/heatmap.css`), a picture gets them mixed."""


@cache
def properties() -> str:
    """CSS: the custom properties of a page and of a widget, the palette by its `data-palette`.

    A page around an element may say its own, as `--ticker-bg`.
    """
    rules = [f".pt,.page{{{_declared(INKS | MOVES[Palette.WESTERN])}}}"]
    rules += [
        f"[data-palette={palette}]{{{_declared(MOVES[palette])}}}"
        for palette in Palette
        if palette is not Palette.WESTERN
    ]
    return "".join(rules)


@cache
def painted(sheet: str, theme: Theme, palette: Palette) -> str:
    """A picture's style sheet with the literal colour for each `var(--name)`; by media query for `auto`."""
    light, dark = (_literal(sheet, palette, one) for one in ("light", "dark"))
    if theme is Theme.AUTO:
        return f"{light}@media(prefers-color-scheme:dark){{{dark}}}"
    return dark if theme is Theme.DARK else light


def _declared(inks: Mapping[str, Ink]) -> str:
    return "".join(
        f"--{name}:var(--ticker-{name},light-dark({ink.light},{ink.dark}));" for name, ink in inks.items()
    )


def _literal(sheet: str, palette: Palette, theme: str) -> str:
    inks = INKS | MOVES[palette]
    for name, ink in (inks | stronger(inks)).items():
        sheet = sheet.replace(f"var(--{name})", getattr(ink, theme))
    return sheet


def stronger(inks: Mapping[str, Ink]) -> dict[str, Ink]:
    """The grounds up-2, up-3, down-2, down-3."""
    return {
        f"{way}-{step}": Ink(
            *(_mixed(*pair, part) for pair in zip(inks[way], inks[f"{way}-soft"], strict=True))
        )
        for way in ("up", "down")
        for step, part in STRONGER.items()
    }


def _mixed(one: str, other: str, part: float) -> str:
    """`part` of one colour and the rest of the other, in sRGB as `color-mix` has it."""
    channels = ((int(one[at : at + 2], 16), int(other[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(a * part + b * (1 - part)):02x}" for a, b in channels)
