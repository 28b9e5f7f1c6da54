"""SVG into PNG through resvg, with a packaged font, Inter, and none of the machine's.

A child (`draw.py`) draws one picture after the other: the event loop goes on, a picture that takes too long
is given up, and a minute after the last one nothing is left in memory. A picture may name nothing outside
itself.
"""

from __future__ import annotations

import asyncio
import os
import re
import struct
import sys
import unicodedata
from array import array
from asyncio.subprocess import Process
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self, cast
from xml.parsers import expat

from ticker.errors import ConfigError, RequestError

SIDE = 2048
"""The widest and the highest picture that is drawn, in CSS pixels."""

LONGEST = 1 << 20
"""How long a picture's SVG may be, in characters."""

HEAD = struct.Struct(">BI")
"""As draw.py has it, which is not imported here: it would bring resvg with it."""

_CHILD = Path(__file__).parent / "draw.py"
_INSIDE = re.compile(r"#[\w.-]+|data:image/(?:png|webp|svg\+xml);base64,[A-Za-z0-9+/=]*")
_FONTS = {".ttf", ".otf", ".ttc"}
_KEPT = {"PATH", "SYSTEMROOT", "LD_LIBRARY_PATH"}


class _Child(NamedTuple):
    process: Process
    into: asyncio.StreamWriter
    out: asyncio.StreamReader


class Raster:
    """Draws pictures in turn, each for `deadline` seconds at most, while `waiting` others wait.

    The composition root makes one and closes it. `fonts`: the operator's font files, or folders of them. The
    child is started by the first picture and ends when none was asked for during `rest` seconds. ConfigError
    where a font that is named isn't there or isn't one.
    """

    def __init__(
        self, fonts: Sequence[Path] = (), *, waiting: int = 16, deadline: float = 10, rest: float = 60
    ) -> None:
        self._fonts = [packaged(), *_found(fonts)]
        self._room = 1 + waiting
        self._deadline = deadline
        self._rest = rest
        self._turn = asyncio.Lock()
        self._child: _Child | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def png(self, svg: str, scale: int = 1) -> bytes:
        """The picture at `scale` device pixels a CSS pixel, 1 or 2.

        Raises RequestError `busy` (503) when too many wait already or the drawing takes too long, and
        ValueError for an SVG that isn't well-formed, is too large, or names anything outside itself.
        """
        if scale not in (1, 2):
            raise ValueError(f"a picture's scale is 1 or 2, not {scale}")
        check(svg)
        if self._room <= 0:
            raise RequestError("busy", "Too many pictures are being drawn", status=503, Retry_After="1")
        self._room -= 1
        try:
            async with self._turn:
                return await self._drawn(svg, scale)
        finally:
            self._room += 1

    def can_draw(self, text: str) -> bool:
        """Whether the fonts have every letter of `text`; one that they lack would be drawn as a box."""
        return all(self._has(letter) for letter in set(text))

    async def _drawn(self, svg: str, scale: int) -> bytes:
        drawn = False
        try:
            async with asyncio.timeout(self._deadline):
                failed, answer = await self._answer(svg.encode(), scale)
            drawn = True
        except TimeoutError:
            raise RequestError("busy", "This picture takes too long to draw", status=503) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise ValueError("the child died of this picture") from None
        finally:
            if not drawn:  # what the child would say next is nobody's
                await self._end()
        if failed:
            raise ValueError(answer.decode(errors="replace"))
        return answer

    async def _answer(self, svg: bytes, scale: int) -> tuple[int, bytes]:
        child = await self._living()
        child.into.write(HEAD.pack(scale, len(svg)) + svg)
        failed, length = HEAD.unpack(await child.out.readexactly(HEAD.size))
        answer = await child.out.readexactly(length)
        self._timer = asyncio.get_running_loop().call_later(self._rest, child.into.close)
        return failed, answer

    async def _living(self) -> _Child:
        if self._timer is not None:
            self._timer.cancel()
        child = self._child
        if child is None or child.process.returncode is not None or child.into.is_closing():
            await self._end()
            child = self._child = await _born(self._fonts)
        return child

    async def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        child, self._child = self._child, None
        if child is not None:
            if child.process.returncode is None:
                child.process.kill()
            await child.process.wait()

    def _has(self, letter: str) -> bool:
        # Spaces and marks of direction show nothing; resvg draws no box for them.
        if unicodedata.category(letter) in ("Zs", "Cf", "Cc"):
            return True
        return any(bisect_right(edges, ord(letter)) % 2 for edges in self._drawable)

    @cached_property
    def _drawable(self) -> list[array[int]]:
        return [drawable(font) for font in self._fonts]


