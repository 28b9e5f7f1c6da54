"""An SVG from outside, written anew from a list of what a still drawing needs.

Shapes, groups, gradients and flat clipping paths are kept, and of their attributes those that only say form
and colour. What isn't on the list isn't there afterwards: no script, style sheet, link, image, text, motion
or entity, and nothing that is loaded from elsewhere. Reads and writes no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.parsers import expat

from markupsafe import escape

DEPTH = 32
"""How deep elements may be nested; a renderer recurses."""

_SVG = "http://www.w3.org/2000/svg "
_ELEMENTS = frozenset(
    {"svg", "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
    | {"linearGradient", "radialGradient", "stop", "clipPath"}
)
_SILENT = frozenset({"title", "desc", "metadata", "style"})
"""Left out without a word: what they hold is not drawn."""

_PAINT = frozenset(
    {
        "fill",
        "fill-opacity",
        "fill-rule",
        "clip-rule",
        "clip-path",
        "opacity",
        "color",
        "display",
        "visibility",
    }
    | {"stroke", "stroke-width", "stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit"}
    | {"stroke-dasharray", "stroke-dashoffset", "stop-color", "stop-opacity"}
)
"""What may be said as an attribute, in a `style` or by a class."""

_ATTRIBUTES = _PAINT | frozenset(
    {"id", "viewBox", "width", "height", "preserveAspectRatio", "transform", "d", "points", "pathLength"}
    | {"x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "offset"}
    | {"gradientUnits", "gradientTransform", "spreadMethod", "clipPathUnits"}
)
_FUNCTION = (
    r"""(?:url\(\s*["']?#[\w.-]+["']?\s*\)"""
    r"|(?:matrix|translate|scale|rotate|skew[XY]|rgba?|hsla?)\([\d\s.,%eE+-]*\))"
)
_VALUE = re.compile(rf"""[^()\\@"':;]*(?:{_FUNCTION}[^()\\@"':;]*)*""")
"""Nothing that calls, quotes or escapes, but for a place in the same drawing, a transform or a colour."""
_RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def sanitise(svg: bytes) -> tuple[str, frozenset[str]]:
    """The drawing, and the names of the elements that had to be left out of it.

    Raises ValueError for what isn't SVG, isn't well-formed, declares entities or is nested too deep.
    """
    writer = _Writer()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _doctype
    parser.StartElementHandler = writer.opened
    parser.EndElementHandler = writer.closed
    parser.CharacterDataHandler = writer.said
    try:
        parser.Parse(svg, True)  # noqa: FBT003
    except (expat.ExpatError, LookupError) as error:  # LookupError: an encoding nobody knows
        raise ValueError(f"not well-formed: {error}") from None
    return "".join(writer.text), frozenset(writer.left_out)


def _doctype(_name: str, _system: str | None, _public: str | None, has_subset: int) -> None:
    """A bare document type is what drawing programs write; one with declarations could hold entities."""
    if has_subset:
        raise ValueError("declares entities")


class _Writer:
    def __init__(self) -> None:
        self.text: list[str] = []
        self.left_out: set[str] = set()
        self._open: list[str] = []
        self._skipped: list[str] = []
        self._sheet: list[str] = []
        self._classes: dict[str, dict[str, str]] = {}

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.removeprefix(_SVG)
        if not self._open and not self._skipped and tag != "svg":
            raise ValueError("not an SVG")
        if len(self._open) + len(self._skipped) >= DEPTH:
            raise ValueError(f"nested deeper than {DEPTH}")
        if self._skipped or tag not in _ELEMENTS or (tag == "svg" and self._open):
            if not self._skipped and tag not in _SILENT and " " not in tag:
                self.left_out.add(tag[:40])
            self._skipped.append(tag)
            return
        kept = self._kept(attributes)
        if (
            tag == "clipPath" or "clipPath" in self._open
        ):  # a clip of clips could take time that grows with a power of its depth
            kept.pop("clip-path", None)
        root = ' xmlns="http://www.w3.org/2000/svg"' if tag == "svg" else ""
        self.text.append(f"<{tag}{root}" + "".join(f' {k}="{escape(v)}"' for k, v in kept.items()) + ">")
        self._open.append(tag)

    def closed(self, _name: str) -> None:
        if not self._skipped:
            self.text.append(f"</{self._open.pop()}>")
        elif self._skipped.pop() == "style" and not self._skipped:
            for name, declared in _rules("".join(self._sheet)):
                self._classes.setdefault(name, {}).update(declared)
            self._sheet.clear()

    def said(self, text: str) -> None:
        if self._skipped == ["style"]:
            self._sheet.append(text)

    def _kept(self, attributes: dict[str, str]) -> dict[str, str]:
        """An element's own attributes, then what its classes say, then its style: CSS's order."""
        kept = {key: value for key, value in attributes.items() if key in _ATTRIBUTES}
        for name in attributes.get("class", "").split():
            kept |= self._classes.get(name, {})
        kept |= _declarations(attributes.get("style", ""))
        href = attributes.get("href") or attributes.get("http://www.w3.org/1999/xlink href", "")
        if re.fullmatch(r"#[\w.-]+", href):
            kept["href"] = href
        return {key: value for key, value in kept.items() if _VALUE.fullmatch(value)}


def _rules(sheet: str) -> Iterator[tuple[str, dict[str, str]]]:
    """What a sheet says of single classes, as drawing programs write it; all other rules are passed over."""
    for selectors, body in _RULE.findall(_COMMENT.sub("", sheet)):
        for selector in selectors.split(","):
            if re.fullmatch(r"\.[\w-]+", selector.strip()):
                yield selector.strip()[1:], _declarations(body)


def _declarations(text: str) -> dict[str, str]:
    parts = (declaration.partition(":") for declaration in text.split(";"))
    pairs = {key.strip(): value.strip() for key, _, value in parts}
    return {key: value for key, value in pairs.items() if key in _PAINT}
