"""How each stored event changes the register. Nothing is judged here: what was stored has happened."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING, Any, TypeVar

from domain.register import events as e
from domain.register.entries import (
    AdmissionItem,
    Application,
    Body,
    DutyItem,
    FirstLink,
    Held,
    PowerItem,
    Shift,
    SubscriptionEntry,
    SystemKeyEntry,
)
from domain.register.history import Version, ended, entered, paused

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from datetime import datetime

    from domain.event import Event, Recorded
    from domain.register.shelf import Shelf
    from domain.register.state import Register

K = TypeVar("K", bound="Hashable")
T = TypeVar("T")


def evolve(state: Register, recorded: Recorded[Event]) -> Register:
    """The register after one more stored event of its stream; it accepts every event that was ever stored."""
    known = _fold(recorded.pub, state)
    if isinstance(recorded.pub, e.ContactChanged):  # which of the sealed values it is, its envelope says
        known = replace(known, contacts=known.contacts.put(recorded.pub.person, recorded.sd))
    return replace(known, version=state.version + 1)


@singledispatch
def _fold(event: object, state: Register) -> Register:
    """An event that this room does not know leaves the register as it is."""
    return state


def _add(shelf: Shelf[K, tuple[T, ...]], key: K, value: T) -> Shelf[K, tuple[T, ...]]:
    present = shelf.get(key, ())
    return shelf if value in present else shelf.put(key, (*present, value))


def _change(
    shelf: Shelf[K, tuple[T, ...]], key: K, how: Callable[[tuple[T, ...]], tuple[T, ...]]
) -> Shelf[K, tuple[T, ...]]:
    return shelf.put(key, how(shelf.get(key, ())))


@_fold.register(e.FirstLinkIssued)
def _first_link_issued(event: e.FirstLinkIssued, state: Register) -> Register:
    return replace(state, first_link=FirstLink(event.digest, event.expires_at))


@_fold.register(e.FirstLinkUsed)
def _first_link_used(event: e.FirstLinkUsed, state: Register) -> Register:
    return replace(state, first_link=None)


@_fold.register(e.BodyEntered)
def _body_entered(event: e.BodyEntered, state: Register) -> Register:
    body = Body(event.body, event.kind, event.parent, event.name_zh, event.name_en, event.district)
    version = Version(body, event.version, event.valid_from, event.valid_until)
    children = state.children
    new = not state.body_history.get(event.body, ())
    return replace(
        state,
        body_history=_change(state.body_history, event.body, lambda history: entered(history, version)),
        body_ids=_add(state.body_ids, event.kind, event.body) if new else state.body_ids,
        children=children if event.parent is None else _add(children, event.parent, event.body),
    )


@_fold.register(e.BodyClosed)
def _body_closed(event: e.BodyClosed, state: Register) -> Register:
    history = _change(state.body_history, event.body, lambda history: ended(history, event.until))
    return replace(state, body_history=history)


@_fold.register(e.PersonEntered)
def _person_entered(event: e.PersonEntered, state: Register) -> Register:
    return replace(state, persons=state.persons.put(event.person, True))


@_fold.register(e.PostFilled)
def _post_filled(event: e.PostFilled, state: Register) -> Register:
    held = Held(event.person, event.body, event.post, event.valid_from, event.valid_until)
    return replace(
        state,
        held_by=_add(state.held_by, event.person, held),
        seats=_add(state.seats, (event.body, event.post), held),
    )


@_fold.register(e.PostVacated)
def _post_vacated(event: e.PostVacated, state: Register) -> Register:
    def without(posts: tuple[Held, ...]) -> tuple[Held, ...]:
        return tuple(
            _until(held, event.until) if _is_seat(held, event) else held
            for held in posts
            if not (_is_seat(held, event) and event.until <= held.valid_from)
        )

    return replace(
        state,
        held_by=_change(state.held_by, event.person, without),
        seats=_change(state.seats, (event.body, event.post), without),
    )


def _is_seat(held: Held, event: e.PostVacated) -> bool:
    return (held.person, held.body, held.post) == (event.person, event.body, event.post)


def _until(held: Held, until: datetime) -> Held:
    shorter = held.valid_until is None or until < held.valid_until
    return replace(held, valid_until=until) if shorter else held


@_fold.register(e.ShiftAssigned)
def _shift_assigned(event: e.ShiftAssigned, state: Register) -> Register:
    shift = Shift(event.body, event.post, event.person, event.deputies, event.begins, event.ends)
    return replace(state, shifts=_add(state.shifts, (event.body, event.post), shift))


@_fold.register(e.ShiftWithdrawn)
def _shift_withdrawn(event: e.ShiftWithdrawn, state: Register) -> Register:
    def without(shifts: tuple[Shift, ...]) -> tuple[Shift, ...]:
        return tuple(shift for shift in shifts if shift.begins != event.begins)

    return replace(state, shifts=_change(state.shifts, (event.body, event.post), without))


@_fold.register(e.AbsenceMarked)
def _absence_marked(event: e.AbsenceMarked, state: Register) -> Register:
    away = (event.begins, event.ends)
    return replace(state, absences=_add(state.absences, (event.person, event.body), away))


@_fold.register(e.PowerEntered)
def _power_entered(event: e.PowerEntered, state: Register) -> Register:
    item = PowerItem(
        event.item,
        event.kind,
        event.holder,
        event.over,
        event.basis,
        event.limits,
        event.steps,
        event.disclosure,
        event.approved_by,
    )
    version = Version(item, event.version, event.valid_from, event.valid_until)
    return replace(
        state,
        power_history=_change(state.power_history, event.item, lambda history: entered(history, version)),
        powers_of=_add(state.powers_of, event.holder, event.item),
    )


@_fold.register(e.PowerSuspended)
def _power_suspended(event: e.PowerSuspended, state: Register) -> Register:
    history = _change(
        state.power_history, event.item, lambda history: paused(history, event.begins, event.ends)
    )
    return replace(state, power_history=history)


@_fold.register(e.PowerWithdrawn)
def _power_withdrawn(event: e.PowerWithdrawn, state: Register) -> Register:
    history = _change(state.power_history, event.item, lambda history: ended(history, event.until))
    return replace(state, power_history=history)


@_fold.register(e.DutyEntered)
def _duty_entered(event: e.DutyEntered, state: Register) -> Register:
    item = DutyItem(event.item, event.body, event.code, event.place)
    version = Version(item, event.version, event.valid_from, event.valid_until)
    return replace(
        state,
        duty_history=_change(state.duty_history, event.item, lambda history: entered(history, version)),
        duties_for=_add(state.duties_for, event.code, event.item),
        duties_of=_add(state.duties_of, event.body, event.item),
    )


@_fold.register(e.DutyWithdrawn)
def _duty_withdrawn(event: e.DutyWithdrawn, state: Register) -> Register:
    history = _change(state.duty_history, event.item, lambda history: ended(history, event.until))
    return replace(state, duty_history=history)


@_fold.register(e.AdmissionItemEntered)
def _admission_item_entered(event: e.AdmissionItemEntered, state: Register) -> Register:
    item = AdmissionItem(
        event.item, event.code, event.on_list, event.department, event.conditions, event.approved_by
    )
    version = Version(item, event.version, event.valid_from, event.valid_until)
    return replace(
        state,
        admission_history=_change(
            state.admission_history, event.item, lambda history: entered(history, version)
        ),
        admissions_for=_add(state.admissions_for, event.code, event.item),
    )


@_fold.register(e.AdmissionItemWithdrawn)
def _admission_item_withdrawn(event: e.AdmissionItemWithdrawn, state: Register) -> Register:
    history = _change(state.admission_history, event.item, lambda history: ended(history, event.until))
    return replace(state, admission_history=history)


@_fold.register(e.AdmissionApplied)
def _admission_applied(event: e.AdmissionApplied, state: Register) -> Register:
    asked = Application(
        event.application,
        event.applicant,
        event.department,
        event.code,
        event.place,
        event.conditions,
        event.valid_from,
        event.valid_until,
        None,
    )
    return replace(
        state,
        applications=state.applications.put(event.application, asked),
        applications_for=_add(state.applications_for, event.code, event.application),
    )


@_fold.register(e.AdmissionDecided)
def _admission_decided(event: e.AdmissionDecided, state: Register) -> Register:
    asked = state.applications.get(event.application, None)
    if asked is None:
        return state
    decided = replace(
        asked, admitted=event.admitted, valid_from=event.valid_from, valid_until=event.valid_until
    )
    return replace(state, applications=state.applications.put(event.application, decided))


@_fold.register(e.AdmissionEnded)
def _admission_ended(event: e.AdmissionEnded, state: Register) -> Register:
    asked = state.applications.get(event.application, None)
    if asked is None:
        return state
    return replace(
        state, applications=state.applications.put(event.application, replace(asked, valid_until=event.until))
    )


@_fold.register(e.SystemKeyIssued)
def _system_key_issued(event: e.SystemKeyIssued, state: Register) -> Register:
    entry = SystemKeyEntry(event.person, event.body, event.source)
    return replace(state, system_keys=state.system_keys.put(event.key, entry))


@_fold.register(e.SystemKeyEnded)
def _system_key_ended(event: e.SystemKeyEnded, state: Register) -> Register:
    known = state.system_keys.get(event.key, None)
    if known is None:
        return state
    return replace(state, system_keys=state.system_keys.put(event.key, replace(known, until=event.until)))


@_fold.register(e.SigninLinked)
def _signin_linked(event: e.SigninLinked, state: Register) -> Register:
    return replace(state, signins=state.signins.put(event.link, event.person))


@_fold.register(e.SigninUnlinked)
def _signin_unlinked(event: e.SigninUnlinked, state: Register) -> Register:
    return replace(state, signins=state.signins.put(event.link, None))


@_fold.register(e.SubscriptionMade)
def _subscription_made(event: e.SubscriptionMade, state: Register) -> Register:
    entry = SubscriptionEntry(
        event.channel, event.person, event.body, event.post, event.source, event.types, event.address, event.ground,
        ((event.secret, None),),
    )  # fmt: skip
    return replace(state, subscriptions=state.subscriptions.put(event.subscription, entry))


@_fold.register(e.SubscriptionSecretChanged)
def _subscription_secret_changed(event: e.SubscriptionSecretChanged, state: Register) -> Register:
    known = state.subscriptions.get(event.subscription, None)
    if known is None:
        return state
    old = tuple(
        (name, event.old_until if until is None else min(until, event.old_until))
        for name, until in known.secrets
    )
    return _subscribed(state, event.subscription, secrets=((event.secret, None), *old))


@_fold.register(e.SubscriptionPaused)
def _subscription_paused(event: e.SubscriptionPaused, state: Register) -> Register:
    return _subscribed(state, event.subscription, state="paused")


@_fold.register(e.SubscriptionResumed)
def _subscription_resumed(event: e.SubscriptionResumed, state: Register) -> Register:
    return _subscribed(state, event.subscription, state="active")


@_fold.register(e.SubscriptionEnded)
def _subscription_ended(event: e.SubscriptionEnded, state: Register) -> Register:
    return _subscribed(state, event.subscription, state="ended", why=event.why)


def _subscribed(register: Register, subscription: str, **changed: Any) -> Register:
    known = register.subscriptions.get(subscription, None)
    if known is None:
        return register
    return replace(
        register, subscriptions=register.subscriptions.put(subscription, replace(known, **changed))
    )
