"""The keeper: sees to it that keys are handed over, locked and destroyed (laws 9, 10), in case `handle` could not.

How far it has come also stands with the keys: one that was restored from an older backup is begun again from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from adapters.failpoint import failpoint
from workflows.key_duties import carry_out_stored
from workflows.ports import EventStore, KeyStore, Positions, Stored


class Keeper:
    """The consumer `keeper`. Its duties may be done any number of times, so that a repeated batch does nothing more."""

    name = "keeper"

    def __init__(self, store: EventStore, keys: KeyStore, positions: Positions) -> None:
        self._store, self._keys, self._positions = store, keys, positions
        self._saved = 0

    def position(self) -> int:
        """How far it has come. Raises Unavailable."""
        self._saved = self._positions.position(self.name)
        return min(self._saved, self._keys.kept_up_to(self._store.epoch()))

    async def take(self, batch: Sequence[Stored]) -> None:
        """Do to the keys what the events of the batch say. Raises Conflict, Unavailable."""
        await asyncio.to_thread(self._take, batch)

    def _take(self, batch: Sequence[Stored]) -> None:
        for stored in batch:
            if carry_out_stored(self._keys, stored, self._store) is not None:
                failpoint("keeper.after_duty")
        reached = batch[-1].position
        self._keys.keep_up_to(self._store.epoch(), reached)
        if reached > self._saved:
            self._positions.save(self.name, self._saved, reached)
            self._saved = reached
