"""An asset's mark: the operator's own file, a brand's path from a CC0 set, or a monogram.

Files are read from one folder, looked at once a minute at most, small, and never believed: an SVG is written
anew (`sanitise.py`), a PNG or WebP has to begin as one. No path is ever made from what somebody asked for.
"""

from __future__ import annotations

import logging
import os
import re
import struct
from base64 import b64encode
from collections.abc import Mapping
from hashlib import blake2s
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from widgets.image import Monogram, contrast, monogram
from widgets.sanitise import sanitise

LARGEST = 64 * 1024
"""The largest file that is read, in bytes."""

WIDEST = 1024
"""The widest and highest PNG or WebP, in pixels: a small file can hold a picture that fills memory."""

OFTEN = 60_000
"""The folder is looked at again after so many milliseconds."""

SLUGS: Mapping[str, str] = {
    "bitcoin": "bitcoin",
    "ethereum": "ethereum",
    "tether": "tether",
    "bnb": "bnbchain",
    "solana": "solana",
    "dogecoin": "dogecoin",
    "cardano": "cardano",
    "chainlink": "chainlink",
    "toncoin": "ton",
    "stellar": "stellar",
    "sui": "sui",
    "bitcoin-cash": "bitcoincash",
    "polkadot": "polkadot",
    "litecoin": "litecoin",
}
"""Built-in asset ids and their names in Simple Icons (CC0). The set has no Talus, USD Coin, TRON, Avalanche,
Shiba Inu and Pepe, and of XRP only the ledger's sign; those have monograms."""

_DISCS = frozenset({"bitcoin", "bitcoin-cash", "dogecoin", "litecoin", "toncoin"})
"""Icons that are a round coin themselves, with the sign left open in it."""

_TYPES = {"svg": "image/svg+xml", "png": "image/png", "webp": "image/webp"}
"""By a file's ending; the first that is there is taken."""

_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_WHITE, _DARK = "#ffffff", "#0f1728"

_log = logging.getLogger(__name__)


class File(NamedTuple):
    """An operator's logo as it is served: sanitised, and with its hash."""

    name: str
    body: bytes
    hash: str

    @property
    def content_type(self) -> str:
        return _TYPES[self.name.rpartition(".")[2]]

    @property
    def address(self) -> str:
        """From the service's root, to be written after `site`."""
        return f"/logos/{self.name}?v={self.hash}"

    @property
    def data(self) -> str:
        """The whole file as an address, for a picture, which can load nothing."""
        return f"data:{self.content_type};base64,{b64encode(self.body).decode()}"


class Mark(NamedTuple):
    """What stands for an asset. `kind` says which of the rest to draw; the monogram is always there.

    path: `d` in `ink` on a circle of `ground` around (12, 12) with `radius`, all in `view_box`.
    file: an image at `file.address`, or inline as `file.data`.
    """

    kind: Literal["path", "file", "monogram"]
    monogram: Monogram
    file: File | None = None
    view_box: str = ""
    radius: str = ""
    d: str = ""
    ground: str = ""
    ink: str = ""


class Answer(NamedTuple):
    """A logo as an HTTP answer of status 200, without a server."""

    body: bytes
    content_type: str
    headers: Mapping[str, str]


