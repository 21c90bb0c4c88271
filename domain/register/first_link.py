"""The first security administrator: made by a one-time link while there is none, and by nothing else."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from domain.acting import CLOCK_PERSON
from domain.refusal import Refused
from domain.register.events import FirstLinkIssued, FirstLinkUsed, PersonEntered, PostFilled
from domain.register.words import SYSTEM

if TYPE_CHECKING:
    from datetime import datetime

    from domain.event import Event
    from domain.register.commands import ClaimFirstLink, IssueFirstLink
    from domain.register.guards import Context
    from domain.register.state import Register


def digest_of(secret: str) -> str:
    """The SHA-256 (hex) by which the register knows a link's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def issue(state: Register, command: IssueFirstLink, context: Context) -> tuple[Event, ...]:
    """A link for the first administrator, made at the machine; a new one voids the one before."""
    now = context.when.recorded_at
    actor = context.actor
    if actor.body != SYSTEM or actor.post is not None or actor.person == CLOCK_PERSON:
        raise Refused("not_allowed", "Make the link on the machine itself, by the command line.")
    _check_unadministered(state, now)
    if command.expires_at <= now:
        raise Refused("link_expired", "Let the link expire in the future.")
    return (FirstLinkIssued(digest=command.digest, expires_at=command.expires_at),)


def claim(state: Register, command: ClaimFirstLink, context: Context) -> tuple[Event, ...]:
    """The actor becomes the first security administrator."""
    now, person, link = context.when.recorded_at, context.actor.person, state.first_link
    _check_unadministered(state, now)
    if link is None or not hmac.compare_digest(link.digest, digest_of(command.secret)):
        raise Refused(
            "link_unknown", "Ask the operator for a new link: this one was never made or is used up."
        )
    if now >= link.expires_at:
        raise Refused("link_expired", "Ask the operator for a new link: this one has expired.")
    if any(held.valid_until is None or now < held.valid_until for held in state.held_by.get(person, ())):
        raise Refused("incompatible_posts", "Claim the link as a person who holds no post yet.")
    entered = () if state.persons.get(person, False) else (PersonEntered(person=person),)
    filled = PostFilled(person=person, body=SYSTEM, post="security_admin", valid_from=now, valid_until=None)
    return (FirstLinkUsed(digest=link.digest), *entered, filled)


def _check_unadministered(state: Register, now: datetime) -> None:
    if state.holders(SYSTEM, "security_admin", now):
        raise Refused(
            "already_administered", "Ask a security administrator: the first link is for an empty register."
        )
