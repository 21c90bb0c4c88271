"""Returns, disputes and extensions: whose duty it is, and how much time there is (domain.md D.2; B1.13, B3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.matter import commands as mdo
from domain.matter import order_commands as do
from domain.matter import order_events as ev
from domain.matter.events import StartedClock
from domain.matter.guards import (
    CENTRES,
    PANELS,
    SUPERVISORS,
    after,
    body_kind,
    cites_power,
    known_body,
    officer,
    offices,
    other_person,
    receiver,
    started,
)
from domain.matter.orders import settled
from domain.matter.words import NEVER_A_GROUND, RULED
from domain.refusal import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Clock, Leg, Matter, Order


def request_return(
    state: Matter, order: Order, leg: Leg, command: do.RequestReturn, ctx: Context
) -> tuple[Event, ...]:
    """退单 before check-in, inside the window, on a ground that was not refused before; silence returns nothing."""
    receiver(ctx, order, leg, "request_return")
    if leg.checked_in:
        raise Refused("checked_in_already", "After check-in nothing is returned; open a dispute instead.")
    if command.ground in NEVER_A_GROUND:
        raise Refused(
            "no_ground", "A requester may use any channel at any time; that is no ground to return it."
        )
    _window(leg, state, ctx)
    used: set[str] = set()
    for other in state.legs():
        if other.body == leg.body:
            used |= other.returns
    if command.ground in used:
        raise Refused("ground_used", "This ground has been ruled on already; the ruling binds.")
    if len(used) >= ctx.rulebook.returns.most:
        raise Refused(
            "returns_used_up", "The rulebook allows no further return; open a dispute after checking in."
        )
    clocks = started(ctx, ("decide_return", order.full_kind))
    return (
        ev.ReturnRequested(
            order=order.id, leg=leg.id, ground=command.ground, basis=command.basis, clocks=clocks
        ),
    )


def _window(leg: Leg, state: Matter, ctx: Context) -> None:
    if leg.issued_at is None:
        return
    last = ctx.calendar.due(leg.issued_at, ctx.rulebook.returns.window).at
    if ctx.when.recorded_at > last:
        raise Refused(
            "return_window", f"A return is asked for within {ctx.rulebook.returns.window}; it is yours now."
        )


def decide_return(
    state: Matter, order: Order, leg: Leg, command: do.DecideReturn, ctx: Context
) -> tuple[Event, ...]:
    """The dispatch centre rules, never the receiver; a denial binds."""
    officer(ctx, "decide_return", of=order.full_kind)
    _centre(ctx, leg, ("dispatch_centre", "hotline"))
    other_person(ctx, leg.performers | order.issuers, "Whoever summoned or was summoned does not rule on it.")
    after(ctx, leg.last_at)
    _given_to(ctx, leg, command.given_to)
    decided = ev.ReturnDecided(
        order=order.id, leg=leg.id, granted=command.granted, ground=command.ground, given_to=command.given_to
    )
    if not command.granted:
        return (decided,)
    return (decided, *_new_lead(order, leg, command.lead), *settled(order, {leg.id}))


def _given_to(ctx: Context, leg: Leg, body: str | None) -> None:
    """A ruling may give the duty to another body, which the duty list then need not name."""
    if body is None:
        return
    known_body(ctx, body, ("department", "organ"))
    if body == leg.body:
        raise Refused("given_to_itself", "Name the body that has it instead, or none.")


def _new_lead(order: Order, leg: Leg, lead: str | None) -> tuple[Event, ...]:
    """Where the lead goes and others stay, the ruling names who leads: there is always exactly one."""
    others = [one.id for one in order.legs.values() if one.live and one.id != leg.id]
    if order.lead != leg.id or not others:
        return ()
    if lead not in others:
        raise Refused("lead_leaves", "The lead goes; name who of the others leads instead.")
    return (ev.LeadChanged(order=order.id, leg=lead or "", ground="return_granted"),)


def _centre(ctx: Context, leg: Leg, kinds: tuple[str, ...]) -> None:
    if ctx.actor.body == leg.body or body_kind(ctx, ctx.actor.body) not in kinds:
        raise Refused("not_the_centre", f"This is ruled on by a {' or a '.join(kinds)}.")


def open_dispute(
    state: Matter, order: Order, leg: Leg, command: do.OpenDispute, ctx: Context
) -> tuple[Event, ...]:
    """争议, by either side; the first receiver goes on acting and no clock stops."""
    officer(ctx, "open_dispute", (leg.body, order.issuer), order.full_kind)
    after(ctx, leg.last_at)
    if command.ground in {
        ground for other in state.legs() if other.body == leg.body for ground in other.disputes
    }:
        raise Refused("ground_used", "This ground has been ruled on already; the ruling binds.")
    clocks = started(ctx, ("adjudicate", order.full_kind))
    return (ev.DisputeOpened(order=order.id, leg=leg.id, ground=command.ground, clocks=clocks),)


def adjudicate(
    state: Matter, order: Order, leg: Leg, command: do.AdjudicateDispute, ctx: Context
) -> tuple[Event, ...]:
    """派单会商: the panel's ruling names the lead, or excuses the body."""
    officer(ctx, "adjudicate", of=order.full_kind)
    _centre(ctx, leg, PANELS)
    cites_power(ctx, ctx.actor.body, "adjudicate", [leg.body])
    other_person(ctx, leg.performers | order.issuers, "Whoever summoned or was summoned does not rule on it.")
    after(ctx, leg.last_at)
    _given_to(ctx, leg, command.given_to)
    reported = leg.under == "reported" and command.outcome == "stays"
    ruled = ev.DisputeAdjudicated(
        order=order.id, leg=leg.id, outcome=command.outcome, basis=command.basis, given_to=command.given_to,
        clocks=started(ctx, ("accept_result", order.full_kind)) if reported else (),
    )  # fmt: skip
    others = [one.id for one in order.legs.values() if one.live and one.id != leg.id]
    if command.lead is not None:
        known = command.lead in others or (command.lead == leg.id and command.outcome == "stays")
        if not known:
            raise Refused("unknown_lead", "Name as lead a body that stays summoned.")
        if command.lead != order.lead:
            return (ruled, ev.LeadChanged(order=order.id, leg=command.lead, ground=RULED))
        return (ruled,)
    if command.outcome == "stays":
        return (ruled,)
    if order.lead == leg.id and others:
        raise Refused("lead_leaves", "The lead is excused; name who leads instead.")
    return (ruled, *settled(order, {leg.id}))


