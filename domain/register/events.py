"""What happened to the register. Stored names outlive the code (DESIGN.md law 11); instants are aware UTC.

No event holds a name of a person or any other personal data: a person is a random UUID.
"""

from __future__ import annotations

from domain.event import Event
from domain.instant import Instant
from domain.register.words import AdmissionList, DutyPost, Kind, Post, PowerKind


class FirstLinkIssued(Event, name="first_link_issued.v1"):
    """A one-time link for the first security administrator; `digest` is the SHA-256 of its secret."""

    digest: str
    expires_at: Instant


class FirstLinkUsed(Event, name="first_link_used.v1"):
    """The one-time link was used; it is worth nothing any more."""

    digest: str


class BodyEntered(Event, name="body_entered.v1"):
    """A body, or its next version, is in force from `valid_from`."""

    body: str
    version: int
    kind: Kind
    parent: str | None
    name_zh: str
    name_en: str
    district: str
    valid_from: Instant
    valid_until: Instant | None


class BodyClosed(Event, name="body_closed.v1"):
    """A body ends."""

    body: str
    until: Instant


class PersonEntered(Event, name="person_entered.v1"):
    """A person is known to the register; the name is sealed."""

    person: str


class ContactChanged(Event, name="contact_changed.v1"):
    """A person is told of their tasks elsewhere from now on; where is sealed beside the event."""

    person: str


class PostFilled(Event, name="post_filled.v1"):
    """A person holds a post."""

    person: str
    body: str
    post: Post
    valid_from: Instant
    valid_until: Instant | None


class PostVacated(Event, name="post_vacated.v1"):
    """A person holds a post no longer."""

    person: str
    body: str
    post: Post
    until: Instant


class ShiftAssigned(Event, name="shift_assigned.v1"):
    """A person is on duty for a body, with deputies in their order."""

    body: str
    post: DutyPost
    person: str
    deputies: tuple[str, ...]
    begins: Instant
    ends: Instant


class ShiftWithdrawn(Event, name="shift_withdrawn.v1"):
    """A shift was taken back before it began."""

    body: str
    post: DutyPost
    begins: Instant


class AbsenceMarked(Event, name="absence_marked.v1"):
    """A person is not there for the duty of a body."""

    person: str
    body: str
    begins: Instant
    ends: Instant


class PowerEntered(Event, name="power_entered.v1"):
    """A power item, or its next version, is in force from `valid_from`."""

    item: str
    version: int
    kind: PowerKind
    holder: str
    over: tuple[str, ...]
    basis: str
    limits: tuple[str, ...]
    steps: tuple[str, ...]
    disclosure: str | None
    approved_by: tuple[str, ...]
    valid_from: Instant
    valid_until: Instant | None


class PowerSuspended(Event, name="power_suspended.v1"):
    """A power is out of force for a span."""

    item: str
    begins: Instant
    ends: Instant


class PowerWithdrawn(Event, name="power_withdrawn.v1"):
    """A power ends."""

    item: str
    until: Instant


class DutyEntered(Event, name="duty_entered.v1"):
    """A body answers for a code, or the codes that begin so, at a place."""

    item: str
    version: int
    body: str
    code: str
    place: str
    valid_from: Instant
    valid_until: Instant | None


class DutyWithdrawn(Event, name="duty_withdrawn.v1"):
    """A line of the duty list ends."""

    item: str
    until: Instant


class AdmissionItemEntered(Event, name="admission_item_entered.v1"):
    """A work item stands on one of the three lists."""

    item: str
    version: int
    code: str
    on_list: AdmissionList
    department: str | None
    conditions: str | None
    approved_by: tuple[str, ...]
    valid_from: Instant
    valid_until: Instant | None


class AdmissionItemWithdrawn(Event, name="admission_item_withdrawn.v1"):
    """A work item leaves its list."""

    item: str
    until: Instant


class AdmissionApplied(Event, name="admission_applied.v1"):
    """A department asked that communities take on a work item; `applicant` is the officer who did."""

    application: str
    applicant: str
    department: str
    code: str
    place: str
    conditions: str | None
    valid_from: Instant
    valid_until: Instant


class AdmissionDecided(Event, name="admission_decided.v1"):
    """The joint meeting admitted the work item, in force from `valid_from`, or refused it."""

    application: str
    admitted: bool
    decided_by: tuple[str, ...]
    ground: str
    valid_from: Instant
    valid_until: Instant


class AdmissionEnded(Event, name="admission_ended.v1"):
    """An admitted work item ended before its term."""

    application: str
    until: Instant


class SystemKeyIssued(Event, name="system_key_issued.v1"):
    """A system was given a key, which works from now on; `replaces` names the one whose place it takes."""

    key: str
    person: str
    body: str
    source: str | None
    replaces: str | None


class SystemKeyEnded(Event, name="system_key_ended.v1"):
    """A system's key works until then, and never again."""

    key: str
    until: Instant


class SigninLinked(Event, name="signin_linked.v1"):
    """Who signs in so is that person; `link` says nothing to whoever lacks the store's secret."""

    person: str
    link: str


class SigninUnlinked(Event, name="signin_unlinked.v1"):
    """Who signs in so is that person no longer."""

    person: str
    link: str


class SubscriptionMade(Event, name="subscription_made.v1"):
    """A system outside is told of events from now on: as the holder of that post, of those types, at that receiver.

    `receiver` is scheme, host and port alone; `address` tells whoever has the store's secret which URL it is, and nobody
    else; `secret` is the secret's name. Without a `ground` no personal data leave; with it the sealed values of the
    events do, and each such reading is on record by itself.
    """

    subscription: str
    channel: str
    person: str
    body: str
    post: str
    source: str | None
    types: tuple[str, ...]
    receiver: str
    address: str
    ground: str | None
    secret: str


class SubscriptionSecretChanged(Event, name="subscription_secret_changed.v1"):
    """Messages are signed under that secret from now on, and until `old_until` under the old ones as well."""

    subscription: str
    secret: str
    old_until: Instant


class SubscriptionPaused(Event, name="subscription_paused.v1"):
    """Nothing is sent until it is resumed."""

    subscription: str


class SubscriptionResumed(Event, name="subscription_resumed.v1"):
    """It is sent again."""

    subscription: str


class SubscriptionEnded(Event, name="subscription_ended.v1"):
    """Nothing is sent any more, ever; `why` is `by_hand` or `receiver_gone`."""

    subscription: str
    why: str
