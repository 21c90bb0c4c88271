"""Routing: which departments' systems hear of an event, because it concerns a leg of theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapters.deliveries.folding import Known, folded
from adapters.deliveries.kinds import matches
from adapters.deliveries.ports import Row, event_id
from adapters.deliveries.subscriptions import Subscription, Subscriptions
from domain.event import Event
from domain.matter import Matter
from domain.matter.telling import SPEAKING, told
from workflows.ports import EventStore, Stored

CHANNEL = "dispatch"


class DispatchRouter:
    """The outbox's router for departments' systems."""

    def __init__(self, store: EventStore, subscriptions: Subscriptions) -> None:
        self._store, self._subscriptions = store, subscriptions

    def rows(self, batch: Sequence[Stored]) -> list[Row]:
        """A row for every system whose leg an event concerns; in order within a case. Raises Unavailable.

        Of a case that cannot be read for every system that might be told: that is asked again when it is sent.
        """
        listening = self._subscriptions.hearing(CHANNEL)
        if not listening:
            return []
        return [
            Row(one.id, stored.stream, stored.version, stored.position, event_id(stored.body), stored.type)
            for stored, known in folded(self._store, batch, SPEAKING)
            for one in _hearing(listening, stored, known)
        ]


def legs_told(event: Event, state: Matter) -> dict[str, list[str]]:
    """The legs that an event tells a body of, by body; `state` is its case just after it."""
    found: dict[str, list[str]] = {}
    for one in told(event, state):
        if one.audience == "body" and one.name is not None and one.leg is not None:
            found.setdefault(one.name, []).append(one.leg)
    return found


def _hearing(
    listening: Sequence[Subscription], stored: Stored, known: Known | None
) -> Iterator[Subscription]:
    legs = None if known is None else legs_told(known.recorded.pub, known.state)
    for one in listening:
        if (
            (legs is None or one.body in legs)
            and stored.position > one.since
            and matches(one.types, stored.type)
        ):
            yield one
