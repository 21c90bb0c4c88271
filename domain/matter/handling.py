"""Triage and handling: grading, attempts, escalation, deferral (domain.md D.1, middle rows; A03, A13)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from domain.calendar import Length
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.guards import (
    BELOW_COMMUNITY,
    CENTRES,
    accused,
    body_kind,
    brings,
    cites_power,
    officer,
    offices,
    other_person,
    started,
)
from domain.refusal import Refused
from domain.register.words import KINDS

if TYPE_CHECKING:
    from datetime import datetime

    from domain.calendar import Calendar
    from domain.context import Context
    from domain.event import Event
    from domain.matter.events import StartedClock
    from domain.matter.state import Matter
    from domain.rulebook import ClockRule


def triage(state: Matter, command: do.TriageMatter, ctx: Context) -> tuple[Event, ...]:
    """Grade it, as the body that the rulebook names for its source (A13)."""
    officer(ctx, "triage", offices(ctx, state))
    wanted = ctx.rulebook.triage_body(state.source)
    kind = body_kind(ctx, ctx.actor.body)
    if kind != wanted and not state.confidential and not _instead_of_accused(ctx, state, kind):
        raise Refused("not_your_triage", f"Matters from {state.source} are graded by a {wanted}.")
    _class_of_request(state, command.demand)
    if state.confidential and command.code is not None:
        raise Refused("confidential", "What an accusation is about is not public; leave the code out.")
    _known_tier(ctx, command.tier)
    tiers = ctx.rulebook.tiers
    if kind in tiers and tiers.index(command.tier) > tiers.index(kind):
        raise Refused(
            "tier_jump", "Grade it at your own tier or below; from there it is escalated, with a ground."
        )
    fixed = ctx.rulebook.channel(command.scale, command.urgent)
    if command.channel is not None and command.channel != fixed:
        raise Refused(
            "channel_fixed", f"This grade is dealt with {fixed}; grade it otherwise or leave the channel out."
        )
    return (
        ev.MatterTriaged(
            scale=command.scale, urgent=command.urgent, channel=fixed, tier=command.tier, demand=command.demand,
            code=command.code, reserved=command.reserved,
            clocks=_graded(ctx, state, command.demand, command.urgent),
        ),
    )  # fmt: skip


def _instead_of_accused(ctx: Context, state: Matter, kind: str | None) -> bool:
    """Where an office that carries the matter is complained about, a centre grades in its place."""
    carry = [body for body in (*state.communities, state.subdistrict) if body]
    return kind in CENTRES and any(accused(ctx, state, body) for body in carry)


def _class_of_request(state: Matter, demand: str | None) -> None:
    """Every matter is graded with its class; that of an accusation stays unsaid."""
    if state.confidential and demand is not None:
        raise Refused("confidential", "What an accusation is about is not public; leave the demand out.")
    if not state.confidential and demand is None:
        raise Refused("demand_missing", "Say which class of request it is: the clocks go by it.")


def _graded(ctx: Context, state: Matter, given: str | None, urgent: bool) -> tuple[StartedClock, ...]:
    """The grade's clocks; one on site that runs since the emergency was registered does not start again.

    Every accusation has the same ones, those of 举报, so that they say nothing about it.
    """
    demand = given or "report"
    if not urgent:
        return started(ctx, ("finish", demand))
    onsite = () if state.clock("", "onsite") else (("onsite", demand),)
    return started(ctx, ("finish", f"{demand}.urgent"), *onsite)


def _known_tier(ctx: Context, tier: str) -> None:
    if tier not in ctx.rulebook.tiers:
        raise Refused("unknown_tier", f"The rulebook knows these tiers: {', '.join(ctx.rulebook.tiers)}.")


def retriage(state: Matter, command: do.RetriageMatter, ctx: Context) -> tuple[Event, ...]:
    """Grade it again, as another person than the handler; a regrade near a due moment is flagged, and late stays late."""
    officer(ctx, "retriage", offices(ctx, state))
    other_person(ctx, state.handlers, "The handler does not grade their own matter; let a colleague do it.")
    if state.reserved and not command.reserved:
        raise Refused("reserved_stays", "A reserved matter stays one; it needs its resolution.")
    if state.deliberated and state.scale == "hard" and command.scale == "minor":
        raise Refused("scale_resolved", "A deliberation has taken it up as a hard matter; its scale stays.")
    clock = state.clock("", "finish")
    rule = ctx.rulebook.clock("finish", clock.of) if clock else None
    near = bool(
        clock and rule and rule.remind and ctx.calendar.due(ctx.when.recorded_at, rule.remind).at >= clock.due
    )
    _class_of_request(state, command.demand)
    changed = command.demand != state.demand or command.urgent != state.urgent
    return (
        ev.MatterRetriaged(
            scale=command.scale, urgent=command.urgent, channel=ctx.rulebook.channel(command.scale, command.urgent),
            demand=command.demand, reserved=command.reserved, reason=command.reason, near_due=near,
            clocks=_regraded(ctx, state, command) if changed else (),
        ),
    )  # fmt: skip


def _regraded(ctx: Context, state: Matter, command: do.RetriageMatter) -> tuple[StartedClock, ...]:
    """The new grade's clock counts from where the old one did; it never falls before now, nor hides a breach."""
    clock, now = state.clock("", "finish"), ctx.when.recorded_at
    fresh = _graded(ctx, state, command.demand, command.urgent)
    finish = next((one for one in fresh if one.stage == "finish"), None)
    others = tuple(one for one in fresh if one is not finish)
    if clock is None or finish is None or clock.due <= now:
        return others
    rule = ctx.rulebook.clock(finish.stage, finish.of)
    assert rule is not None, "a started clock has a rule"
    due = ctx.calendar.due(clock.since, rule.length, clock.paused)
    carried = ev.CarriedOn(
        since=clock.since, rulebook=ctx.rulebook.name, paused=clock.paused, extensions=clock.extensions
    )
    regraded = {"due": max(due.at, now), "provisional": due.provisional, "carried": carried}
    return (finish.model_copy(update=regraded), *others)


