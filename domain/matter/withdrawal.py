"""Withdrawal: wished by a requester, heard by somebody independent, confirmed or denied (domain.md D.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.acting import RESIDENT
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.closing import callers, took_part
from domain.matter.guards import after, officer, offices, other_person, requester
from domain.matter.orders import excuse_all
from domain.refusal import Refused

if TYPE_CHECKING:
    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Matter


def request_withdrawal(state: Matter, command: do.RequestWithdrawal, ctx: Context) -> tuple[Event, ...]:
    """A requester wishes to withdraw, by themselves or through an officer who heard it."""
    if command.requester not in state.requesters:
        raise Refused("unknown_requester", "Name one of the matter's requesters.")
    if state.requesters[command.requester].withdrawn or command.requester in state.withdrawing:
        raise Refused("asked_already", "This requester has asked to withdraw already.")
    if ctx.actor.body == RESIDENT:
        requester(ctx, state, command.requester)
    else:
        officer(ctx, "withdraw", offices(ctx, state))
    return (ev.WithdrawalRequested(requester=command.requester),)


def confirm_withdrawal(state: Matter, command: do.ConfirmWithdrawal, ctx: Context) -> tuple[Event, ...]:
    """Confirmed by an independent callback; a hazard goes on ex officio; never counted as solved."""
    officer(ctx, "confirm_withdrawal", callers(ctx, state))
    one = _who_withdraws(state, command)
    other_person(
        ctx,
        took_part(state) | {state.withdrawing[one]},
        "Whoever handled the matter or wrote the wish down does not confirm it; ask another officer.",
    )
    others = [r for r in state.requesters.values() if not r.withdrawn and r.id != one]
    if others or state.kind == "hazard":
        return (ev.RequesterWithdrew(requester=one),)
    after(ctx, state.last_at)
    return (*excuse_all(state, "withdrawn"), ev.MatterWithdrawn())


def _who_withdraws(state: Matter, command: do.ConfirmWithdrawal | do.DenyWithdrawal) -> str:
    one = command.requester or next(iter(state.withdrawing), "")
    if one not in state.withdrawing:
        raise Refused("nothing_withdrawn", "No requester has asked to withdraw.")
    return one


def deny_withdrawal(state: Matter, command: do.DenyWithdrawal, ctx: Context) -> tuple[Event, ...]:
    """The requester says that they never wished it, by themselves or to whoever calls them to confirm."""
    if ctx.actor.body == RESIDENT:
        one = command.requester or ctx.actor.person
        requester(ctx, state, one)
        command = command.model_copy(update={"requester": one})
    else:
        officer(ctx, "confirm_withdrawal", callers(ctx, state))
    return (ev.WithdrawalDenied(requester=_who_withdraws(state, command)),)
