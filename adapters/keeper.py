"""The keeper: hands the keys of diverted cases to discipline inspection (law 10), in case `handle` could not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from adapters.failpoint import failpoint
from domain.matter.events import MatterDiverted
from workflows.ports import KeyStore, Positions, Stored


class Keeper:
    """The consumer `keeper`. Re-wrapping is idempotent, so that a repeated batch does nothing more."""

    name = "keeper"

    def __init__(self, keys: KeyStore, positions: Positions) -> None:
        self._keys, self._positions = keys, positions
        self._at = 0

    def position(self) -> int:
        """How far it has come. Raises Unavailable."""
        self._at = self._positions.position(self.name)
        return self._at

    async def take(self, batch: Sequence[Stored]) -> None:
        """Re-wrap the keys of the cases that were diverted. Raises Conflict, Unavailable."""
        await asyncio.to_thread(self._take, batch)

    def _take(self, batch: Sequence[Stored]) -> None:
        for stored in batch:
            if stored.type == MatterDiverted.TYPE:
                self._keys.rewrap(stored.stream, "discipline")
                failpoint("keeper.after_rewrap")
        self._positions.save(self.name, self._at, batch[-1].position)
        self._at = batch[-1].position
