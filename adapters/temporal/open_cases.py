"""Which cases are open, found in the store itself: for a store without read models, and for their first building."""

from __future__ import annotations

from collections.abc import Iterator

from domain.matter import events as ev
from workflows.ports import EventStore

_BATCH = 2_000
_OPENING = frozenset(
    event.TYPE for event in (ev.MatterRegistered, ev.MatterTakenOver, ev.MatterReopened, ev.MergeReversed)
)


def open_cases(store: EventStore) -> Iterator[str]:
    """The cases that were opened and not archived since, or have data to erase one day, in no order. Raises Unavailable.

    A case that has ended otherwise may still owe the record a missed due moment; whoever asks looks at each.
    """
    found: set[str] = set()
    locked: set[str] = set()
    position = 0
    while batch := store.read(position, _BATCH):
        for row in batch:
            if row.type in _OPENING:
                found.add(row.stream)
            elif row.type == ev.MatterArchived.TYPE:
                found.discard(row.stream)
            elif row.type == ev.DataLocked.TYPE:
                locked.add(row.stream)
        position = batch[-1].position
    yield from found | locked
