"""The child that draws: SVG from standard input, PNG to standard output, by resvg, until the input ends.

`raster.py` runs this file by its path in an interpreter of its own, because resvg's binding holds the GIL
while it draws. It imports nothing of ours and reads no file but the fonts it is told.

Each picture is asked for by its scale and length in bytes, and answered by 0 and the PNG's length, or by 1
and that of a complaint: 5 bytes, as `HEAD` says, then the text or the picture.
"""

from __future__ import annotations

import sys
from struct import Struct

from resvg_py import svg_to_bytes

HEAD = Struct(">BI")
FAMILY = "Inter"


def main(fonts: list[str]) -> None:
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := asked.read(HEAD.size):
        scale, length = HEAD.unpack(head)
        try:
            status, answer = 0, draw(asked.read(length).decode(), scale, fonts)
        except ValueError as error:
            status, answer = 1, str(error).encode()
        answers.write(HEAD.pack(status, len(answer)) + answer)
        answers.flush()


def draw(svg: str, scale: int, fonts: list[str]) -> bytes:
    """Raises ValueError with resvg's own words for a picture that can't be drawn."""
    return svg_to_bytes(
        svg_string=svg,
        zoom=float(scale),
        skip_system_fonts=True,
        font_files=fonts,
        font_family=FAMILY,
        sans_serif_family=FAMILY,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
