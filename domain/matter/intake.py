"""Intake: a request is written down, accepted, refused, diverted, supplemented (domain.md D.1, first rows)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.acting import RESIDENT
from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.guards import (
    BELOW_COMMUNITY,
    CENTRES,
    body_kind,
    brings,
    known_body,
    officer,
    offices,
    other_person,
    requester,
    started,
)
from domain.matter.orders import excuse_all
from domain.matter.words import NEVER_A_GROUND
from domain.refusal import Refused

if TYPE_CHECKING:
    from domain.context import Context
    from domain.event import Event
    from domain.matter.events import StartedClock
    from domain.matter.state import Matter

_BY_THEMSELVES = ("resident_app", "phone", "window", "hotline_12345", "petition")


def register(command: do.RegisterMatter, ctx: Context) -> tuple[Event, ...]:
    """Write it down, from whichever channel; an accusation goes into a confidential stream from the start (law 10)."""
    brings(ctx, "text")
    _may_register(command, ctx)
    if command.seen_at > ctx.when.occurred_at:
        raise Refused("seen_after", "It cannot have been first seen after it was registered; check seen_at.")
    if len(set(command.requesters)) != len(command.requesters):
        raise Refused("requester_twice", "Give every requester a fresh id of their own.")
    if not command.requesters and command.source in _BY_THEMSELVES and not command.anonymous:
        raise Refused("requester_missing", "Name the requester, or say that they wish to stay anonymous.")
    if command.accusation:
        return (_confidential(command, ctx),)
    return (_open(command, ctx),)


def _may_register(command: do.RegisterMatter, ctx: Context) -> None:
    if ctx.actor.body == RESIDENT:
        if ctx.actor.person not in command.requesters:
            raise Refused("not_the_requester", "A resident registers a matter of their own.")
        return
    officer(ctx, "register_matter")


def _confidential(command: do.RegisterMatter, ctx: Context) -> ev.MatterRegistered:
    """Neither kind nor place, and its clock says nothing of them either."""
    told = (command.code, command.demand, command.host, command.grid, command.subject, command.repeat_of)
    if any(told) or command.communities or command.kind != "request":
        raise Refused(
            "confidential",
            "Nothing about an accusation is public; seal its kind and its place, or leave them out.",
        )
    return ev.MatterRegistered(
        number=command.number, source=command.source, seen_at=command.seen_at, requesters=command.requesters,
        anonymous=command.anonymous, confidential=True, clocks=started(ctx, ("accept", "*")),
    )  # fmt: skip


def _open(command: do.RegisterMatter, ctx: Context) -> ev.MatterRegistered:
    communities = command.communities or ((command.host,) if command.host else ())
    if command.host is None or command.host not in communities:
        raise Refused("host_missing", "Say which of its communities hosts the matter.")
    for community in communities:
        known_body(ctx, community, ("community",))
    if command.subject is not None:
        known_body(ctx, command.subject)
    if command.grid is not None:
        known_body(ctx, command.grid, BELOW_COMMUNITY)
    return ev.MatterRegistered(
        number=command.number, source=command.source, seen_at=command.seen_at, kind=command.kind, code=command.code,
        demand=command.demand, communities=communities, host=command.host, subdistrict=_subdistrict(ctx, command.host),
        grid=command.grid, subject=command.subject, requesters=command.requesters, anonymous=command.anonymous,
        proactive=command.proactive, emergency=command.emergency, mandate=command.mandate, repeat_of=command.repeat_of,
        clocks=_first_clocks(command, ctx),
    )  # fmt: skip


def _first_clocks(command: do.RegisterMatter, ctx: Context) -> tuple[StartedClock, ...]:
    accept = ("accept", _demand(command.demand, command.emergency))
    return started(ctx, accept, ("onsite", "*")) if command.emergency else started(ctx, accept)


def _demand(demand: str | None, emergency: bool) -> str:
    """What the first clocks are held for; an emergency of no known class is taken for a cry for help."""
    return f"{demand or 'help'}.urgent" if emergency else demand or "*"


def _subdistrict(ctx: Context, community: str) -> str:
    found = ctx.register.ancestor(community, "subdistrict", ctx.when.occurred_at)
    if found is None:
        raise Refused(
            "no_subdistrict", f"The register puts {community} under no sub-district; correct it first."
        )
    return found


def backfill(command: do.BackfillMatter, ctx: Context) -> tuple[Event, ...]:
    """Take history over under a rulebook marked for it; no clock, notice or process starts."""
    if not ctx.rulebook.backfill:
        raise Refused("not_for_backfill", "Release a rulebook marked for backfill and import under that one.")
    officer(ctx, "register_matter")
    if command.closed_at is not None and command.closed_at < command.opened_at:
        raise Refused("closed_before_opened", "Check the row: it was closed before it was opened.")
    if (
        command.opened_at > ctx.when.recorded_at
        or (command.closed_at or command.opened_at) > ctx.when.recorded_at
    ):
        raise Refused("future", "Check the row: its time lies in the future.")
    return (ev.MatterBackfilled(**command.model_dump()),)


def take_over(state: Matter, command: do.TakeOverMatter, ctx: Context) -> tuple[Event, ...]:
    """From now on a backfilled matter runs like any other."""
    if not state.backfilled:
        raise Refused("not_backfilled", "Only a matter taken over from another system can be taken over.")
    known_body(ctx, command.host, ("community",))
    subdistrict = _subdistrict(ctx, command.host)
    centre = {ctx.actor.body} if body_kind(ctx, ctx.actor.body) in CENTRES else set[str]()
    officer(ctx, "take_over", {command.host, subdistrict} | centre)
    clocks = started(ctx, ("triage", state.demand or "*"))
    return (ev.MatterTakenOver(subdistrict=subdistrict, host=command.host, clocks=clocks),)


def supplement(state: Matter, command: do.AddSupplement, ctx: Context) -> tuple[Event, ...]:
    """Say more, or urge; a requester may, on any channel, at any time (law 14); of officers those who carry it."""
    mine = ctx.actor.body == RESIDENT and ctx.actor.person in state.requesters
    if not mine:
        officer(ctx, "supplement", offices(ctx, state))
    who = ctx.actor.person if mine else None
    return (
        ev.MatterSupplemented(
            what=command.what, source=command.source, requester=who, outside_number=command.outside_number
        ),
    )


def join(state: Matter, command: do.JoinRequester, ctx: Context) -> tuple[Event, ...]:
    """Another requester joins; nobody is dropped and nobody waits for the others."""
    if ctx.actor.body != RESIDENT:
        officer(ctx, "join_requester", offices(ctx, state))
    elif ctx.actor.person != command.requester:
        raise Refused("not_the_requester", "A resident joins under their own id.")
    if command.requester in state.requesters:
        raise Refused("requester_twice", "This requester is in the matter already.")
    if command.community is not None:
        known_body(ctx, command.community, ("community",))
    return (
        ev.RequesterJoined(requester=command.requester, source=command.source, community=command.community),
    )


def state_notice_wish(state: Matter, command: do.StateNoticeWish, ctx: Context) -> tuple[Event, ...]:
    """A requester says it themselves, or an officer who may write down what they say writes it down."""
    if command.requester not in state.requesters:
        raise Refused("unknown_requester", "Name one of the matter's requesters.")
    if ctx.actor.body == RESIDENT:
        requester(ctx, state, command.requester)
    else:
        officer(ctx, "supplement", offices(ctx, state))
    return (ev.NoticeWishStated(requester=command.requester, wanted=command.wanted),)


def accept(state: Matter, command: do.AcceptMatter, ctx: Context) -> tuple[Event, ...]:
    """受理."""
    officer(ctx, "accept", offices(ctx, state))
    return (ev.MatterAccepted(clocks=started(ctx, ("triage", _demand(state.demand, state.emergency)))),)


def propose_refusal(state: Matter, command: do.ProposeRefusal, ctx: Context) -> tuple[Event, ...]:
    """An intake officer holds that it cannot be accepted; tiers bind offices, so no level is ever skipped (A.1b)."""
    officer(ctx, "refuse", offices(ctx, state))
    if command.ground in NEVER_A_GROUND:
        raise Refused(
            "no_ground",
            "A requester may use any channel at any time; pass the matter on to the right office.",
        )
    return (ev.RefusalProposed(ground=command.ground, other_channel=command.other_channel),)


def confirm_refusal(state: Matter, command: do.ConfirmRefusal, ctx: Context) -> tuple[Event, ...]:
    """A second officer confirms; one person alone refuses nobody."""
    officer(ctx, "confirm_refusal", offices(ctx, state))
    if state.refusal is None:
        raise Refused(
            "nothing_proposed", "Have an intake officer propose the refusal, with its ground, first."
        )
    other_person(ctx, {state.proposer}, "A refusal needs a second officer; let a colleague confirm it.")
    _nobody_absorbed(state)
    ground, told = state.refusal
    return (ev.MatterRefused(ground=ground, other_channel=told),)


def divert(state: Matter, command: do.DivertMatter, ctx: Context) -> tuple[Event, ...]:
    """It was an accusation: from here on it exists for discipline inspection only, and only they act on it.

    For every other officer the case no longer exists. Its own requester keeps what they saw until now, and that it
    was handed over (see `domain.visibility`); they may add words, and nothing else.
    """
    officer(ctx, "divert", offices(ctx, state))
    known_body(ctx, command.to, ("discipline_inspection",))
    _nobody_absorbed(state)
    return (*excuse_all(state, "diverted"), ev.MatterDiverted(to=command.to))


def _nobody_absorbed(state: Matter) -> None:
    if state.absorbed:
        raise Refused(
            "absorbed_waits", "Reverse the merges first; their requesters are still owed an answer."
        )
