"""The power register 权力清单 (A11, A28) and the duty list 职责清单."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.register.entries import DutyItem, PowerItem
from domain.register.events import DutyEntered, DutyWithdrawn, PowerEntered, PowerSuspended, PowerWithdrawn
from domain.register.guards import check_approved, check_body, check_place, refuse_unknown_item
from domain.register.history import check_span, in_force, next_number

if TYPE_CHECKING:
    from domain.event import Event
    from domain.register.commands import EnterDuty, EnterPower, SuspendPower, WithdrawDuty, WithdrawPower
    from domain.register.guards import Context
    from domain.register.state import Register


def enter(state: Register, command: EnterPower, context: Context) -> tuple[Event, ...]:
    """A power, or its next version; never approved by its holder alone."""
    now = context.when.recorded_at
    begins, ends = command.valid_from or now, command.valid_until
    item = PowerItem(
        command.item,
        command.kind,
        command.holder,
        command.over,
        command.basis,
        command.limits,
        command.steps,
        command.disclosure,
        command.approved_by,
    )
    number = next_number(state.power_history.get(command.item, ()), item, begins, ends, now)
    check_body(state, command.holder, begins, ends)
    for body in command.over:
        check_body(state, body, begins, None)
    check_approved(state, command.approved_by, (command.holder,), now)
    entered = PowerEntered(
        item=command.item,
        version=number,
        kind=command.kind,
        holder=command.holder,
        over=command.over,
        basis=command.basis,
        limits=command.limits,
        steps=command.steps,
        disclosure=command.disclosure,
        approved_by=command.approved_by,
        valid_from=begins,
        valid_until=ends,
    )
    return (entered,)


def suspend(state: Register, command: SuspendPower, context: Context) -> tuple[Event, ...]:
    """A power rests for a span and comes back by itself."""
    now = context.when.recorded_at
    begins = command.begins or now
    check_span(begins, command.ends, now)
    if in_force(state.power_history.get(command.item, ()), begins) is None:
        refuse_unknown_item(command.item)
    return (PowerSuspended(item=command.item, begins=begins, ends=command.ends),)


def withdraw(state: Register, command: WithdrawPower, context: Context) -> tuple[Event, ...]:
    """A power ends, and so do its planned versions."""
    now = context.when.recorded_at
    until = command.until or now
    check_span(until, None, now)
    history = state.power_history.get(command.item, ())
    if all(version.valid_until is not None and version.valid_until <= until for version in history):
        refuse_unknown_item(command.item)
    return (PowerWithdrawn(item=command.item, until=until),)


def enter_duty(state: Register, command: EnterDuty, context: Context) -> tuple[Event, ...]:
    """A line of the duty list, or its next version."""
    now = context.when.recorded_at
    begins, ends = command.valid_from or now, command.valid_until
    item = DutyItem(command.item, command.body, command.code, command.place)
    number = next_number(state.duty_history.get(command.item, ()), item, begins, ends, now)
    check_body(state, command.body, begins, ends)
    check_place(state, command.place, begins, ends)
    entered = DutyEntered(
        item=command.item,
        version=number,
        body=command.body,
        code=command.code,
        place=command.place,
        valid_from=begins,
        valid_until=ends,
    )
    return (entered,)


def withdraw_duty(state: Register, command: WithdrawDuty, context: Context) -> tuple[Event, ...]:
    """A line of the duty list ends, and so do its planned versions."""
    now = context.when.recorded_at
    until = command.until or now
    check_span(until, None, now)
    history = state.duty_history.get(command.item, ())
    if all(version.valid_until is not None and version.valid_until <= until for version in history):
        refuse_unknown_item(command.item)
    return (DutyWithdrawn(item=command.item, until=until),)
