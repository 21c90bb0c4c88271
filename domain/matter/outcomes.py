"""Outcomes as data: which events an act makes, in its own case and in the others that it touches.

`decide` makes them; this table only says so, for whoever judges a history from its events alone (evidence.md 2.8).
The tests walk every act and compare. A name in `rule` of an envelope is an act of these tables.
"""

from __future__ import annotations

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import order_commands as odo
from domain.matter import order_events as oev
from domain.matter.lifecycle import LEG, MATTER, ORDER

OPENING = (do.RegisterMatter.NAME, do.BackfillMatter.NAME)
"""Acts that begin a case."""

CLOCK = (do.TakeDueSteps.NAME, do.ResetClocks.NAME)
"""Acts of the clock alone, in any state."""

_SETTLED = oev.OrderSettled.TYPE
_LET_GO = (oev.LegExcused.TYPE, _SETTLED, oev.OrderCancelled.TYPE)
_LEAD = oev.LeadChanged.TYPE
_SHUT = (ev.DataErased.TYPE, ev.DataLocked.TYPE)

MAKES: dict[str, tuple[str, ...]] = {
    do.RegisterMatter.NAME: (ev.MatterRegistered.TYPE,),
    do.BackfillMatter.NAME: (ev.MatterBackfilled.TYPE,),
    do.TakeOverMatter.NAME: (ev.MatterTakenOver.TYPE,),
    do.AddSupplement.NAME: (ev.MatterSupplemented.TYPE,),
    do.JoinRequester.NAME: (ev.RequesterJoined.TYPE,),
    do.StateNoticeWish.NAME: (ev.NoticeWishStated.TYPE,),
    do.AcceptMatter.NAME: (ev.MatterAccepted.TYPE,),
    do.ProposeRefusal.NAME: (ev.RefusalProposed.TYPE,),
    do.ConfirmRefusal.NAME: (ev.MatterRefused.TYPE,),
    do.DivertMatter.NAME: (*_LET_GO, ev.MatterDiverted.TYPE),
    do.TriageMatter.NAME: (ev.MatterTriaged.TYPE,),
    do.RetriageMatter.NAME: (ev.MatterRetriaged.TYPE,),
    do.RecordAttempt.NAME: (ev.AttemptRecorded.TYPE,),
    do.StartHandling.NAME: (ev.HandlingStarted.TYPE,),
    do.EscalateMatter.NAME: (ev.MatterEscalated.TYPE,),
    do.DeferMatter.NAME: (ev.MatterDeferred.TYPE,),
    do.HoldReview.NAME: (ev.ReviewHeld.TYPE,),
    do.ResumeMatter.NAME: (ev.MatterResumed.TYPE,),
    do.SubmitResult.NAME: (ev.ResultSubmitted.TYPE,),
    do.ReviewResult.NAME: (ev.ResultReviewed.TYPE,),
    do.SendBackResult.NAME: (ev.ResultSentBack.TYPE,),
    do.RecordCallback.NAME: (ev.CallbackTried.TYPE, ev.CallbackDone.TYPE),
    do.ReopenMatter.NAME: (ev.MatterReopened.TYPE,),
    do.CloseMatter.NAME: (ev.MatterClosed.TYPE,),
    do.ArchiveMatter.NAME: (ev.DataLocked.TYPE, ev.MatterArchived.TYPE),
    do.DeclareRecusal.NAME: (ev.PersonRecused.TYPE,),
    do.DiscloseCase.NAME: (ev.CaseDisclosed.TYPE,),
    do.EraseData.NAME: _SHUT,
    do.LiftLock.NAME: (ev.DataUnlocked.TYPE,),
    do.MergeMatter.NAME: (ev.MatterMerged.TYPE,),
    do.ReverseMerge.NAME: (ev.MergeReversed.TYPE,),
    do.RequestWithdrawal.NAME: (ev.WithdrawalRequested.TYPE,),
    do.ConfirmWithdrawal.NAME: (ev.RequesterWithdrew.TYPE, *_LET_GO, ev.MatterWithdrawn.TYPE),
    do.DenyWithdrawal.NAME: (ev.WithdrawalDenied.TYPE,),
    do.SplitMatter.NAME: (ev.ChildOpened.TYPE, ev.MatterReopened.TYPE),
    do.RequestExclusion.NAME: (ev.ExclusionRequested.TYPE,),
    do.DecideExclusion.NAME: (ev.ExclusionDecided.TYPE,),
    do.RequestMatterExtension.NAME: (oev.ExtensionRequested.TYPE,),
    do.DecideMatterExtension.NAME: (oev.ExtensionDecided.TYPE,),
    odo.DraftOrder.NAME: (oev.OrderDrafted.TYPE, oev.OrderAuthorised.TYPE),
    odo.AuthoriseOrder.NAME: (oev.OrderAuthorised.TYPE,),
    odo.IssueOrder.NAME: (ev.HandlingStarted.TYPE, oev.OrderIssued.TYPE),
    odo.CancelOrder.NAME: (oev.OrderCancelled.TYPE,),
    odo.AddLeg.NAME: (oev.LegAdded.TYPE,),
    odo.ChangeLead.NAME: (_LEAD,),
    odo.ConfirmAuthority.NAME: (oev.AuthorityConfirmed.TYPE,),
    odo.AnswerCall.NAME: (oev.CallAnswered.TYPE, _SETTLED),
    odo.AcknowledgeLeg.NAME: (oev.LegAcknowledged.TYPE,),
    odo.ContactLeg.NAME: (oev.LegContacted.TYPE,),
    odo.CheckIn.NAME: (oev.LegCheckedIn.TYPE,),
    odo.ConfirmWordOfMouth.NAME: (oev.WordOfMouthConfirmed.TYPE,),
    odo.NoteWork.NAME: (oev.WorkNoted.TYPE,),
    odo.RequestHelp.NAME: (oev.HelpRequested.TYPE,),
    odo.ReportLeg.NAME: (oev.LegReported.TYPE,),
    odo.AcceptLeg.NAME: (oev.ResultAccepted.TYPE, _SETTLED),
    odo.RejectLeg.NAME: (oev.ResultRejected.TYPE,),
    odo.DeclineLeg.NAME: (oev.LegDeclined.TYPE, _SETTLED),
    odo.RequestReturn.NAME: (oev.ReturnRequested.TYPE,),
    odo.DecideReturn.NAME: (oev.ReturnDecided.TYPE, _LEAD, _SETTLED),
    odo.OpenDispute.NAME: (oev.DisputeOpened.TYPE,),
    odo.AdjudicateDispute.NAME: (oev.DisputeAdjudicated.TYPE, _LEAD, _SETTLED),
    odo.ExcuseLeg.NAME: (oev.LegExcused.TYPE, _SETTLED),
    odo.RequestExtension.NAME: (oev.ExtensionRequested.TYPE,),
    odo.DecideExtension.NAME: (oev.ExtensionDecided.TYPE,),
    odo.UrgeLeg.NAME: (oev.LegUrged.TYPE,),
    odo.SuperviseLeg.NAME: (oev.LegSupervised.TYPE,),
    odo.ChangeSummonsTime.NAME: (oev.SummonsTimeChanged.TYPE,),
    odo.RateLeg.NAME: (oev.LegRated.TYPE,),
    do.TakeDueSteps.NAME: (
        ev.Reminded.TYPE, ev.DueMissed.TYPE, ev.BreachEscalated.TYPE, oev.UrgedByClock.TYPE,
        oev.SupervisedByClock.TYPE, oev.AuthorityLapsed.TYPE, ev.CallbackDone.TYPE, ev.DataErased.TYPE,
        ev.DataErased.TYPE,
    ),
    do.ResetClocks.NAME: (ev.ClockReset.TYPE,),
    do.DiscloseCase.NAME: (ev.CaseDisclosed.TYPE,),
    do.EraseData.NAME: (ev.DataErased.TYPE, ev.DataLocked.TYPE),
}  # fmt: skip
"""What an act may make in its own case, in the order in which it does."""

