"""decide: the one door through which a matter changes. The lifecycle table first, then the act's own guards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.acting import Command, Decision
from domain.matter import (
    closing,
    disclosing,
    disputes,
    drafting,
    due,
    exclusion,
    families,
    handling,
    intake,
    keeping,
    legs,
    lifting,
    orders,
    recusal,
    withdrawal,
)
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.guards import after, allowed_now, exists_for, not_recused, not_taken
from domain.matter.lifecycle import LEG, MATTER, NEEDS_HANDLING, ORDER, leg_row
from domain.matter.state import WHOLE
from domain.matter.words import HANDLING
from domain.refusal import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.context import Context
    from domain.event import Event
    from domain.matter.state import Matter

_OPENING: dict[type[Command], Callable[[Any, Context], tuple[Event, ...]]] = {
    do.RegisterMatter: intake.register,
    do.BackfillMatter: intake.backfill,
}

_MATTER: dict[type[Command], Callable[[Matter, Any, Context], tuple[Event, ...]]] = {
    do.TakeOverMatter: intake.take_over,
    do.JoinRequester: intake.join,
    do.StateNoticeWish: intake.state_notice_wish,
    do.AcceptMatter: intake.accept,
    do.ProposeRefusal: intake.propose_refusal,
    do.ConfirmRefusal: intake.confirm_refusal,
    do.DivertMatter: intake.divert,
    do.TriageMatter: handling.triage,
    do.RetriageMatter: handling.retriage,
    do.RecordAttempt: handling.attempt,
    do.StartHandling: handling.start_handling,
    do.EscalateMatter: handling.escalate,
    do.DeferMatter: handling.defer,
    do.HoldReview: handling.hold_review,
    do.ResumeMatter: handling.resume,
    do.SubmitResult: closing.submit_result,
    do.ReviewResult: closing.review,
    do.SendBackResult: closing.send_back,
    do.RecordCallback: closing.callback,
    do.ReopenMatter: closing.reopen,
    do.CloseMatter: closing.close,
    do.ArchiveMatter: keeping.archive,
    do.RequestWithdrawal: withdrawal.request_withdrawal,
    do.ConfirmWithdrawal: withdrawal.confirm_withdrawal,
    do.DenyWithdrawal: withdrawal.deny_withdrawal,
    do.RequestExclusion: exclusion.request_exclusion,
    do.DecideExclusion: exclusion.decide_exclusion,
    do.RequestMatterExtension: disputes.request_matter_extension,
    do.DecideMatterExtension: disputes.decide_matter_extension,
    do.DiscloseCase: disclosing.disclose,
    odo.DraftOrder: drafting.draft,
}

_FAMILY: dict[
    type[Command], Callable[[Matter, Any, Context], tuple[tuple[Event, ...], families.Elsewhere]]
] = {
    do.AddSupplement: families.supplement,
    do.MergeMatter: families.merge,
    do.ReverseMerge: families.reverse_merge,
    do.SplitMatter: families.split,
    do.DeclareRecusal: recusal.declare,
    do.EraseData: keeping.erase,
    do.LiftLock: lifting.lift,
}

_CLOCK: dict[type[Command], Callable[[Matter, Any, Context], tuple[Event, ...]]] = {
    do.TakeDueSteps: due.take,
    do.ResetClocks: due.reset,
}

_ORDER: dict[type[Command], Callable[..., tuple[Event, ...]]] = {
    odo.AuthoriseOrder: orders.authorise,
    odo.IssueOrder: orders.issue,
    odo.ConfirmAuthority: orders.confirm_authority,
    odo.CancelOrder: orders.cancel,
    odo.AddLeg: orders.add_leg,
    odo.ChangeLead: orders.change_lead,
    odo.AnswerCall: orders.answer_call,
}

_LEG: dict[type[Command], Callable[..., tuple[Event, ...]]] = {
    odo.AcknowledgeLeg: legs.acknowledge,
    odo.ContactLeg: legs.contact,
    odo.CheckIn: legs.check_in,
    odo.ConfirmWordOfMouth: legs.confirm_word,
    odo.NoteWork: legs.note_work,
    odo.RequestHelp: legs.request_help,
    odo.ReportLeg: legs.report,
    odo.AcceptLeg: legs.accept,
    odo.RejectLeg: legs.reject,
    odo.DeclineLeg: legs.decline,
    odo.RequestReturn: disputes.request_return,
    odo.DecideReturn: disputes.decide_return,
    odo.OpenDispute: disputes.open_dispute,
    odo.AdjudicateDispute: disputes.adjudicate,
    odo.ExcuseLeg: legs.excuse,
    odo.RequestExtension: disputes.request_extension,
    odo.DecideExtension: disputes.decide_extension,
    odo.UrgeLeg: legs.urge,
    odo.SuperviseLeg: legs.supervise,
    odo.ChangeSummonsTime: legs.change_time,
    odo.RateLeg: legs.rate,
}

COMMANDS = (*_OPENING, *_MATTER, *_FAMILY, *_CLOCK, *_ORDER, *_LEG)


def decide(state: Matter | None, command: Command, ctx: Context) -> Decision:
    """What this command does to the matter, or Refused. `state` is None for a case that does not exist yet."""
    _in_time(ctx)
    opening = _OPENING.get(type(command))
    if opening is not None:
        opened = opening(command, ctx)  # first: a bad command is refused alike, whatever the id
        not_taken(ctx, state, "exists_already", "Give the new matter a fresh id.")
        return Decision(rule=command.NAME, events=opened)
    if state is None or not exists_for(ctx, state):
        raise NotFound
    not_recused(ctx, state)
    events, elsewhere = _decided(state, command, ctx)
    row = MATTER.get(command.NAME)
    if row is not None and row.to is not None and _moves(command, events):
        elsewhere = (*elsewhere, *families.tell_parent(state, row.to, ctx))
    elif isinstance(command, do.ReverseMerge):
        elsewhere = (*elsewhere, *families.tell_parent(state, state.before_merge, ctx))
    not_recused(ctx, *(ctx.others.get(case) for case, _ in elsewhere))
    return Decision(rule=_rule(state, command), events=events, elsewhere=elsewhere)


def _moves(command: Command, events: tuple[Event, ...]) -> bool:
    """A confirmed withdrawal of one of several requesters leaves the matter where it is."""
    return not isinstance(command, do.ConfirmWithdrawal) or events[-1].TYPE == "matter_withdrawn.v1"


def _in_time(ctx: Context) -> None:
    occurred, recorded = ctx.when.occurred_at, ctx.when.recorded_at
    if occurred > ctx.calendar.due(recorded, ctx.rulebook.future_tolerance).at:
        raise Refused("future", "Give the time when it happened; that lies in the future.")


def _decided(state: Matter, command: Command, ctx: Context) -> tuple[tuple[Event, ...], families.Elsewhere]:
    kind = type(command)
    if kind in _CLOCK:
        return _CLOCK[kind](state, command, ctx), ()
    _taken_over(state, command)
    _still_sealed(state, ctx)
    if isinstance(command, odo.LegCommand):
        return _on_leg(state, command, ctx), ()
    if kind in _ORDER and isinstance(command, odo.OrderCommand):
        return _on_order(state, command, ctx), ()
    row = MATTER.get(command.NAME)
    if row is None:
        raise Refused("unknown_act", "This act does not belong to a matter; check its name.")
    allowed_now(command, state.status, row.allowed)
    _builds_on(state, command, ctx)
    if kind in _FAMILY:
        return _FAMILY[kind](state, command, ctx)
    return _MATTER[kind](state, command, ctx), ()


_AT_ANY_TIME = frozenset({
    "add_supplement", "join_requester", "state_notice_wish", "disclose_case", "erase_data", "lift_lock", "declare_recusal",
})  # fmt: skip
_AFTER_EVERYBODY = frozenset({"submit_result", "divert_matter", "merge_matter"})


def _builds_on(state: Matter, command: Command, ctx: Context) -> None:
    """No act precedes the one it builds on: its claimed time tells what had happened by when (DESIGN.md §9)."""
    if command.NAME in _AT_ANY_TIME:
        after(ctx, state.opened_at)
    else:
        after(ctx, state.last_at if command.NAME in _AFTER_EVERYBODY else state.moved_at)


_OF_HISTORY = (do.TakeOverMatter, do.AddSupplement, do.DiscloseCase, do.EraseData, do.LiftLock)


def _still_sealed(state: Matter, ctx: Context) -> None:
    """Into a case that was erased or locked as a whole nothing is sealed any more, about nobody."""
    shut = state.shut(WHOLE) if ctx.sealed else None
    if shut is not None:
        raise Refused(
            shut, f"The data of this case are {shut}; nothing is written to them. Register a new matter."
        )


def _taken_over(state: Matter, command: Command) -> None:
    """Imported history stands still until somebody takes it over (DESIGN.md §9); what is kept of it is still kept."""
    if state.backfilled and not isinstance(command, _OF_HISTORY):
        raise Refused(
            "not_taken_over",
            "Take it over first, or register a new matter that repeats it; here nothing runs.",
        )


def _on_order(state: Matter, command: odo.OrderCommand, ctx: Context) -> tuple[Event, ...]:
    order = state.orders.get(command.order)
    if order is None:
        raise Refused("unknown_order", "Name an order of this matter.")
    allowed = ORDER[command.NAME].allowed
    if order.emergency and command.NAME == "issue_order":
        allowed = allowed | {"drafted"}
    allowed_now(command, order.status, allowed)
    _open_to_orders(state, command)
    after(ctx, order.last_at)
    return _ORDER[type(command)](state, order, command, ctx)


def _on_leg(state: Matter, command: odo.LegCommand, ctx: Context) -> tuple[Event, ...]:
    leg = state.leg(command.leg)
    if leg is None:
        raise Refused("unknown_leg", "Name a summoned body's leg of this matter.")
    order = state.orders[leg.order]
    row = leg_row(command.NAME, checks_in=order.shape.checks_in, emergency=order.emergency)
    allowed_now(command, leg.status, row.allowed)
    if leg.status == "disputed" and row.to in ("checked_in", "working", "reported"):
        allowed_now(command, leg.under, row.allowed - {"disputed"})
    _open_to_orders(state, command)
    after(ctx, leg.last_at)
    return _LEG[type(command)](state, order, leg, command, ctx)


def _open_to_orders(state: Matter, command: Command) -> None:
    if state.status == "merged":
        raise Refused("merged", "The matter was merged; act on its master.")
    if state.status == "archived" or (command.NAME in NEEDS_HANDLING and state.status not in HANDLING):
        raise Refused("wrong_state", f"The matter is {state.status}; nobody is summoned for it now.")


def _rule(state: Matter, command: Command) -> str:
    """The id of the rule that decided: the act, and the kind of order it was held to."""
    order_id = getattr(command, "order", None)
    leg = state.leg(getattr(command, "leg", None) or "")
    order = state.orders.get(order_id or (leg.order if leg else ""))
    return (
        f"{command.NAME}:{order.full_kind}"
        if order is not None and command.NAME in {**ORDER, **LEG}
        else command.NAME
    )
