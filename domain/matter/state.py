"""The state of a matter: only what decisions and the agenda need. What screens need is a read model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from domain.matter.words import (
    LIVE_LEG,
    ORDER_KINDS,
    Demand,
    Kind,
    OrderKind,
    RecusalGround,
    Scale,
    Source,
    full_kind,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.matter.order_events import Receiver


@dataclass(slots=True)
class Clock:
    """A running or stopped clock. `n` counts its starts within its owner; `owner` is a leg, an order or ''.

    It keeps the rulebook it started under (law 7); `since` is where its length counts from, `paused` the times
    given back. `stopped` is judged by recorded_at (law 6).
    """

    owner: str
    stage: str
    of: str
    n: int
    rulebook: str
    started: datetime
    first_due: datetime
    due: datetime
    provisional: bool
    since: datetime
    paused: tuple[tuple[datetime, datetime], ...] = ()
    stopped: datetime | None = None
    extensions: int = 0
    cancelled: bool = False

    @property
    def key(self) -> str:
        """Its id within the case: `owner/stage/n`."""
        return f"{self.owner}/{self.stage}/{self.n}"

    def late(self, now: datetime) -> bool:
        """Whether the due moment passed without the act, as known at `now`."""
        return (self.stopped or now) > self.due


@dataclass(slots=True)
class Extension:
    """An extension asked for and not decided yet: `by` whom, for which `body`."""

    owner: str
    stage: str
    until: datetime
    asked_at: datetime
    by: str
    body: str = ""


@dataclass(slots=True)
class Leg:
    """One summoned body's part of an order. `under`: the state beneath a dispute or an undecided return.

    `summoned_at`: when it was summoned, as claimed (nobody checks in before that); `issued_at`: as recorded.
    """

    id: str
    order: str
    body: str
    role: str
    mandatory: bool
    measured_as: str | None = None
    status: str = "issued"
    under: str = "issued"
    checked_in: bool = False
    issued_at: datetime | None = None
    summoned_at: datetime | None = None
    last_at: datetime | None = None
    performers: set[str] = field(default_factory=set)
    signed: dict[str, str] = field(default_factory=dict)
    returns: set[str] = field(default_factory=set)
    asked_return: str = ""
    disputes: set[str] = field(default_factory=set)
    asked_dispute: str = ""
    raters: set[str] = field(default_factory=set)
    spoken_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether the body still owes something."""
        return self.status in LIVE_LEG


@dataclass(slots=True)
class Order:
    """An order with its legs. `issuers`: the persons who drafted, authorised or issued it.

    `lapsed`: nobody confirmed the emergency in time; `ruled`: a panel has said who leads.
    """

    id: str
    kind: str
    whistle: str | None
    issuer: str
    drafted: tuple[Receiver, ...]
    call: str | None
    summoned_at: datetime | None
    joint_blowers: tuple[str, ...] = ()
    status: str = "drafted"
    lead: str = ""
    legs: dict[str, Leg] = field(default_factory=dict)
    issuers: set[str] = field(default_factory=set)
    drafter: str = ""
    signed: dict[str, str] = field(default_factory=dict)
    authorised: bool = False
    lapsed: bool = False
    ruled: bool = False
    answer: str = ""
    last_at: datetime | None = None

    @property
    def full_kind(self) -> str:
        """The name under which the rulebook holds its clocks."""
        return full_kind(self.kind, self.whistle)

    @property
    def shape(self) -> OrderKind:
        """What an order of this kind is made of."""
        return ORDER_KINDS[self.kind]

    @property
    def emergency(self) -> bool:
        """Whether it is an emergency whistle (应急哨)."""
        return self.whistle == "emergency"

    def performers(self) -> set[str]:
        """The persons who acted for any of the summoned bodies."""
        return {one for leg in self.legs.values() for one in leg.performers}


@dataclass(slots=True)
class Lock:
    """Data that are to be erased when a term of keeping ends: until when (None: without end), and why.

    `retention` is the class of the file, '' where no rule named one; `outdated`: the matter went on since, so that its
    term is counted anew when it is archived, or when the erasure is asked for again.
    """

    ground: str
    authority: str
    until: datetime | None
    retention: str = ""
    outdated: bool = False


def lasting(until: datetime | None) -> tuple[bool, datetime]:
    """By this the ends of terms are compared: without an end is later than any."""
    return until is None, until or datetime.min.replace(tzinfo=UTC)


WHOLE = ""
"""Stands for the whole case where a person's id would stand for one requester."""


@dataclass(slots=True)
class Requester:
    """One requester's standing in the matter: what is still owed to them, and what they said when called back.

    `quiet`: they want no messages.
    """

    id: str
    tries: int = 0
    tried_at: datetime | None = None
    answered: bool = False
    withdrawn: bool = False
    erased: bool = False
    quiet: bool = False
    from_merged: str | None = None
    solved: bool | None = None
    satisfaction: str | None = None


