"""What one may ask of a matter. Sealed values (text, names, contacts, proofs) ride beside a command, never in it."""

from __future__ import annotations

from typing import Literal

from domain.acting import Command
from domain.instant import Instant
from domain.matter.words import (
    Body,
    Channel,
    Count,
    Demand,
    Disposition,
    ErasureGround,
    Id,
    Kind,
    LiftGround,
    Number,
    RecusalGround,
    Scale,
    Source,
    Word,
)


class RegisterMatter(Command, name="register_matter"):
    """Write a request down and give it a number; `requesters` are fresh ids, one per person and matter.

    Sealed: text (needed), place, and for each requester name and contact; outside_number. Of an accusation the kind
    is sealed too, and nothing about it is public.
    """

    number: Number
    source: Source
    seen_at: Instant
    kind: Kind = "request"
    code: Word | None = None
    demand: Demand | None = None
    communities: tuple[Body, ...] = ()
    host: Body | None = None
    grid: Body | None = None
    subject: Body | None = None
    requesters: tuple[Id, ...] = ()
    anonymous: bool = False
    proactive: bool = False
    emergency: bool = False
    accusation: bool = False
    mandate: Word | None = None
    repeat_of: Id | None = None


class BackfillMatter(Command, name="backfill_matter"):
    """Take one matter of another system's history over, with its state as given there."""

    number: Number
    source: Source
    opened_at: Instant
    closed_at: Instant | None = None
    due_at: Instant | None = None
    kind: Kind = "request"
    code: Word | None = None
    demand: Demand | None = None
    host: Body | None = None
    department: Word | None = None
    status: Literal["in_handling", "closed"]
    requesters: tuple[Id, ...] = ()


class TakeOverMatter(Command, name="take_over_matter"):
    """Let a backfilled matter run from now on, hosted by a community of the register."""

    host: Body


class AddSupplement(Command, name="add_supplement"):
    """Say more about a matter, or urge. Sealed: text; outside_number where a district system sends one."""

    what: Literal["supplement", "urging"]
    source: Source
    outside_number: bool = False


class JoinRequester(Command, name="join_requester"):
    """Another person asks for the same. Sealed: name, contact, text."""

    requester: Id
    source: Source
    community: Body | None = None


class AcceptMatter(Command, name="accept_matter"):
    """受理."""


class ProposeRefusal(Command, name="propose_refusal"):
    """Hold that it cannot be accepted, with the ground and the channel that the requester is told of."""

    ground: Word
    other_channel: Word


class ConfirmRefusal(Command, name="confirm_refusal"):
    """Confirm a proposed refusal as a second officer."""


class DivertMatter(Command, name="divert_matter"):
    """Hand what turned out to be an accusation to discipline inspection."""

    to: Body


class TriageMatter(Command, name="triage_matter"):
    """Grade it: scale and urgency fix the channel, the demand class the clocks.

    An accusation is graded without demand and code: they would say in public what it is about.
    """

    scale: Scale
    urgent: bool = False
    demand: Demand | None = None
    tier: Word
    code: Word | None = None
    channel: Channel | None = None
    reserved: bool = False


class RetriageMatter(Command, name="retriage_matter"):
    """Grade it again, with a reason, as another person than the handler."""

    scale: Scale
    urgent: bool
    demand: Demand | None = None
    reason: Word
    reserved: bool = False


class RecordAttempt(Command, name="record_attempt"):
    """Write down what was tried at the present tier. Sealed: text; place, where somebody was there."""

    settled: bool


class StartHandling(Command, name="start_handling"):
    """Begin: by oneself (sealed: note), or by naming the order or deliberation."""

    how: Literal["self_handling", "order", "deliberation"]
    ref: Word | None = None


class EscalateMatter(Command, name="escalate_matter"):
    """Bring it to a higher tier. Where the power lies above, cite its power item as the authority."""

    tier: Word
    ground: Literal["attempt", "emergency", "power_above"]


class DeferMatter(Command, name="defer_matter"):
    """挂账 a long-term problem until a review. Sealed: plan."""

    ground: Word
    review_by: Instant
    requester_told: bool


class HoldReview(Command, name="hold_review"):
    """Look at a deferred matter again, and defer it until the next review."""

    review_by: Instant


class ResumeMatter(Command, name="resume_matter"):
    """Handle a deferred matter again."""


class SubmitResult(Command, name="submit_result"):
    """Claim that it is done. Sealed: reply (needed), evidence (as many as `evidence` says)."""

    disposition: Disposition
    evidence: Count = 0


