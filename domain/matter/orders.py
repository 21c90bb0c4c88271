"""Orders: authorised, issued, changed, cancelled, settled (domain.md D.2; A10, A11, A26)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.matter import events as mev
from domain.matter import order_commands as do
from domain.matter import order_events as ev
from domain.matter.drafting import admitted, joint_time, on_duty_list
from domain.matter.guards import (
    PANELS,
    after,
    body_kind,
    cites_power,
    issuer,
    known_body,
    not_accused,
    officer,
    other_person,
    power,
    started,
)
from domain.refusal import Refused
from domain.register.words import LEADING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.context import Context
    from domain.event import Event
    from domain.matter.events import StartedClock
    from domain.matter.state import Clock, Leg, Matter, Order


def authorise(state: Matter, order: Order, command: do.AuthoriseOrder, ctx: Context) -> tuple[Event, ...]:
    """Sign: each signature comes from another person, none of them the drafter; every joint blower signs as well."""
    groups = ctx.rulebook.authorisers(order.full_kind)
    post = ctx.actor.post or ""
    officer(ctx, "authorise_order", (order.issuer, *order.joint_blowers), order.full_kind)
    after(ctx, order.last_at)
    if order.emergency and post == "duty_leader":
        _duty_leader(order, ctx)
    if order.shape.power:
        power(ctx, ctx.actor.body, order.shape.power, [one.body for one in order.drafted])
    other_person(
        ctx, {order.drafter}, "Whoever drafted the order does not authorise it; ask the person in charge."
    )
    mine = [signature(order, ctx.actor.body, group) for group in groups if post in group]
    missing = [name for name in mine if name not in order.signed]
    if not missing:
        raise Refused(
            "signed_already", "This signature is there already, or the rulebook does not ask for it."
        )
    other_person(ctx, order.signed.values(), "Each signature comes from another person.")
    complete = {*order.signed, missing[0]} >= set(signatures(order, groups))
    return (ev.OrderAuthorised(order=order.id, signed_as=missing[0], complete=complete),)


def signature(order: Order, body: str, group: tuple[str, ...]) -> str:
    """The name under which a group's signature is kept; that of a joint blower begins with the body."""
    posts = "|".join(group)
    return posts if body == order.issuer else f"{body}:{posts}"


def signatures(order: Order, groups: Iterable[tuple[str, ...]]) -> list[str]:
    """Every signature that the order needs: one of each group, of the issuer and of each body that blows with it."""
    bodies = (order.issuer, *order.joint_blowers)
    return [signature(order, body, group) for group in groups for body in bodies]


def issue(state: Matter, order: Order, command: do.IssueOrder, ctx: Context) -> tuple[Event, ...]:
    """吹哨: every leg is issued at once; an emergency whistle may be blown by the duty leader and confirmed later."""
    stands_in = order.status == "drafted" and order.emergency and _on_roster(order, ctx)
    issuer(ctx, order, None, "issue_order", acts_as="duty_leader" if stands_in else None)
    if order.shape.power:
        power(ctx, order.issuer, order.shape.power, [one.body for one in order.drafted])
    elif order.kind == "dispatch":
        cites_power(ctx, order.issuer, "dispatch", [one.body for one in order.drafted])
    if order.status == "drafted":
        _duty_leader(order, ctx, by_word_of_mouth=command.by_word_of_mouth)
    if command.by_word_of_mouth:
        _by_word_of_mouth(order, command, ctx)
    if order.summoned_at is not None:
        joint_time(order.shape, order.full_kind, order.summoned_at, ctx)
    for one in order.drafted:
        on_duty_list(state, one.body, one.role, command.adjudication, ctx)
    legs = tuple(ev.LegClocks(leg=one.leg, clocks=leg_clocks(order, ctx)) for one in order.drafted)
    clocks = started(ctx, ("confirm_authority", order.full_kind)) if order.emergency else ()
    issued = ev.OrderIssued(
        order=order.id,
        legs=legs,
        clocks=clocks,
        by_word_of_mouth=command.by_word_of_mouth,
        witness=command.witness,
        adjudication=command.adjudication,
    )
    if state.status == "triaged":
        return mev.HandlingStarted(how="order", ref=order.id), issued
    return (issued,)


def _by_word_of_mouth(order: Order, command: do.IssueOrder, ctx: Context) -> None:
    if not order.emergency or command.witness in (None, ctx.actor.person):
        raise Refused(
            "word_of_mouth", "Only an emergency is issued by word of mouth, with another as witness."
        )
    grace = ctx.rulebook.emergency_grace
    if ctx.when.recorded_at > ctx.calendar.due(ctx.when.occurred_at, grace).at:
        raise Refused("grace_over", f"This may be written down within {grace}; it is too late.")


