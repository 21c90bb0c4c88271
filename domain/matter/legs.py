"""Legs: what a summoned body does, and how it is released (domain.md D.2: 报到, 事不完人不撤)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from domain.acting import RESIDENT
from domain.matter import order_commands as do
from domain.matter import order_events as ev
from domain.matter.drafting import not_too_far
from domain.matter.events import StartedClock
from domain.matter.guards import (
    SUPERVISORS,
    ahead,
    body_kind,
    brings,
    cites_power,
    issuer,
    known_body,
    officer,
    other_person,
    receiver,
    requester,
    started,
)
from domain.matter.orders import settled
from domain.refusal import Refused

if TYPE_CHECKING:
    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Leg, Matter, Order


def acknowledge(
    state: Matter, order: Order, leg: Leg, command: do.AcknowledgeLeg, ctx: Context
) -> tuple[Event, ...]:
    """签收, by the duty officer of the summoned body."""
    receiver(ctx, order, leg, "acknowledge")
    return (ev.LegAcknowledged(order=order.id, leg=leg.id),)


def contact(state: Matter, order: Order, leg: Leg, command: do.ContactLeg, ctx: Context) -> tuple[Event, ...]:
    """The department reaches the sub-district for the first time."""
    receiver(ctx, order, leg, "contact")
    clock = state.clock(leg.id, "contact")
    if clock is not None and clock.stopped is not None:
        raise Refused(
            "contacted_already", "First contact is on record; write further words down as work notes."
        )
    return (ev.LegContacted(order=order.id, leg=leg.id),)


def check_in(state: Matter, order: Order, leg: Leg, command: do.CheckIn, ctx: Context) -> tuple[Event, ...]:
    """报到 by a named officer of that department; by word of mouth only in an emergency and within the grace."""
    receiver(ctx, order, leg, "check_in")
    arrived = command.arrived_at or ctx.when.occurred_at
    if arrived > ctx.when.occurred_at:
        raise Refused("future", "Nobody has arrived yet at that time; check it.")
    # In an emergency people arrive while others still write down; but never before they were summoned.
    earliest = leg.summoned_at if order.emergency else leg.last_at
    if earliest is not None and arrived < earliest:
        raise Refused("before_its_cause", "Nobody checks in before they were summoned; check the time.")
    if command.proof == "word_of_mouth":
        if not order.emergency:
            raise Refused(
                "word_of_mouth", "Only an emergency is checked in by word of mouth; show another proof."
            )
        latest = ctx.calendar.due(arrived, ctx.rulebook.emergency_grace).at
        if ctx.when.recorded_at > latest:
            raise Refused(
                "grace_over",
                f"This may be written down within {ctx.rulebook.emergency_grace}; it is too late.",
            )
    known_body(ctx, command.place)
    if "proof" not in ctx.sealed:
        raise Refused("proof_missing", "Give the proof of presence.")
    return (
        ev.LegCheckedIn(
            order=order.id, leg=leg.id, place=command.place, proof=command.proof, arrived_at=arrived
        ),
    )


def confirm_word(
    state: Matter, order: Order, leg: Leg, command: do.ConfirmWordOfMouth, ctx: Context
) -> tuple[Event, ...]:
    """The other side confirms; only then does the earlier time count (law 6)."""
    issuer(ctx, order, leg, "confirm_word_of_mouth")
    spoken = leg.spoken_at
    if spoken is None:
        raise Refused("nothing_to_confirm", "There is no check-in that was written down afterwards.")
    found = []
    for stage in ("acknowledge", "contact", "check_in"):  # who is there has acknowledged and is in contact
        clock = state.clock(leg.id, stage)
        if stage == "check_in" or (
            clock is not None and clock.stopped is not None and clock.stopped > spoken
        ):
            found.append(ev.WordOfMouthConfirmed(order=order.id, leg=leg.id, stage=stage, at=spoken))
    return tuple(found)


def note_work(state: Matter, order: Order, leg: Leg, command: do.NoteWork, ctx: Context) -> tuple[Event, ...]:
    """What was done, by whom, when: by the body at work, or by the issuer beside it."""
    return (ev.WorkNoted(order=order.id, leg=leg.id, by=_side_of(order, leg, "note_work", ctx)),)


def _side_of(order: Order, leg: Leg, act: str, ctx: Context) -> Literal["receiver", "issuer"]:
    """The issuer's words are kept beside the leg; they move nothing and are nobody's work."""
    if ctx.actor.body in (order.issuer, *order.joint_blowers):
        issuer(ctx, order, leg, act)
        return "issuer"
    receiver(ctx, order, leg, act)
    return "receiver"


def request_help(
    state: Matter, order: Order, leg: Leg, command: do.RequestHelp, ctx: Context
) -> tuple[Event, ...]:
    """The department, or the issuer for it, needs something that it has not got."""
    by = _side_of(order, leg, "request_help", ctx)
    return (ev.HelpRequested(order=order.id, leg=leg.id, needs=command.needs, by=by),)


def report(state: Matter, order: Order, leg: Leg, command: do.ReportLeg, ctx: Context) -> tuple[Event, ...]:
    """The department leader reports; the department is not released by that."""
    receiver(ctx, order, leg, "report")
    if "result" not in ctx.sealed:
        raise Refused("text_missing", "Give the result.")
    if command.outcome == "done" and command.evidence < 1:
        raise Refused("evidence_missing", "Work that is done has evidence; attach it.")
    if command.evidence:
        brings(ctx, "evidence")
    # While a dispute is open nobody can take the report: that clock starts with the ruling.
    waits = leg.status == "disputed"
    clocks = () if waits else started(ctx, ("accept_result", order.full_kind))
    return (
        ev.LegReported(
            order=order.id, leg=leg.id, outcome=command.outcome, evidence=command.evidence, clocks=clocks
        ),
    )


def accept(state: Matter, order: Order, leg: Leg, command: do.AcceptLeg, ctx: Context) -> tuple[Event, ...]:
    """Only the issuer releases (and the supervisor with them, where the kind has one); never the body itself."""
    signed_as = _release_part(state, order, leg, ctx)
    if order.shape.checks_in and not leg.checked_in:
        raise Refused(
            "never_checked_in", "This body never checked in; reject the report or excuse it, with a ground."
        )
    if signed_as in leg.signed:
        raise Refused("signed_already", "This signature is there already; the other one is missing.")
    other_person(ctx, leg.signed.values(), "Each signature comes from another person; ask a colleague.")
    discharged = {*leg.signed, signed_as} >= set(_releases(order, ctx))
    accepted = ev.ResultAccepted(order=order.id, leg=leg.id, signed_as=signed_as, discharged=discharged)
    return (accepted, *settled(order, {leg.id})) if discharged else (accepted,)


def _releases(order: Order, ctx: Context) -> tuple[str, ...]:
    """Who must sign a leg off, never the receiver: as its kind says, and the supervisor whom the rulebook names."""
    supervised = ("supervisor",) if ctx.rulebook.supervisors(order.full_kind) else ()
    return (*order.shape.releases, *supervised)


def _release_part(state: Matter, order: Order, leg: Leg, ctx: Context) -> str:
    wanted = _releases(order, ctx)
    if "requester" in wanted and ctx.actor.body == RESIDENT:
        requester(ctx, state)
        return "requester"
    kind = body_kind(ctx, ctx.actor.body)
    if "supervisor" in wanted and kind in SUPERVISORS and ctx.actor.body != leg.body:
        officer(ctx, "supervise", of=order.full_kind)
        if ctx.actor.post not in ctx.rulebook.supervisors(order.full_kind):
            raise Refused("not_your_post", "The rulebook names another post to supervise such an order.")
        other_person(
            ctx, leg.performers | order.issuers, "The supervisor neither summoned nor worked; ask another."
        )
        return "supervisor"
    if ctx.actor.body == leg.body:
        raise Refused("self_release", "A body does not release itself (事不完人不撤); only the issuer does.")
    _first_blower(order, ctx)
    issuer(ctx, order, leg, "accept_result")
    return "issuer"


def _first_blower(order: Order, ctx: Context) -> None:
    """联合吹哨: who joined in signs, asks and rates; whoever drew the order up lets the departments go."""
    if ctx.actor.body in order.joint_blowers:
        raise Refused("not_the_first_blower", f"{order.issuer} drew the order up and releases; ask it.")


def reject(state: Matter, order: Order, leg: Leg, command: do.RejectLeg, ctx: Context) -> tuple[Event, ...]:
    """The report is not taken; the finish clock runs on as if it had not stopped."""
    _release_part(state, order, leg, ctx)
    return (ev.ResultRejected(order=order.id, leg=leg.id, reason=command.reason),)


def decline(state: Matter, order: Order, leg: Leg, command: do.DeclineLeg, ctx: Context) -> tuple[Event, ...]:
    """A team does not take a service up; offices may not decline."""
    if not order.shape.takes_up:
        raise Refused("not_voluntary", "A summons is not declined; ask for its return, with a ground.")
    receiver(ctx, order, leg, "decline")
    return (ev.LegDeclined(order=order.id, leg=leg.id, reason=command.reason), *settled(order, {leg.id}))


def excuse(state: Matter, order: Order, leg: Leg, command: do.ExcuseLeg, ctx: Context) -> tuple[Event, ...]:
    """The issuer lets a body go; whatever it was late with stays."""
    if ctx.actor.body == leg.body:
        raise Refused("self_release", "A body does not release itself; only the issuer does.")
    _first_blower(order, ctx)
    issuer(ctx, order, leg, "excuse_leg")
    others = [one for one in order.legs.values() if one.live and one.id != leg.id]
    if order.lead == leg.id and others:
        raise Refused("lead_leaves", "Name another lead first, then let this body go.")
    return (ev.LegExcused(order=order.id, leg=leg.id, ground=command.ground), *settled(order, {leg.id}))


def urge(state: Matter, order: Order, leg: Leg, command: do.UrgeLeg, ctx: Context) -> tuple[Event, ...]:
    """催办, by the issuer, the calling community, or a supervisor."""
    officer(ctx, "urge", {order.issuer, *state.communities} | _supervisor(ctx), order.full_kind)
    return (ev.LegUrged(order=order.id, leg=leg.id),)


def _supervisor(ctx: Context) -> set[str]:
    return {ctx.actor.body} if body_kind(ctx, ctx.actor.body) in SUPERVISORS else set()


def supervise(
    state: Matter, order: Order, leg: Leg, command: do.SuperviseLeg, ctx: Context
) -> tuple[Event, ...]:
    """督办 with number, level and due moment."""
    officer(ctx, "supervise", {order.issuer} | _supervisor(ctx), order.full_kind)
    cites_power(ctx, ctx.actor.body, "supervise", [leg.body])
    other_person(ctx, leg.performers, "Whoever does the work does not supervise it.")
    ahead(ctx, command.due)
    running = state.clock(leg.id, "supervise")
    if running and running.stopped is None and ctx.when.recorded_at <= running.due < command.due:
        raise Refused(
            "due_stays", "It is supervised already; that due moment does not move, set an earlier one."
        )
    clock = StartedClock(stage="supervise", of=order.full_kind, due=command.due)
    return (
        ev.LegSupervised(
            order=order.id, leg=leg.id, number=command.number, level=command.level, clocks=(clock,)
        ),
    )


def change_time(
    state: Matter, order: Order, leg: Leg, command: do.ChangeSummonsTime, ctx: Context
) -> tuple[Event, ...]:
    """The joint time moves only while the body is not late; the first due moment stays on record."""
    issuer(ctx, order, leg, "change_summons_time")
    clock = state.clock(leg.id, "check_in")
    if clock is None:
        raise Refused("no_such_clock", "This order has no check-in time.")
    if ctx.when.recorded_at >= clock.due:
        raise Refused("late_stays_late", "The body is late already; urge it instead, its due moment stays.")
    ahead(ctx, command.to)
    _joint_time_left(order, leg, command, ctx)
    moved = StartedClock(stage="check_in", of=clock.of, due=command.to)
    return (ev.SummonsTimeChanged(order=order.id, leg=leg.id, ground=command.ground, clocks=(moved,)),)


def _joint_time_left(order: Order, leg: Leg, command: do.ChangeSummonsTime, ctx: Context) -> None:
    """Only a time that the blower set moves, and never further off than the rulebook's own check-in from now."""
    set_by_hand = (
        order.summoned_at is not None and leg.issued_at is not None and leg.issued_at < order.summoned_at
    )
    if not set_by_hand:
        raise Refused("no_joint_time", "The rulebook set this moment; only a joint time is moved.")
    not_too_far(order.full_kind, command.to, ctx)


