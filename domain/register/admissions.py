"""Work-item admission 工作事项准入 (A26, B6): three lists, and applications for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.refusal import Refused
from domain.register.entries import AdmissionItem
from domain.register.events import (
    AdmissionApplied,
    AdmissionDecided,
    AdmissionEnded,
    AdmissionItemEntered,
    AdmissionItemWithdrawn,
)
from domain.register.guards import (
    check_approved,
    check_body,
    check_holds,
    check_place,
    refuse_unknown_item,
)
from domain.register.history import check_span, next_number

if TYPE_CHECKING:
    from domain.event import Event
    from domain.register.commands import (
        ApplyAdmission,
        DecideAdmission,
        EndAdmission,
        EnterAdmissionItem,
        WithdrawAdmissionItem,
    )
    from domain.register.entries import Application
    from domain.register.guards import Context
    from domain.register.state import Register

DECIDERS: Final = frozenset({"district_leader", "leadership_member", "adjudicator", "secretary", "director"})
"""Posts in which the result of the joint meeting 联席会议 is given."""


def enter(state: Register, command: EnterAdmissionItem, context: Context) -> tuple[Event, ...]:
    """A work item on a list, or its next version; never approved by the department that it serves alone."""
    now = context.when.recorded_at
    begins, ends = command.valid_from or now, command.valid_until
    item = AdmissionItem(
        command.item,
        command.code,
        command.on_list,
        command.department,
        command.conditions,
        command.approved_by,
    )
    number = next_number(state.admission_history.get(command.item, ()), item, begins, ends, now)
    if command.department is not None:
        check_body(state, command.department, begins, None)
    gains = () if command.department is None else (command.department,)
    check_approved(state, command.approved_by, gains, now)
    entered = AdmissionItemEntered(
        item=command.item,
        version=number,
        code=command.code,
        on_list=command.on_list,
        department=command.department,
        conditions=command.conditions,
        approved_by=command.approved_by,
        valid_from=begins,
        valid_until=ends,
    )
    return (entered,)


def withdraw(state: Register, command: WithdrawAdmissionItem, context: Context) -> tuple[Event, ...]:
    """A work item leaves its list, and so do its planned versions."""
    now = context.when.recorded_at
    until = command.until or now
    check_span(until, None, now)
    history = state.admission_history.get(command.item, ())
    if all(version.valid_until is not None and version.valid_until <= until for version in history):
        refuse_unknown_item(command.item)
    return (AdmissionItemWithdrawn(item=command.item, until=until),)


def apply(state: Register, command: ApplyAdmission, context: Context) -> tuple[Event, ...]:
    """A department asks for itself, by an officer of its own; a negative class cannot be asked for."""
    if context.actor.body != command.department:
        raise Refused("not_allowed", "Let an officer of the department that wants the work done apply.")
    check_holds(state, context)
    check_span(command.valid_from, command.valid_until, context.when.recorded_at)
    if state.applications.get(command.application, None) is not None:
        raise Refused("already_known", "Choose another id: an application of this one stands already.")
    check_body(state, command.department, command.valid_from, command.valid_until)
    check_place(state, command.place, command.valid_from, command.valid_until)
    if state.negative(command.code, command.valid_from):
        raise Refused(
            "negative_class", "Do the work in the department: communities are never given this class."
        )
    applied = AdmissionApplied(
        application=command.application,
        applicant=context.actor.person,
        department=command.department,
        code=command.code,
        place=command.place,
        conditions=command.conditions,
        valid_from=command.valid_from,
        valid_until=command.valid_until,
    )
    return (applied,)


def decide_application(state: Register, command: DecideAdmission, context: Context) -> tuple[Event, ...]:
    """The joint meeting admits or refuses; never the department alone, never the applicant in person."""
    now = context.when.recorded_at
    asked = _application(state, command.application)
    if asked.admitted is not None:
        raise Refused("already_decided", "Let the department apply anew: this application has been decided.")
    check_approved(state, command.decided_by, (asked.department,), now)
    _check_may_decide(state, command, context, asked)
    if command.admit and asked.valid_until <= now:
        raise Refused("term_over", "Let the department apply anew: the term that it asked for is over.")
    begins = max(asked.valid_from, now)
    if command.admit and state.negative(asked.code, begins):
        raise Refused("negative_class", "Refuse it: communities are never given this class of work.")
    decided = AdmissionDecided(
        application=command.application,
        admitted=command.admit,
        decided_by=command.decided_by,
        ground=command.ground,
        valid_from=begins,
        valid_until=max(asked.valid_until, begins),
    )
    return (decided,)


def _check_may_decide(
    state: Register, command: DecideAdmission, context: Context, asked: Application
) -> None:
    actor, now = context.actor, context.when.recorded_at
    if actor.person == asked.applicant:
        raise Refused("same_person", "Let another person decide: nobody decides their own application.")
    if actor.body not in command.decided_by or state.within(actor.body, asked.department, now):
        raise Refused("not_allowed", "Let a body of the joint meeting, other than the applicant, decide.")
    if actor.post not in DECIDERS:
        raise Refused("not_allowed", "Let a leader or adjudicator of that body give the decision.")
    check_holds(state, context)


def end(state: Register, command: EndAdmission, context: Context) -> tuple[Event, ...]:
    """An admitted work item ends before its term."""
    now = context.when.recorded_at
    until = command.until or now
    check_span(until, None, now)
    asked = _application(state, command.application)
    if not asked.admitted or asked.valid_until <= until:
        refuse_unknown_item(command.application)
    return (AdmissionEnded(application=command.application, until=until),)


def _application(state: Register, application: str) -> Application:
    asked = state.applications.get(application, None)
    if asked is None:
        raise Refused("unknown_application", f"Check the id {application}: there is no such application.")
    return asked