def _duty_leader(order: Order, ctx: Context, *, by_word_of_mouth: bool = False) -> None:
    """Whoever the roster names for the hour, the deputy included, acts as the duty leader in their own leading post.

    What the rulebook lets the duty leader do is theirs for that hour, whatever it lets their own post do.
    """
    if not order.emergency:
        raise Refused("not_authorised", "Have it authorised first, by those whom the rulebook names.")
    if ctx.actor.post not in LEADING:
        raise Refused(
            "not_the_duty_leader", "Only the duty leader blows an emergency whistle on their own authority."
        )
    if not _on_roster(order, ctx):
        raise Refused("not_on_duty", "The roster names somebody else for this hour; ask the duty leader.")
    latest = ctx.calendar.due(ctx.when.occurred_at, ctx.rulebook.future_tolerance).at
    if ctx.when.recorded_at > latest and not by_word_of_mouth:
        # An hour on duty long ago would else be a whistle for ever.
        raise Refused("written_late", "Say that it was issued by word of mouth, and who heard it.")


def _on_roster(order: Order, ctx: Context) -> bool:
    return ctx.actor.person in ctx.register.on_duty(order.issuer, ctx.when.occurred_at, "duty_leader")


def leg_clocks(order: Order, ctx: Context) -> tuple[StartedClock, ...]:
    """The clocks of a fresh leg; a joint time (联合时间) is the due moment of its check-in."""
    of = order.full_kind
    stages = (
        ["acknowledge", "contact", "check_in", "finish"]
        if order.shape.checks_in
        else ["acknowledge", "finish"]
    )
    if order.kind == "call":
        stages.append("answer")
    clocks = started(ctx, *((stage, of) for stage in stages))
    if order.summoned_at is None or order.summoned_at <= ctx.when.recorded_at:  # a leg added after it
        return clocks
    joint = mev.StartedClock(stage="check_in", of=of, due=order.summoned_at)
    return (*(clock for clock in clocks if clock.stage != "check_in"), joint)


def confirm_authority(
    state: Matter, order: Order, command: do.ConfirmAuthority, ctx: Context
) -> tuple[Event, ...]:
    """An emergency whistle is confirmed by the leader in charge; too late, it is on record as late and still confirmed."""
    officer(ctx, "confirm_authority", (order.issuer,), order.full_kind)
    clock = state.clock(order.id, "confirm_authority")
    if clock is None or clock.stopped is not None:
        raise Refused("nothing_to_confirm", "This order needs no confirmation.")
    other_person(
        ctx,
        order.issuers | order.performers(),
        "Whoever blew the whistle or came to it does not confirm it; ask the leader in charge.",
    )
    return (ev.AuthorityConfirmed(order=order.id, in_time=ctx.when.recorded_at <= clock.due),)


def cancel(state: Matter, order: Order, command: do.CancelOrder, ctx: Context) -> tuple[Event, ...]:
    """Before anybody has checked in; lateness so far stays (law 6)."""
    officer(ctx, "cancel_order", (order.issuer,), order.full_kind)
    other_person(ctx, order.performers(), "Whoever was summoned does not cancel the order; ask its issuer.")
    after(ctx, order.last_at)
    if any(_at_work(leg) for leg in order.legs.values()):
        raise Refused(
            "already_at_work", "A body has checked in or begun; accept its report or excuse it instead."
        )
    return (ev.OrderCancelled(order=order.id, reason=command.reason),)


def _at_work(leg: Leg) -> bool:
    status = leg.under if leg.status == "disputed" else leg.status
    return leg.checked_in or status in ("working", "reported", "discharged")


def add_leg(state: Matter, order: Order, command: do.AddLeg, ctx: Context) -> tuple[Event, ...]:
    """加派 one more body while the order is not settled."""
    issuer(ctx, order, None, "add_leg")
    _has_authority(state, order, ctx)
    if state.leg(command.leg) is not None:
        raise Refused("leg_exists", "Give the leg a fresh id.")
    if command.role == "lead":
        raise Refused("one_lead", "There is a lead already; change the lead instead.")
    if any(leg.body == command.body and leg.live for leg in order.legs.values()):
        raise Refused("receiver_twice", "This body has been summoned already.")
    if command.body == order.issuer:
        raise Refused("self_dispatch", "A body does not summon itself.")
    known_body(ctx, command.body, tuple(order.shape.receivers))
    not_accused(ctx, state, command.body)
    if order.kind == "call":
        raise Refused("one_receiver", "A call goes to one sub-district, which answers it.")
    _side(order, command)
    if order.shape.power:
        power(ctx, order.issuer, order.shape.power, [command.body])
    admitted(state, command, command.body, ctx)
    on_duty_list(state, command.body, command.role, command.adjudication, ctx)
    return (
        ev.LegAdded(
            order=order.id, leg=command.leg, body=command.body, role=command.role, mandatory=command.mandatory,
            ground=command.ground, adjudication=command.adjudication, measured_as=command.measured_as,
            clocks=_carried(state, order, command.body, ctx),
        ),
    )  # fmt: skip


