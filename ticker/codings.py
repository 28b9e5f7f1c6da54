"""Content codings of HTTP (RFC 9110, 8.4): which one a reader takes, and bytes in it."""

from __future__ import annotations

import gzip
from functools import lru_cache

import brotli

LIVELY, LASTING = 4, 11
"""Brotli's quality for what changes with the prices, where more costs more than the bytes it saves; and for
what is made once."""


@lru_cache(maxsize=256)
def preferred(accepted: str) -> str:
    """The better coding an Accept-Encoding takes (RFC 9110, 12.5.3): `br` or `gzip`; empty for neither."""
    taken = set()
    for part in accepted.lower().split(","):
        name, _, weight = part.replace(" ", "").replace("\t", "").partition(";q=")
        if not weight or weight.strip("0."):
            taken.add(name)
    return next((coding for coding in ("br", "gzip") if coding in taken), "")


def coded(body: bytes, coding: str, quality: int = LIVELY) -> bytes:
    """`body` in `br` or `gzip`; as it is for the empty one."""
    match coding:
        case "br":
            return brotli.compress(body, quality=quality)  # type: ignore[no-any-return]
        case "gzip":
            return gzip.compress(body, 9 if quality == LASTING else 5, mtime=0)
        case _:
            return body
