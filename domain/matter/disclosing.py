"""Disclosing: a sampled case is opened for a board, which then checks it against the log (evidence.md 2.8).

A board samples by lot once the head is fixed, and compares the case with paper and with the people who asked: it is
handed every value that is stored, those of the requesters too, which the daily view withholds from it. That it was
handed them stands in the case's own stream: for what is erased later they must erase as well, and a decision of the
case must know of it; of an accusation nobody else learns that it was opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter.guards import known_body, not_accused, officer
from domain.matter.keeping import in_parts, keepers
from domain.refusal import Refused

if TYPE_CHECKING:
    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Matter


def disclose(state: Matter, command: do.DiscloseCase, ctx: Context) -> tuple[Event, ...]:
    """Open the case for a supervisory board; an accusation for discipline inspection alone."""
    officer(ctx, "disclose", keepers(ctx, state))
    kind = "discipline_inspection" if state.confidential else "supervisory_board"
    known_body(ctx, command.to, (kind,))
    not_accused(ctx, state, command.to)
    if not state.confidential:
        _not_to_themselves(command, ctx)
    shown = {None, "locked"} if _shown_locked(ctx, kind) else {None}
    held = ctx.held.get(state.id, ())
    digests = [one.digest for one in held if state.shut(one.subject) in shown]
    if not digests:
        raise Refused("nothing_held", "There is no sealed value here that could be handed over.")
    return tuple(
        ev.CaseDisclosed(to=command.to, ground=command.ground, digests=part) for part in in_parts(digests)
    )


def _not_to_themselves(command: do.DiscloseCase, ctx: Context) -> None:
    """Who sits on the board does not open the case for it: the board asks, the office answers."""
    posts = ctx.register.posts_of(ctx.actor.person, ctx.when.occurred_at)
    if any(body == command.to for body, _ in posts):
        raise Refused("same_person", "A member of the board does not open a case for it; ask the archivist.")


def _shown_locked(ctx: Context, kind: str) -> bool:
    rules = ctx.rulebook.retention
    return rules is not None and kind in rules.locked_for