def _carried(state: Matter, order: Order, body: str, ctx: Context) -> tuple[mev.StartedClock, ...]:
    """A body that was let go and is summoned again owes what it owed, by when it owed it: its clocks go on."""
    gone = [leg.id for leg in order.legs.values() if leg.body == body and leg.status == "excused"]
    return tuple(
        _going_on(state.clock(gone[-1], one.stage) if gone else None, one) for one in leg_clocks(order, ctx)
    )


def _going_on(before: Clock | None, fresh: mev.StartedClock) -> mev.StartedClock:
    if before is None or not before.cancelled:
        return fresh
    carried = mev.CarriedOn(
        since=before.since, rulebook=before.rulebook, paused=before.paused, extensions=before.extensions
    )
    return mev.StartedClock(
        stage=fresh.stage, of=before.of, due=before.due, provisional=before.provisional, carried=carried
    )


def _side(order: Order, command: do.AddLeg) -> None:
    """A side of a dual dispatch is filled again when its body has gone; no other order has sides."""
    if command.measured_as is None:
        return
    measured = {leg.measured_as for leg in order.legs.values()}
    if any(leg.live and leg.measured_as == command.measured_as for leg in order.legs.values()):
        raise Refused("one_side", "This side of the dual dispatch has its body already.")
    if command.measured_as not in measured:
        raise Refused("one_side", "Only a dual dispatch has sides; leave measured_as out.")


def _has_authority(state: Matter, order: Order, ctx: Context) -> None:
    """Nobody more is summoned on an authority that has run out."""
    clock = state.clock(order.id, "confirm_authority")
    over = order.lapsed or (clock is not None and ctx.when.recorded_at > clock.due)
    if order.emergency and not order.authorised and over:
        raise Refused("authority_lapsed", "Have the whistle confirmed first; its hours are over.")


def change_lead(state: Matter, order: Order, command: do.ChangeLead, ctx: Context) -> tuple[Event, ...]:
    """主办 goes to another body that is still at it, with a ground; what a panel ruled, only a panel changes."""
    if order.ruled:
        _panel(order, ctx)
    else:
        issuer(ctx, order, None, "change_lead")
    leg = order.legs.get(command.leg)
    if leg is None or not leg.live:
        raise Refused("leg_ended", "Name a body that is still summoned.")
    if order.lead == leg.id:
        raise Refused("leads_already", "This body leads already.")
    return (ev.LeadChanged(order=order.id, leg=command.leg, ground=command.ground),)


def _panel(order: Order, ctx: Context) -> None:
    if body_kind(ctx, ctx.actor.body) not in PANELS:
        raise Refused("ruled_by_panel", "A panel has ruled who leads; open a dispute, the panel changes it.")
    officer(ctx, "change_lead", of=order.full_kind)
    other_person(
        ctx, order.issuers | order.performers(), "Whoever summoned or was summoned does not rule on it."
    )


def answer_call(state: Matter, order: Order, command: do.AnswerCall, ctx: Context) -> tuple[Event, ...]:
    """The sub-district says what it makes of a community's call."""
    leg = next(iter(order.legs.values()))
    if order.kind != "call":
        raise Refused("not_a_call", "Only a call is answered; a whistle is reported on.")
    officer(ctx, "answer_call", (leg.body,), order.full_kind)
    other_person(ctx, order.issuers, "Whoever called does not answer the call.")
    after(ctx, leg.last_at)
    if order.answer or not leg.live:
        raise Refused("answered_already", "This call has been answered.")
    whistle = state.orders.get(command.whistle or "")
    if command.how == "whistle" and (whistle is None or not _blown_for(whistle, order)):
        raise Refused("unknown_order", "Name the whistle that was blown for this call.")
    if command.how == "returned" and leg.status not in ("issued", "acknowledged"):
        raise Refused("already_at_work", "Work has begun; report on it instead.")
    answered = ev.CallAnswered(order=order.id, leg=leg.id, how=command.how, whistle=command.whistle)
    return (answered, *settled(order, {leg.id})) if command.how == "returned" else (answered,)


def _blown_for(whistle: Order, call: Order) -> bool:
    return whistle.kind == "whistle" and whistle.call == call.id and whistle.status in ("issued", "settled")


def settled(order: Order, ending: Iterable[str]) -> tuple[Event, ...]:
    """The order is settled when no leg is live but those that end now; that opens the appraisals."""
    gone = set(ending)
    if any(leg.live for leg in order.legs.values() if leg.id not in gone):
        return ()
    return (ev.OrderSettled(order=order.id),)


def excuse_all(state: Matter, ground: str) -> tuple[Event, ...]:
    """The matter has ended otherwise: whoever is still summoned is let go, with that ground."""
    found: list[Event] = []
    for order in state.orders.values():
        live = [leg.id for leg in order.legs.values() if leg.live]
        found.extend(ev.LegExcused(order=order.id, leg=leg, ground=ground) for leg in live)
        if live:
            found.append(ev.OrderSettled(order=order.id))
        elif order.status in ("drafted", "authorised"):
            found.append(ev.OrderCancelled(order=order.id, reason=ground))
    return tuple(found)
