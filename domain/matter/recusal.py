"""Recusal 回避: an officer who is partial, or may seem so, does nothing more in a matter (domain.md G4).

That they do nothing more is held in one place, in `decide`; here is who may say so, of whom, and where it goes along:
into the parts of a matter, split off before or after, and into the master that it is merged into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.guards import PANELS, SUPERVISORS, body_kind, officer, offices, post_holder, unaccused
from domain.matter.lifecycle import MATTER
from domain.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Container

    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Matter

_SAID_IN = MATTER[do.DeclareRecusal.NAME].allowed


def declare(
    state: Matter, command: do.DeclareRecusal, ctx: Context
) -> tuple[tuple[Event, ...], tuple[tuple[str, Event], ...]]:
    """One recuses oneself in any post of a body that has to do with it; others as the rulebook says.

    It holds in the parts of the matter too, those that are over excepted: nothing is done there any more.
    """
    if command.person == ctx.actor.person:
        post_holder(ctx, "recuse", _bodies(state, ctx, (*SUPERVISORS, *PANELS, "archive")))
    else:
        # Not by the unit complained about: it would choose who looks into it.
        officer(ctx, "recuse", offices(ctx, state) | unaccused(ctx, state, _bodies(state, ctx, SUPERVISORS)))
    if command.person in state.requesters:
        raise Refused("is_requester", "A requester is a party and no officer; name an officer.")
    if command.person in state.recused:
        raise Refused("already_recused", "This person is recused already; see the history.")
    if not ctx.register.posts_of(command.person, ctx.when.recorded_at):
        raise Refused(
            "unknown_person", "Nobody of this id holds a post now; name an officer of the register."
        )
    said = ev.PersonRecused(person=command.person, ground=command.ground)
    parts = [ctx.others[child] for child in state.children if ctx.others.get(child) is not None]
    there = [part for part in parts if part.status in _SAID_IN and command.person not in part.recused]
    return (said,), tuple((part.id, said) for part in there)


def along(state: Matter, to: str, there: Container[str] = ()) -> tuple[tuple[str, Event], ...]:
    """What another case hears that carries on what is done here: who is recused, but for those who are recused there."""
    return tuple(
        (to, ev.PersonRecused(person=person, ground=ground))
        for person, ground in state.recused.items()
        if person not in there
    )


def _bodies(state: Matter, ctx: Context, kinds: tuple[str, ...]) -> set[str]:
    """The bodies that take part, and the actor's if it carries the matter or is of one of these kinds.

    With a confidential matter discipline inspection alone has to do.
    """
    found = offices(ctx, state)
    if state.confidential:
        return found
    beside = {ctx.actor.body} if body_kind(ctx, ctx.actor.body) in kinds else set[str]()
    return found | state.bodies() | beside