def request_extension(
    state: Matter, order: Order, leg: Leg, command: do.RequestExtension, ctx: Context
) -> tuple[Event, ...]:
    """延期 asked for before the moment is due, as often and as far as the rulebook lets."""
    receiver(ctx, order, leg, "request_extension")
    return _ask(state, leg.id, command.stage, command.until, command.reason, ctx)


def request_matter_extension(
    state: Matter, command: mdo.RequestMatterExtension, ctx: Context
) -> tuple[Event, ...]:
    """The same for the matter's own finish clock."""
    officer(ctx, "request_extension", offices(ctx, state))
    if body_kind(ctx, ctx.actor.body) in ctx.rulebook.tiers[-1:]:
        raise Refused(
            "nobody_above",
            "Nobody above the highest tier could decide; let an office that carries the matter ask.",
        )
    return _ask(state, "", "finish", command.until, command.reason, ctx)


def _ask(
    state: Matter, owner: str, stage: str, until: datetime, reason: str, ctx: Context
) -> tuple[Event, ...]:
    clock = _running(state, owner, stage)
    if ctx.when.recorded_at >= clock.due:
        raise Refused(
            "too_late_to_extend",
            "The moment has passed; an extension is asked for before it. Late stays late.",
        )
    law = ctx.law(clock.rulebook)
    rule = law.book.clock(clock.stage, clock.of)
    if rule is None or clock.extensions >= rule.extensions:
        raise Refused("no_extension", "The rulebook allows no further extension of this clock.")
    if until <= clock.due or (
        rule.extend_by is not None and until > law.calendar.due(clock.due, rule.extend_by).at
    ):
        raise Refused(
            "extension_length", f"Ask for a moment after the present one, by at most {rule.extend_by}."
        )
    if any(key.startswith(f"{owner}/") for key in state.extensions):
        raise Refused("asked_already", "An extension has been asked for and not decided yet.")
    clocks = (_decide_by(clock, ctx),)
    return (ev.ExtensionRequested(owner=owner, stage=stage, until=until, reason=reason, clocks=clocks),)


