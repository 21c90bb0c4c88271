"""A case as the read models see it: the domain's state, and the moments that decisions do not need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.store.moment import as_microseconds
from adapters.views.published import Step, step_of
from domain.event import Recorded, decode
from domain.matter import Matter, evolve
from domain.matter import events as mev
from domain.matter import order_events as oev
from domain.matter.words import ENDED_MATTER
from workflows.ports import Stored

OPENING = frozenset({mev.MatterRegistered.TYPE, mev.MatterBackfilled.TYPE})
"""The types that begin a case; a stream that begins otherwise is none."""


@dataclass(slots=True)
class LegTimes:
    """When a summoned body did what (UTC), and its lower ratings."""

    acknowledged: datetime | None = None
    contacted: datetime | None = None
    checked_in: datetime | None = None
    reported: datetime | None = None
    ended: datetime | None = None
    speed: int | None = None
    result: int | None = None


@dataclass(slots=True)
class Folded:
    """One case after some of its events. It owns its state; `apply` changes it."""

    matter: Matter
    opened: datetime
    registered: datetime
    rulebook: str = ""
    updated: datetime | None = None
    accepted: datetime | None = None
    completed: datetime | None = None
    ended: datetime | None = None
    given_due: datetime | None = None
    department: str | None = None
    proactive: bool = False
    repeat_of: str | None = None
    grid: str | None = None
    legs: dict[str, LegTimes] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def apply(self, recorded: Recorded[Any]) -> None:
        """One more event of this case."""
        event, at = recorded.pub, recorded.recorded_at
        was_ended = self.matter.status in ENDED_MATTER
        self.matter = evolve(self.matter, recorded)
        self.updated = at
        if recorded.basis.rulebook != "none":
            self.rulebook = recorded.basis.rulebook
        step = step_of(event, self.matter, as_microseconds(at))
        if step is not None:
            self.steps.append(step)
        if isinstance(event, oev.OrderEvent | oev.LegEvent):
            self._order_event(event, at)
            return
        match event:
            case mev.MatterAccepted() | mev.MatterTakenOver():
                self.accepted = at
            case mev.ResultSubmitted():
                self.completed = at
            case mev.MatterReopened():
                self.completed = None
        now_ended = self.matter.status in ENDED_MATTER
        if now_ended != was_ended:
            self.ended = at if now_ended else None

    def _order_event(self, event: Any, at: datetime) -> None:
        if isinstance(event, oev.LegEvent):
            self._leg_event(event, self.legs.setdefault(event.leg, LegTimes()), at)
            leg = self.matter.leg(event.leg)
            if leg is not None and not leg.live:
                self.legs[event.leg].ended = self.legs[event.leg].ended or at
        elif isinstance(event, oev.OrderCancelled):
            for one in self.matter.orders[event.order].legs:
                times = self.legs.setdefault(one, LegTimes())
                times.ended = times.ended or at

    def _leg_event(self, event: oev.LegEvent, times: LegTimes, at: datetime) -> None:
        match event:
            case oev.LegAcknowledged():
                times.acknowledged = at
            case oev.LegContacted():
                times.contacted = at
            case oev.LegCheckedIn():
                times.checked_in = at
                times.acknowledged = times.acknowledged or at
                times.contacted = times.contacted or at
            case oev.WordOfMouthConfirmed(stage="check_in"):
                times.checked_in = event.at
            case oev.LegReported():
                times.reported = at
            case oev.ResultRejected():
                times.reported = None
            case oev.LegRated():
                times.speed = min(times.speed or event.speed, event.speed)
                times.result = min(times.result or event.result, event.result)


def opened(recorded: Recorded[Any]) -> Folded:
    """The case that this first event begins; the event itself has been applied."""
    event, at = recorded.pub, recorded.recorded_at
    if isinstance(event, mev.MatterBackfilled):
        folded = Folded(Matter(recorded.stream), event.opened_at, at, given_due=event.due_at)
        folded.apply(recorded)
        folded.department, folded.ended = event.department, event.closed_at
        return folded
    folded = Folded(Matter(recorded.stream), event.seen_at, at)
    folded.proactive, folded.repeat_of, folded.grid = event.proactive, event.repeat_of, event.grid
    folded.apply(recorded)
    return folded


def folded_of(history: Sequence[Stored]) -> Folded:
    """The case that these stored events make, from the first on."""
    first, *rest = history
    folded = opened(decode(first.type, first.body))
    for row in rest:
        folded.apply(decode(row.type, row.body))
    return folded
