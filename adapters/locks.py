"""What is locked (封存), and when the clock is to erase it: seen beforehand, in the record itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from adapters.views.reader import Reader
from domain.matter import keeping
from domain.matter.events import DataLocked
from domain.matter.state import Matter
from workflows.handle import Handle


class Locked(NamedTuple):
    """A case in which something is locked: how many locks, and when each that has an end is carried out (UTC)."""

    case: str
    locks: int
    ends: tuple[datetime, ...]


def locked_cases(reader: Reader, handle: Handle) -> list[Locked]:
    """Every case in which something is locked now, the one that is erased next first. Raises Unavailable.

    The read models name the cases that were ever locked; what holds now is asked of each case's own events.
    """
    named = reader.rows("SELECT DISTINCT stream FROM facts WHERE type = ?", DataLocked.TYPE)
    states = (handle.load(row["stream"]) for row in named)
    found = [_locked(state) for state in states if state is not None and state.locked]
    return sorted(found, key=lambda one: (not one.ends, one.ends, one.case))


def _locked(state: Matter) -> Locked:
    return Locked(state.id, len(state.locked), tuple(sorted(keeping.ends(state).values())))


def due_before(found: Sequence[Locked], moment: datetime) -> int:
    """How many of these erasures are due before a moment."""
    return sum(end < moment for one in found for end in one.ends)
