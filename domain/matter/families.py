"""Families: merging, splitting, parents and children; both streams are guarded by one append (DESIGN.md §4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import recusal
from domain.matter.closing import late_child
from domain.matter.drafting import own_task
from domain.matter.guards import known_body, not_taken, officer, offices, started
from domain.matter.handling import returned_time
from domain.matter.intake import supplement as supplemented
from domain.matter.keeping import others_with
from domain.matter.words import ENDED_MATTER, LIVE_MATTER
from domain.refusal import NotFound, Refused

if TYPE_CHECKING:
    from domain.acting import Command
    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Matter

Elsewhere = tuple[tuple[str, "Event"], ...]

_ENDING = (
    "confirm_refusal", "divert_matter", "confirm_withdrawal", "merge_matter", "close_matter",
    "reopen_matter", "reverse_merge",
)  # fmt: skip


def touches(state: Matter | None, command: Command) -> tuple[str, ...]:
    """The other cases that a command on this case must know: those it names, a parent that hears of an end, a
    master that hears what is still said about what was merged into it, parts that hear who is recused, and those that
    hold the same requester."""
    named = command.touches()
    if state is not None and isinstance(command, do.EraseData | do.LiftLock):
        return others_with(state, command.about)
    if state is not None and isinstance(command, do.DeclareRecusal):
        return (*named, *state.children)
    if state is not None and state.master is not None and isinstance(command, do.AddSupplement):
        return (*named, state.master)
    if (
        state is not None
        and state.parent is not None
        and command.NAME in _ENDING
        and state.parent not in named
    ):
        return (*named, state.parent)
    return named


def tell_parent(state: Matter, after: str, ctx: Context) -> Elsewhere:
    """The parent hears that this child has ended, or is open again."""
    if state.parent is None or state.parent not in ctx.others:
        return ()
    parent: Matter = ctx.others[state.parent]
    was, now = state.status in ENDED_MATTER, after in ENDED_MATTER
    if was == now:
        return ()
    if now:
        return ((parent.id, ev.ChildEnded(child=state.id)),)
    told: tuple[Event, ...] = (ev.ChildReopened(child=state.id),)
    if state.id in parent.mandatory_children:
        told = (*told, *late_child(ctx, parent))
    return tuple((parent.id, event) for event in told)


def supplement(state: Matter, command: do.AddSupplement, ctx: Context) -> tuple[tuple[Event, ...], Elsewhere]:
    """What is said about a merged matter reaches its master, where it is handled; the words stay sealed here."""
    said = supplemented(state, command, ctx)
    if state.status != "merged" or state.master is None or state.master not in ctx.others:
        return said, ()
    return said, tuple((state.master, event.model_copy(update={"merged": state.id})) for event in said)


def _nothing_leaves(state: Matter) -> None:
    """What a confidential stream holds would stand in an open one, and name who spoke (law 10)."""
    if state.confidential:
        raise Refused(
            "confidential", "An accusation stays in its own stream; register a new matter beside it."
        )


def merge(state: Matter, command: do.MergeMatter, ctx: Context) -> tuple[tuple[Event, ...], Elsewhere]:
    """并案: the master answers each requester; their clocks go with them (law 6)."""
    officer(ctx, "merge", offices(ctx, state))
    _nothing_leaves(state)
    master: Matter | None = ctx.others.get(command.master)
    if master is None or master.confidential or master.id == state.id:
        raise NotFound
    if master.status not in LIVE_MATTER:
        raise Refused("master_ended", "The master is no longer being handled; merge into a live matter.")
    if master.backfilled:
        raise Refused("not_taken_over", "Take the master over first; nothing runs in it yet.")
    _nothing_left_behind(state)
    clocks = _running_finish(state, ctx)
    owed = tuple(r.id for r in state.requesters.values() if not r.withdrawn)
    absorbed = ev.MatterAbsorbed(merged=state.id, requesters=owed, clocks=clocks)
    told = ((master.id, absorbed), *recusal.along(state, master.id, master.recused))
    return (ev.MatterMerged(master=master.id, reason=command.reason),), told


def _nothing_left_behind(state: Matter) -> None:
    """Whoever waits for this matter, or is waited for, would not be heard of in the master."""
    if any(leg.live for leg in state.legs()):
        raise Refused(
            "leg_open", "A body is still summoned here; merge the other matter into this one instead."
        )
    if any(state.children[child] for child in state.mandatory_children):
        raise Refused(
            "child_open", "A mandatory child is still open; merge the other matter into this one instead."
        )
    if state.absorbed:
        raise Refused(
            "absorbed_waits", "Others were merged into it; merge the other matter into this one instead."
        )


def _running_finish(state: Matter, ctx: Context) -> tuple[ev.StartedClock, ...]:
    """The clock of these requesters goes with them, as it stands (law 6); a deferral ends with it."""
    clock = state.clock("", "finish")
    if clock is None or (clock.stopped is not None and state.status != "deferred"):
        return ()
    if clock.stopped is not None and (given_back := returned_time(state, ctx)):
        return given_back
    carried = ev.CarriedOn(
        since=clock.since, rulebook=clock.rulebook, paused=clock.paused, extensions=clock.extensions
    )
    given = ev.StartedClock(
        stage="finish", of=clock.of, due=clock.due, provisional=clock.provisional, carried=carried
    )
    return (given,)


def reverse_merge(
    state: Matter, command: do.ReverseMerge, ctx: Context
) -> tuple[tuple[Event, ...], Elsewhere]:
    """The merge was wrong; nothing of the matter has been lost."""
    officer(ctx, "merge", offices(ctx, state))
    if state.master != command.master:
        raise Refused("not_its_master", "Name the matter that this one was merged into.")
    reversed_ = ev.AbsorptionReversed(merged=state.id)
    return (ev.MergeReversed(master=command.master),), ((command.master, reversed_),)


def split(state: Matter, command: do.SplitMatter, ctx: Context) -> tuple[tuple[Event, ...], Elsewhere]:
    """Part of it becomes a matter of its own; a late mandatory child opens its parent again."""
    officer(ctx, "split", offices(ctx, state))
    _nothing_leaves(state)
    if state.parent is not None:
        raise Refused("child_of_child", "This is a part already; split its parent instead.")
    not_taken(ctx, ctx.others.get(command.child), "child_exists", "Give the child a fresh id.")
    host = command.host or state.host
    if host is None:
        raise Refused("host_missing", "Say which community hosts the child.")
    known_body(ctx, host, ("community",))
    # A part of an office's own task is one as well, whoever splits it off (A26): its name keeps it from passing as a
    # request of the sub-district's that nobody need admit.
    kind = "task" if own_task(state, ctx) else state.kind
    child = ev.MatterRegistered(
        number=command.number, source=state.source, seen_at=ctx.when.occurred_at, kind=kind,
        code=command.code or state.code, demand=state.demand, communities=(host,), host=host,
        subdistrict=ctx.register.ancestor(host, "subdistrict", ctx.when.occurred_at) or state.subdistrict,
        subject=state.subject, parent=state.id, clocks=started(ctx, ("accept", state.demand or "*")),
    )  # fmt: skip
    opened = ev.ChildOpened(child=command.child, mandatory=command.mandatory)
    again = late_child(ctx, state) if command.mandatory else ()
    return (opened, *again), ((command.child, child), *recusal.along(state, command.child))
