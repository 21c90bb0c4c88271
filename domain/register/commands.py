"""What may be asked of the register. Instants are aware UTC; `valid_from` left out means: from now on.

A person is a random UUID. Names and telephone numbers ride beside a command as sealed values and are never
part of it (DESIGN.md law 9). Entering the same id again with other content makes the next version.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from domain.acting import Command
from domain.codes import Line, Word, no_telephone
from domain.instant import Instant
from domain.register.words import EVERYWHERE, AdmissionList, Channel, DutyPost, Kind, Post, PowerKind

BodyId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$")]
"""A body's public id, for example its statistical code or a short Latin name."""

ItemId = BodyId
"""The id of a power, a duty, an admission item or an application."""

PersonId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
"""A random UUID in lower case: it says nothing about the person."""

Code = Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._:/-]{0,39})$")]
"""A code of the matter catalogue, or the beginning of several (`0402` covers `040217`); `*` covers all."""

Place = Annotated[str, StringConstraints(pattern=r"^(\*|[A-Za-z0-9][A-Za-z0-9._:-]{0,79})$")]
"""A body whose territory is meant, or `*` for the whole district."""

KeyId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
"""The public half of a system's key."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in hex."""


SubscriptionId = BodyId
"""What a subscription is called."""

EventKind = Annotated[str, StringConstraints(pattern=r"^[a-z_*]{1,80}(\.v[0-9]{1,3})?$")]
"""A type of event, a pattern such as `leg_*`, or the name of a group."""

Origin = Annotated[
    str, StringConstraints(pattern=r"^https?://[A-Za-z0-9._~%:\[\]-]{1,270}$"), AfterValidator(no_telephone)
]
"""Where a URL leads, and no more of it (RFC 6454 section 4): its path and query may hold what only the receiver knows."""


class IssueFirstLink(Command, name="issue_first_link"):
    """Ask, at the machine itself, for the one-time link that makes the first security administrator."""

    digest: Digest
    expires_at: Instant


class ClaimFirstLink(Command, name="claim_first_link"):
    """Become the first security administrator; `secret` is what the link carries, and is never stored."""

    secret: str = Field(exclude=True, repr=False, min_length=16, max_length=200)


class EnterBody(Command, name="enter_body"):
    """Enter a body, or its next version (a new name, a new parent); its kind never changes."""

    body: BodyId
    kind: Kind
    parent: BodyId | None = None
    name_zh: Line
    name_en: Line
    district: BodyId
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class CloseBody(Command, name="close_body"):
    """End a body 撤销; refused while bodies below it, posts, powers or duties would outlive it."""

    body: BodyId
    until: Instant | None = None


class EnterPerson(Command, name="enter_person"):
    """Make a person known; the sealed name comes beside the command."""

    person: PersonId


class ChangeContact(Command, name="change_contact"):
    """Say where a person of the register is told of their tasks from now on. Sealed: the contact."""

    person: PersonId


class FillPost(Command, name="fill_post"):
    """Put a person into a post of a body."""

    person: PersonId
    body: BodyId
    post: Post
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class VacatePost(Command, name="vacate_post"):
    """End a person's post, and any later term of it that was planned."""

    person: PersonId
    body: BodyId
    post: Post
    until: Instant | None = None


class AssignShift(Command, name="assign_shift"):
    """Put a person on duty for a body; deputies step in, in this order, when that person is absent."""

    body: BodyId
    post: DutyPost
    person: PersonId
    deputies: tuple[PersonId, ...] = ()
    begins: Instant
    ends: Instant


class WithdrawShift(Command, name="withdraw_shift"):
    """Take back a shift that has not begun."""

    body: BodyId
    post: DutyPost
    begins: Instant


class MarkAbsent(Command, name="mark_absent"):
    """Say that a person will not be on duty for a body in a span; the deputy steps in."""

    person: PersonId
    body: BodyId
    begins: Instant | None = None
    ends: Instant


class EnterPower(Command, name="enter_power"):
    """Enter a power item (A11, A28), or its next version.

    `over` names the bodies that it may be used on (none named: any); `approved_by` those that approved it.
    """

    item: ItemId
    kind: PowerKind
    holder: BodyId
    over: tuple[BodyId, ...] = ()
    basis: Line
    limits: tuple[Line, ...] = ()
    steps: tuple[Line, ...] = ()
    disclosure: Line | None = None
    approved_by: tuple[BodyId, ...]
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class SuspendPower(Command, name="suspend_power"):
    """Put a power out of force for a span; it comes back by itself."""

    item: ItemId
    begins: Instant | None = None
    ends: Instant