class Logos:
    """`folder` is the operator's; None, or one that isn't there, has no files. Times: ms since the epoch."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._looked: int | None = None
        self._stamps: dict[str, tuple[int, int]] = {}
        self._read: dict[str, tuple[tuple[int, int], File | None]] = {}
        self._built_in: dict[str, Mark | None] = {}

    def mark(self, asset_id: str, symbol: str, now: int) -> Mark:
        """The best mark there is for a configured asset."""
        self._look(now)
        for ending in _TYPES:
            file = self._file(f"{asset_id}.{ending}")
            if file is not None:
                return Mark("file", monogram(asset_id, symbol), file)
        if asset_id in SLUGS:
            if asset_id not in self._built_in:
                self._built_in[asset_id] = _brand(asset_id, symbol)
            built_in = self._built_in[asset_id]
            if built_in is not None:
                return built_in
        return Mark("monogram", monogram(asset_id, symbol))

    def response(self, name: str, version: str, now: int) -> Answer | None:
        """What `/logos/{name}?v={version}` gets; None where there is no such logo (404).

        A version that isn't this file's is answered with the file as it is now, to be asked for again soon.
        """
        self._look(now)
        file = self._file(name)
        if file is None:
            return None
        current = version == file.hash
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if current else "public, max-age=60",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "ETag": f'"{file.hash}"',
            "X-Content-Type-Options": "nosniff",
        }
        return Answer(file.body, file.content_type, headers)

    def _look(self, now: int) -> None:
        if self._folder is None or (self._looked is not None and 0 <= now - self._looked < OFTEN):
            return
        self._looked = now
        self._stamps = _stamps(self._folder)
        self._read = {name: read for name, read in self._read.items() if name in self._stamps}

    def _file(self, name: str) -> File | None:
        """A file of the folder, read when it is first asked for and when it has changed."""
        stamp = self._stamps.get(name)
        if stamp is None or self._folder is None:
            return None
        stamped, file = self._read.get(name, (None, None))
        if stamped != stamp:
            file = _load(self._folder / name)
            self._read[name] = stamp, file
        return file


# The operator's folder


def _stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Time of change and size of each file that is called like a logo."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: _stamp(entry) for entry in entries if _named(entry.name) and entry.is_file()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        _log.warning("the folder of logos can't be read: %s", error)
        return {}


def _stamp(entry: os.DirEntry[str]) -> tuple[int, int]:
    stat = entry.stat()
    return stat.st_mtime_ns, stat.st_size


def _named(name: str) -> bool:
    asset_id, _, ending = name.rpartition(".")
    return ending in _TYPES and _ID.fullmatch(asset_id) is not None


def _load(path: Path) -> File | None:
    """The file, fit to be shown to anybody; None, and a line in the log, for one that can't be."""
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise ValueError(f"larger than {LARGEST // 1024} KiB")
        body = _drawing(path.name, body) if path.suffix == ".svg" else _bitmap(path.suffix, body)
    except (OSError, ValueError) as error:
        _log.warning("logo %s is not shown: %s", path.name, error)
        return None
    return File(path.name, body, blake2s(body, digest_size=6).hexdigest())


def _drawing(name: str, body: bytes) -> bytes:
    svg, left_out = sanitise(body)
    if left_out:
        _log.warning("logo %s is shown without what it has in %s", name, ", ".join(sorted(left_out)))
    return svg.encode()


def _bitmap(ending: str, body: bytes) -> bytes:
    """The bytes as they are, if they are what the file's name says and not too wide. ValueError."""
    try:
        width, height = _png_size(body) if ending == ".png" else _webp_size(body)
    except struct.error:
        raise ValueError("cut off") from None
    if not (0 < width <= WIDEST and 0 < height <= WIDEST):
        raise ValueError(f"{width} × {height} pixels; at most {WIDEST} × {WIDEST} are shown")
    return body


def _png_size(body: bytes) -> tuple[int, int]:
    """From the header chunk, the first one (PNG 3, 11.2.1)."""
    if body[:8] != b"\x89PNG\r\n\x1a\n" or body[12:16] != b"IHDR":
        raise ValueError("not a PNG")
    width, height = struct.unpack_from(">II", body, 16)
    return width, height


def _webp_size(body: bytes) -> tuple[int, int]:
    """From the first chunk: extended, lossless or lossy (RFC 9649, 2.5 to 2.7)."""
    if body[:4] != b"RIFF" or body[8:12] != b"WEBP":
        raise ValueError("not a WebP")
    match body[12:16]:
        case b"VP8X":
            wide, high = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (24, 27))
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", body, 21)
            wide, high = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            wide, high = (side & 0x3FFF for side in struct.unpack_from("<HH", body, 26))
        case _:
            raise ValueError("not a WebP")
    return wide, high


# The set


def _brand(asset_id: str, symbol: str) -> Mark | None:
    """The path and colour of a built-in asset, or None without the extra `logos`.

    The set is Python files, one an icon. Importing it makes 3,400 classes; reading one as text makes none.
    """
    found = find_spec("simplepycons")
    if found is None or found.origin is None:
        return None
    try:
        text = Path(found.origin).with_name(f"_{SLUGS[asset_id]}.py").read_text(encoding="utf-8")
    except OSError:
        return None
    colour, path = re.search(r'"(#[0-9A-Fa-f]{6})"', text), re.search(r'\sd="([\w\s.,+-]+)"', text)
    if colour is None or path is None:
        return None
    brand, d = colour[1].lower(), " ".join(path[1].split())
    own = monogram(asset_id, symbol)
    if asset_id in _DISCS:  # white shows through the coin; a little smaller, so that it doesn't fringe it
        return Mark("path", own, None, "0 0 24 24", "11.5", d, _WHITE, brand)
    return Mark("path", own, None, "-7 -7 38 38", "19", d, brand, _ink(brand))


def _ink(ground: str) -> str:
    """White where it has WCAG's 3:1 for graphics on this ground, else dark, which then has more."""
    parts = tuple(int(ground[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _WHITE if contrast(parts, (1, 1, 1)) >= 3 else _DARK
