"""What a supervisor would ask after the morning, read from the stored events alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from domain.event import Recorded, decode
from domain.matter import Clock, Matter, replay
from domain.matter.evolve import FOLDS
from workflows.ports import EventStore

SHOWN = ("acknowledge", "contact", "check_in", "finish")


@dataclass(frozen=True, slots=True)
class Late:
    """A body that did something late, in which matter, by how much; `by` is None where it never did it."""

    number: str
    body: str
    stage: str
    by: timedelta | None


@dataclass(slots=True)
class Report:
    """The morning in figures."""

    matters: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    late: list[Late] = field(default_factory=list)
    escalated: list[str] = field(default_factory=list)
    shown_above: list[str] = field(default_factory=list)
    reopened: list[str] = field(default_factory=list)
    refusals: int = 0
    total: int = 0


def report(store: EventStore) -> Report:
    """Read the whole store once."""
    made, histories, position = Report(), defaultdict[str, list[Recorded[Any]]](list), 0
    while batch := store.read(position, 1000):
        position = batch[-1].position
        for row in batch:
            made.total += 1
            made.events[row.type] += 1
            recorded = decode(row.type, row.body)
            if type(recorded.pub) in FOLDS:
                histories[row.stream].append(recorded)
    made.refusals = made.events["command_refused.v1"]
    for history in histories.values():
        _case(made, history)
    made.late.sort(key=lambda one: one.by or timedelta.max, reverse=True)
    return made


def _case(made: Report, history: list[Recorded[Any]]) -> None:
    state = replay(history)
    assert state is not None, "a history has at least one event"
    made.matters[state.status if not state.confidential else "confidential"] += 1
    made.orders.update(order.full_kind for order in state.orders.values() if order.legs)
    types = {recorded.type for recorded in history}
    if "matter_escalated.v1" in types:
        made.escalated.append(state.number)
    if "breach_escalated.v1" in types:
        made.shown_above.append(state.number)
    if state.reopened:
        made.reopened.append(state.number)
    for clock in (*state.past_clocks, *state.clocks.values()):
        late = _late(state, clock)
        if late is not None:
            made.late.append(late)


def _late(state: Matter, clock: Clock) -> Late | None:
    leg = state.leg(clock.owner)
    if leg is None or clock.stage not in SHOWN or clock.stopped is None or clock.stopped <= clock.due:
        return None
    return Late(state.number, leg.body, clock.stage, None if clock.cancelled else clock.stopped - clock.due)
