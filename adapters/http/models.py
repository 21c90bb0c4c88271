"""The bodies of the readings. Moments are RFC 3339 in UTC; codes are the domain's own, their labels Chinese first."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

T = TypeVar("T")
MOMENT = "2026-11-23T01:30:00Z"


class Page(BaseModel, Generic[T]):
    """A page of a list. `next` goes on where it ends; a page may be short, or empty, and still have a next one."""

    items: list[T]
    next: str | None = Field(
        default=None, description="Give it as `cursor` for the next page; none on the last one."
    )


class Row(BaseModel):
    """A row of a list; a field without a value is null."""

    case_id: str
    number: str = Field(examples=["450305-20261123-7KQ2MWX"])


class MatterRow(Row):
    """A matter in a list: public fields alone."""

    source: str
    kind: str | None
    code: str | None
    demand: str | None
    scale: str | None
    urgent: bool
    channel: str | None
    status: str
    tier: str | None
    host: str | None
    subdistrict: str | None
    emergency: bool
    proactive: bool
    backfilled: bool
    parent: str | None
    master: str | None
    repeat_of: str | None
    disposition: str | None
    reopened: int
    requesters: int
    opened: str = Field(examples=[MOMENT])
    registered_at: str
    accepted_at: str | None
    completed_at: str | None
    ended_at: str | None
    first_due: str | None
    finish_due: str | None
    next_due: str | None
    next_stage: str | None
    version: int
    updated_at: str


class WorkRow(Row):
    """One thing to do, by a body or any body of a kind."""

    item: str
    act: str = Field(examples=["acknowledge"])
    body: str | None
    body_kind: str | None
    posts: list[str]
    order_id: str | None
    leg: str | None
    due: str | None
    since: str
    status: str
    host: str | None
    subdistrict: str | None
    code: str | None
    urgent: bool


class ClockRow(Row):
    """A clock that runs. Past due is late."""

    clock: str
    stage: str
    body: str | None
    order_id: str | None
    leg: str | None
    rulebook: str
    started: str
    first_due: str
    due: str
    provisional: bool
    extensions: int
    subdistrict: str | None
    status: str
    late: bool


class Leg(BaseModel):
    """A summoned body's part of an order."""

    id: str
    body: str
    role: str
    mandatory: bool
    status: str


class Order(BaseModel):
    """A call, a whistle, a call-out, a dispatch …"""

    id: str
    kind: str = Field(examples=["whistle.service"])
    status: str
    issuer: str
    legs: list[Leg]


class Clock(BaseModel):
    """A clock of the case. `late` is judged as of the moment asked for."""

    key: str
    stage: str
    owner: str = Field(description="The leg or order that it belongs to; empty for the matter itself.")
    body: str | None = Field(description="Who owes the act.")
    rulebook: str
    started: str
    due: str
    done_at: str | None
    late: bool
    provisional: bool
    extensions: int


class Case(BaseModel):
    """A case file: its public fields, orders and clocks, as of a version."""

    case: str
    number: str
    version: int
    status: str = Field(examples=["in_handling"])
    status_zh: str = Field(examples=["办理中"])
    source: str
    kind: str | None
    code: str | None
    demand: str | None
    scale: str | None
    urgent: bool
    emergency: bool
    channel: str | None
    tier: str | None
    communities: list[str]
    host: str | None
    subdistrict: str | None
    subject: str | None
    requesters: int
    disposition: str | None
    reopened: int
    parent: str | None
    children: list[str]
    master: str | None
    handed_to: str | None
    opened_at: str
    sight: Literal["public", "sealed"] = Field(description="Whether the viewer may read sealed values too.")
    orders: list[Order]
    clocks: list[Clock]


class Event(BaseModel):
    """One event: when, who, as what, on what ground, by which rule. `pub` is its whole public body."""

    position: int
    version: int
    type: str = Field(examples=["matter_registered.v1"])
    what: str = Field(examples=["登记 matter_registered"])
    about: str
    occurred_at: str
    recorded_at: str
    backfill: bool
    person: str
    post: str | None
    body: str
    body_name: str
    authority: str | None
    rule: str
    rulebook: str
    calendar: str
    register_: int = Field(alias="register")
    code: str
    command: str
    correlation: str
    causation: str | None
    sealed: int
    pub: dict[str, Any]


class Sealed(BaseModel):
    """A sealed value as the viewer may read it."""

    subject: str = Field(description="Whom it is about: an id in this matter.")
    name: str = Field(examples=["text"])
    state: Literal["open", "erased", "locked", "damaged"]
    value: Any = None


class Opened(BaseModel):
    """The sealed values of a case. That they were read stands on record."""

    case: str
    purpose: str
    values: list[Sealed]


class Answered(BaseModel):
    """An auditor's question, and what the record says to it."""

    question: int
    zh: str
    en: str
    rows: list[dict[str, Any]]
    flags: list[str]


class Me(BaseModel):
    """Who the server takes the caller for."""

    person: str | None = Field(description="None for a resident, who is somebody else in every matter.")
    posts: list[str] = Field(examples=[["sd-01/officer"]])
    system: str | None = Field(default=None, description="The id of the key, for a system.")


class BodyRow(BaseModel):
    """A body of the register that is in force now."""

    id: str
    kind: str
    parent: str | None
    name_zh: str
    name_en: str
    district: str


class LikelyDuplicate(BaseModel):
    """An open matter that is likely about the same: public fields, how alike in per cent, and by what.

    `score` is made of `text` and `address`, which are compared apart. `why` names what they share (`text`, `address`,
    `grid`, `code`); `other_address` says that their addresses contradict each other. Nothing is merged by itself.
    """

    case: str
    number: str = Field(examples=["450305-20261123-7KQ2MWX"])
    kind: str | None
    code: str | None
    host: str | None
    grid: str | None
    registered_at: str = Field(examples=[MOMENT])
    status: str
    score: int = Field(ge=0, le=100, examples=[62])
    text: int = Field(ge=0, le=100, examples=[53])
    address: int = Field(ge=0, le=100, examples=[87])
    why: list[str] = Field(examples=[["text", "address", "code"]])


class Duplicates(BaseModel):
    """Likely duplicates of a matter, the likeliest first, of those whose words the caller may read."""

    items: list[LikelyDuplicate] | None = Field(
        description="None where nothing could be compared; `reason` says why."
    )
    reason: str | None = Field(default=None, examples=["index_unavailable"])
    compared: int = Field(description="With how many matters it was compared.")
    more: bool = Field(description="Whether there were more of the same place and weeks than were compared.")
