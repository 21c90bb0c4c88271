"""The fold of a matter: state after each stored event. It cannot fail and holds no rule (DESIGN.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.matter import events as ev
from domain.matter.evolve_orders import ORDER_FOLDS
from domain.matter.folding import cancel, cancel_all, later, met, revive, start, stop
from domain.matter.order_events import OF_AN_ORDER
from domain.matter.state import WHOLE, Lock, Matter, Requester, lasting
from domain.matter.words import ENDED_MATTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from domain.event import Event, Recorded


def _registered(state: Matter, e: ev.MatterRegistered, rec: Recorded[Any]) -> None:
    state.registrar = rec.capacity
    state.number, state.source, state.kind, state.code, state.demand = (
        e.number,
        e.source,
        e.kind,
        e.code,
        e.demand,
    )
    state.communities, state.host, state.subdistrict = e.communities, e.host, e.subdistrict
    state.subject, state.emergency, state.confidential, state.parent = (
        e.subject,
        e.emergency,
        e.confidential,
        e.parent,
    )
    state.requesters = {one: Requester(one) for one in e.requesters}
    start(state, "", e.clocks, rec)


def _backfilled(state: Matter, e: ev.MatterBackfilled, rec: Recorded[Any]) -> None:
    state.number, state.source, state.kind, state.code, state.demand = (
        e.number,
        e.source,
        e.kind,
        e.code,
        e.demand,
    )
    state.host, state.status, state.backfilled = e.host, e.status, True
    state.requesters = {one: Requester(one) for one in e.requesters}
    state.ended_at = e.closed_at


def _taken_over(state: Matter, e: ev.MatterTakenOver, rec: Recorded[Any]) -> None:
    state.status, state.backfilled = "accepted", False
    state.subdistrict, state.host, state.communities = e.subdistrict, e.host, (e.host,)
    start(state, "", e.clocks, rec)


def _joined(state: Matter, e: ev.RequesterJoined, rec: Recorded[Any]) -> None:
    state.requesters[e.requester] = Requester(e.requester)
    if e.community and e.community not in state.communities:
        state.communities = (*state.communities, e.community)


def _accepted(state: Matter, e: ev.MatterAccepted, rec: Recorded[Any]) -> None:
    state.status = "accepted"
    stop(state, "", "accept", at=rec.recorded_at)
    start(state, "", e.clocks, rec)


def _refusal_proposed(state: Matter, e: ev.RefusalProposed, rec: Recorded[Any]) -> None:
    state.proposer, state.refusal = rec.person, (e.ground, e.other_channel)


def _refused(state: Matter, e: ev.MatterRefused, rec: Recorded[Any]) -> None:
    state.status = "refused"
    stop(state, "", "accept", at=rec.recorded_at)
    cancel_all(state, rec.recorded_at)


def _diverted(state: Matter, e: ev.MatterDiverted, rec: Recorded[Any]) -> None:
    state.status, state.confidential, state.diverted_to = "refused", True, e.to
    cancel_all(state, rec.recorded_at)


def _triaged(state: Matter, e: ev.MatterTriaged, rec: Recorded[Any]) -> None:
    state.status = "triaged"
    state.tier, state.code = e.tier, e.code or state.code
    _grade(state, e)
    state.graded_by = rec.capacity
    stop(state, "", "triage", at=rec.recorded_at)
    start(state, "", e.clocks, rec)


def _grade(state: Matter, e: ev.MatterTriaged | ev.MatterRetriaged) -> None:
    state.scale, state.urgent, state.channel = e.scale, e.urgent, e.channel
    state.demand, state.reserved = e.demand, e.reserved


def _retriaged(state: Matter, e: ev.MatterRetriaged, rec: Recorded[Any]) -> None:
    _grade(state, e)
    state.graded_by = rec.capacity
    start(state, "", e.clocks, rec)


def _attempted(state: Matter, e: ev.AttemptRecorded, rec: Recorded[Any]) -> None:
    state.attempts.add(e.tier)
    state.handlers.add(rec.person)
    if e.on_site:
        met(state, rec)


def _escalated(state: Matter, e: ev.MatterEscalated, rec: Recorded[Any]) -> None:
    state.tier = e.tier


def _handling(state: Matter, e: ev.HandlingStarted, rec: Recorded[Any]) -> None:
    state.status = "in_handling"
    state.deliberated = state.deliberated or e.how == "deliberation"
    if e.how == "self_handling":
        state.handlers.add(rec.person)


def _deferred(state: Matter, e: ev.MatterDeferred, rec: Recorded[Any]) -> None:
    state.status, state.review_by = "deferred", e.review_by
    cancel(state, "", rec.recorded_at, "finish")
    _no_extension(state, rec)
    start(state, "", e.clocks, rec)


def _no_extension(state: Matter, rec: Recorded[Any]) -> None:
    """A wish for more time that was never decided falls; that it was not decided in time stays."""
    if state.extensions.pop("/finish", None) is not None:
        stop(state, "", "decide_extension", at=rec.recorded_at)


def _reviewed(state: Matter, e: ev.ReviewHeld, rec: Recorded[Any]) -> None:
    state.review_by = e.review_by
    stop(state, "", "review", at=rec.recorded_at)
    start(state, "", e.clocks, rec)


def _resumed(state: Matter, e: ev.MatterResumed, rec: Recorded[Any]) -> None:
    state.status, state.review_by = "in_handling", None
    stop(state, "", "review", at=rec.recorded_at)
    if not e.clocks:
        revive(state, "", "finish")
    start(state, "", e.clocks, rec)


def _submitted(state: Matter, e: ev.ResultSubmitted, rec: Recorded[Any]) -> None:
    state.status, state.disposition, state.submitter, state.reviewed = (
        "completed",
        e.disposition,
        rec.person,
        False,
    )
    state.handlers.add(rec.person)
    for owner in ("", *state.absorbed):
        stop(state, owner, "finish", "onsite", at=rec.recorded_at)
    start(state, "", e.clocks, rec)


def _result_reviewed(state: Matter, e: ev.ResultReviewed, rec: Recorded[Any]) -> None:
    state.reviewed = True


def _sent_back(state: Matter, e: ev.ResultSentBack, rec: Recorded[Any]) -> None:
    state.status = "in_handling"
    stop(state, "", "callback", at=rec.recorded_at)
    _not_answered(state)
    for owner in ("", *state.absorbed):
        revive(state, owner, "finish")


def _not_answered(state: Matter) -> None:
    """A new result will come: every requester is called back about that one."""
    state.site_solved = None
    for one in state.requesters.values():
        one.answered, one.tries, one.tried_at = False, 0, None
        one.solved, one.satisfaction = None, None


def _callback_tried(state: Matter, e: ev.CallbackTried, rec: Recorded[Any]) -> None:
    one = state.requesters[e.requester]
    if e.tries > one.tries:
        one.tries, one.tried_at = e.tries, rec.recorded_at


def _callback_done(state: Matter, e: ev.CallbackDone, rec: Recorded[Any]) -> None:
    if e.requester is not None and e.requester in state.requesters:
        one = state.requesters[e.requester]
        one.answered, one.solved, one.satisfaction = True, e.solved, e.satisfaction
    elif e.how == "site_check":
        state.site_solved = e.solved
    if e.complete:
        state.status, state.returned_at = "called_back", rec.recorded_at
        stop(state, "", "callback", at=rec.recorded_at)
        start(state, "", e.clocks, rec)


def _reopened(state: Matter, e: ev.MatterReopened, rec: Recorded[Any]) -> None:
    state.status, state.reopened, state.reviewed = "in_handling", e.count, False
    stop(state, "", "close", "callback", at=rec.recorded_at)
    _no_extension(state, rec)
    _not_answered(state)
    if not e.clocks:  # a late child: what the parent claimed was not done, and its clock goes on
        for owner in ("", *state.absorbed):
            revive(state, owner, "finish")
    start(state, "", e.clocks, rec)


def _closed(state: Matter, e: ev.MatterClosed, rec: Recorded[Any]) -> None:
    state.status = "closed"
    stop(state, "", "close", at=rec.recorded_at)
    _no_extension(state, rec)


def _archived(state: Matter, e: ev.MatterArchived, rec: Recorded[Any]) -> None:
    state.status, state.retention = "archived", e.retention


def _wish_stated(state: Matter, e: ev.NoticeWishStated, rec: Recorded[Any]) -> None:
    if e.requester in state.requesters:
        state.requesters[e.requester].quiet = not e.wanted


def _withdrawing(state: Matter, e: ev.WithdrawalRequested, rec: Recorded[Any]) -> None:
    state.withdrawing[e.requester] = rec.person


def _withdrawal_denied(state: Matter, e: ev.WithdrawalDenied, rec: Recorded[Any]) -> None:
    state.withdrawing.pop(e.requester, None)


def _one_withdrew(state: Matter, e: ev.RequesterWithdrew, rec: Recorded[Any]) -> None:
    state.withdrawing.pop(e.requester, None)
    state.requesters[e.requester].withdrawn = True


def _withdrawn(state: Matter, e: ev.MatterWithdrawn, rec: Recorded[Any]) -> None:
    state.status = "withdrawn"
    for one in state.withdrawing:
        state.requesters[one].withdrawn = True
    state.withdrawing.clear()
    cancel_all(state, rec.recorded_at)


def _merged(state: Matter, e: ev.MatterMerged, rec: Recorded[Any]) -> None:
    state.before_merge, state.status, state.master = state.status, "merged", e.master
    state.merged_at = rec.recorded_at
    cancel_all(state, rec.recorded_at)


def _absorbed(state: Matter, e: ev.MatterAbsorbed, rec: Recorded[Any]) -> None:
    state.absorbed[e.merged] = e.requesters
    for one in e.requesters:
        state.requesters[one] = Requester(one, from_merged=e.merged, erased=one in state.erased)
    start(state, e.merged, e.clocks, rec)


def _merge_reversed(state: Matter, e: ev.MergeReversed, rec: Recorded[Any]) -> None:
    state.status, state.master = state.before_merge, None
    for clock in state.clocks.values():
        if clock.cancelled and clock.stopped == state.merged_at:
            clock.stopped, clock.cancelled = None, False


def _absorption_reversed(state: Matter, e: ev.AbsorptionReversed, rec: Recorded[Any]) -> None:
    for one in state.absorbed.pop(e.merged, ()):
        state.requesters.pop(one, None)
        state.former.add(one)
    cancel(state, e.merged, rec.recorded_at)


def _child_opened(state: Matter, e: ev.ChildOpened, rec: Recorded[Any]) -> None:
    state.children[e.child] = True
    if e.mandatory:
        state.mandatory_children.add(e.child)


def _child_ended(state: Matter, e: ev.ChildEnded, rec: Recorded[Any]) -> None:
    state.children[e.child] = False


def _child_reopened(state: Matter, e: ev.ChildReopened, rec: Recorded[Any]) -> None:
    state.children[e.child] = True


def _exclusion_requested(state: Matter, e: ev.ExclusionRequested, rec: Recorded[Any]) -> None:
    state.exclusions[e.by], state.excluding[e.by] = None, rec.person


def _exclusion_decided(state: Matter, e: ev.ExclusionDecided, rec: Recorded[Any]) -> None:
    state.exclusions[e.by] = e.granted


def _disclosed(state: Matter, e: ev.CaseDisclosed, rec: Recorded[Any]) -> None:
    state.boards.add(e.to)


def _recused(state: Matter, e: ev.PersonRecused, rec: Recorded[Any]) -> None:
    state.recused.setdefault(e.person, e.ground)


def _erased(state: Matter, e: ev.DataErased, rec: Recorded[Any]) -> None:
    about = e.subject or WHOLE
    state.erased.add(about)
    for one in [about] if about else [*state.locked, *state.promised]:
        state.locked.pop(one, None)
        state.promised.pop(one, None)
    for requester in state.requesters.values():
        requester.erased = requester.erased or about in (WHOLE, requester.id)


def _locked(state: Matter, e: ev.DataLocked, rec: Recorded[Any]) -> None:
    about, lock = e.subject or WHOLE, Lock(e.ground, e.authority, e.until, e.retention)
    before = state.promised.get(about)
    state.locked[about] = lock
    if lock.retention and (before is None or lasting(lock.until) >= lasting(before.until)):
        state.promised[about] = lock


def _unlocked(state: Matter, e: ev.DataUnlocked, rec: Recorded[Any]) -> None:
    state.locked.pop(e.subject or WHOLE, None)


def _item(state: Matter, e: ev.DueItem, rec: Recorded[Any]) -> None:
    state.done.add(e.item)


def _clock_reset(state: Matter, e: ev.ClockReset, rec: Recorded[Any]) -> None:
    clock = state.clock(e.owner, e.stage)
    if clock is not None:
        clock.due, clock.provisional = e.due, e.provisional


def _nothing(state: Matter, e: Event, rec: Recorded[Any]) -> None:
    """Kept for the record; no decision depends on it."""


FOLDS: dict[type[Event], Callable[[Matter, Any, Recorded[Any]], None]] = {
    ev.MatterRegistered: _registered,
    ev.MatterBackfilled: _backfilled,
    ev.MatterTakenOver: _taken_over,
    ev.MatterSupplemented: _nothing,
    ev.RequesterJoined: _joined,
    ev.MatterAccepted: _accepted,
    ev.RefusalProposed: _refusal_proposed,
    ev.MatterRefused: _refused,
    ev.MatterDiverted: _diverted,
    ev.MatterTriaged: _triaged,
    ev.MatterRetriaged: _retriaged,
    ev.AttemptRecorded: _attempted,
    ev.MatterEscalated: _escalated,
    ev.HandlingStarted: _handling,
    ev.MatterDeferred: _deferred,
    ev.ReviewHeld: _reviewed,
    ev.MatterResumed: _resumed,
    ev.ResultSubmitted: _submitted,
    ev.ResultReviewed: _result_reviewed,
    ev.ResultSentBack: _sent_back,
    ev.CallbackTried: _callback_tried,
    ev.CallbackDone: _callback_done,
    ev.MatterReopened: _reopened,
    ev.MatterClosed: _closed,
    ev.MatterArchived: _archived,
    ev.NoticeWishStated: _wish_stated,
    ev.WithdrawalRequested: _withdrawing,
    ev.WithdrawalDenied: _withdrawal_denied,
    ev.RequesterWithdrew: _one_withdrew,
    ev.MatterWithdrawn: _withdrawn,
    ev.MatterMerged: _merged,
    ev.MatterAbsorbed: _absorbed,
    ev.MergeReversed: _merge_reversed,
    ev.AbsorptionReversed: _absorption_reversed,
    ev.ChildOpened: _child_opened,
    ev.ChildEnded: _child_ended,
    ev.ChildReopened: _child_reopened,
    ev.ExclusionRequested: _exclusion_requested,
    ev.ExclusionDecided: _exclusion_decided,
    ev.CaseDisclosed: _disclosed,
    ev.PersonRecused: _recused,
    ev.DataErased: _erased,
    ev.DataLocked: _locked,
    ev.DataUnlocked: _unlocked,
    ev.Reminded: _item,
    ev.DueMissed: _item,
    ev.BreachEscalated: _item,
    ev.ClockReset: _clock_reset,
    **ORDER_FOLDS,
}


_HOLD_UP_NOBODY = (
    ev.DueItem, ev.ClockReset, ev.MatterSupplemented, ev.CaseDisclosed, ev.DataErased, ev.DataLocked,
    ev.DataUnlocked, ev.PersonRecused, ev.NoticeWishStated,
)  # fmt: skip
_ACTS = frozenset(event for event in FOLDS if not issubclass(event, _HOLD_UP_NOBODY))
_STEPS = frozenset(event for event in _ACTS if not issubclass(event, OF_AN_ORDER))


def evolve(state: Matter | None, recorded: Recorded[Any]) -> Matter:
    """The state after one more event. It changes and returns the state that the fold owns; None begins a new one."""
    matter = Matter(recorded.stream) if state is None else state
    event, ended = recorded.pub, matter.status in ENDED_MATTER
    FOLDS[type(event)](matter, event, recorded)
    matter.version += 1
    if (matter.status in ENDED_MATTER) != ended:
        matter.ended_at = None if ended else matter.ended_at or recorded.recorded_at
        for lock in matter.locked.values():
            lock.outdated = lock.outdated or ended
    _when(matter, event, recorded)
    return matter


def _when(state: Matter, event: Event, recorded: Recorded[Any]) -> None:
    """Remember the claimed times which later acts may not precede; what the clock does and what is said hold up nobody."""
    if state.opened_at is None:
        state.opened_at = state.moved_at = recorded.occurred_at
        state.draw = f"{recorded.stream}:{recorded.nonce}"
    if type(event) in _ACTS:
        state.last_at = later(state.last_at, recorded.occurred_at)
    if type(event) in _STEPS:
        state.moved_at = later(state.moved_at, recorded.occurred_at)


def replay(history: Iterable[Recorded[Any]]) -> Matter | None:
    """The state after a whole history, or None for an empty one."""
    state: Matter | None = None
    for recorded in history:
        state = evolve(state, recorded)
    return state
