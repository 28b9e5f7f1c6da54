"""Fields that a venue has ceased to give: told once when that begins, once when they are back.

Which they are is found out where rows are read; nothing here knows a row.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

logger = logging.getLogger(__name__)


class Lapses:
    """`fields`, in the venue's words, that nothing it last said had, though it gives them."""

    def __init__(self, speaker: str) -> None:
        self.fields: tuple[str, ...] = ()
        self._speaker = speaker

    def settle(self, missing: Collection[str]) -> None:
        """What was last found missing."""
        now = tuple(sorted(missing))
        if gone := [name for name in now if name not in self.fields]:
            logger.warning("%s: no row has %s; the venue may have renamed it", self._speaker, ", ".join(gone))
        if back := [name for name in self.fields if name not in now]:
            logger.info("%s gives %s again", self._speaker, ", ".join(back))
        self.fields = now
