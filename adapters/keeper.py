"""The keeper: sees to it that keys are handed over, locked and destroyed (laws 9, 10), in case `handle` could not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from adapters.failpoint import failpoint
from workflows.key_duties import carry_out_stored
from workflows.ports import KeyStore, Positions, Stored


class Keeper:
    """The consumer `keeper`. Its duties may be done any number of times, so that a repeated batch does nothing more."""

    name = "keeper"

    def __init__(self, keys: KeyStore, positions: Positions) -> None:
        self._keys, self._positions = keys, positions
        self._at = 0

    def position(self) -> int:
        """How far it has come. Raises Unavailable."""
        self._at = self._positions.position(self.name)
        return self._at

    async def take(self, batch: Sequence[Stored]) -> None:
        """Do to the keys what the events of the batch say. Raises Conflict, Unavailable."""
        await asyncio.to_thread(self._take, batch)

    def _take(self, batch: Sequence[Stored]) -> None:
        for stored in batch:
            if carry_out_stored(self._keys, stored) is not None:
                failpoint("keeper.after_duty")
        self._positions.save(self.name, self._at, batch[-1].position)
        self._at = batch[-1].position
