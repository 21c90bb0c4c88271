"""Lifting a lock (解除封存): before its term has ended, by who keeps the files, on a ground that stands in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.matter import events as ev
from domain.matter.closing import took_part
from domain.matter.guards import officer, other_person
from domain.matter.keeping import held_until, keepers, others_with
from domain.matter.state import WHOLE, Lock, Matter
from domain.refusal import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from domain.context import Context
    from domain.event import Event
    from domain.matter import commands as do


def lift(
    state: Matter, command: do.LiftLock, ctx: Context
) -> tuple[tuple[Event, ...], tuple[tuple[str, Event], ...]]:
    """Here, and for a requester in each case in which they were locked with it; what is erased stays so.

    The data are handled again; they are not erased before the term that the lock named (`keeping`).
    """
    officer(ctx, "erase", keepers(ctx, state))
    other_person(
        ctx,
        took_part(state) | {state.submitter},
        "Whoever had a part in the matter does not lift the lock; ask the archivist.",
    )
    _still_runs(_lock(state, command.about), held_until(state, command.about or WHOLE), ctx)
    others = (ctx.others.get(case) for case in others_with(state, command.about)) if command.about else ()
    elsewhere = [
        (one.id, _unlocked(one, command, ctx))
        for one in others
        if one is not None and command.about in one.locked and WHOLE not in one.locked
    ]
    return (_unlocked(state, command, ctx),), tuple(elsewhere)


def _lock(state: Matter, about: str | None) -> Lock:
    if state.shut(about or WHOLE) == "erased":
        raise Refused("erased_already", "These data were erased; no lock is left to lift.")
    if about is not None and WHOLE in state.locked:
        raise Refused("locked_as_a_whole", "The whole case is locked; lift that lock, or leave it as it is.")
    lock = state.locked.get(about or WHOLE)
    if lock is None:
        raise Refused("not_locked", "Nothing to do: these data are not locked.")
    return lock


def _still_runs(lock: Lock, until: datetime | None, ctx: Context) -> None:
    """Once the term has ended the erasure is owed, whether or not the clock has come to it yet."""
    if until is not None and not lock.outdated and until <= ctx.when.recorded_at:
        raise Refused("term_over", "The term has ended: the data are erased now, as was asked for.")


def _unlocked(state: Matter, command: do.LiftLock, ctx: Context) -> Event:
    still = () if command.about else tuple(sorted(one for one in state.locked if one != WHOLE))
    return ev.DataUnlocked(
        ground=command.ground, authority=ctx.authority or "", subject=command.about, still=still
    )
