"""Exclusion 剔除: a matter left out of scoring, decided by nobody who gains by it (domain.md D.1, flags)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.guards import accused, officer, other_person
from domain.refusal import Refused

if TYPE_CHECKING:
    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Matter


def request_exclusion(state: Matter, command: do.RequestExclusion, ctx: Context) -> tuple[Event, ...]:
    """剔除: a body asks that the matter be left out of scoring."""
    officer(ctx, "exclude_request", state.bodies())
    if ctx.actor.body in state.exclusions:
        raise Refused("already_asked", "This body has asked already; see the decision in the history.")
    return (ev.ExclusionRequested(by=ctx.actor.body, ground=command.ground),)


def decide_exclusion(state: Matter, command: do.DecideExclusion, ctx: Context) -> tuple[Event, ...]:
    """Never granted by the unit that benefits."""
    officer(ctx, "exclude_decide")
    at = ctx.when.occurred_at
    gains = ctx.actor.body in state.bodies() or accused(ctx, state, ctx.actor.body)
    if gains or ctx.register.within(ctx.actor.body, command.body, at):
        raise Refused("beneficiary", "A body that gains from it does not decide; ask the dispatch centre.")
    if command.body not in state.exclusions or state.exclusions[command.body] is not None:
        raise Refused("nothing_asked", "There is no open request of this body.")
    other_person(ctx, {state.excluding[command.body]}, "Whoever asked does not decide; ask another officer.")
    return (ev.ExclusionDecided(by=command.body, granted=command.granted),)
