"""Key duties: what the key store has to do because of a stored event. The event is the decision; this carries it out.

`handle` does it right after the append. A crash in between leaves the keys as they were: the follower's keeper does
the same again from the events, and so does a restore. Everything here may be done any number of times, in the order of the
events: where an older lock or its end is done again, what came after it is done again too. Until then readers go by the
case itself, which says what is locked.
"""

from __future__ import annotations

from enum import Enum

from domain.event import Event, decode
from domain.matter.events import DataErased, DataLocked, DataUnlocked, MatterDiverted
from domain.refusal import Refused
from workflows.ports import KeyStore, Stored


class Duty(Enum):
    """What became of a case's keys."""

    DIVERTED = "diverted"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    ERASED = "erased"


OF_KEYS = frozenset(event.TYPE for event in (MatterDiverted, DataErased, DataLocked, DataUnlocked))
"""The types of the events that the key store must know of."""


def carry_out(keys: KeyStore, stream: str, event: Event) -> Duty | None:
    """Do to the keys of a case what the event says; None for an event that says nothing of keys.

    Raises Unavailable, and Refused `master_key_missing` for a diversion where the key of discipline inspection is not
    at hand.
    """
    match event:
        case MatterDiverted():
            keys.rewrap(stream, "discipline")
            return Duty.DIVERTED
        case DataLocked():
            keys.lock(stream, event.subject)
            return Duty.LOCKED
        case DataUnlocked():
            keys.unlock(stream, event.subject, event.still)
            return Duty.UNLOCKED
        case DataErased():
            keys.destroy(stream, event.subject)
            return Duty.ERASED
    return None


def carry_out_stored(keys: KeyStore, stored: Stored) -> Duty | None:
    """The same for an event as stored. Raises Refused `event_damaged` for one that cannot be read."""
    if stored.type not in OF_KEYS:
        return None
    try:
        event = decode(stored.type, stored.body).pub
    except ValueError as error:
        raise damaged(f"Restore the record: the event at {stored.position}") from error
    return carry_out(keys, stored.stream, event)


def damaged(what_to_do: str) -> Refused:
    """The refusal for an event that says what becomes of keys and cannot be read."""
    return Refused("event_damaged", f"{what_to_do} says what becomes of keys, and cannot be read.")
