"""Folding: events of a batch with their case just after them, for routers that ask what an event meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import structlog

from domain.event import Recorded, decode
from domain.matter import Matter, evolve
from domain.refusal import Unavailable
from workflows.ports import EventStore, Stored

_log = structlog.get_logger("outbox")


class Known(NamedTuple):
    """An event as read, and its case just after it."""

    recorded: Recorded[Any]
    state: Matter


class Folded(NamedTuple):
    """An event. `known` is None where its case cannot be read: then nobody can tell yet what it meant."""

    stored: Stored
    known: Known | None


def folded(
    store: EventStore, batch: Sequence[Stored], types: Collection[str], since: int = 0
) -> Iterator[Folded]:
    """The batch's events of these types above the position `since`, case by case, each case in order.

    A case that cannot be read is told of to operators, and holds up nobody else. Raises Unavailable.
    """
    wanted: dict[str, set[int]] = {}
    for stored in batch:
        if stored.type in types and stored.position > since:
            wanted.setdefault(stored.stream, set()).add(stored.version)
    for case, versions in wanted.items():
        yield from _of_case(store, case, versions)


def _of_case(store: EventStore, case: str, versions: set[int]) -> Iterator[Folded]:
    last, readable = max(versions), True
    state: Matter | None = None
    known: Known | None = None
    for stored in store.load(case):
        if stored.version > last:
            return
        if readable:
            try:
                recorded = decode(stored.type, stored.body)
                state = evolve(state, recorded)
                known = Known(recorded, state)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one case's fault, of any kind, must not hold up the others
                _log.error("case_unreadable", case=case, error=type(error).__name__)
                readable, known = False, None
        if stored.version in versions:
            yield Folded(stored, known)
