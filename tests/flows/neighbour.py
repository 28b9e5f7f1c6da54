"""A session beside whatever a test does: it must get every update without a gap, and be the only one left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.flows.conftest import HandClock, Reader, Stand, standing


class Neighbour:
    """A session that keeps to the rules, and checks that the feed does."""

    def __init__(self, stand: Stand, reader: Reader, held: int) -> None:
        self._stand = stand
        self._reader = reader
        self._held = held

    async def goes_on(self, rounds: int = 3) -> None:
        """The next updates come, one after each round, and none is missing between them."""
        for _ in range(rounds):
            await self._stand.tick()
            update = await self._reader.message()
            assert update["type"] == "update"
            assert update["prev"] == self._held
            self._held = update["seq"]


@asynccontextmanager
async def beside(
    clock: HandClock, asset: str = "talus", **sections: Any
) -> AsyncIterator[tuple[Stand, Neighbour]]:
    """A stand with a neighbour, who goes on after whatever the block did and is then the only one left."""
    async with standing(clock, **sections) as stand, stand.reading(f"assets={asset}") as reader:
        await reader.message("snapshot")
        await stand.tick()
        first = await reader.message("update")
        neighbour = Neighbour(stand, reader, first["seq"])
        yield stand, neighbour
        await neighbour.goes_on()
        assert len(stand.service.feed) == 1
        assert sum(len(slot) for slot in stand.service.feed._wheel) == 1