_ENDED = (ev.ChildEnded.TYPE,)
_RECUSED = (ev.PersonRecused.TYPE,)
_AGAIN = (ev.ChildReopened.TYPE, ev.MatterReopened.TYPE)

TELLS: dict[str, tuple[str, ...]] = {
    do.AddSupplement.NAME: (ev.MatterSupplemented.TYPE,),
    do.ConfirmRefusal.NAME: _ENDED,
    do.DivertMatter.NAME: _ENDED,
    do.ConfirmWithdrawal.NAME: _ENDED,
    do.CloseMatter.NAME: _ENDED,
    do.MergeMatter.NAME: (ev.MatterAbsorbed.TYPE, *_RECUSED, *_ENDED),
    do.ReopenMatter.NAME: _AGAIN,
    do.ReverseMerge.NAME: (ev.AbsorptionReversed.TYPE, *_AGAIN),
    do.SplitMatter.NAME: (ev.MatterRegistered.TYPE, *_RECUSED),
    do.EraseData.NAME: _SHUT,
    do.LiftLock.NAME: (ev.DataUnlocked.TYPE,),
    do.DeclareRecusal.NAME: _RECUSED,
}
"""What it may make beside, in a parent, a master or a child."""


def machine_of(act: str) -> str:
    """The table that an act belongs to: matter, order, leg, clock, or opening."""
    for name, table in (("matter", MATTER), ("order", ORDER), ("leg", LEG)):
        if act in table:
            return name
    return "clock" if act in CLOCK else "opening"
