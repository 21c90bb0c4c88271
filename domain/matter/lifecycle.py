"""The lifecycles as data: which act is allowed in which state, and where it leads (domain.md D.1, D.2).

`decide` looks a row up before any guard; the tests walk every state and act against their own transcription.
`to` is None where the state stays as it is, or where the guard decides between several ends.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.matter.words import ENDED_MATTER, HANDLING, LIVE_LEG, LIVE_MATTER


@dataclass(frozen=True, slots=True)
class Row:
    """One act: the states that allow it and the state that it leads to."""

    allowed: frozenset[str]
    to: str | None = None


def _in(*states: str) -> frozenset[str]:
    return frozenset(states)


_LIVE_OR_CALLED = LIVE_MATTER | _in("completed", "called_back")
_KNOWN = _LIVE_OR_CALLED | ENDED_MATTER
_OPEN_TO_WORDS = _KNOWN - _in("archived")

MATTER: dict[str, Row] = {
    "add_supplement": Row(_OPEN_TO_WORDS),
    "join_requester": Row(LIVE_MATTER | _in("completed")),
    "state_notice_wish": Row(_OPEN_TO_WORDS),
    "take_over_matter": Row(_in("in_handling"), "accepted"),
    "accept_matter": Row(_in("registered"), "accepted"),
    "propose_refusal": Row(_in("registered")),
    "confirm_refusal": Row(_in("registered"), "refused"),
    "divert_matter": Row(_LIVE_OR_CALLED | _in("closed"), "refused"),
    "triage_matter": Row(_in("accepted"), "triaged"),
    "retriage_matter": Row(HANDLING),
    "record_attempt": Row(HANDLING),
    "start_handling": Row(_in("triaged"), "in_handling"),
    "escalate_matter": Row(HANDLING),
    "defer_matter": Row(_in("in_handling"), "deferred"),
    "hold_review": Row(_in("deferred")),
    "resume_matter": Row(_in("deferred"), "in_handling"),
    "submit_result": Row(_in("in_handling"), "completed"),
    "review_result": Row(_in("completed")),
    "send_back_result": Row(_in("completed"), "in_handling"),
    "record_callback": Row(_in("completed"), "called_back"),
    "reopen_matter": Row(_in("called_back", "closed"), "in_handling"),
    "close_matter": Row(_in("called_back"), "closed"),
    "archive_matter": Row(_in("closed"), "archived"),
    "merge_matter": Row(LIVE_MATTER, "merged"),
    "reverse_merge": Row(_in("merged")),
    "request_withdrawal": Row(LIVE_MATTER),
    "confirm_withdrawal": Row(LIVE_MATTER, "withdrawn"),
    "deny_withdrawal": Row(LIVE_MATTER),
    "split_matter": Row(_in("accepted", "triaged", "in_handling", "deferred", "completed", "called_back")),
    "request_exclusion": Row(_KNOWN - _in("archived", "merged", "refused")),
    "decide_exclusion": Row(_KNOWN - _in("archived", "merged", "refused")),
    "declare_recusal": Row(_OPEN_TO_WORDS - _in("merged")),
    "disclose_case": Row(_KNOWN),
    "erase_data": Row(_KNOWN),
    "lift_lock": Row(_KNOWN),
    "draft_order": Row(HANDLING),
    "request_matter_extension": Row(HANDLING),
    "decide_matter_extension": Row(HANDLING | _in("completed", "called_back")),
}

ORDER: dict[str, Row] = {
    "authorise_order": Row(_in("drafted"), "authorised"),
    "issue_order": Row(_in("authorised"), "issued"),
    "cancel_order": Row(_in("drafted", "authorised", "issued"), "cancelled"),
    "add_leg": Row(_in("issued")),
    "change_lead": Row(_in("issued")),
    "confirm_authority": Row(_in("issued", "settled")),
    "answer_call": Row(_in("issued")),
}
"""An emergency whistle by the duty leader goes from `drafted` to `issued`; its authority is confirmed later."""

_NOT_YET_THERE = _in("issued", "acknowledged")
_AT_WORK = _in("checked_in", "working")

LEG: dict[str, Row] = {
    "acknowledge_leg": Row(_in("issued"), "acknowledged"),
    "contact_leg": Row(LIVE_LEG - _in("reported")),
    "request_return": Row(_NOT_YET_THERE, "return_requested"),
    "decide_return": Row(_in("return_requested")),
    "open_dispute": Row(_in("acknowledged") | _AT_WORK, "disputed"),
    "adjudicate_dispute": Row(_in("disputed")),
    "check_in": Row(_in("acknowledged", "disputed"), "checked_in"),
    "note_work": Row(_AT_WORK | _in("disputed"), "working"),
    "request_help": Row(_AT_WORK | _in("disputed"), "working"),
    "report_leg": Row(_in("working", "disputed"), "reported"),
    "accept_leg": Row(_in("reported"), "discharged"),
    "reject_leg": Row(_in("reported"), "working"),
    "decline_leg": Row(_in("issued"), "rejected"),
    "excuse_leg": Row(LIVE_LEG, "excused"),
    "request_extension": Row(LIVE_LEG - _in("reported")),
    "decide_extension": Row(LIVE_LEG),
    "urge_leg": Row(LIVE_LEG),
    "supervise_leg": Row(LIVE_LEG),
    "change_summons_time": Row(_NOT_YET_THERE),
    "confirm_word_of_mouth": Row(LIVE_LEG | _in("discharged")),
    "rate_leg": Row(_in("discharged", "excused", "returned")),
}
"""Kinds without check-in go from `acknowledged` to `working` and may report from `acknowledged`; an emergency
check-in is also allowed from `issued` and implies acknowledgement. A disputed leg keeps its state underneath, by
which its acts are judged: the first receiver goes on acting and the clock does not stop."""


NEEDS_HANDLING = frozenset({"draft_order", "authorise_order", "issue_order", "add_leg"})
"""Acts that summon somebody: only while the matter is being handled."""


def leg_row(act: str, *, checks_in: bool, emergency: bool) -> Row:
    """The row of a leg's act for its kind of order."""
    row = LEG[act]
    if not checks_in and act in ("note_work", "request_help"):
        return Row(row.allowed | _in("acknowledged"), row.to)
    if not checks_in and act == "report_leg":
        return Row(row.allowed | _in("acknowledged"), row.to)
    if not checks_in and act == "check_in":
        return Row(frozenset())
    if emergency and act == "check_in":
        return Row(row.allowed | _in("issued"), row.to)
    return row