def attempt(state: Matter, command: do.RecordAttempt, ctx: Context) -> tuple[Event, ...]:
    """What was tried at the present tier, and whether it settled the matter; with its place, somebody was there."""
    officer(ctx, "record_attempt", offices(ctx, state))
    brings(ctx, "text")
    on_site = "place" in ctx.sealed
    return (ev.AttemptRecorded(tier=state.tier or "", settled=command.settled, on_site=on_site),)


def escalate(state: Matter, command: do.EscalateMatter, ctx: Context) -> tuple[Event, ...]:
    """上交: tiers bind offices, never residents (A.1b); one step after an attempt, further only with a ground."""
    officer(ctx, "escalate", offices(ctx, state))
    tiers = ctx.rulebook.tiers
    now = state.tier or tiers[0]
    _known_tier(ctx, command.tier)
    _known_tier(ctx, now)
    _chief_of(ctx, state, now)
    here, there = tiers.index(now), tiers.index(command.tier)
    if there <= here:
        raise Refused("not_higher", "Escalate to a higher tier; a lower one is reached by an order.")
    if command.ground == "attempt" and state.tier not in state.attempts:
        raise Refused("attempt_missing", "Record what was tried at this tier first, or give another ground.")
    if command.ground == "attempt" and there != here + 1:
        raise Refused(
            "tier_jump", "After an attempt it goes up one tier; a jump needs an emergency or the law."
        )
    if command.ground == "emergency" and not (state.urgent or state.emergency):
        raise Refused("not_urgent", "Grade the matter as urgent first, or give another ground.")
    if command.ground == "power_above":
        _power_there(ctx, command.tier)
    return (ev.MatterEscalated(from_tier=now, tier=command.tier, ground=command.ground),)


def _chief_of(ctx: Context, state: Matter, tier: str) -> None:
    """A body of the present tier brings it up, where tiers are kinds of body; not where that body is accused."""
    if tier not in KINDS or state.confidential or state.subject is not None:
        return
    if body_kind(ctx, ctx.actor.body) != tier:
        raise Refused("not_your_tier", f"The matter is with a {tier}; its chief brings it up.")


def _power_there(ctx: Context, tier: str) -> None:
    """The cited power item is in force, and its holder is of that tier where tiers are kinds of body."""
    item = ctx.register.power(ctx.authority or "", ctx.when.occurred_at)
    if item is None:
        raise Refused("power_not_cited", "Cite the power item that lies above as the authority of this act.")
    if tier in KINDS and body_kind(ctx, item.holder) != tier:
        raise Refused("power_elsewhere", f"The power item {item.id} is not held by a {tier}.")


