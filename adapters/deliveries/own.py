"""Own matters: which events of the record concern which listeners, told by the events alone.

An event concerns a listener whose matter it is once the event has happened (domain.matter.concern): a department
hears of a matter from the whistle on that summons it. The outbox, the pull feed and the stream all ask here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from adapters.deliveries.folding import folded
from adapters.deliveries.kinds import OF_MATTERS, matches
from domain.matter.concern import concerns
from workflows.ports import EventStore, Stored


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
    asked = {stored.position: asking for stored in batch if (asking := _asking(stored, listeners))}
    for stored, known in folded(store, [one for one in batch if one.position in asked], OF_MATTERS):
        told = tuple(
            one
            for one in asked[stored.position]
            if known is None or concerns(known.state, one.body, one.source)
        )
        if told:
            yield Heard(stored, told, known is not None)


def _asking(stored: Stored, listeners: Sequence[Listener]) -> tuple[Listener, ...]:
    if stored.type not in OF_MATTERS:
        return ()
    return tuple(one for one in listeners if stored.position > one.since and matches(one.types, stored.type))
