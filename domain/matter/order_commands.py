"""What one may ask of an order and its legs."""

from __future__ import annotations

from typing import Literal

from domain.acting import Command
from domain.instant import Instant
from domain.matter.order_events import Receiver
from domain.matter.words import Body, Count, Id, OrderName, Role, Score, WhistleKind, Word


class OrderCommand(Command):
    """A command about one order of the matter."""

    order: Id


class LegCommand(Command):
    """A command about one leg."""

    leg: Id


class DraftOrder(OrderCommand, name="draft_order"):
    """Draw up a call, a whistle, a call-out or a dispatch; `order` and the legs' ids are fresh.

    Sealed: reason (what is asked and, for a whistle, why the sub-district cannot do it alone).
    """

    kind: OrderName
    whistle: WhistleKind | None = None
    receivers: tuple[Receiver, ...]
    call: Id | None = None
    admission: Word | None = None
    joint_blowers: tuple[Body, ...] = ()
    summoned_at: Instant | None = None


class AuthoriseOrder(OrderCommand, name="authorise_order"):
    """Sign, as one of those whom the rulebook names for this kind."""


class IssueOrder(OrderCommand, name="issue_order"):
    """Blow the whistle, send the dispatch, make the call.

    `witness`: who heard it, for an emergency by word of mouth; `adjudication`: the ruling that names a body
    which the duty list does not.
    """

    by_word_of_mouth: bool = False
    witness: Id | None = None
    adjudication: Word | None = None


class ConfirmAuthority(OrderCommand, name="confirm_authority"):
    """Confirm an emergency whistle afterwards."""


class CancelOrder(OrderCommand, name="cancel_order"):
    """Cancel it before anybody has checked in."""

    reason: Word


class AddLeg(OrderCommand, name="add_leg"):
    """加派 one more body."""

    leg: Id
    body: Body
    role: Role = "assist"
    mandatory: bool = True
    ground: Word
    admission: Word | None = None
    measured_as: Literal["territory", "trade"] | None = None
    adjudication: Word | None = None


class ChangeLead(OrderCommand, name="change_lead"):
    """Let another summoned body lead."""

    leg: Id
    ground: Word


class AnswerCall(OrderCommand, name="answer_call"):
    """Say what the sub-district makes of the community's call."""

    how: Literal["self_handling", "whistle", "returned"]
    whistle: Id | None = None


class AcknowledgeLeg(LegCommand, name="acknowledge_leg"):
    """签收."""


class ContactLeg(LegCommand, name="contact_leg"):
    """Reach the sub-district for the first time."""


class CheckIn(LegCommand, name="check_in"):
    """报到, as a named officer of the department. Sealed: proof."""

    place: Body
    proof: Literal["code", "photo", "signature", "position", "word_of_mouth"]
    arrived_at: Instant | None = None


class ConfirmWordOfMouth(LegCommand, name="confirm_word_of_mouth"):
    """As the blower, confirm a check-in of an emergency that was written down afterwards."""


class NoteWork(LegCommand, name="note_work"):
    """Write down what was done. Sealed: note."""


class RequestHelp(LegCommand, name="request_help"):
    """Ask for help. Sealed: note."""

    needs: Word


class ReportLeg(LegCommand, name="report_leg"):
    """Report the result. Sealed: result, evidence."""

    outcome: Literal["done", "partly_done", "not_possible"] = "done"
    evidence: Count = 0


class AcceptLeg(LegCommand, name="accept_leg"):
    """Take the report and release the department (撤哨)."""


class RejectLeg(LegCommand, name="reject_leg"):
    """Not take the report."""

    reason: Word


class DeclineLeg(LegCommand, name="decline_leg"):
    """Not take a service up."""

    reason: Word


class RequestReturn(LegCommand, name="request_return"):
    """退单, with ground and legal basis."""

    ground: Word
    basis: Word


class DecideReturn(LegCommand, name="decide_return"):
    """Rule on a return, as the dispatch centre.

    `lead` names who leads where the lead goes; `given_to` the body whose duty it is, should the list not name it.
    """

    granted: bool
    ground: Word
    lead: Id | None = None
    given_to: Body | None = None


class OpenDispute(LegCommand, name="open_dispute"):
    """Hold that it is another body's duty; go on acting meanwhile."""

    ground: Word


class AdjudicateDispute(LegCommand, name="adjudicate_dispute"):
    """派单会商: rule who leads; `given_to` names the body whose duty it is, should the list not name it."""

    outcome: Literal["stays", "excused"]
    basis: Word
    lead: Id | None = None
    given_to: Body | None = None


class ExcuseLeg(LegCommand, name="excuse_leg"):
    """Let a body go, with a ground."""

    ground: Word


class RequestExtension(LegCommand, name="request_extension"):
    """延期, before the moment is due."""

    stage: Literal["check_in", "finish"] = "finish"
    until: Instant
    reason: Word


class DecideExtension(LegCommand, name="decide_extension"):
    """Grant or deny it. `requester_told`: needed to grant, where there is one."""

    stage: Literal["check_in", "finish"] = "finish"
    granted: bool
    requester_told: bool = False


class UrgeLeg(LegCommand, name="urge_leg"):
    """催办."""


class SuperviseLeg(LegCommand, name="supervise_leg"):
    """督办 with number, level and due moment."""

    number: Word
    level: Word
    due: Instant


class ChangeSummonsTime(LegCommand, name="change_summons_time"):
    """Move the joint time, before the body is late."""

    to: Instant
    ground: Word


class RateLeg(LegCommand, name="rate_leg"):
    """Appraise a department's part, from 1, the worst, to the best score of the rulebook's scale."""

    speed: Score
    result: Score
