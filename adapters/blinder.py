"""The blinder: with every erasure the digests of what was sent in its case before go too, whoever erased (law 9).

An append does so with the erasure itself; releases before that did not, and may have run until today beside this one.
So it is a consumer of its own, which begins at the first event and goes by no position that an older release has moved.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapters.saving import Saving
from domain.event import decode
from domain.matter.events import DataErased
from workflows.key_duties import damaged
from workflows.ports import EventStore, Positions, Stored


class Blinder(Saving):
    """The consumer `blinder`. What was blinded stays so: a repeated batch does nothing more.

    The erasure's own command and those after it keep their digests, so that their repeats find their answers.
    """

    name = "blinder"

    def __init__(self, store: EventStore, positions: Positions) -> None:
        super().__init__(positions)
        self._store = store

    def do(self, batch: Sequence[Stored]) -> None:
        """Blind what the erasures of the batch left. Raises Unavailable, Refused `event_damaged`."""
        for stored in batch:
            if stored.type == DataErased.TYPE:
                self._blind(stored)

    def _blind(self, erasure: Stored) -> None:
        try:
            before = decode(erasure.type, erasure.body).recorded_at
        except ValueError as error:
            raise damaged(f"Restore the record: the event at {erasure.position}") from error
        self._store.blind([erasure.stream], before)
