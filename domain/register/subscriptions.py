"""Subscriptions: which system outside is told of what, on whose word, and on what ground personal data leave.

Nothing goes out of the house but by a subscription that stands here as it is used, so that a supervisory board reads in
the record every channel there is and ever was. The secret itself, and the URL beyond its host, say nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.acting import CLOCK_PERSON, check_keeper
from domain.refusal import Refused
from domain.register.events import (
    SubscriptionEnded,
    SubscriptionMade,
    SubscriptionPaused,
    SubscriptionResumed,
    SubscriptionSecretChanged,
)
from domain.register.guards import check_holds, check_person
from domain.register.words import OFFICE_NOTICES

if TYPE_CHECKING:
    from domain.event import Event
    from domain.register.commands import (
        ChangeSubscriptionSecret,
        EndSubscription,
        MakeSubscription,
        PauseSubscription,
        ResumeSubscription,
    )
    from domain.register.entries import SubscriptionEntry
    from domain.register.guards import Context
    from domain.register.state import Register


def make(state: Register, command: MakeSubscription, context: Context) -> tuple[Event, ...]:
    """A channel out of the house, for a system that holds the post in which it is told."""
    _check_keeper(state, context)
    if state.subscriptions.get(command.subscription, None) is not None:
        raise Refused("already_known", "Give the subscription an id of its own: this one is taken.")
    check_person(state, command.person)
    if not state.holds(command.person, command.body, command.post, context.when.recorded_at):
        raise Refused("no_post", f"Fill the post {command.post} of {command.body} with this system first.")
    return (SubscriptionMade(**command.model_dump()),)


def change_secret(state: Register, command: ChangeSubscriptionSecret, context: Context) -> tuple[Event, ...]:
    """Another secret; the old ones work on until the moment named, never beyond it, and not in the past."""
    _check_keeper(state, context)
    entry = _going_on(state, command.subscription)
    if command.subscription == OFFICE_NOTICES:
        raise Refused(
            "no_secret", "The office's own notices have no secret here: it is set beside the gateway."
        )
    if any(name == command.secret for name, _ in entry.secrets):
        raise Refused("already_known", "Give the secret a name of its own: this one is taken.")
    now = context.when.recorded_at
    until = max(now, command.old_until or now)
    return (
        SubscriptionSecretChanged(subscription=command.subscription, secret=command.secret, old_until=until),
    )


def pause(state: Register, command: PauseSubscription, context: Context) -> tuple[Event, ...]:
    """Nothing is sent for a while."""
    _check_keeper(state, context)
    if _going_on(state, command.subscription).state == "paused":
        raise Refused("already_known", "Nothing needs to be done: it is paused already.")
    return (SubscriptionPaused(subscription=command.subscription),)


def resume(state: Register, command: ResumeSubscription, context: Context) -> tuple[Event, ...]:
    """It is sent again."""
    _check_keeper(state, context)
    if _going_on(state, command.subscription).state == "active":
        raise Refused("already_known", "Nothing needs to be done: it is not paused.")
    return (SubscriptionResumed(subscription=command.subscription),)


def end(state: Register, command: EndSubscription, context: Context) -> tuple[Event, ...]:
    """Nothing is sent any more. Whether the receiver is gone only the machine that called it can say."""
    by_clock = context.actor.person == CLOCK_PERSON
    if by_clock != (command.why == "receiver_gone"):
        raise Refused("not_allowed", "Say `by_hand`: that a receiver is gone the delivery itself finds out.")
    if not by_clock:
        _check_keeper(state, context)
    entry = state.subscriptions.get(command.subscription, None)
    if entry is not None and entry.state == "ended":
        raise Refused("already_known", "Nothing needs to be done: it has ended already.")
    _going_on(state, command.subscription)
    return (SubscriptionEnded(subscription=command.subscription, why=command.why),)


def _check_keeper(state: Register, context: Context) -> None:
    """A security administrator in that post, on a stated authority (B9.3)."""
    check_keeper(context)
    check_holds(state, context)


def _going_on(state: Register, subscription: str) -> SubscriptionEntry:
    found = state.subscriptions.get(subscription, None)
    if found is None:
        raise Refused("not_on_record", "Put the subscription on record first: huiyin subscription resume.")
    if found.state == "ended":
        raise Refused("subscription_ended", "This subscription has ended; make a new one.")
    return found
