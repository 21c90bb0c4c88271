"""Keys of systems and sign-ins: who was given a way in, by whom and when, for an auditor to see.

The secret of a key is known to its system alone, a sign-in by a digest under the store's own secret; neither says
anything here. A key works, and a sign-in is somebody, only as long as the register says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.refusal import Refused
from domain.register.events import SigninLinked, SigninUnlinked, SystemKeyEnded, SystemKeyIssued
from domain.register.guards import check_person

if TYPE_CHECKING:
    from datetime import datetime

    from domain.event import Event
    from domain.register.commands import EndSystemKey, IssueSystemKey, LinkSignin, UnlinkSignin
    from domain.register.entries import SystemKeyEntry
    from domain.register.guards import Context
    from domain.register.state import Register


def issue(state: Register, command: IssueSystemKey, context: Context) -> tuple[Event, ...]:
    """A key for a system that holds a post of the body; it may take the place of another, which ends later."""
    now = context.when.recorded_at
    if state.system_keys.get(command.key, None) is not None:
        raise Refused("already_known", "Give the key an id of its own: this one is taken.")
    check_person(state, command.person)
    if not any(body == command.body for body, _ in state.posts_of(command.person, now)):
        raise Refused(
            "no_post", f"Fill a post of {command.body} with this system first (huiyin register fill-post)."
        )
    issued = SystemKeyIssued(
        key=command.key, person=command.person, body=command.body, source=command.source, replaces=command.replaces
    )  # fmt: skip
    if command.replaces is None:
        return (issued,)
    old = _working(state, command.replaces, now)
    if (old.person, old.body, old.source) != (command.person, command.body, command.source):
        raise Refused("another_system", "A key takes the place of one of the same system, body and source.")
    until = max(now, command.replaced_until or now)
    return issued, SystemKeyEnded(
        key=command.replaces, until=until if old.until is None else min(old.until, until)
    )


def end(state: Register, command: EndSystemKey, context: Context) -> tuple[Event, ...]:
    """A key ends at once."""
    now = context.when.recorded_at
    _working(state, command.key, now)
    return (SystemKeyEnded(key=command.key, until=now),)


def link(state: Register, command: LinkSignin, context: Context) -> tuple[Event, ...]:
    """Who signs in so is that person; a link that was there gives way."""
    check_person(state, command.person)
    if state.signins.get(command.link, None) == command.person:
        raise Refused("already_known", "Nothing needs to be done: this sign-in is that person already.")
    return (SigninLinked(person=command.person, link=command.link),)


def unlink(state: Register, command: UnlinkSignin, context: Context) -> tuple[Event, ...]:
    """Who signs in so is nobody here any more."""
    person = state.signins.get(command.link, None)
    if person is None:
        raise Refused("not_in_force", "Check the subject: there is no such link.")
    return (SigninUnlinked(person=person, link=command.link),)


def _working(state: Register, key: str, now: datetime) -> SystemKeyEntry:
    found = state.system_keys.get(key, None)
    if found is None or not found.works(now):
        raise Refused("key_ended", "This key has ended already; make a new one: huiyin key create.")
    return found
