"""What happens to a matter (事项). Stored names are constants and are never renamed (DESIGN.md law 11)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.instant import Instant
from domain.matter.words import Channel, Demand, Disposition, Kind, RecusalGround, Scale, Source


class CarriedOn(BaseModel):
    """That a clock goes on from an earlier one and does not start afresh (law 7: no restart moves a due time).

    `since`: where its length counts from; `rulebook`: the one it is held to; `paused`: the times given back;
    `extensions`: how often the earlier one was extended.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: Instant
    rulebook: str
    paused: tuple[tuple[Instant, Instant], ...] = ()
    extensions: int = 0


class StartedClock(BaseModel):
    """A clock as its start event stores it (law 7): loading never computes the due moment again.

    `of` is the name under which the rulebook holds it; `provisional`: the due moment lies past the last notice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    of: str
    due: Instant
    provisional: bool = False
    carried: CarriedOn | None = None


class Starting(Event):
    """An event that starts clocks of the matter itself."""

    clocks: tuple[StartedClock, ...] = ()


# --- intake -----------------------------------------------------------------------------------------------------


class MatterRegistered(Starting, name="matter_registered.v1"):
    """A request was heard and written down; it has a number and must get an answer.

    `seen_at`: when it was first seen, before it was recorded (UTC). `host` is the community that hosts it among
    `communities`; `subject` the body complained about. A confidential matter (检举控告) states neither kind nor place.
    """

    number: str
    source: Source
    seen_at: Instant
    kind: Kind | None = None
    code: str | None = None
    demand: Demand | None = None
    communities: tuple[str, ...] = ()
    host: str | None = None
    subdistrict: str | None = None
    grid: str | None = None
    subject: str | None = None
    requesters: tuple[str, ...] = ()
    anonymous: bool = False
    proactive: bool = False
    emergency: bool = False
    confidential: bool = False
    mandate: str | None = None
    repeat_of: str | None = None
    parent: str | None = None


class MatterBackfilled(Event, name="matter_backfilled.v1"):
    """History taken over from another system: the state as given there; no clock runs (DESIGN.md §9)."""

    number: str
    source: Source
    opened_at: Instant
    closed_at: Instant | None = None
    due_at: Instant | None = None
    kind: Kind = "request"
    code: str | None = None
    demand: Demand | None = None
    host: str | None = None
    department: str | None = None
    status: Literal["in_handling", "closed"]
    requesters: tuple[str, ...] = ()


class MatterTakenOver(Starting, name="matter_taken_over.v1"):
    """Somebody took a backfilled matter over: from now on it runs like any other."""

    subdistrict: str
    host: str


class MatterSupplemented(Event, name="matter_supplemented.v1"):
    """The requester or a district system said more about it, or urged (催办).

    `merged`: it was said about that matter, which was merged into this one; the words are sealed there.
    """

    what: Literal["supplement", "urging"]
    source: Source
    requester: str | None = None
    outside_number: bool = False
    merged: str | None = None


class RequesterJoined(Event, name="requester_joined.v1"):
    """Another person asks for the same; each requester keeps receipt, clock and rating of their own."""

    requester: str
    source: Source
    community: str | None = None


class MatterAccepted(Starting, name="matter_accepted.v1"):
    """受理: the office owes an answer from here on."""


class RefusalProposed(Event, name="refusal_proposed.v1"):
    """An intake officer holds that it cannot be accepted; a second officer must confirm."""

    ground: str
    other_channel: str


class MatterRefused(Event, name="matter_refused.v1"):
    """不予受理, with its ground and the channel that the requester was told of."""

    ground: str
    other_channel: str


class MatterDiverted(Event, name="matter_diverted.v1"):
    """It was an accusation: handed to discipline inspection; for everybody else it no longer exists."""

    to: str


# --- triage and handling ----------------------------------------------------------------------------------------


class MatterTriaged(Starting, name="matter_triaged.v1"):
    """小事线上议、急事现场议、难事会场议: scale and urgency are two axes and fix the channel.

    The `demand` of a confidential matter is not public.
    """

    scale: Scale
    urgent: bool
    channel: Channel
    tier: str
    demand: Demand | None = None
    code: str | None = None
    reserved: bool = False


class MatterRetriaged(Starting, name="matter_retriaged.v1"):
    """Graded again by another person than the handler; `near_due` flags a regrade shortly before a due moment."""

    scale: Scale
    urgent: bool
    channel: Channel
    demand: Demand | None = None
    reserved: bool
    reason: str
    near_due: bool = False


class AttemptRecorded(Event, name="attempt_recorded.v1"):
    """What was tried at a tier and how it ended; without one nothing moves up. `on_site`: its place was given (sealed)."""

    tier: str
    settled: bool
    on_site: bool = False


class MatterEscalated(Event, name="matter_escalated.v1"):
    """上交: to a higher tier, after an attempt, in an emergency, or where the power belongs above."""

    from_tier: str
    tier: str
    ground: Literal["attempt", "emergency", "power_above"]


class HandlingStarted(Event, name="handling_started.v1"):
    """Somebody works on it: by themselves, by an order, or by a deliberation."""

    how: Literal["self_handling", "order", "deliberation"]
    ref: str | None = None


class MatterDeferred(Starting, name="matter_deferred.v1"):
    """挂账: a long-term problem, with a ground and a date of review; the requester was told."""

    ground: str
    review_by: Instant


class ReviewHeld(Starting, name="review_held.v1"):
    """A deferred matter was looked at again; it stays deferred until the next review."""

    review_by: Instant


class MatterResumed(Starting, name="matter_resumed.v1"):
    """A deferred matter is being handled again; its clock gets the time of the deferral back."""


# --- result, callback, end --------------------------------------------------------------------------------------


class ResultSubmitted(Starting, name="result_submitted.v1"):
    """办结: the handler claims that it is done; `evidence` counts the sealed proofs that came along."""

    disposition: Disposition
    evidence: int


class ResultReviewed(Event, name="result_reviewed.v1"):
    """审核: the reviewer lets the result pass."""


class ResultSentBack(Event, name="result_sent_back.v1"):
    """The reviewer sends the result back; the handler's clock goes on as if it had never stopped."""

    reason: str