class WithdrawPower(Command, name="withdraw_power"):
    """End a power."""

    item: ItemId
    until: Instant | None = None


class EnterDuty(Command, name="enter_duty"):
    """Enter a line of the duty list 职责清单: `body` answers for `code` at `place`."""

    item: ItemId
    body: BodyId
    code: Code
    place: Place = EVERYWHERE
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class WithdrawDuty(Command, name="withdraw_duty"):
    """End a line of the duty list."""

    item: ItemId
    until: Instant | None = None


class EnterAdmissionItem(Command, name="enter_admission_item"):
    """Put a work item on one of the three admission lists (A26); `department` is the one that it serves."""

    item: ItemId
    code: Code
    on_list: AdmissionList
    department: BodyId | None = None
    conditions: Line | None = None
    approved_by: tuple[BodyId, ...]
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class WithdrawAdmissionItem(Command, name="withdraw_admission_item"):
    """Take a work item off its list 退出."""

    item: ItemId
    until: Instant | None = None


class ApplyAdmission(Command, name="apply_admission"):
    """A department asks that communities at `place` take on a work item for a term."""

    application: ItemId
    department: BodyId
    code: Code
    place: Place = EVERYWHERE
    conditions: Line | None = None
    valid_from: Instant
    valid_until: Instant


class DecideAdmission(Command, name="decide_admission"):
    """The joint meeting of `decided_by` admits the work item for its term, or refuses it.

    `ground` is a code, such as `resolution:2026-03`; its wording may come beside it, sealed.
    """

    application: ItemId
    admit: bool
    decided_by: tuple[BodyId, ...]
    ground: Word


class IssueSystemKey(Command, name="issue_system_key"):
    """Give a system a key: whose it is, the body it acts for, and the source of what it hands in.

    `replaces` names the key whose place it takes; that one ends at `replaced_until`, or at once.
    """

    key: KeyId
    person: PersonId
    body: BodyId
    source: Word | None = None
    replaces: KeyId | None = None
    replaced_until: Instant | None = None


class EndSystemKey(Command, name="end_system_key"):
    """End a system's key at once."""

    key: KeyId


class LinkSignin(Command, name="link_signin"):
    """Say that who signs in so is that person; `link` is the digest of issuer and subject under the store's secret."""

    person: PersonId
    link: Digest


class UnlinkSignin(Command, name="unlink_signin"):
    """Say that who signs in so is nobody here any more."""

    link: Digest


class MakeSubscription(Command, name="make_subscription"):
    """Let a system outside be told of events, from now on: whom, for which post, of what, and where.

    `receiver` is where the messages go, `address` the digest of the whole URL under the store's secret; `secret` names
    the secret that they are signed under. Personal data leave on the `ground` alone; None: they never do.
    """

    subscription: SubscriptionId
    channel: Channel
    person: PersonId
    body: BodyId
    post: BodyId
    source: Word | None = None
    types: Annotated[tuple[EventKind, ...], Field(min_length=1, max_length=50)]
    receiver: Origin
    address: Digest
    ground: Word | None = None
    secret: KeyId


class ChangeSubscriptionSecret(Command, name="change_subscription_secret"):
    """Sign under another secret from now on, and until `old_until` under the old ones as well."""

    subscription: SubscriptionId
    secret: KeyId
    old_until: Instant | None = None


class PauseSubscription(Command, name="pause_subscription"):
    """Send nothing until it is resumed."""

    subscription: SubscriptionId


class ResumeSubscription(Command, name="resume_subscription"):
    """Send again, from now on."""

    subscription: SubscriptionId


class EndSubscription(Command, name="end_subscription"):
    """Send nothing any more, ever; `receiver_gone`: the receiver itself has answered that it wants nothing more."""

    subscription: SubscriptionId
    why: Literal["by_hand", "receiver_gone"] = "by_hand"


class EndAdmission(Command, name="end_admission"):
    """End the term of an admitted application early."""

    application: ItemId
    until: Instant | None = None
