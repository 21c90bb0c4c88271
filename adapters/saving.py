"""Consumers whose only memory is how far they have come (adapters/follower.py)."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence

from workflows.ports import Positions, Stored


class Saving(ABC):
    """A consumer that saves its position after each batch. What it does it may be asked to do again."""

    name: str

    def __init__(self, positions: Positions) -> None:
        self._positions, self._at = positions, 0

    def position(self) -> int:
        """How far it has come. Raises Unavailable."""
        self._at = self._positions.position(self.name)
        return self._at

    async def take(self, batch: Sequence[Stored]) -> None:
        """Do it in a thread, then save. Raises Conflict, Unavailable, and what `do` raises."""
        await asyncio.to_thread(self._take, batch)

    @abstractmethod
    def do(self, batch: Sequence[Stored]) -> None:
        """What the events of the batch ask for; a repeated one does nothing more."""

    def _take(self, batch: Sequence[Stored]) -> None:
        self.do(batch)
        self._positions.save(self.name, self._at, batch[-1].position)
        self._at = batch[-1].position
