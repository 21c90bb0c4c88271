"""What each stored event does to a case, written out for rules.json; what else the domain says in code: `law_tables`.

The words of the operations are specified in `adapters.bundle.rules`.
"""

from __future__ import annotations

from typing import Any

Op = dict[str, Any]


def _op(verb: str, **given: Any) -> Op:
    when = given.pop("when", None)
    return {"do": verb, **given, **({"if": when} if when else {})}


def _stop(of: str, *stages: str, **more: Any) -> Op:
    return _op("stop", of=of, stages=list(stages), **more)


def _revive(*of: str, stage: str = "finish", **more: Any) -> list[Op]:
    return [_op("revive", of=one, stage=stage, **more) for one in of]


_GOTO = _op("go")
_START = _op("start", of="matter")
_LEG = _op("start", of="leg")
_ITEM = _op("item")
_FORGET = _op("forget_extension")
_PERFORMS = [_op("person", role="performers"), _op("person", role="handlers")]
_THERE = _op("met")
_NO_CLOCK: dict[str, Any] = {"clocks": []}

EFFECTS: dict[str, list[Op]] = {
    "matter_registered.v1": [_op("open"), _START],
    "matter_backfilled.v1": [_op("open")],
    "matter_taken_over.v1": [_op("take_over"), _GOTO, _START],
    "matter_supplemented.v1": [],
    "requester_joined.v1": [_op("join")],
    "notice_wish_stated.v1": [],
    "matter_accepted.v1": [_GOTO, _stop("matter", "accept"), _START],
    "refusal_proposed.v1": [_op("person", role="proposer", only=True)],
    "matter_refused.v1": [_GOTO, _stop("matter", "accept"), _op("cancel_all")],
    "matter_diverted.v1": [_GOTO, _op("confide"), _op("cancel_all")],
    "matter_triaged.v1": [_GOTO, _op("grade"), _stop("matter", "triage"), _START],
    "matter_retriaged.v1": [_op("grade"), _START],
    "attempt_recorded.v1": [_op("person", role="handlers"), _op("met", when={"on_site": True})],
    "matter_escalated.v1": [],
    "handling_started.v1": [_GOTO, _op("person", role="handlers", when={"how": "self_handling"})],
    "matter_deferred.v1": [_GOTO, _op("cancel", of="matter", stage="finish"), _FORGET, _START],
    "review_held.v1": [_stop("matter", "review"), _START],
    "matter_resumed.v1": [_GOTO, _stop("matter", "review"), *_revive("matter", when=_NO_CLOCK), _START],
    "result_submitted.v1": [
        _GOTO, _op("person", role="handlers"), _op("person", role="submitter", only=True),
        _stop("matter", "finish", "onsite"), _stop("absorbed", "finish", "onsite"), _START,
    ],
    "result_reviewed.v1": [],
    "result_sent_back.v1": [
        _GOTO, _stop("matter", "callback"), _op("unanswered"), *_revive("matter", "absorbed"),
    ],
    "callback_tried.v1": [],
    "callback_done.v1": [
        _op("answered"), _op("go", when={"complete": True}),
        _stop("matter", "callback", when={"complete": True}), _op("start", of="matter", when={"complete": True}),
    ],
    "matter_reopened.v1": [
        _GOTO, _stop("matter", "close", "callback"), _FORGET, _op("unanswered"),
        *_revive("matter", "absorbed", when=_NO_CLOCK), _START,
    ],
    "matter_closed.v1": [_GOTO, _stop("matter", "close"), _FORGET],
    "matter_archived.v1": [_GOTO],
    "withdrawal_requested.v1": [_op("note_by", role="withdrawing", key="requester")],
    "withdrawal_denied.v1": [_op("forget_by", role="withdrawing", key="requester")],
    "requester_withdrew.v1": [_op("withdraw"), _op("forget_by", role="withdrawing", key="requester")],
    "matter_withdrawn.v1": [_GOTO, _op("withdraw"), _op("cancel_all")],
    "matter_merged.v1": [_op("merge"), _op("cancel_all"), _GOTO],
    "matter_absorbed.v1": [_op("absorb"), _op("start", of="merged")],
    "merge_reversed.v1": [_op("unmerge")],
    "absorption_reversed.v1": [_op("release"), _op("cancel", of="merged")],
    "child_opened.v1": [_op("child", open=True)],
    "child_ended.v1": [_op("child", open=False)],
    "child_reopened.v1": [_op("child", open=True)],
    "exclusion_requested.v1": [_op("note_by", role="excluding", key="by")],
    "exclusion_decided.v1": [],
    "reminded.v1": [_ITEM],
    "due_missed.v1": [_ITEM],
    "breach_escalated.v1": [_ITEM],
    "clock_reset.v1": [_op("set_due", by="notice")],
    "order_drafted.v1": [_op("draft"), _op("person", role="issuers"), _op("person", role="drafter", only=True)],
    "order_authorised.v1": [
        _op("person", role="issuers"), _op("note_by", role="signed", key="signed_as", of="order"),
        _op("order", when={"complete": True}),
    ],
    "order_issued.v1": [_op("order"), _op("person", role="issuers"), _op("issue"), _op("start", of="order")],
    "leg_added.v1": [_op("person", role="issuers"), _op("add_leg"), _LEG],
    "leg_excused.v1": [_op("end_leg")],
    "lead_changed.v1": [_op("lead")],
    "summons_time_changed.v1": [_op("set_due", by="issuer")],
    "leg_acknowledged.v1": [_op("leg"), *_PERFORMS, _stop("leg", "acknowledge")],
    "leg_contacted.v1": [*_PERFORMS, _stop("leg", "contact")],
    "leg_checked_in.v1": [
        _op("move"), _op("there"), *_PERFORMS, _stop("leg", "acknowledge", "contact", "check_in"), _THERE,
    ],
    "word_of_mouth_confirmed.v1": [_op("spoken")],
    "work_noted.v1": [_op("work")],
    "help_requested.v1": [_op("work")],
    "leg_reported.v1": [_op("move"), *_PERFORMS, _stop("leg", "finish", "contact", "supervise"), _THERE, _LEG],
    "result_accepted.v1": [
        _op("note_by", role="signed", key="signed_as", of="leg"), _op("person", role="releasers"),
        _stop("leg", "accept_result", when={"discharged": True}), _op("end_leg", when={"discharged": True}),
    ],
    "result_rejected.v1": [
        _op("leg"), _op("unsign"), _stop("leg", "accept_result"),
        *_revive("leg"), *_revive("leg", stage="supervise"),
    ],
    "leg_declined.v1": [_op("end_leg")],
    "return_requested.v1": [_op("beneath"), *_PERFORMS, _LEG],
    "return_decided.v1": [
        _stop("leg", "decide_return"), _op("end_leg", to="returned", when={"granted": True}),
        _op("leg", to="acknowledged", when={"granted": False}),
        _stop("leg", "acknowledge", when={"granted": False}),
    ],
    "dispute_opened.v1": [_op("beneath"), _LEG],
    "dispute_adjudicated.v1": [
        _stop("leg", "adjudicate"), _op("ruled"), _op("end_leg", to="excused", when={"outcome": "excused"}),
        _op("surface", when={"outcome": "stays"}), _op("start", of="leg", when={"outcome": "stays"}),
    ],
    "extension_requested.v1": [_op("ask_extension"), _op("start", of="owner")],
    "extension_decided.v1": [_stop("owner", "decide_extension"), _op("extend")],
    "leg_urged.v1": [],
    "urged_by_clock.v1": [_ITEM],
    "leg_supervised.v1": [_LEG],
    "supervised_by_clock.v1": [_ITEM, _op("start", of="owner")],
    "order_cancelled.v1": [_op("order"), _op("end_legs"), _op("cancel", of="order")],
    "order_settled.v1": [_op("order")],
    "call_answered.v1": [*_PERFORMS, _stop("leg", "answer"), _op("take_call")],
    "authority_confirmed.v1": [_op("person", role="issuers"), _stop("order", "confirm_authority")],
    "authority_lapsed.v1": [_ITEM],
    "leg_rated.v1": [_op("note_by", role="raters", key="rater", of="leg")],
    "person_recused.v1": [_op("recuse")],
    "case_disclosed.v1": [],
    "data_erased.v1": [],
    "data_locked.v1": [],
    "data_unlocked.v1": [],
}  # fmt: skip
"""What each stored event does to the case. `to` is filled in from the lifecycle's row where it stands there."""