async def _born(fonts: Sequence[Path]) -> _Child:
    """A child of its own interpreter, with none of the operator's environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", _CHILD, *fonts,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name in _KEPT},
    )  # fmt: skip
    into = cast("asyncio.StreamWriter", process.stdin)
    return _Child(process, into, cast("asyncio.StreamReader", process.stdout))


def packaged() -> Path:
    """Inter's upright face, every weight in one file."""
    return Path(str(files("fontpkg_inter") / "files" / "Inter[opsz,wght].ttf"))


def check(svg: str) -> None:
    """ValueError for an SVG that isn't well-formed, is too large, or names anything outside itself.

    resvg reads any file that an image's href names; and it knows entities, which expat is told to refuse.
    """
    if len(svg) > LONGEST:
        raise ValueError(f"a picture's SVG has at most {LONGEST} characters")
    parser = expat.ParserCreate(namespace_separator=" ")
    depth = 0

    def opened(_name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if not depth and not all(_fits(attributes.get(side, "")) for side in ("width", "height")):
            raise ValueError(f"a picture says its width and height, each at most {SIDE}")
        depth += 1
        for key, value in attributes.items():
            if key.rpartition(" ")[2] == "href" and not _INSIDE.fullmatch(value):
                raise ValueError(f"a picture can't name {value[:80]!r}")

    def refuse(*_: object) -> None:
        raise ValueError("a picture has no document type")

    parser.StartElementHandler = opened
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(svg, True)  # noqa: FBT003
    except expat.ExpatError as error:
        raise ValueError(f"not well-formed: {error}") from None


def _fits(length: str) -> bool:
    return length.isdecimal() and 0 < int(length) <= SIDE


def _found(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        fonts = [font.resolve() for font in inside if font.suffix.lower() in _FONTS and font.is_file()]
        if not fonts:
            raise ConfigError(f"no font at {path}: {', '.join(sorted(_FONTS))} are read")
        for font in fonts:
            try:
                drawable(font)
            except ValueError as error:
                raise ConfigError(str(error)) from error
        yield from fonts


# The character map of a font: OpenType 1.9, chapters "Organization of an OpenType font" and "cmap"


def drawable(font: Path) -> array[int]:
    """The code points a font has, as edges: the first of a run, the one after its last, and so on.

    Raises ValueError for a file that isn't an OpenType font.
    """
    try:
        with font.open("rb") as file:
            return _edges(_character_map(file))
    except (struct.error, IndexError, StopIteration) as error:
        raise ValueError(f"{font.name} is not an OpenType font") from error


def _character_map(file: BinaryIO) -> bytes:
    start = struct.unpack(">12xI", file.read(16))[0] if file.read(4) == b"ttcf" else 0
    file.seek(start + 4)
    count = struct.unpack(">H6x", file.read(8))[0]
    tables = struct.iter_unpack(">4s4xII", file.read(16 * count))
    at, length = next((at, length) for name, at, length in tables if name == b"cmap")
    file.seek(at)
    return file.read(length)


def _edges(table: bytes) -> array[int]:
    """Of a map's subtables the two that Unicode text is read by: 12 (all planes), else 4 (the first)."""
    (count,) = struct.unpack_from(">2xH", table)
    places = {struct.unpack_from(">4xI", table, 4 + 8 * one)[0] for one in range(count)}
    by_format = {struct.unpack_from(">H", table, at)[0]: at for at in places}
    if 12 in by_format:
        runs = _segments_12(table, by_format[12])
    else:
        runs = _segments_4(table, by_format.get(4, len(table)))
    edges = array("I")
    for first, last in sorted(runs):
        if edges and edges[-1] >= first:
            edges[-1] = max(edges[-1], last + 1)
        else:
            edges.extend((first, last + 1))
    return edges


def _segments_12(table: bytes, at: int) -> list[tuple[int, int]]:
    (count,) = struct.unpack_from(">12xI", table, at)
    groups = struct.iter_unpack(">III", table[at + 16 : at + 16 + 12 * count])
    return [(first, last) for first, last, _ in groups]


def _segments_4(table: bytes, at: int) -> list[tuple[int, int]]:
    doubled = struct.unpack_from(">6xH", table, at)[0]
    form = f">{doubled // 2}H"
    last = struct.unpack_from(form, table, at + 14)
    first = struct.unpack_from(form, table, at + 16 + doubled)
    return [run for run in zip(first, last, strict=True) if run[0] != 0xFFFF]
