"""Key duties: what the key store has to do because of a stored event. The event is the decision; this carries it out.

`handle` does it right after the append. A crash in between leaves the keys as they were: the follower's keeper does
the same again from the events, and so does a restore. Everything here may be done any number of times, and late: a lock
that was lifted meanwhile is not put on, nor one lifted that was put on anew, since what stands on record by now is asked
when nobody else can change the case's keys. To hand over and to destroy are final, whatever comes after them. Until a duty
is done readers go by the case itself, which says what is locked.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import cache

from domain.event import Event, decode
from domain.matter.events import DataErased, DataLocked, DataUnlocked, MatterDiverted
from domain.matter.state import WHOLE
from domain.refusal import Refused
from workflows.ports import EventStore, KeyStore, OnRecord, Stored


class Duty(Enum):
    """What became of a case's keys."""

    DIVERTED = "diverted"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    ERASED = "erased"


OF_KEYS = frozenset(event.TYPE for event in (MatterDiverted, DataErased, DataLocked, DataUnlocked))
"""The types of the events that the key store must know of."""


def carry_out(keys: KeyStore, stream: str, event: Event, store: EventStore | None = None) -> Duty | None:
    """Do to the keys of a case what the event says; None for an event that says nothing of keys.

    `store` is the record that is asked what holds by now; None where the events come in order from elsewhere, and nobody
    else is at work. Raises Unavailable, and Refused `master_key_missing` for a diversion where the key of discipline
    inspection is not at hand.
    """
    match event:
        case MatterDiverted():
            keys.rewrap(stream, "discipline")
            return Duty.DIVERTED
        case DataLocked():
            keys.lock(stream, event.subject, _on_record(store, stream))
            return Duty.LOCKED
        case DataUnlocked():
            keys.unlock(stream, event.subject, event.still, _on_record(store, stream))
            return Duty.UNLOCKED
        case DataErased():
            keys.destroy(stream, event.subject)
            return Duty.ERASED
    return None


def carry_out_stored(keys: KeyStore, stored: Stored, store: EventStore) -> Duty | None:
    """The same for an event of the record. Raises Refused `event_damaged` for one that cannot be read."""
    return carry_out(keys, stored.stream, _read(stored), store) if stored.type in OF_KEYS else None


def locked_in(rows: Iterable[Stored]) -> frozenset[str]:
    """Whose data are locked after these events of a case, by the person's id or WHOLE. Raises as `carry_out_stored`.

    As `domain.matter` folds it; but of a case of which something else cannot be read this is known all the same.
    """
    locked: set[str] = set()
    for row in rows:
        match _read(row) if row.type in OF_KEYS else None:
            case DataLocked() as event:
                locked.add(event.subject or WHOLE)
            case DataUnlocked() as event:
                locked.discard(event.subject or WHOLE)
            case DataErased() as event:
                locked -= {event.subject} if event.subject else {*locked}
    return frozenset(locked)


def _on_record(store: EventStore | None, stream: str) -> OnRecord | None:
    if store is None:
        return None

    @cache
    def locked() -> frozenset[str]:
        return locked_in(store.load(stream))

    return lambda person: not locked().isdisjoint({WHOLE, person})


def _read(stored: Stored) -> Event:
    try:
        event: Event = decode(stored.type, stored.body).pub
    except ValueError as error:
        raise damaged(f"Restore the record: the event at {stored.position}") from error
    return event


def damaged(what_to_do: str) -> Refused:
    """The refusal for an event that says what becomes of keys and cannot be read."""
    return Refused("event_damaged", f"{what_to_do} says what becomes of keys, and cannot be read.")