class CallbackTried(Event, name="callback_tried.v1"):
    """A callback that reached nobody; it never counts as satisfied."""

    requester: str
    tries: int


class CallbackDone(Starting, name="callback_done.v1"):
    """回访: what the requester said, or that nobody could be reached, or what was found on site.

    `complete`: every requester has now been answered for, and the matter is `called_back`.
    """

    how: Literal["callback", "site_check", "counter", "not_sampled"]
    requester: str | None = None
    reached: bool
    solved: bool | None = None
    satisfaction: str | None = None
    complete: bool


class MatterReopened(Starting, name="matter_reopened.v1"):
    """重办: it was not solved, or the handling was at fault, or a child came late."""

    ground: Literal["not_solved", "dissatisfied", "late_child"]
    count: int


class MatterClosed(Event, name="matter_closed.v1"):
    """结案, by somebody who handled no part of it."""


class MatterArchived(Event, name="matter_archived.v1"):
    """归档: appraisals done and the four properties checked (四性检测)."""

    retention: str


class NoticeWishStated(Event, name="notice_wish_stated.v1"):
    """A requester wants no messages about the matter, or wants them again. Nothing else changes for them."""

    requester: str
    wanted: bool


class WithdrawalRequested(Event, name="withdrawal_requested.v1"):
    """A requester wishes to withdraw; somebody independent must hear it from them."""

    requester: str


class WithdrawalDenied(Event, name="withdrawal_denied.v1"):
    """The requester never wished to withdraw, or no longer does; the matter goes on."""

    requester: str


class RequesterWithdrew(Event, name="requester_withdrew.v1"):
    """One of several requesters withdrew; the matter goes on for the others."""

    requester: str


class MatterWithdrawn(Event, name="matter_withdrawn.v1"):
    """Withdrawn by its last requester, confirmed by an independent callback; never counted as solved."""


# --- families ---------------------------------------------------------------------------------------------------


