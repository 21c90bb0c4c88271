"""Own matters: which events of the record concern which listeners, told by the events alone.

An event concerns a listener whose matter it is once the event has happened (domain.matter.concern): a department
hears of a matter from the whistle on that summons it. The outbox, the pull feed and the stream all ask here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import structlog

from adapters.deliveries.kinds import OF_MATTERS, matches
from domain.event import decode
from domain.matter import Matter, evolve
from domain.matter.concern import concerns
from domain.refusal import Unavailable
from workflows.ports import EventStore, Stored

_log = structlog.get_logger("outbox")


class Listener(NamedTuple):
    """Somebody who asks for kinds of events of a body's own matters, above the position `since`."""

    name: str
    body: str
    source: str | None
    types: tuple[str, ...]
    since: int = 0


class Heard(NamedTuple):
    """An event and who is to hear of it; `readable` is False where nobody can tell, because the case cannot be read."""

    stored: Stored
    listeners: tuple[Listener, ...]
    readable: bool = True


def heard(store: EventStore, batch: Sequence[Stored], listeners: Sequence[Listener]) -> Iterator[Heard]:
    """The events of a batch that concern a listener, in no order between cases. Raises Unavailable.

    A case that cannot be read holds up nobody: whoever asked for such events is named, and asked again when it is sent.
    """
    wanted: dict[str, dict[int, tuple[Listener, ...]]] = {}
    for stored in batch:
        asking = _asking(stored, listeners)
        if asking:
            wanted.setdefault(stored.stream, {})[stored.position] = asking
    for case, events in wanted.items():
        yield from _of_case(store, case, events)


def _asking(stored: Stored, listeners: Sequence[Listener]) -> tuple[Listener, ...]:
    if stored.type not in OF_MATTERS:
        return ()
    return tuple(one for one in listeners if stored.position > one.since and matches(one.types, stored.type))


def _of_case(store: EventStore, case: str, events: dict[int, tuple[Listener, ...]]) -> Iterator[Heard]:
    state: Matter | None = None
    readable, last = True, max(events)
    for stored in store.load(case):
        if stored.position > last:
            return
        try:
            state = evolve(state, decode(stored.type, stored.body)) if readable else None
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one case's fault, of any kind, must not hold up the others
            _log.error("case_unreadable", case=case, error=type(error).__name__)
            readable = False
        asking = events.get(stored.position)
        if asking is None:
            continue
        told = tuple(
            one for one in asking if state is None or not readable or concerns(state, one.body, one.source)
        )
        if told:
            yield Heard(stored, told, readable)
