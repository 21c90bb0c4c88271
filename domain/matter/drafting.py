"""Drafting: who may draw an order up, and whom it may summon (domain.md D.2; A10, A11, A26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.matter import order_commands as do
from domain.matter import order_events as ev
from domain.matter.guards import (
    SUPERVISORS,
    ahead,
    body_kind,
    known_body,
    not_accused,
    officer,
)
from domain.matter.words import ORDER_KINDS, full_kind
from domain.refusal import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Matter
    from domain.matter.words import OrderKind

BRING_TASKS = frozenset({"department", "organ"})
"""Bodies whose own tasks reach a community only if they were admitted (A26), under whatever name they come."""


def draft(state: Matter, command: do.DraftOrder, ctx: Context) -> tuple[Event, ...]:
    """Draw an order up: who is summoned, who leads, and why the issuer cannot do it alone."""
    shape = ORDER_KINDS[command.kind]
    if (command.kind == "whistle") != (command.whistle is not None):
        raise Refused("whistle_kind", "A whistle names its kind, and only a whistle does.")
    of = full_kind(command.kind, command.whistle)
    officer(ctx, "draft_order", of=of)
    if body_kind(ctx, ctx.actor.body) not in shape.issuers:
        raise Refused(
            "not_an_issuer", f"A {command.kind} is issued by a {' or a '.join(sorted(shape.issuers))}."
        )
    _part_of_it(state, ctx)
    if command.order in state.orders:
        raise Refused("order_exists", "Give the order a fresh id.")
    if "reason" not in ctx.sealed:
        raise Refused("text_missing", "Give the reason.")
    _receivers(state, command, ctx)
    _answers_a_call(state, command)
    _joint_blowers(command, shape, ctx)
    if command.summoned_at is not None:
        joint_time(shape, of, command.summoned_at, ctx)
    drafted = ev.OrderDrafted(
        order=command.order, kind=command.kind, whistle=command.whistle, issuer=ctx.actor.body,
        receivers=command.receivers, call=command.call, admission=command.admission,
        joint_blowers=command.joint_blowers, summoned_at=command.summoned_at,
    )  # fmt: skip
    if ctx.rulebook.authorisers(of):
        return (drafted,)
    return drafted, ev.OrderAuthorised(order=command.order, signed_as="rulebook", complete=True)


def _joint_blowers(command: do.DraftOrder, shape: OrderKind, ctx: Context) -> None:
    """联合吹哨: each of them must agree, so that only an order which is signed has any."""
    blowers = command.joint_blowers
    if not blowers:
        return
    signed = ctx.rulebook.authorisers(full_kind(command.kind, command.whistle))
    if not signed or command.whistle == "emergency":
        raise Refused("no_joint_blowers", "Only an order that is signed beforehand is issued jointly.")
    if len({ctx.actor.body, *blowers}) <= len(blowers):
        raise Refused("blower_twice", "Name every other body that blows with you, each once.")
    for blower in blowers:
        known_body(ctx, blower, tuple(shape.issuers))


def joint_time(shape: OrderKind, of: str, summoned_at: datetime, ctx: Context) -> None:
    """A joint time (联合时间) lies ahead, and belongs to orders that somebody checks in to."""
    if not shape.checks_in:
        raise Refused("no_check_in", "Nobody checks in to this kind of order; leave the joint time out.")
    ahead(ctx, summoned_at)
    not_too_far(of, summoned_at, ctx)


def not_too_far(of: str, summoned_at: datetime, ctx: Context) -> None:
    """Nobody is given more time to come than by the rulebook's own check-in, counted from now."""
    rule = ctx.rulebook.clock("check_in", of)
    if rule is not None and summoned_at > ctx.calendar.due(ctx.when.recorded_at, rule.length).at:
        raise Refused("summons_too_far", f"Set a joint time within {rule.length} from now.")


def _part_of_it(state: Matter, ctx: Context) -> None:
    not_accused(ctx, state, ctx.actor.body)
    mine = {*state.communities, *(b for b in (state.host, state.subdistrict) if b)}
    if ctx.actor.body in mine or body_kind(ctx, ctx.actor.body) in SUPERVISORS:
        return
    if state.kind == "task" and body_kind(ctx, ctx.actor.body) == "department":
        return
    raise Refused("not_your_body", "The matter is with other bodies; ask its sub-district.")