class ReviewResult(Command, name="review_result"):
    """Let a result pass (审核)."""


class SendBackResult(Command, name="send_back_result"):
    """Send a result back to the handler."""

    reason: Word


class RecordCallback(Command, name="record_callback"):
    """Write a callback down. `reached` false: nobody answered. `requester` is None for a check on site.

    `satisfaction` is one of the rulebook's scale. Sealed: wording.
    """

    how: Literal["callback", "site_check", "counter", "not_sampled"] = "callback"
    requester: Id | None = None
    reached: bool = True
    solved: bool | None = None
    satisfaction: Word | None = None


class ReopenMatter(Command, name="reopen_matter"):
    """Handle it again: it was not solved, or the requester is dissatisfied with the handling. Sealed: text."""

    ground: Literal["not_solved", "dissatisfied"]


class CloseMatter(Command, name="close_matter"):
    """结案."""

    def touches(self) -> tuple[str, ...]:
        """The parent is named by the state, so `handle` adds it."""
        return ()


class ArchiveMatter(Command, name="archive_matter"):
    """归档, after the four-property check (四性检测) has been passed."""

    retention: Word
    authentic: bool
    complete: bool
    usable: bool
    safe: bool


class StateNoticeWish(Command, name="state_notice_wish"):
    """Say whether a requester wants to be told by message how the matter goes; until they say no, they are."""

    requester: Id
    wanted: bool


class RequestWithdrawal(Command, name="request_withdrawal"):
    """As a requester, ask to withdraw."""

    requester: Id


class ConfirmWithdrawal(Command, name="confirm_withdrawal"):
    """Confirm, after an independent callback, that the requester wishes to withdraw.

    `requester` says which one, where several have asked.
    """

    requester: Id | None = None


class DenyWithdrawal(Command, name="deny_withdrawal"):
    """Say, as the requester or after hearing them, that they never wished to withdraw; the matter goes on."""

    requester: Id | None = None


class MergeMatter(Command, name="merge_matter"):
    """并案 into a master. Reversible."""

    master: Id
    reason: Word

    def touches(self) -> tuple[str, ...]:
        """The master."""
        return (self.master,)


class ReverseMerge(Command, name="reverse_merge"):
    """Undo a merge."""

    master: Id

    def touches(self) -> tuple[str, ...]:
        """The master."""
        return (self.master,)


class SplitMatter(Command, name="split_matter"):
    """Make part of it a matter of its own. `child` is a fresh id and `number` its number. Sealed: text."""

    child: Id
    number: Number
    mandatory: bool = True
    code: Word | None = None
    host: Body | None = None

    def touches(self) -> tuple[str, ...]:
        """The child, which must not exist yet."""
        return (self.child,)


class RequestExclusion(Command, name="request_exclusion"):
    """剔除: ask that the matter be left out of scoring."""

    ground: Word


class DecideExclusion(Command, name="decide_exclusion"):
    """Decide on a body's request, as somebody who gains nothing from it."""

    body: Body
    granted: bool


class RequestMatterExtension(Command, name="request_matter_extension"):
    """延期 of the matter's own finish clock, before it is due."""

    until: Instant
    reason: Word


class DecideMatterExtension(Command, name="decide_matter_extension"):
    """Grant or deny it, as a body that is not the one which asked. `requester_told`: needed to grant."""

    granted: bool
    requester_told: bool = False


class DiscloseCase(Command, name="disclose_case"):
    """调卷: open a sampled case for a supervisory board, or an accusation for discipline inspection; which values are
    handed over is recorded first."""

    to: Body
    ground: Word


class DeclareRecusal(Command, name="declare_recusal"):
    """回避: have a person act in this matter no more: oneself, or another whom one names. Nothing undoes it."""

    person: Id
    ground: RecusalGround


class EraseData(Command, name="erase_data"):
    """删除·封存: erase the data of one requester, or of the whole case; while a term of keeping runs they are locked
    instead."""

    about: Id | None = None
    ground: ErasureGround


class LiftLock(Command, name="lift_lock"):
    """解除封存: what was locked is handled again and not erased at the end of its term; of one requester, or of the whole
    case without those who are locked by themselves."""

    about: Id | None = None
    ground: LiftGround


class TakeDueSteps(Command, name="take_due_steps"):
    """The clock's own command: take these steps of the agenda, which have come due. Steps taken before are passed over."""

    items: tuple[str, ...]


class ResetClocks(Command, name="reset_clocks"):
    """A holiday notice was entered: set the provisional due moments again that lie after it."""
