"""Guards that several acts share: who, in which post, at what time, on what ground.

Each either returns quietly or raises `Refused` with a stable code and a sentence that says what to do.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from domain import visibility
from domain.acting import CLOCK_PERSON, RESIDENT
from domain.matter.events import StartedClock
from domain.refusal import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from domain.acting import Command
    from domain.context import Context
    from domain.matter.state import Leg, Matter, Order
    from domain.register.entries import PowerItem
    from domain.register.words import PowerKind

CENTRES = ("hotline", "dispatch_centre", "district")
BELOW_COMMUNITY = ("grid", "building", "compound")
PANELS = ("panel", "district", "dispatch_centre")
SUPERVISORS = ("district", "supervisory_board", "dispatch_centre", "hotline")

FARTHEST = timedelta(days=3653)
"""One due moment that no calendar reaches would stop the whole agenda of its matter for ever."""


def allowed_now(command: Command, status: str, allowed: Collection[str]) -> None:
    """The lifecycle table lets this act happen in this state."""
    if status not in allowed:
        wanted = ", ".join(sorted(allowed)) or "no state"
        raise Refused(
            "wrong_state", f"{command.NAME} goes from {wanted}; this is {status}. Look at the history first."
        )


def exists_for(ctx: Context, state: Matter) -> bool:
    """Whether the case exists for who acts: a confidential one only for those who may see it (law 10), and the clock."""
    if not state.confidential or ctx.actor.person == CLOCK_PERSON:
        return True
    return visibility.sees(state, ctx.actor, ctx.register, ctx.when.recorded_at) != visibility.NOTHING


def not_taken(ctx: Context, state: Matter | None, code: str, advice: str) -> None:
    """No case has this id. Of one that the actor may not see nothing is said but that there is none (law 10).

    An id is 122 random bits drawn by an edge: who hands in that of a hidden case knew the case before.
    """
    if state is not None:
        raise Refused(code, advice) if exists_for(ctx, state) else NotFound


def after(ctx: Context, earlier: datetime | None) -> None:
    """The act does not precede the one it builds on (DESIGN.md §9)."""
    if earlier is not None and ctx.when.occurred_at < earlier:
        raise Refused("before_its_cause", "Give a time not before that of the act this one follows.")


def ahead(ctx: Context, moment: datetime) -> None:
    """A due moment that somebody sets lies in the future, and within reach of the calendars."""
    if moment <= ctx.when.recorded_at:
        raise Refused("due_past", "Set a moment in the future.")
    if moment > ctx.when.recorded_at + FARTHEST:
        raise Refused("due_too_far", "Set a moment within the next ten years.")


def officer(
    ctx: Context, act: str, bodies: Iterable[str] | None = None, of: str = "*", *, acts_as: str | None = None
) -> None:
    """The actor held, when it happened, a post of that body which the rulebook lets do this; and cites a ground.

    `acts_as`: the post whose right it is where the actor stands in for its holder, in a post of their own.
    """
    _acts_for(ctx, act, bodies)
    if ctx.actor.post is None or (acts_as or ctx.actor.post) not in ctx.rulebook.posts(act, of):
        raise Refused(
            "not_your_post", f"The rulebook does not let this post do {act}; ask one of the posts it names."
        )
    _holds_post(ctx)


def post_holder(ctx: Context, act: str, bodies: Iterable[str]) -> None:
    """The actor held, when it happened, any post of one of these bodies; and cites a ground."""
    _acts_for(ctx, act, bodies)
    _holds_post(ctx)


def _acts_for(ctx: Context, act: str, bodies: Iterable[str] | None) -> None:
    actor = ctx.actor
    if actor.person == CLOCK_PERSON or actor.body == RESIDENT:
        raise Refused("not_an_officer", f"{act} is an officer's act; sign in with a post.")
    if bodies is not None and actor.body not in set(bodies):
        raise Refused("not_your_body", f"{act} belongs to another body; act in the capacity of that body.")


def _holds_post(ctx: Context) -> None:
    actor, when = ctx.actor, ctx.when
    # At both times: nobody who has left a post reaches back by an early occurred_at.
    if actor.post is None or not all(
        ctx.register.holds(actor.person, actor.body, actor.post, at)
        for at in (when.occurred_at, when.recorded_at)
    ):
        raise Refused(
            "post_lapsed", "You do not hold this post, now and then; have the register brought up to date."
        )
    if not ctx.authority:
        raise Refused(
            "authority_missing", "Say on what ground you act: a law, a power item, a mandate or a resolution."
        )


def power(ctx: Context, body: str, kind: PowerKind, over: Iterable[str] = ()) -> PowerItem:
    """The body holds this power over the bodies named, when the act happened and still now, and the act cites it."""
    then, now = (ctx.register.powers(body, kind, at) for at in (ctx.when.occurred_at, ctx.when.recorded_at))
    # At both times: a power that was withdrawn is not reached back to by an early occurred_at.
    held = {item.id: (item, later) for item in then for later in now if later.id == item.id}
    if not held:
        raise Refused("no_power", f"The register gives this body no power of {kind}; have it granted first.")
    versions = held.get(ctx.authority or "")
    if versions is None:
        raise Refused(
            "power_not_cited",
            f"Cite the power item as the authority of this act, such as {next(iter(held))}.",
        )
    named = set(over)
    if any(item.over and not named <= set(item.over) for item in versions):
        raise Refused(
            "power_reaches_not", f"The power item {ctx.authority} does not reach a body that is named here."
        )
    return versions[1]


def cites_power(ctx: Context, body: str, kind: PowerKind, over: Iterable[str] = ()) -> None:
    """Where the register gives the body such a power, the act cites it; where it keeps none, the post suffices.

    Dispatching, deferring, supervising and adjudicating rest on the posts of the rulebook; a district that lists
    these powers as well (权力清单) holds its bodies to the list.
    """
    if any(ctx.register.powers(body, kind, at) for at in (ctx.when.occurred_at, ctx.when.recorded_at)):
        power(ctx, body, kind, over)


def body_kind(ctx: Context, body: str) -> str | None:
    """The kind of a body as registered when the act happened, None if there was no such body."""
    found = ctx.register.body(body, ctx.when.occurred_at)
    return None if found is None else found.kind


def known_body(ctx: Context, body: str, kinds: Collection[str] = ()) -> None:
    """The register knew the body at that time, and it is of one of these kinds."""
    kind = body_kind(ctx, body)
    if kind is None:
        raise Refused("unknown_body", f"The register does not know {body}; enter it first.")
    if kinds and kind not in kinds:
        raise Refused("wrong_body", f"{body} is a {kind}; this needs one of: {', '.join(sorted(kinds))}.")


def offices(ctx: Context, state: Matter) -> set[str]:
    """The offices that carry the matter: its communities, its sub-district, and the actor's if it is a centre, or
    a grid, building or compound of its host. Never the unit complained about, nor one below it.

    A confidential matter is carried by discipline inspection alone.
    """
    kind = body_kind(ctx, ctx.actor.body)
    if state.confidential:
        return {ctx.actor.body} if kind == "discipline_inspection" else set()
    found = {*state.communities, *(b for b in (state.host, state.subdistrict) if b)}
    below = (
        kind in BELOW_COMMUNITY
        and state.host is not None
        and ctx.register.within(ctx.actor.body, state.host, ctx.when.occurred_at)
    )
    if kind in CENTRES or below:
        found.add(ctx.actor.body)
    return unaccused(ctx, state, found)


def unaccused(ctx: Context, state: Matter, bodies: Iterable[str]) -> set[str]:
    """Those of the bodies that are not the unit complained about, nor below it; none for an actor with a post there."""
    found = set(bodies)
    if state.subject is None:
        return found
    own = {
        ctx.actor.body,
        *(body for body, _ in ctx.register.posts_of(ctx.actor.person, ctx.when.occurred_at)),
    }
    if any(accused(ctx, state, body) for body in own):
        return set()
    return {body for body in found if not accused(ctx, state, body)}


def accused(ctx: Context, state: Matter, body: str) -> bool:
    """Whether this is the unit complained about, or below it. Below the district is everybody: there only itself."""
    if state.subject is None or body == state.subject:
        return body == state.subject
    at = ctx.when.occurred_at
    return body_kind(ctx, state.subject) != "district" and ctx.register.within(body, state.subject, at)


def not_accused(ctx: Context, state: Matter, body: str) -> None:
    """Nobody deals with a complaint about themselves."""
    if accused(ctx, state, body):
        raise Refused(
            "accused", f"{body} is what the matter complains about, or belongs to it; take another body."
        )


def other_person(ctx: Context, persons: Collection[str], advice: str) -> None:
    """One person in two posts is one person: nobody issues, performs and verifies the same thing (law 4, G4)."""
    if ctx.actor.person in persons:
        raise Refused("same_person", advice)


def not_recused(ctx: Context, *cases: Matter | None) -> None:
    """回避: a recused officer does nothing in these cases, in whatever post (G4). Requesters and the clock are none."""
    person = ctx.actor.person
    if ctx.actor.body != RESIDENT and any(case is not None and person in case.recused for case in cases):
        raise Refused("recused", "You are recused from this matter; let a colleague act in it.")


def requester(ctx: Context, state: Matter, person: str | None = None) -> None:
    """The actor is a requester of this matter (and this one, where one is named)."""
    mine = ctx.actor.body == RESIDENT and ctx.actor.person in state.requesters
    if not mine or (person is not None and ctx.actor.person != person):
        raise Refused("not_the_requester", "Only the requester may do this; ask them.")


def brings(ctx: Context, name: str) -> None:
    """A sealed value of this name comes with the command."""
    if name not in ctx.sealed:
        raise Refused("text_missing", f"Give the {name}.")


def receiver(ctx: Context, order: Order, leg: Leg, act: str) -> None:
    """The actor acts for the summoned body, and had no part in summoning it."""
    officer(ctx, act, (leg.body,), order.full_kind)
    other_person(ctx, order.issuers, "Whoever summons a body does not act for it; let a colleague do it.")
    after(ctx, leg.last_at)


def issuer(ctx: Context, order: Order, leg: Leg | None, act: str, *, acts_as: str | None = None) -> None:
    """The actor acts for the issuing body, and did no part of the work: on this leg, or, without one, on any."""
    officer(ctx, act, (order.issuer, *order.joint_blowers), order.full_kind, acts_as=acts_as)
    did = order.performers() if leg is None else leg.performers
    other_person(ctx, did, "Whoever did the work does not verify it; let a colleague do it.")
    after(ctx, leg.last_at if leg is not None else order.last_at)


def started(ctx: Context, *stages: tuple[str, str]) -> tuple[StartedClock, ...]:
    """The clocks that the rulebook starts now for these (stage, of); a stage it does not name has no clock."""
    found = []
    for stage, of in stages:
        rule = ctx.rulebook.clock(stage, of)
        if rule is not None:
            due = ctx.calendar.due(ctx.when.recorded_at, rule.length)
            found.append(StartedClock(stage=stage, of=rule.of, due=due.at, provisional=due.provisional))
    return tuple(found)
