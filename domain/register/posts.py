"""Persons and the posts that they hold (A60: person is not post)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.refusal import Refused
from domain.register.events import ContactChanged, PersonEntered, PostFilled, PostVacated
from domain.register.guards import check_administrator, check_body, check_holds, check_person
from domain.register.history import check_span, overlap
from domain.register.words import ADMINS, ONLY_IN, SYSTEM, incompatible

if TYPE_CHECKING:
    from datetime import datetime

    from domain.event import Event
    from domain.register.commands import ChangeContact, EnterPerson, FillPost, VacatePost
    from domain.register.entries import Body, Held
    from domain.register.guards import Context
    from domain.register.state import Register


def enter_person(state: Register, command: EnterPerson, context: Context) -> tuple[Event, ...]:
    """A person, by a random id; the name is sealed beside it."""
    if state.persons.get(command.person, False):
        raise Refused("already_known", "Nothing needs to be done: this person is entered already.")
    if "name" not in context.sealed:
        raise Refused(
            "name_missing", "Send the person's name beside the command, as the sealed value `name`."
        )
    return (PersonEntered(person=command.person),)


def change_contact(state: Register, command: ChangeContact, context: Context) -> tuple[Event, ...]:
    """A person is told elsewhere from now on; where is sealed beside it."""
    check_person(state, command.person)
    if "contact" not in context.sealed:
        raise Refused(
            "contact_missing", "Send the new contact beside the command, as the sealed value `contact`."
        )
    return (ContactChanged(person=command.person),)


def fill(state: Register, command: FillPost, context: Context) -> tuple[Event, ...]:
    """A person takes a post, unless another post of theirs excludes it or they grant it to themselves."""
    now = context.when.recorded_at
    begins, ends = command.valid_from or now, command.valid_until
    check_span(begins, ends, now)
    check_person(state, command.person)
    body = check_body(state, command.body, begins, ends)
    if ONLY_IN.get(command.post, body.kind) != body.kind or (body.id == SYSTEM) != (command.post in ADMINS):
        raise Refused("wrong_post_for_body", f"Name a body that has the post {command.post}.")
    _check_other_posts(state, command, body, begins, ends)
    if command.person == context.actor.person:
        raise Refused("self_granting", "Ask another security administrator: nobody grants themselves a post.")
    if command.post == "audit_admin" and not context.authority:
        raise Refused(
            "authority_missing", "Cite the mandate or resolution that appoints the audit administrator."
        )
    filled = PostFilled(
        person=command.person, body=command.body, post=command.post, valid_from=begins, valid_until=ends
    )
    return (filled,)


def _check_other_posts(
    state: Register, command: FillPost, body: Body, begins: datetime, ends: datetime | None
) -> None:
    together = [
        held
        for held in state.held_by.get(command.person, ())
        if overlap(begins, ends, held.valid_from, held.valid_until)
    ]
    for held in together:
        if (held.body, held.post) == (command.body, command.post):
            _refuse_same(held, begins, ends)
        other = state.body_history.get(held.body, ())
        if other and incompatible(command.post, body.kind, held.post, other[0].value.kind):
            raise Refused(
                "incompatible_posts",
                f"Vacate the post {held.post} in {held.body} first, or choose another person: "
                f"nobody holds it together with {command.post}.",
            )


def _refuse_same(held: Held, begins: datetime, ends: datetime | None) -> None:
    if held.covers(begins) and held.valid_until == ends:
        raise Refused("already_known", "Nothing needs to be done: this person holds this post already.")
    raise Refused("overlap", "Vacate the post from that day first: this person holds it for another span.")


def vacate(state: Register, command: VacatePost, context: Context) -> tuple[Event, ...]:
    """A person leaves a post; planned later terms of the same post are dropped with it."""
    now = context.when.recorded_at
    until = command.until or now
    _check_may_vacate(state, command, context)
    check_span(until, None, now)
    terms = [
        held
        for held in state.held_by.get(command.person, ())
        if (held.body, held.post) == (command.body, command.post)
        and (held.valid_until is None or until < held.valid_until)
    ]
    if not terms:
        raise Refused("post_not_held", "Check the person and the day: the post is not held by them then.")
    if command.post == "security_admin" and not _others(state, command.person, until):
        raise Refused("last_security_admin", "Fill the post with another person first, without an end.")
    return (PostVacated(person=command.person, body=command.body, post=command.post, until=until),)


def _check_may_vacate(state: Register, command: VacatePost, context: Context) -> None:
    """The other administrators never remove an audit administrator; those who supervise do (B9.3)."""
    if command.post != "audit_admin":
        check_administrator(state, context, "security_admin")
        return
    if context.actor.post not in ("board_member", "discipline_officer"):
        raise Refused(
            "audit_is_apart", "Ask a supervisory board or discipline inspection: only they may do this."
        )
    check_holds(state, context)


def _others(state: Register, person: str, at: datetime) -> bool:
    seats = state.seats.get((SYSTEM, "security_admin"), ())
    return any(held.person != person and held.valid_until is None and held.valid_from <= at for held in seats)