def start_handling(state: Matter, command: do.StartHandling, ctx: Context) -> tuple[Event, ...]:
    """Somebody begins: with a note of their own, an order, or a deliberation."""
    officer(ctx, "start_handling", offices(ctx, state))
    if command.how == "self_handling":
        brings(ctx, "note")
    elif command.how == "order" and (command.ref is None or command.ref not in state.orders):
        raise Refused("unknown_order", "Name an order of this matter.")
    elif command.how == "deliberation" and not command.ref:
        raise Refused("deliberation_missing", "Name the deliberation that takes it up.")
    return (ev.HandlingStarted(how=command.how, ref=command.ref),)


def defer(state: Matter, command: do.DeferMatter, ctx: Context) -> tuple[Event, ...]:
    """挂账, by the sub-district or above and never by the handler; it comes back at its review."""
    officer(ctx, "defer", _above_community(ctx, state))
    cites_power(ctx, ctx.actor.body, "defer")
    other_person(ctx, state.handlers, "The handler does not defer their own matter; ask another officer.")
    if not command.requester_told:
        raise Refused("requester_not_told", "Tell the requester first, and say so.")
    brings(ctx, "plan")
    _review_date(ctx, command.review_by)
    return (
        ev.MatterDeferred(
            ground=command.ground, review_by=command.review_by, clocks=_review(command.review_by)
        ),
    )


def _above_community(ctx: Context, state: Matter) -> set[str]:
    kinds = ("community", *BELOW_COMMUNITY)
    return {body for body in offices(ctx, state) if body_kind(ctx, body) not in kinds}


def _review_date(ctx: Context, review_by: datetime) -> None:
    latest = ctx.calendar.due(ctx.when.recorded_at, ctx.rulebook.defer_most).at
    if not ctx.when.recorded_at < review_by <= latest:
        raise Refused("review_date", f"Set a review not later than {ctx.rulebook.defer_most} from now.")


def _review(review_by: datetime) -> tuple[StartedClock, ...]:
    return (ev.StartedClock(stage="review", of="*", due=review_by),)


def hold_review(state: Matter, command: do.HoldReview, ctx: Context) -> tuple[Event, ...]:
    """A deferred matter is looked at again."""
    officer(ctx, "hold_review", _above_community(ctx, state))
    other_person(ctx, state.handlers, "The handler does not review the deferral; ask another officer.")
    _review_date(ctx, command.review_by)
    return (ev.ReviewHeld(review_by=command.review_by, clocks=_review(command.review_by)),)


def resume(state: Matter, command: do.ResumeMatter, ctx: Context) -> tuple[Event, ...]:
    """Handle it again; the clock gets exactly the time of the deferral back."""
    officer(ctx, "resume", _above_community(ctx, state))
    other_person(ctx, state.handlers, "The handler does not end the deferral; ask another officer.")
    return (ev.MatterResumed(clocks=returned_time(state, ctx)),)


def returned_time(state: Matter, ctx: Context) -> tuple[StartedClock, ...]:
    """The finish clock with the time of its deferral given back.

    None where it was late before it was deferred: that clock then goes on as it was.
    """
    clock = state.clock("", "finish")
    if clock is None or clock.stopped is None or clock.due < clock.stopped:
        return ()
    law = ctx.law(clock.rulebook)
    rule = law.book.clock(clock.stage, clock.of)
    paused = (*clock.paused, (clock.stopped, ctx.when.recorded_at))
    if rule is None or clock.extensions:  # an extension set the moment itself, not a length
        at, provisional = _moved_on(law.calendar, rule, clock.stopped, clock.due, ctx), False
    else:
        due = law.calendar.due(clock.since, rule.length, paused)
        at, provisional = due.at, due.provisional
    carried = ev.CarriedOn(
        since=clock.since, rulebook=clock.rulebook, paused=paused, extensions=clock.extensions
    )
    return (ev.StartedClock(stage="finish", of=clock.of, due=at, provisional=provisional, carried=carried),)


def _moved_on(
    calendar: Calendar, rule: ClockRule | None, stopped: datetime, due: datetime, ctx: Context
) -> datetime:
    """The extended moment with the pause given back: working time for a clock that counts working time."""
    now = ctx.when.recorded_at
    if rule is None or not rule.length.working:
        return now + (due - stopped)
    left = calendar.working_time_between(stopped, due)
    minutes = -(-left // timedelta(minutes=1))  # in favour of whoever has the clock
    return max(now, calendar.due(now, Length(minutes, "wmin")).at)
