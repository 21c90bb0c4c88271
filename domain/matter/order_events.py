"""What happens to an order (单) of a matter and to its legs: call, whistle, call-out, dispatch and the kinds to come."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.instant import Instant
from domain.matter.events import DueItem, StartedClock
from domain.matter.words import Body, Id, OrderName, Role, WhistleKind


class Receiver(BaseModel):
    """One leg of an order as drafted: the body summoned and its part.

    `measured_as` tells the two sides of a dual dispatch (双派单) apart; `mandatory` legs hold the matter open.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    leg: Id
    body: Body
    role: Role
    mandatory: bool = True
    measured_as: Literal["territory", "trade"] | None = None


class LegClocks(BaseModel):
    """The clocks that start for one leg."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    leg: str
    clocks: tuple[StartedClock, ...]


class OrderEvent(Event):
    """An event of one order."""

    order: str


class LegEvent(Event):
    """An event of one leg of one order."""

    order: str
    leg: str


class StartingLeg(LegEvent):
    """An event that starts clocks of a leg."""

    clocks: tuple[StartedClock, ...] = ()


class OrderDrafted(OrderEvent, name="order_drafted.v1"):
    """An order was drawn up; `call` is the community's call that a whistle answers; `summoned_at` a joint time."""

    kind: OrderName
    whistle: WhistleKind | None = None
    issuer: str
    receivers: tuple[Receiver, ...]
    call: str | None = None
    admission: str | None = None
    joint_blowers: tuple[str, ...] = ()
    summoned_at: Instant | None = None


class OrderAuthorised(OrderEvent, name="order_authorised.v1"):
    """One of those who must agree did; `complete` when no signature is missing."""

    signed_as: str
    complete: bool


class OrderIssued(OrderEvent, name="order_issued.v1"):
    """吹哨, 派单, 呼叫: every leg is issued and its clocks run.

    `by_word_of_mouth`: an emergency, written down afterwards; `witness` is the person who heard it.
    """

    legs: tuple[LegClocks, ...]
    clocks: tuple[StartedClock, ...] = ()
    by_word_of_mouth: bool = False
    witness: str | None = None
    adjudication: str | None = None


class LegAdded(StartingLeg, name="leg_added.v1"):
    """加派: one more body is summoned."""

    body: str
    role: Role
    mandatory: bool = True
    ground: str
    adjudication: str | None = None
    measured_as: Literal["territory", "trade"] | None = None


class LegExcused(LegEvent, name="leg_excused.v1"):
    """The issuer lets a body go, with a ground; its lateness so far stays."""

    ground: str


class LeadChanged(OrderEvent, name="lead_changed.v1"):
    """主办 changes hands, with a ground."""

    leg: str
    ground: str


class SummonsTimeChanged(StartingLeg, name="summons_time_changed.v1"):
    """The joint time was moved before the body was late; the first due moment stays on record."""

    ground: str


class LegAcknowledged(LegEvent, name="leg_acknowledged.v1"):
    """签收."""


class LegContacted(LegEvent, name="leg_contacted.v1"):
    """The department reached the sub-district for the first time."""


class LegCheckedIn(LegEvent, name="leg_checked_in.v1"):
    """报到: a named officer of the department was there; the proof of presence is sealed beside it."""

    place: str
    proof: Literal["code", "photo", "signature", "position", "word_of_mouth"]
    arrived_at: Instant


class WordOfMouthConfirmed(LegEvent, name="word_of_mouth_confirmed.v1"):
    """The other side confirms an act of an emergency that was written down afterwards (law 6)."""

    stage: str
    at: Instant


class WorkNoted(LegEvent, name="work_noted.v1"):
    """What the department did, in between; or what the issuer noted beside it."""

    by: Literal["receiver", "issuer"] = "receiver"


class HelpRequested(LegEvent, name="help_requested.v1"):
    """The department cannot do it alone and asks for help, or the issuer asks for it."""

    needs: str
    by: Literal["receiver", "issuer"] = "receiver"


