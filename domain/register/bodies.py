"""Entering and closing bodies 单位."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.refusal import Refused
from domain.register.entries import Body
from domain.register.events import BodyClosed, BodyEntered
from domain.register.guards import check_body
from domain.register.history import check_span, in_force, next_number
from domain.register.words import EVERYWHERE, RANK, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from domain.event import Event
    from domain.register.commands import CloseBody, EnterBody
    from domain.register.guards import Context
    from domain.register.state import Register

_RESERVED = frozenset({SYSTEM, "resident", EVERYWHERE})


def enter(state: Register, command: EnterBody, context: Context) -> tuple[Event, ...]:
    """A body, or its next version; the tree above it must stand as long as it does."""
    if command.body in _RESERVED or command.kind == "system":
        raise Refused("reserved_body", "Choose another id and kind: this one belongs to the engine.")
    now = context.when.recorded_at
    begins, ends = command.valid_from or now, command.valid_until
    body = Body(
        command.body, command.kind, command.parent, command.name_zh, command.name_en, command.district
    )
    history = state.body_history.get(command.body, ())
    if any(version.value.kind != command.kind for version in history):
        raise Refused("kind_fixed", "Enter a new body: the kind of a body never changes.")
    number = next_number(history, body, begins, ends, now)
    _check_parent(state, command, begins, ends)
    if ends is not None:
        _check_nothing_outlives(state, command.body, ends)
    event = BodyEntered(
        body=command.body,
        version=number,
        kind=command.kind,
        parent=command.parent,
        name_zh=command.name_zh,
        name_en=command.name_en,
        district=command.district,
        valid_from=begins,
        valid_until=ends,
    )
    return (event,)


def close(state: Register, command: CloseBody, context: Context) -> tuple[Event, ...]:
    """The end of a body; whatever stands on it must end before."""
    if command.body in _RESERVED:
        raise Refused("reserved_body", "Leave this body alone: it belongs to the engine.")
    now = context.when.recorded_at
    until = command.until or now
    check_span(until, None, now)
    history = state.body_history.get(command.body, ())
    if in_force(history, until) is None:
        raise Refused("unknown_body", f"Check the id {command.body}: no such body is in force then.")
    if any(version.valid_from > until for version in history):
        raise Refused(
            "overlap", "Close it from a later day: another version of it is planned after this one."
        )
    _check_nothing_outlives(state, command.body, until)
    return (BodyClosed(body=command.body, until=until),)


def _check_parent(state: Register, command: EnterBody, begins: datetime, ends: datetime | None) -> None:
    if command.parent is None:
        return
    parent = check_body(state, command.parent, begins, ends)
    if RANK[parent.kind] <= RANK[command.kind] or parent.kind == "system":
        raise Refused("wrong_parent", f"Put it under a higher body: a {parent.kind} holds no {command.kind}.")


def _check_nothing_outlives(state: Register, body_id: str, until: datetime) -> None:
    if what := next(_outliving(state, body_id, until), None):
        raise Refused("still_in_use", f"End its {what} first: they would outlive the body {body_id}.")


def _outliving(state: Register, body_id: str, until: datetime) -> Iterator[str]:
    """What of this body lasts beyond `until`."""

    def lasts(ends: datetime | None) -> bool:
        return ends is None or until < ends

    for child in state.children.get(body_id, ()):
        versions = state.body_history.get(child, ())
        if any(version.value.parent == body_id and lasts(version.valid_until) for version in versions):
            yield "bodies below"
    if any(lasts(held.valid_until) for held in state.seats_of(body_id)):
        yield "posts"
    for item in state.powers_of.get(body_id, ()):
        powers = state.power_history.get(item, ())
        if any(version.value.holder == body_id and lasts(version.valid_until) for version in powers):
            yield "powers"
    for item in state.duties_of.get(body_id, ()):
        duties = state.duty_history.get(item, ())
        if any(version.value.body == body_id and lasts(version.valid_until) for version in duties):
            yield "duties"
