"""What an operator can set about the widgets. Nothing here reads a file."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the widgets find what is the operator's own."""

    logos: Annotated[
        str,
        Meta(
            description="Folder of your own logos, named by asset id: talus.svg, .png or .webp, up to 64 KiB."
        ),
    ] = "logos"
    fonts: Annotated[
        tuple[str, ...],
        Meta(description="Font files, or folders of them, for PNGs in scripts that the packaged font lacks."),
    ] = ()