def rate(state: Matter, order: Order, leg: Leg, command: do.RateLeg, ctx: Context) -> tuple[Event, ...]:
    """A recorded rating once the order is settled; the appraised never appraises (D.2)."""
    if order.status != "settled":
        raise Refused("not_settled", "Rate the departments when the order is settled.")
    best = ctx.rulebook.best_score
    if not (1 <= command.speed <= best and 1 <= command.result <= best):
        raise Refused("score_range", f"Scores go from 1 (worst) to {best} (best).")
    rater = _rater(state, order, leg, ctx)
    if rater not in order.shape.rated_by:
        raise Refused("not_the_rater", f"This kind of order is rated by: {', '.join(order.shape.rated_by)}.")
    if rater in leg.raters:
        raise Refused("rated_already", "This side has rated the department already.")
    return (ev.LegRated(order=order.id, leg=leg.id, rater=rater, speed=command.speed, result=command.result),)


def _rater(
    state: Matter, order: Order, leg: Leg, ctx: Context
) -> Literal["issuer", "community", "requester"]:
    if ctx.actor.body == RESIDENT:
        requester(ctx, state)
        return "requester"
    if ctx.actor.body == leg.body:
        raise Refused("appraised", "A body does not appraise itself.")
    officer(ctx, "rate_leg", {order.issuer, *order.joint_blowers, *state.communities}, order.full_kind)
    other_person(ctx, leg.performers, "Whoever did the work does not appraise it.")
    return "issuer" if ctx.actor.body in (order.issuer, *order.joint_blowers) else "community"
