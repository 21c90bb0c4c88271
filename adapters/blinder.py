"""The blinder: with every erasure the digests of what was sent in its case before go too, whoever erased (law 9).

An append does so with the erasure itself; releases before that did not, and may have run until today beside this one.
So it is a consumer of its own, which begins at the first event and goes by no position that an older release has moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from domain.event import decode
from domain.matter.events import DataErased
from workflows.key_duties import damaged
from workflows.ports import EventStore, Positions, Stored


class Blinder:
    """The consumer `blinder`. What was blinded stays so: a repeated batch does nothing more.

    The erasure's own command and those after it keep their digests, so that their repeats find their answers.
    """

    name = "blinder"

    def __init__(self, store: EventStore, positions: Positions) -> None:
        self._store, self._positions = store, positions
        self._at = 0

    def position(self) -> int:
        """How far it has come. Raises Unavailable."""
        self._at = self._positions.position(self.name)
        return self._at

    async def take(self, batch: Sequence[Stored]) -> None:
        """Blind what the erasures of the batch left. Raises Conflict, Unavailable, Refused `event_damaged`."""
        await asyncio.to_thread(self._take, batch)

    def _take(self, batch: Sequence[Stored]) -> None:
        for stored in batch:
            if stored.type == DataErased.TYPE:
                self._blind(stored)
        self._positions.save(self.name, self._at, batch[-1].position)
        self._at = batch[-1].position

    def _blind(self, erasure: Stored) -> None:
        try:
            before = decode(erasure.type, erasure.body).recorded_at
        except ValueError as error:
            raise damaged(f"Restore the record: the event at {erasure.position}") from error
        self._store.blind([erasure.stream], before)