class MatterMerged(Event, name="matter_merged.v1"):
    """并案: handled with its master from here on; reversible."""

    master: str
    reason: str


class MatterAbsorbed(Starting, name="matter_absorbed.v1"):
    """Another matter was merged into this one; each of its requesters is owed an answer of their own, by their own clock."""

    merged: str
    requesters: tuple[str, ...]


class MergeReversed(Event, name="merge_reversed.v1"):
    """The merge was wrong: the matter is its own again, where it stood before."""

    master: str


class AbsorptionReversed(Event, name="absorption_reversed.v1"):
    """A matter that had been merged into this one is its own again."""

    merged: str


class ChildOpened(Event, name="child_opened.v1"):
    """Part of it became a matter of its own; a mandatory child must end first."""

    child: str
    mandatory: bool


class ChildEnded(Event, name="child_ended.v1"):
    """A child was closed, refused, withdrawn or merged."""

    child: str


class ChildReopened(Event, name="child_reopened.v1"):
    """A child that had ended is being handled again."""

    child: str


# --- recusal ----------------------------------------------------------------------------------------------------


class PersonRecused(Event, name="person_recused.v1"):
    """回避: from here on this officer does nothing more in the case, in whatever post. Nothing undoes it.

    Where the envelope's rule is another case's act (a merge, a split, a recusal in the parent) it came along with that.
    """

    person: str
    ground: RecusalGround


# --- opening for a board, locking, erasing ----------------------------------------------------------------------


class CaseDisclosed(Event, name="case_disclosed.v1"):
    """The sealed values of these digests are handed to a board. What does not fit into one event stands in several."""

    to: str
    ground: str
    digests: tuple[str, ...]


class DataErased(Event, name="data_erased.v1"):
    """删除: the keys of these values are destroyed for good. What does not fit into one event stands in several.

    `subject` is the requester's random id, None the whole case; `authority` what it was asked for on, also where the
    clock carries it out; `boards` are those that some values of the case were handed to: they delete theirs as well.
    """

    ground: str
    authority: str
    subject: str | None = None
    digests: tuple[str, ...]
    boards: tuple[str, ...] = ()


class DataUnlocked(Event, name="data_unlocked.v1"):
    """解除封存: a lock ends before its term, and what was to be erased then is not.

    `subject` as in `DataLocked`; `still` are the requesters whose own locks stay when the whole case's ends.
    """

    ground: str
    authority: str
    subject: str | None = None
    still: tuple[str, ...] = ()


class DataLocked(Event, name="data_locked.v1"):
    """封存: a term of keeping runs, so that these data are stored and nothing else is done with them until it ends.

    `retention` is the class of the file, '' where no rule says how long it is kept; `until` None: without an end.
    """

    ground: str
    authority: str
    subject: str | None = None
    retention: str = ""
    until: Instant | None = None


# --- clocks and flags -------------------------------------------------------------------------------------------


class ExclusionRequested(Event, name="exclusion_requested.v1"):
    """剔除: a body asks that the matter be left out of scoring."""

    by: str
    ground: str


class ExclusionDecided(Event, name="exclusion_decided.v1"):
    """Decided by somebody who gains nothing from it."""

    by: str
    granted: bool


class DueItem(Event):
    """A step of the agenda that was taken: `item` is its id, `owner` the leg or order it belongs to, or ''."""

    item: str
    owner: str = ""
    stage: str
    due: Instant


class Reminded(DueItem, name="reminded.v1"):
    """The body that owes the act was reminded before the due moment."""

    body: str | None = None


class DueMissed(DueItem, name="due_missed.v1"):
    """The due moment passed and the act had not been recorded. Nothing later removes this (law 6)."""

    body: str | None = None


class BreachEscalated(DueItem, name="breach_escalated.v1"):
    """A missed due moment was shown to the next level, as the rulebook says."""

    level: str


class ClockReset(Event, name="clock_reset.v1"):
    """A holiday notice moved a provisional due moment."""

    owner: str = ""
    stage: str
    due: Instant
    provisional: bool