def _decide_by(clock: Clock, ctx: Context) -> StartedClock:
    """Decided after the moment itself is decided too late: then the authoriser is late as well (law 6)."""
    for given in started(ctx, ("decide_extension", clock.of)):
        if given.due < clock.due:
            return given
    return StartedClock(stage="decide_extension", of=clock.of, due=clock.due, provisional=clock.provisional)


def _running(state: Matter, owner: str, stage: str) -> Clock:
    clock = state.clock(owner, stage)
    if clock is None or clock.stopped is not None:
        raise Refused("no_such_clock", "No such clock is running here.")
    return clock


def decide_extension(
    state: Matter, order: Order, leg: Leg, command: do.DecideExtension, ctx: Context
) -> tuple[Event, ...]:
    """Granted by the authoriser, never by the receiver or anybody under it."""
    _authoriser(ctx, order, leg)
    return _told(state, command, _decide(state, leg.id, command.stage, command.granted, ctx))


def _told(
    state: Matter, command: do.DecideExtension | mdo.DecideMatterExtension, decided: tuple[Event, ...]
) -> tuple[Event, ...]:
    """Nobody's request takes longer without their hearing of it."""
    if command.granted and not command.requester_told and state.requesters:
        raise Refused("requester_not_told", "Tell the requester first, and say so.")
    return decided


def decide_matter_extension(
    state: Matter, command: mdo.DecideMatterExtension, ctx: Context
) -> tuple[Event, ...]:
    """The same for the matter's own finish clock: by a body above the one that asked, or a centre (B3.5)."""
    officer(ctx, "decide_extension", offices(ctx, state), "matter")
    asked = state.extensions.get("/finish")
    if asked is not None:
        _above(ctx, asked.body)
    other_person(ctx, state.handlers, "Whoever handles the matter does not extend its clock; ask above.")
    return _told(state, command, _decide(state, "", "finish", command.granted, ctx))


def _above(ctx: Context, asked: str) -> None:
    body, at = ctx.actor.body, ctx.when.occurred_at
    if ctx.register.within(body, asked, at):
        raise Refused("own_clock", "A body does not extend its own clock, nor does one below it.")
    if not ctx.register.within(asked, body, at) and body_kind(ctx, body) not in CENTRES:
        raise Refused("not_your_body", "A body above the one that asked decides, or a centre.")


def _authoriser(ctx: Context, order: Order, leg: Leg) -> None:
    officer(ctx, "decide_extension", of=order.full_kind)
    body, at = ctx.actor.body, ctx.when.occurred_at
    if body == leg.body or ctx.register.within(body, leg.body, at):
        raise Refused("own_clock", "A body does not extend its own clock, nor does one below it.")
    if body not in (order.issuer, *order.joint_blowers) and body_kind(ctx, body) not in SUPERVISORS:
        raise Refused("not_your_body", "The issuer decides, or a centre or district above it.")
    other_person(ctx, leg.performers, "Whoever does the work does not extend its clock; ask the authoriser.")


def _decide(state: Matter, owner: str, stage: str, granted: bool, ctx: Context) -> tuple[Event, ...]:
    asked = state.extensions.get(f"{owner}/{stage}")
    if asked is None:
        raise Refused("nothing_asked", "No extension has been asked for.")
    other_person(ctx, {asked.by}, "Whoever asked does not decide; ask the authoriser.")
    clock = state.clock(owner, stage)
    in_time = clock is not None and ctx.when.recorded_at < clock.due
    moves = granted and in_time and clock is not None and asked.until > clock.due
    due = asked.until if moves else None
    return (ev.ExtensionDecided(owner=owner, stage=stage, granted=granted, in_time=in_time, due=due),)