@dataclass(slots=True)
class Matter:
    """A matter as decisions see it. It belongs to the fold that builds it; `decide` never changes it.

    `registrar` and `graded_by`: the bodies that wrote it down and that graded it last.
    `rulings`: the bodies that each ruling of this matter (a granted return, an adjudication) names, by its word.
    `met`: somebody was there; `releasers`: who took a report and let a body go; `deliberated`: a deliberation took it up;
    `withdrawing` and `excluding`: who wrote the request down, by requester and by body; `draw`: what the sample of
    callbacks is drawn by, which nobody can choose. `former`: requesters who left with a merge that was reversed;
    `erased` and `locked`: by a requester's id or WHOLE; `promised`: of all their locks that named a term, lifted ones too,
    the one that ends last, until they are erased; `boards`: those that the case was opened for;
    `recused`: the persons who may do nothing more in it, with the ground; `retention`: the
    class it was archived in; `ended_at`: when it ended (as recorded), None while it goes on. `opened_at`, `moved_at`
    and `last_at` are claimed times: of its opening, of the matter's latest own step, of the latest act of anybody.
    """

    id: str
    version: int = 0
    status: str = "registered"
    number: str = ""
    draw: str = ""
    source: Source = "window"
    kind: Kind | None = None
    code: str | None = None
    demand: Demand | None = None
    scale: Scale | None = None
    urgent: bool = False
    channel: str | None = None
    tier: str | None = None
    reserved: bool = False
    communities: tuple[str, ...] = ()
    host: str | None = None
    subdistrict: str | None = None
    subject: str | None = None
    emergency: bool = False
    confidential: bool = False
    diverted_to: str | None = None
    backfilled: bool = False
    requesters: dict[str, Requester] = field(default_factory=dict)
    attempts: set[str] = field(default_factory=set)
    handlers: set[str] = field(default_factory=set)
    releasers: set[str] = field(default_factory=set)
    met: bool = False
    deliberated: bool = False
    registrar: str = ""
    graded_by: str = ""
    submitter: str = ""
    reviewed: bool = False
    disposition: str | None = None
    reopened: int = 0
    returned_at: datetime | None = None
    proposer: str = ""
    refusal: tuple[str, str] | None = None
    withdrawing: dict[str, str] = field(default_factory=dict)
    site_solved: bool | None = None
    review_by: datetime | None = None
    parent: str | None = None
    children: dict[str, bool] = field(default_factory=dict)
    mandatory_children: set[str] = field(default_factory=set)
    master: str | None = None
    before_merge: str = ""
    merged_at: datetime | None = None
    absorbed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    exclusions: dict[str, bool | None] = field(default_factory=dict)
    excluding: dict[str, str] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)
    past_clocks: list[Clock] = field(default_factory=list)
    extensions: dict[str, Extension] = field(default_factory=dict)
    rulings: dict[str, set[str]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    former: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    locked: dict[str, Lock] = field(default_factory=dict)
    promised: dict[str, Lock] = field(default_factory=dict)
    boards: set[str] = field(default_factory=set)
    recused: dict[str, RecusalGround] = field(default_factory=dict)
    retention: str | None = None
    ended_at: datetime | None = None
    opened_at: datetime | None = None
    moved_at: datetime | None = None
    last_at: datetime | None = None

    def legs(self) -> Iterator[Leg]:
        """All legs of all orders, in the order in which they were issued."""
        for order in self.orders.values():
            yield from order.legs.values()

    def leg(self, leg_id: str) -> Leg | None:
        """A leg by its id."""
        for order in self.orders.values():
            if leg_id in order.legs:
                return order.legs[leg_id]
        return None

    def owed(self) -> list[Requester]:
        """The requesters who have had no callback yet; nobody can call one whose data were erased."""
        return [r for r in self.requesters.values() if not (r.answered or r.withdrawn or r.erased)]

    def shut(self, subject: str) -> Literal["erased", "locked"] | None:
        """Whether the sealed values about this subject are gone, or stored only."""
        if WHOLE in self.erased or subject in self.erased:
            return "erased"
        return "locked" if WHOLE in self.locked or subject in self.locked else None

    def bodies(self) -> set[str]:
        """The bodies that take part: communities, sub-district, issuers and receivers of orders."""
        found = {*self.communities, *(b for b in (self.host, self.subdistrict, self.diverted_to) if b)}
        for order in self.orders.values():
            found.add(order.issuer)
            found.update(order.joint_blowers)
            found.update(leg.body for leg in order.legs.values())
        return found

    def clock(self, owner: str, stage: str) -> Clock | None:
        """The present clock of an owner ('' for the matter) and stage."""
        return self.clocks.get(f"{owner}/{stage}")
