"""Every text on every ground it is written on, in every palette and both themes."""

from __future__ import annotations

from itertools import product

import pytest

from widgets.colours import INKS, MOVES, Palette, Theme, painted, properties
from widgets.image import contrast

THEMES = ("light", "dark")


def rgb(colour: str) -> tuple[float, ...]:
    digits = colour.removeprefix("#")
    digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
    return tuple(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))


@pytest.mark.parametrize(("palette", "theme"), list(product(Palette, THEMES)))
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("text", "bg"), ("muted", "bg"), ("accent", "bg"), ("warn", "warn-soft"), ("muted", "line"),
        ("up", "bg"), ("down", "bg"), ("up", "up-soft"), ("down", "down-soft"),
    ],
)  # fmt: skip
def test_text_is_readable_on_its_ground(palette, theme, text, ground):
    inks = INKS | MOVES[palette]
    of = [rgb(getattr(inks[name], theme)) for name in (text, ground)]
    assert contrast(*of) >= 4.5


@pytest.mark.parametrize("palette", Palette)
def test_up_and_down_are_not_the_same(palette):
    assert MOVES[palette]["up"] != MOVES[palette]["down"]


def test_a_page_names_every_colour_once_and_a_palette_only_what_it_changes():
    css = properties()
    assert css.startswith(".pt,.page{--bg:var(--ticker-bg,light-dark(#fff,#12161f));")
    assert "[data-palette=east-asian]{--up:var(--ticker-up,light-dark(#c0261f,#ff7a70));" in css
    assert css.count("--bg:") == 1


def test_a_picture_has_literal_colours_for_its_theme():
    sheet = ".a{fill:var(--up)}"
    assert painted(sheet, Theme.LIGHT, Palette.WESTERN) == ".a{fill:#0b7a3b}"
    assert painted(sheet, Theme.DARK, Palette.EAST_ASIAN) == ".a{fill:#ff7a70}"
    assert painted(sheet, Theme.AUTO, Palette.WESTERN) == (
        ".a{fill:#0b7a3b}@media(prefers-color-scheme:dark){.a{fill:#3ecf82}}"
    )
