"""Keeping: archiving a file, erasing what must not be kept, and locking it while a term of keeping runs (domain.md D.9).

Erasing destroys keys, which nothing brings back: it is an act of who keeps the files, never of who handled the matter,
and only when the matter has ended. PIPL Art. 47 in two halves: what must be erased is erased; while a term of keeping
runs, every processing but storing it stops. A term that binds the whole case binds what is in it, and a term once named
binds until these data are erased, though its lock be lifted. A rulebook that does not say how long files are kept
leaves the term unknown: then the data are locked without an end, for what was locked too long can still be erased.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.closing import took_part
from domain.matter.guards import allowed_now, body_kind, officer, offices, other_person, unaccused
from domain.matter.state import WHOLE, Matter, lasting
from domain.matter.words import ENDED_MATTER
from domain.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from domain.acting import Command
    from domain.context import Context
    from domain.event import Event

MOST_DIGESTS = 1000
"""So many digests fit into one event."""
ERASE = "erase/"
"""The ids of agenda items that erase begin so; what follows is whose data, or `case`."""


class Term(NamedTuple):
    """How long a file is kept: its class ('' where no rule names one) and the end (UTC), None without an end."""

    retention: str
    until: datetime | None

    def runs(self, now: datetime) -> bool:
        """Whether it has not ended by now."""
        return self.until is None or self.until > now


# -- archiving --------------------------------------------------------------------------------------------------------


def archive(state: Matter, command: do.ArchiveMatter, ctx: Context) -> tuple[Event, ...]:
    """归档 once appraisals are done and the four properties have been checked (DA/T 70-2018)."""
    officer(ctx, "archive")
    _known_class(ctx, command.retention)
    if not (command.authentic and command.complete and command.usable and command.safe):
        raise Refused("four_property_check", "The check failed; repair what it names, then archive.")
    if any(leg.live for leg in state.legs()):
        raise Refused("leg_open", "A body is still summoned; accept its report or excuse it first.")
    for order in state.orders.values():
        if order.status != "settled":
            continue
        wanted = set(order.shape.rated_by) - {"requester"}
        if any(leg.status == "discharged" and not wanted <= leg.raters for leg in order.legs.values()):
            raise Refused(
                "appraisal_missing", "A department that was summoned has not been appraised; rate it first."
            )
    return (*_prolonged(state, command.retention, ctx), ev.MatterArchived(retention=command.retention))


def _known_class(ctx: Context, code: str) -> None:
    rules = ctx.rulebook.retention
    if rules is not None and code not in {entry.code for entry in rules.term}:
        known = ", ".join(entry.code for entry in rules.term)
        raise Refused("retention_unknown", f"Name a class of retention that the rulebook knows: {known}.")


def _prolonged(state: Matter, code: str, ctx: Context) -> tuple[Event, ...]:
    """The class of the file is known now: what is locked stays so until its end, where that is later."""
    term = _term(ctx, code, state.ended_at or ctx.when.recorded_at)
    return tuple(
        ev.DataLocked(
            ground=lock.ground,
            authority=lock.authority,
            subject=about or None,
            retention=code,
            until=_longest((term, Term(lock.retention, lock.until))).until,
        )
        for about, lock in state.locked.items()
        if lock.until is not None and (lock.outdated or term.until is None or term.until > lock.until)
    )


# -- terms ------------------------------------------------------------------------------------------------------------


def _term(ctx: Context, code: str | None, ended: datetime) -> Term:
    """The term of a class (None: that of a file not archived yet), counted from when the matter ended."""
    rules = ctx.rulebook.retention
    code = code or (rules.unarchived if rules else "")
    entry = next((one for one in rules.term if one.code == code), None) if rules else None
    if entry is None:
        return Term("", None)
    if entry.length is not None:
        return Term(code, ctx.calendar.due(ended, entry.length).at)
    if entry.years is None:
        return Term(code, None)
    zone = ZoneInfo(ctx.rulebook.zone)
    first_free_day = datetime(ended.astimezone(zone).year + 1 + entry.years, 1, 1, tzinfo=zone)
    return Term(code, first_free_day.astimezone(UTC))


def _longest(terms: Iterable[Term]) -> Term:
    """The one that ends last; one without an end first of all."""
    return max(terms, key=lambda term: lasting(term.until))


# -- erasing ----------------------------------------------------------------------------------------------------------


def keepers(ctx: Context, state: Matter) -> set[str]:
    """The bodies that keep the file: the offices that carry the matter, and the archive; never the unit complained
    about. Of an accusation discipline inspection alone."""
    found = offices(ctx, state)
    if not state.confidential and body_kind(ctx, ctx.actor.body) == "archive":
        found |= unaccused(ctx, state, {ctx.actor.body})
    return found


def others_with(state: Matter, about: str | None) -> tuple[str, ...]:
    """The cases that hold data of the same requester, or whose end this one waits for: a master, and what it absorbed."""
    masters = (state.master,) if state.master else ()
    return (*masters, *(merged for merged, persons in state.absorbed.items() if about in persons))


def erase(
    state: Matter, command: do.EraseData, ctx: Context
) -> tuple[tuple[Event, ...], tuple[tuple[str, Event], ...]]:
    """删除, or 封存 while a term runs: here, and for a requester in each case that they are a requester of as well."""
    officer(ctx, "erase", keepers(ctx, state))
    other_person(
        ctx,
        took_part(state) | {state.submitter},
        "Whoever had a part in the matter does not erase it; ask the archivist.",
    )
    _known_person(state, command.about)
    concerned = {state.id: state, **_joined(state, command.about, ctx)}
    for one in concerned.values():
        _may_go(one, command)
    about = command.about or WHOLE
    if state.shut(about) == "erased":
        raise Refused("erased_already", "These data were erased already; the history says when and why.")
    reached = concerned if command.about else {state.id: state}
    terms = [_term(ctx, one.retention, _ended(one, ctx)) for one in concerned.values()]
    term = _longest((*terms, *_promised(reached.values(), command.about)))
    made = _locks if term.runs(ctx.when.recorded_at) else _erasures
    events = {case: made(one, command, term, ctx) for case, one in reached.items()}
    here = events.pop(state.id)
    return here, tuple((case, event) for case, found in events.items() for event in found)


def _known_person(state: Matter, about: str | None) -> None:
    if about is not None and about not in state.requesters and about not in state.former:
        raise Refused(
            "unknown_requester",
            "Name a requester of this matter; what others wrote in it goes with the whole case.",
        )


def _joined(state: Matter, about: str | None, ctx: Context) -> dict[str, Matter]:
    found = {case: ctx.others.get(case) for case in others_with(state, about)}
    return {case: one for case, one in found.items() if one is not None}


def _may_go(state: Matter, command: do.EraseData) -> None:
    """Whoever still waits for an answer can only be called by what is held on them."""
    gone = state.requesters.get(command.about or "")
    if gone is None or not gone.withdrawn:
        allowed_now(command, state.status, ENDED_MATTER)


def _promised(reached: Iterable[Matter], about: str | None) -> list[Term]:
    """The terms that locks on these data named, also lifted ones: whatever the rules say by now, none is cut short
    (law 7)."""
    locks = [
        lock
        for one in reached
        for who, lock in one.promised.items()
        if about is None or who in (about, WHOLE)
    ]
    return [Term(lock.retention, lock.until) for lock in locks]


def _ended(state: Matter, ctx: Context) -> datetime:
    return state.ended_at or ctx.when.recorded_at


def _locks(state: Matter, command: do.EraseData, term: Term, ctx: Context) -> tuple[Event, ...]:
    held = state.locked.get(command.about or WHOLE) or state.locked.get(WHOLE)
    if held is not None and held.until == term.until and not held.outdated:
        until = "without an end" if term.until is None else f"until {term.until:%Y-%m-%d}"
        raise Refused("locked_already", f"Nothing to do: these data are locked {until}, and erased then.")
    lock = ev.DataLocked(
        ground=command.ground, authority=ctx.authority or "", subject=command.about, retention=term.retention,
        until=term.until,
    )  # fmt: skip
    return (lock,)


def _erasures(state: Matter, command: do.EraseData, term: Term, ctx: Context) -> tuple[Event, ...]:
    return _erased(state, command.about, command.ground, ctx.authority or "", ctx)


def _erased(
    state: Matter, about: str | None, ground: str, authority: str, ctx: Context, gone: Collection[str] = ()
) -> tuple[Event, ...]:
    digests = [
        held.digest
        for held in ctx.held.get(state.id, ())
        if about in (None, held.subject) and state.shut(held.subject) != "erased" and held.digest not in gone
    ]
    boards = tuple(sorted(state.boards))
    return tuple(
        ev.DataErased(ground=ground, authority=authority, subject=about, digests=part, boards=boards)
        for part in in_parts(digests)
    )


def in_parts(digests: list[str]) -> list[tuple[str, ...]]:
    """The digests in as many parts as events are needed; one at least."""
    starts = range(0, max(1, len(digests)), MOST_DIGESTS)
    return [tuple(digests[start : start + MOST_DIGESTS]) for start in starts]


# -- the end of a term ------------------------------------------------------------------------------------------------


def ends(state: Matter) -> Mapping[str, datetime]:
    """When what is locked is to be erased, by the id of the agenda's item.

    What is locked without an end never is, nor what a lock holds whose matter went on. The whole case goes when the last
    of its requesters' own terms has ended as well, and a requester when that of the whole case has.
    """
    found = {about: _end(state, about) for about in state.locked}
    return {
        f"{ERASE}{about or 'case'}/{int(until.timestamp() * 1000)}": until
        for about, until in found.items()
        if until is not None
    }


def _end(state: Matter, about: str) -> datetime | None:
    requester = state.requesters.get(about)
    stays = state.locked[about].outdated and not (requester is not None and requester.withdrawn)
    return None if stays else held_until(state, about)


def held_until(state: Matter, about: str) -> datetime | None:
    """Until when what is locked is kept (None: without an end): by its own lock, and by every term that binds it."""
    lock = state.locked[about]
    return _longest((Term(lock.retention, lock.until), *_promised((state,), about or None))).until


def term_ended(state: Matter, item: str, ctx: Context, before: Iterable[Event] = ()) -> tuple[Event, ...]:
    """The clock carries out what was asked for when the data were locked; `before` is what it has just carried out."""
    named = item.split("/")[1]
    about = None if named == "case" else named
    if any(isinstance(event, ev.DataErased) and event.subject is None for event in before):
        return ()  # the case has gone as a whole in the same moment, and the lock with it
    lock = state.locked[about or WHOLE]
    gone = {digest for event in before if isinstance(event, ev.DataErased) for digest in event.digests}
    return _erased(state, about, lock.ground, lock.authority, ctx, gone)


def lists_digests(command: Command) -> bool:
    """Whether the decision needs to be told which sealed values there are (`Context.held`)."""
    if isinstance(command, do.TakeDueSteps):
        return any(item.startswith(ERASE) for item in command.items)
    return isinstance(command, do.EraseData | do.DiscloseCase)
