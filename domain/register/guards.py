"""What several decisions of the register ask before they allow something."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Protocol

from domain.acting import Keeping
from domain.refusal import Refused
from domain.register.history import in_force, throughout
from domain.register.words import EVERYWHERE, SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from domain.register.entries import Body
    from domain.register.state import Register
    from domain.register.words import Post


class Context(Keeping, Protocol):
    """Who asks, when, and on what ground (DESIGN.md law 4)."""

    @property
    def sealed(self) -> frozenset[str]:
        """The names of the sealed values that come with the command, never their content."""
        ...


def check_holds(state: Register, context: Context) -> None:
    """Raises Refused `post_not_held` unless the actor holds the stated post, when acting and when recorded.

    Both moments, so that a lapsed administrator cannot reach back by an early occurred_at.
    """
    actor, when = context.actor, context.when
    post = actor.post or ""
    if not all(
        state.holds(actor.person, actor.body, post, at) for at in (when.occurred_at, when.recorded_at)
    ):
        raise Refused(
            "post_not_held", "Act in a post that you hold now: ask a security administrator to fill it."
        )


def check_administrator(state: Register, context: Context, post: Post) -> None:
    """Raises Refused unless the actor is a `post` of the body `system`."""
    actor = context.actor
    if actor.post != post or actor.body != SYSTEM:
        raise Refused("not_allowed", f"Ask a {post.replace('_', ' ')}: only they may do this.")
    check_holds(state, context)


def check_body(state: Register, body_id: str, begins: datetime, ends: datetime | None) -> Body:
    """The body at `begins`. Raises Refused `unknown_body` or `outlives_body` (it ends before `ends`)."""
    history = state.body_history.get(body_id, ())
    body = in_force(history, begins)
    if body is None:
        raise Refused("unknown_body", f"Enter the body {body_id} first, in force from that day.")
    if not throughout(history, begins, ends):
        raise Refused("outlives_body", f"Give an end no later than that of the body {body_id}.")
    return body


def check_place(state: Register, place: str, begins: datetime, ends: datetime | None) -> None:
    """Raises Refused unless the place is `*` or the territory of a body in force for the span."""
    if place != EVERYWHERE:
        check_body(state, place, begins, ends)


def check_person(state: Register, person: str) -> None:
    """Raises Refused `unknown_person` unless the person has been entered."""
    if not state.persons.get(person, False):
        raise Refused("unknown_person", "Enter the person first.")


def check_approved(state: Register, approved_by: tuple[str, ...], gains: Iterable[str], at: datetime) -> None:
    """Raises Refused `not_approved`, `unknown_body` or `approved_by_gainer`.

    A list is not approved by the bodies that gain from it alone (D.8); a body below one that gains gains too.
    """
    if not approved_by:
        raise Refused("not_approved", "Name the bodies that approved it.")
    for body_id in approved_by:
        if state.body(body_id, at) is None:
            raise Refused("unknown_body", f"Enter the approving body {body_id} first.")
    gainers = tuple(gains)
    if all(any(state.within(body, gainer, at) for gainer in gainers) for body in approved_by):
        raise Refused("approved_by_gainer", "Have it approved by a body that does not gain from it as well.")


def refuse_unknown_item(item: str) -> NoReturn:
    """Raises Refused `not_in_force`: there is nothing of this id to end or to suspend."""
    raise Refused("not_in_force", f"Check the id {item}: no version of it is in force then.")