def _receivers(state: Matter, command: do.DraftOrder, ctx: Context) -> None:
    if not command.receivers:
        raise Refused("no_receiver", "Name the bodies that are summoned.")
    if sum(one.role == "lead" for one in command.receivers) != 1:
        raise Refused(
            "one_lead", "Exactly one of the summoned bodies leads (主办); the others assist (协办)."
        )
    if command.kind == "call" and len(command.receivers) > 1:
        raise Refused("one_receiver", "A call goes to one sub-district, which answers it.")
    sides = sorted(one.measured_as for one in command.receivers if one.measured_as)
    if sides and sides != ["territory", "trade"]:
        raise Refused("one_side", "A dual dispatch (双派单) measures one body by territory and one by trade.")
    legs, bodies = {one.leg for one in command.receivers}, {one.body for one in command.receivers}
    if len(legs) != len(command.receivers) or len(bodies) != len(command.receivers):
        raise Refused("receiver_twice", "Summon every body once, each with a fresh leg id.")
    if any(state.leg(leg) is not None for leg in legs):
        raise Refused("leg_exists", "Give every leg a fresh id.")
    for one in command.receivers:
        _receiver(state, command, one.body, ctx)


def _receiver(state: Matter, command: do.DraftOrder, body: str, ctx: Context) -> None:
    if body == ctx.actor.body:
        raise Refused(
            "self_dispatch", "A body does not summon itself; handle the matter yourself and say so."
        )
    known_body(ctx, body, tuple(ORDER_KINDS[command.kind].receivers))
    not_accused(ctx, state, body)
    admitted(state, command, body, ctx)


def admitted(state: Matter, command: do.DraftOrder | do.AddLeg, body: str, ctx: Context) -> None:
    """A26: a department's own task reaches a community only if it was admitted; the default is to refuse.

    Residents' requests, 12345 orders and emergencies pass without (law of the residents' committee, Art. 20).
    """
    if body_kind(ctx, body) != "community" or not own_task(state, ctx):
        return
    code = state.code or ""
    at = ctx.when.occurred_at
    if ctx.register.negative(code, at):
        raise Refused(
            "negative_list", "This kind of task is on the negative list; it may not be given to a community."
        )
    admission = ctx.register.admitted(body, code, at)
    if admission is None:
        raise Refused(
            "not_admitted", "Apply for admission of this task first; without it the community may refuse."
        )
    if command.admission != admission.id:
        raise Refused("admission_not_cited", f"Cite the admission {admission.id}.")


def own_task(state: Matter, ctx: Context) -> bool:
    """An office's own task, whatever it is called: nobody asked for it, and no other body found it urgent."""
    if (
        state.urgent
        and state.graded_by != state.registrar
        and body_kind(ctx, state.graded_by) not in BRING_TASKS
    ):
        return False
    if state.kind == "task":
        return True
    brought = state.source == "inspection" or body_kind(ctx, state.registrar) in BRING_TASKS
    return brought and not state.requesters


def _answers_a_call(state: Matter, command: do.DraftOrder) -> None:
    if command.call is None:
        return
    call = state.orders.get(command.call)
    if call is None or call.kind != "call":
        raise Refused("unknown_call", "Name a call of this matter.")


def on_duty_list(state: Matter, body: str, role: str, ruling: str | None, ctx: Context) -> None:
    """The lead answers for this by the duty list, an assisting body for something here; or a ruling names it."""
    if body in state.rulings.get(ruling or "", ()) or body_kind(ctx, body) not in ("department", "organ"):
        return
    place, at = state.host or state.subdistrict or "", ctx.when.occurred_at
    if ctx.register.answers_for(body, state.code or "", place, at):
        return
    if role == "assist" and ctx.register.stands_on_duty_list(body, place, at):
        return
    raise Refused(
        "not_on_duty_list", f"The duty list does not give this to {body}; cite the adjudication that does."
    )
