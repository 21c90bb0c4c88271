"""The entries of the register: what its events say, as values. Instants are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from domain.register.words import AdmissionList, DutyPost, Kind, Post, PowerKind


@dataclass(frozen=True, slots=True)
class Body:
    """A body 单位: public. `parent` is the body it lies under, `district` the district's code."""

    id: str
    kind: Kind
    parent: str | None
    name_zh: str
    name_en: str
    district: str


@dataclass(frozen=True, slots=True)
class Held:
    """That a person holds a post of a body from `valid_from` until, but not at, `valid_until` (UTC)."""

    person: str
    body: str
    post: Post
    valid_from: datetime
    valid_until: datetime | None

    def covers(self, at: datetime) -> bool:
        """Whether the post is held at `at`."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class SystemKeyEntry:
    """A system's key: who it is, the body it acts for, the source it hands in under. `until` None: not ended."""

    person: str
    body: str
    source: str | None
    until: datetime | None = None

    def works(self, at: datetime) -> bool:
        """Whether it works at `at`."""
        return self.until is None or at < self.until


@dataclass(frozen=True, slots=True)
class SubscriptionEntry:
    """A subscription: who is told of what, and where (`address`, a digest of the URL), as the register has it.

    `secrets` are those that messages are signed under, by name, the newest first, and until when; None: no end is known.
    """

    channel: str
    person: str
    body: str
    post: str
    source: str | None = None
    types: tuple[str, ...] = ()
    address: str = ""
    ground: str | None = None
    secrets: tuple[tuple[str, datetime | None], ...] = ()
    state: Literal["active", "paused", "ended"] = "active"
    why: str = ""

    def signing(self, at: datetime) -> list[str]:
        """The names of the secrets that work at `at`, the newest first."""
        return [name for name, until in self.secrets if until is None or at < until]


@dataclass(frozen=True, slots=True)
class Shift:
    """A span of duty 班次 from `begins` until, but not at, `ends` (UTC); deputies step in in their order."""

    body: str
    post: DutyPost
    person: str
    deputies: tuple[str, ...]
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class PowerItem:
    """A power item 权力事项 (A11, A28): what its holder may do, on what basis and in what steps."""

    id: str
    kind: PowerKind
    holder: str
    over: tuple[str, ...]
    basis: str
    limits: tuple[str, ...]
    steps: tuple[str, ...]
    disclosure: str | None
    approved_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DutyItem:
    """A line of the duty list: `body` answers for the codes that begin with `code`, at `place` and below."""

    id: str
    body: str
    code: str
    place: str


@dataclass(frozen=True, slots=True)
class AdmissionItem:
    """A work item on one of the three lists of A26."""

    id: str
    code: str
    on_list: AdmissionList
    department: str | None
    conditions: str | None
    approved_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Application:
    """A department's application to give communities a work item; `admitted` is None until decided."""

    id: str
    applicant: str
    department: str
    code: str
    place: str
    conditions: str | None
    valid_from: datetime
    valid_until: datetime
    admitted: bool | None


@dataclass(frozen=True, slots=True)
class Admission:
    """Why a community may be given a work item: `id` is the list item or the application that admits it."""

    id: str
    code: str
    ground: Literal["statutory_duty", "assist_duty", "application"]
    department: str | None
    conditions: str | None


@dataclass(frozen=True, slots=True)
class FirstLink:
    """The one-time link that is open: the SHA-256 of its secret, and until when."""

    digest: str
    expires_at: datetime