class LegReported(StartingLeg, name="leg_reported.v1"):
    """The department's result, with evidence; only the issuer can let it go."""

    outcome: Literal["done", "partly_done", "not_possible"]
    evidence: int


class ResultAccepted(LegEvent, name="result_accepted.v1"):
    """The issuer (and the supervisor, where one is named) releases the department (撤哨)."""

    signed_as: str
    discharged: bool


class ResultRejected(LegEvent, name="result_rejected.v1"):
    """The issuer does not take the report; the finish clock runs on."""

    reason: str


class LegDeclined(LegEvent, name="leg_declined.v1"):
    """A team does not take a service up; nobody is assigned by force."""

    reason: str


class ReturnRequested(StartingLeg, name="return_requested.v1"):
    """退单: the department holds that it is not its duty, with ground and legal basis."""

    ground: str
    basis: str


class ReturnDecided(LegEvent, name="return_decided.v1"):
    """The dispatch centre ruled; a denial binds. `given_to`: the body whose duty it is instead."""

    granted: bool
    ground: str
    given_to: str | None = None


class DisputeOpened(StartingLeg, name="dispute_opened.v1"):
    """争议: whose duty it is shows only on site; the first receiver goes on acting."""

    ground: str


class DisputeAdjudicated(StartingLeg, name="dispute_adjudicated.v1"):
    """派单会商: the panel named who leads, or excused the body; `given_to` names another body that it is given to."""

    outcome: Literal["stays", "excused"]
    basis: str
    given_to: str | None = None


class ExtensionRequested(Event, name="extension_requested.v1"):
    """延期: asked for before the due moment. `owner` is the leg, or '' for the matter's own clock."""

    owner: str = ""
    stage: str
    until: Instant
    reason: str
    clocks: tuple[StartedClock, ...] = ()


class ExtensionDecided(Event, name="extension_decided.v1"):
    """Granted before the due moment it moves it; decided late, it moves nothing and both are late (law 6)."""

    owner: str = ""
    stage: str
    granted: bool
    in_time: bool
    due: Instant | None = None


class LegUrged(LegEvent, name="leg_urged.v1"):
    """催办, by the issuer or a supervisor."""


class UrgedByClock(DueItem, name="urged_by_clock.v1"):
    """催办 as the rulebook's default step after a missed due moment."""

    body: str


class LegSupervised(StartingLeg, name="leg_supervised.v1"):
    """督办 with number, level and due moment."""

    number: str
    level: str


class SupervisedByClock(DueItem, name="supervised_by_clock.v1"):
    """督办 opened as the rulebook's default step after a missed due moment, with its number and, by its clock, a due moment."""

    body: str
    level: str
    number: str = ""
    clocks: tuple[StartedClock, ...] = ()


class OrderCancelled(OrderEvent, name="order_cancelled.v1"):
    """Cancelled before any check-in; lateness so far stays."""

    reason: str


class OrderSettled(OrderEvent, name="order_settled.v1"):
    """All legs have ended: the departments are appraised."""


class CallAnswered(OrderEvent, name="call_answered.v1"):
    """What the sub-district made of the community's call."""

    leg: str
    how: Literal["self_handling", "whistle", "returned"]
    whistle: str | None = None


class AuthorityConfirmed(OrderEvent, name="authority_confirmed.v1"):
    """An emergency whistle was confirmed; `in_time`: within the rulebook's hours, and late stays late."""

    in_time: bool = True


class AuthorityLapsed(DueItem, name="authority_lapsed.v1"):
    """Nobody confirmed the emergency whistle in time; that stays on record."""


class LegRated(LegEvent, name="leg_rated.v1"):
    """A recorded rating of a department by the blower, the calling community or the requester: 1 is the worst."""

    rater: Literal["issuer", "community", "requester"]
    speed: int
    result: int


OF_AN_ORDER = (OrderEvent, LegEvent, ExtensionRequested, ExtensionDecided)
"""What happens beside the matter's own steps: legs act side by side, and none waits for another's time."""
