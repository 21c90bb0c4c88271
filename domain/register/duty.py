"""The duty roster 值班 (A07): shifts, deputies and absences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.instant import written
from domain.refusal import Refused
from domain.register.events import AbsenceMarked, ShiftAssigned, ShiftWithdrawn
from domain.register.guards import check_administrator, check_body, check_holds
from domain.register.history import check_span, overlap
from domain.register.words import LEADING

if TYPE_CHECKING:
    from domain.event import Event
    from domain.register.commands import AssignShift, MarkAbsent, WithdrawShift
    from domain.register.guards import Context
    from domain.register.state import Register


def assign(state: Register, command: AssignShift, context: Context) -> tuple[Event, ...]:
    """A shift; whoever stands in it holds a post of the body, and no other shift of that seat overlaps it."""
    _check_may_keep(state, command.body, context)
    shift = (command.person, command.deputies, command.begins, command.ends)
    others = state.shifts.get((command.body, command.post), ())
    if any(shift == (other.person, other.deputies, other.begins, other.ends) for other in others):
        raise Refused("already_known", "Nothing needs to be done: this shift stands already.")
    check_span(command.begins, command.ends, context.when.recorded_at)
    check_body(state, command.body, command.begins, command.ends)
    for other in others:
        if overlap(command.begins, command.ends, other.begins, other.ends):
            raise Refused("overlap", f"Withdraw the shift that begins at {written(other.begins)} first.")
    people = (command.person, *command.deputies)
    if len(set(people)) != len(people):
        raise Refused("own_deputy", "Name each person once: nobody is their own deputy.")
    staff = set(state.staff(command.body, command.begins))
    if not staff.issuperset(people):
        raise Refused("no_post_there", "Fill a post of the body with everyone in the shift first.")
    if command.post == "duty_leader" and any(not _leads(state, one, command) for one in people):
        raise Refused("no_leading_post", "Name people in a leading post: the duty leader acts in that post.")
    assigned = ShiftAssigned(
        body=command.body,
        post=command.post,
        person=command.person,
        deputies=command.deputies,
        begins=command.begins,
        ends=command.ends,
    )
    return (assigned,)


def _leads(state: Register, person: str, command: AssignShift) -> bool:
    return any(state.holds(person, command.body, post, command.begins) for post in LEADING)


def withdraw(state: Register, command: WithdrawShift, context: Context) -> tuple[Event, ...]:
    """A shift is taken back before it begins; one that has begun is history."""
    _check_may_keep(state, command.body, context)
    if all(shift.begins != command.begins for shift in state.shifts.get((command.body, command.post), ())):
        raise Refused("not_in_force", "Check the moment: no shift of that seat begins then.")
    check_span(command.begins, None, context.when.recorded_at)
    return (ShiftWithdrawn(body=command.body, post=command.post, begins=command.begins),)


def mark_absent(state: Register, command: MarkAbsent, context: Context) -> tuple[Event, ...]:
    """A person will be away; they say so themselves, or whoever keeps the roster does."""
    now = context.when.recorded_at
    begins = command.begins or now
    if context.actor.person == command.person and context.actor.body == command.body:
        check_holds(state, context)
    else:
        _check_may_keep(state, command.body, context)
    check_span(begins, command.ends, now)
    if command.person not in state.staff(command.body, begins):
        raise Refused("no_post_there", "Check the person: they hold no post of that body then.")
    if (begins, command.ends) in state.absences.get((command.person, command.body), ()):
        raise Refused("already_known", "Nothing needs to be done: this absence is marked already.")
    return (AbsenceMarked(person=command.person, body=command.body, begins=begins, ends=command.ends),)


def _check_may_keep(state: Register, body: str, context: Context) -> None:
    """The roster of a body is kept by those who lead it or a body above it, or a security administrator."""
    actor = context.actor
    if actor.post in LEADING and state.within(body, actor.body, context.when.recorded_at):
        check_holds(state, context)
        return
    check_administrator(state, context, "security_admin")
