"""The projector: a batch of stored events becomes the changes of the read models. It writes nothing.

A case is folded from the store and kept for the next batch; a kept one is used only if it stands exactly one event
before the one that comes, so that a repeated batch, or one of another life, folds it anew.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.views import rows
from adapters.views.folded import OPENING, Folded, folded_of, opened
from adapters.views.notices import notice_rows
from adapters.views.rows import Row
from domain.context import Law
from domain.event import decode
from domain.matter.evolve import FOLDS
from workflows.ports import EventStore, Stored
from workflows.records import CommandRefused, NoticeDelivered, NoticeFailed, SealedRead
from workflows.rooms import STREAMS
from workflows.standing import StandingViews

MOST_KEPT = 3000
_OF_MATTERS = frozenset(event.TYPE for event in FOLDS)
_RECORDS = frozenset({CommandRefused.TYPE, SealedRead.TYPE, NoticeDelivered.TYPE, NoticeFailed.TYPE})


@dataclass(slots=True)
class Changes:
    """What a batch does to the tables: rows that are added, cases that are written anew, cases that are hidden."""

    added: dict[str, list[Row]] = field(default_factory=lambda: {"facts": [], "notices": [], "refusals": []})
    cases: dict[str, Folded] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    def hide(self) -> None:
        """Take everything of hidden cases out again (law 10)."""
        for case in self.hidden:
            self.cases.pop(case, None)
        places = {"facts": 4, "notices": 2, "refusals": 1}  # where each row names its case
        for name, place in places.items():
            self.added[name] = [row for row in self.added[name] if row[place] not in self.hidden]


class Projector:
    """Folds batches. Not for several threads at once."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._standing = StandingViews(store)
        self._kept: OrderedDict[str, Folded] = OrderedDict()

    def fold(self, batch: Sequence[Stored]) -> Changes:
        """The changes of a batch, in store order. Raises Unavailable."""
        changes = Changes()
        for stored in batch:
            envelope = json.loads(stored.body)
            if stored.type in _OF_MATTERS:
                self._matter_event(stored, envelope, changes)
            elif stored.type in _RECORDS:
                self._record(stored, envelope, changes)
            else:
                changes.added["facts"].append(rows.fact(stored, envelope, None, None))
        changes.hide()
        self._forget()
        return changes

    def law(self) -> Callable[[str], Law]:
        """Every released rulebook by name, as far as the store's tail."""
        return self._standing.caught_up().laws.__getitem__

    def _matter_event(self, stored: Stored, envelope: dict[str, Any], changes: Changes) -> None:
        recorded = decode(stored.type, stored.body)
        folded = self._before(stored)
        if folded is None:
            folded = self._kept[stored.stream] = opened(recorded)
        else:
            folded.apply(recorded)
        self._kept.move_to_end(stored.stream)
        if folded.matter.confidential:
            changes.hidden.add(stored.stream)
            return
        changes.cases[stored.stream] = folded
        changes.added["facts"].append(rows.fact(stored, envelope, stored.stream, folded.matter))
        changes.added["notices"].extend(notice_rows(stored, recorded, folded.matter))

    def _before(self, stored: Stored) -> Folded | None:
        """The case just before this event; None where the event begins it."""
        kept = self._kept.get(stored.stream)
        if kept is not None and kept.matter.version == stored.version - 1:
            return kept
        if stored.version == 1:
            return None
        earlier = [row for row in self._store.load(stored.stream) if row.version < stored.version]
        folded = self._kept[stored.stream] = folded_of(earlier)
        return folded

    def _record(self, stored: Stored, envelope: dict[str, Any], changes: Changes) -> None:
        pub = envelope["pub"]
        case = pub["case"]
        if not self._shown(case, stored.position):
            return
        changes.added["facts"].append(rows.fact(stored, envelope, case, None))
        if stored.type == CommandRefused.TYPE:
            changes.added["refusals"].append(
                (
                    stored.position, case, rows.read_micro(envelope["recorded_at"]), pub["command_name"], pub["code"],
                    envelope["person"], envelope["capacity"], envelope["post"],
                )
            )  # fmt: skip

    def _shown(self, case: str, position: int) -> bool:
        """Whether the case was there by then and is not hidden by now, whatever may still come.

        What is recorded of a hidden case and of an id that no case has stands in the store alone, so that here the
        two look the same (law 10).
        """
        if case in STREAMS:
            return True
        history = self._store.load(case)
        if not history or history[0].type not in OPENING or history[0].position > position:
            return False
        return not folded_of(history).matter.confidential

    def _forget(self) -> None:
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
