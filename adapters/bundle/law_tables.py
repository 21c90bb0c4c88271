"""What the domain says in code and not in tables, written out for rules.json: parties, persons, clocks; and `law_effects`.

The domain's folds and guards decide; these tables repeat them in words that another program can read. The tests play
every life and random ones through both and compare state, clocks and persons event by event, so that neither can
change alone. The words are specified in `adapters.bundle.rules`.
"""

from __future__ import annotations

from typing import Any

from domain.matter.words import LIVE_MATTER

SETTLED = ("order_settled.v1", "issued", "settled")
"""The one event without an act of its own: its order has no live leg any more."""

TOLD: dict[str, dict[str, Any]] = {
    "matter_absorbed.v1": {"states": sorted(LIVE_MATTER), "if": {}},
    "matter_reopened.v1": {"states": ["called_back", "closed", "completed"], "if": {"ground": "late_child"}},
    "matter_supplemented.v1": {"states": None, "if": {"merged": "*"}},
    "data_erased.v1": {"states": None, "if": {}, "needs": ["ended_or_withdrawn"]},
    "data_locked.v1": {"states": None, "if": {}, "needs": ["ended_or_withdrawn"]},
    "data_unlocked.v1": {"states": None, "if": {}},
}
"""What another case's act may put into this one: in which states, and how it is told from an act of its own."""

STANDING_STILL = ("take_over_matter", "add_supplement", "disclose_case", "erase_data", "lift_lock")
"""The only acts on imported history that nobody has taken over."""

NEEDS: dict[str, list[str]] = {
    "submit_result": ["nothing_mandatory_open", "met_if_urgent"],
    "close_matter": ["nothing_mandatory_open", "everybody_answered"],
    "archive_matter": ["no_leg_live"],
    "erase_data": ["ended_or_withdrawn"],
    "merge_matter": ["no_leg_live"],
}
"""What must be so before an act."""

# -- who -------------------------------------------------------------------------------------------------------------

_OFFICE, _ASKER = ("office",), ("office", "requester")

PARTIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "register_matter": ("register_matter", ("officer", "requester_named")),
    "backfill_matter": ("register_matter", ("officer",)),
    "take_over_matter": ("take_over", ("host",)),
    "add_supplement": ("supplement", _ASKER),
    "join_requester": ("join_requester", ("office", "requester_named")),
    "state_notice_wish": ("supplement", _ASKER),
    "accept_matter": ("accept", _OFFICE),
    "propose_refusal": ("refuse", _OFFICE),
    "confirm_refusal": ("confirm_refusal", _OFFICE),
    "divert_matter": ("divert", _OFFICE),
    "triage_matter": ("triage", _OFFICE),
    "retriage_matter": ("retriage", _OFFICE),
    "record_attempt": ("record_attempt", _OFFICE),
    "start_handling": ("start_handling", _OFFICE),
    "escalate_matter": ("escalate", _OFFICE),
    "defer_matter": ("defer", ("office_above",)),
    "hold_review": ("hold_review", ("office_above",)),
    "resume_matter": ("resume", ("office_above",)),
    "submit_result": ("submit_result", ("office", "lead")),
    "review_result": ("review_result", _OFFICE),
    "send_back_result": ("review_result", _OFFICE),
    "record_callback": ("callback", ("caller", "at_counter")),
    "reopen_matter": ("reopen", ("office", "supervisor", "requester")),
    "close_matter": ("close", ("office", "supervisor")),
    "archive_matter": ("archive", ("officer",)),
    "merge_matter": ("merge", _OFFICE),
    "reverse_merge": ("merge", _OFFICE),
    "split_matter": ("split", _OFFICE),
    "request_withdrawal": ("withdraw", _ASKER),
    "confirm_withdrawal": ("confirm_withdrawal", ("office", "supervisor")),
    "deny_withdrawal": ("confirm_withdrawal", ("office", "supervisor", "requester")),
    "request_exclusion": ("exclude_request", ("part",)),
    "decide_exclusion": ("exclude_decide", ("no_part",)),
    "request_matter_extension": ("request_extension", _OFFICE),
    "decide_matter_extension": ("decide_extension", ("office_over_asker",)),
    "draft_order": ("draft_order", ("drafts",)),
    "authorise_order": ("authorise_order", ("issuers",)),
    "issue_order": ("issue_order", ("issuers",)),
    "confirm_authority": ("confirm_authority", ("issuer",)),
    "cancel_order": ("cancel_order", ("issuer",)),
    "add_leg": ("add_leg", ("issuers",)),
    "change_lead": ("change_lead", ("issuers_unless_ruled", "panel_if_ruled")),
    "answer_call": ("answer_call", ("receiver",)),
    "acknowledge_leg": ("acknowledge", ("receiver",)),
    "contact_leg": ("contact", ("receiver",)),
    "check_in": ("check_in", ("receiver",)),
    "confirm_word_of_mouth": ("confirm_word_of_mouth", ("issuers",)),
    "note_work": ("note_work", ("receiver", "issuers")),
    "request_help": ("request_help", ("receiver", "issuers")),
    "report_leg": ("report", ("receiver",)),
    "accept_leg": ("accept_result", ("issuer", "supervises", "requester")),
    "reject_leg": ("accept_result", ("issuer", "supervises", "requester")),
    "decline_leg": ("decline", ("receiver",)),
    "request_return": ("request_return", ("receiver",)),
    "decide_return": ("decide_return", ("centre",)),
    "open_dispute": ("open_dispute", ("receiver", "issuer")),
    "adjudicate_dispute": ("adjudicate", ("panel",)),
    "excuse_leg": ("excuse_leg", ("issuer",)),
    "request_extension": ("request_extension", ("receiver",)),
    "decide_extension": ("decide_extension", ("issuers_over", "supervisor_over")),
    "urge_leg": ("urge", ("issuer", "community", "supervisor")),
    "supervise_leg": ("supervise", ("issuer", "supervisor")),
    "change_summons_time": ("change_summons_time", ("issuers",)),
    "rate_leg": ("rate_leg", ("rates", "requester")),
    "declare_recusal": ("recuse", ("oneself", "office", "supervisor", "part")),
    "disclose_case": ("disclose", ("office", "archive")),
    "erase_data": ("erase", ("office", "archive")),
    "lift_lock": ("erase", ("office", "archive")),
    "take_due_steps": ("", ("clock",)),
    "reset_clocks": ("", ("clock",)),
}
"""Of each act: the word under which a rulebook names its posts, and the parties one of which must act."""

POWERED = {"authorise_order": "actor", "issue_order": "issuer", "add_leg": "issuer"}
"""Acts that cite a power item where the kind of order has a power: whose it is."""

# -- persons ---------------------------------------------------------------------------------------------------------

_PART = ["handlers", "releasers", "issuers_of_all"]


def _apart(*roles: str, code: str = "same_person", **when: Any) -> dict[str, Any]:
    return {"roles": list(roles), "code": code, **({"if": when} if when else {})}


APART: dict[str, list[dict[str, Any]]] = {
    "matter_refused.v1": [_apart("proposer")],
    "matter_retriaged.v1": [_apart("handlers")],
    "matter_deferred.v1": [_apart("handlers")],
    "review_held.v1": [_apart("handlers")],
    "matter_resumed.v1": [_apart("handlers")],
    "result_reviewed.v1": [_apart("handlers")],
    "result_sent_back.v1": [_apart("handlers")],
    "callback_tried.v1": [_apart(*_PART, code="callback_not_independent")],
    "callback_done.v1": [
        _apart(*_PART, code="callback_not_independent", how="callback"),
        _apart(*_PART, code="callback_not_independent", how="site_check"),
    ],
    "requester_withdrew.v1": [_apart(*_PART, "withdrawing", code="callback_not_independent")],
    "matter_withdrawn.v1": [_apart(*_PART, "withdrawing", code="callback_not_independent")],
    "matter_closed.v1": [_apart(*_PART, "submitter", code="closing_not_independent")],
    "exclusion_decided.v1": [_apart("excluding")],
    "order_authorised.v1": [_apart("drafter", "signed")],
    "leg_added.v1": [_apart("performers_of_order")],
    "order_cancelled.v1": [_apart("performers_of_order")],
    "lead_changed.v1": [_apart("performers_of_order"), _apart("issuers_if_ruled")],
    "authority_confirmed.v1": [_apart("issuers", "performers_of_order")],
    "leg_excused.v1": [_apart("performers")],
    "summons_time_changed.v1": [_apart("performers")],
    "leg_acknowledged.v1": [_apart("issuers")],
    "leg_contacted.v1": [_apart("issuers")],
    "leg_checked_in.v1": [_apart("issuers")],
    "word_of_mouth_confirmed.v1": [_apart("performers")],
    "work_noted.v1": [_apart("issuers", by="receiver"), _apart("performers", by="issuer")],
    "help_requested.v1": [_apart("issuers", by="receiver"), _apart("performers", by="issuer")],
    "leg_reported.v1": [_apart("issuers")],
    "result_accepted.v1": [
        _apart("performers", "signers_of_leg"), _apart("issuers", signed_as="supervisor"),
    ],
    "result_rejected.v1": [_apart("performers")],
    "leg_declined.v1": [_apart("issuers")],
    "return_requested.v1": [_apart("issuers")],
    "return_decided.v1": [_apart("performers", "issuers")],
    "dispute_adjudicated.v1": [_apart("performers", "issuers")],
    "extension_requested.v1": [_apart("issuers")],
    "extension_decided.v1": [_apart("asker", "doers")],
    "leg_supervised.v1": [_apart("performers")],
    "call_answered.v1": [_apart("issuers")],
    "leg_rated.v1": [_apart("performers")],
    "data_erased.v1": [_apart(*_PART, "submitter")],
    "data_locked.v1": [_apart(*_PART, "submitter")],
    "data_unlocked.v1": [_apart(*_PART, "submitter")],
}  # fmt: skip
"""Whose persons the act's person must not be among (law 4, G4). Not asked of the rulebook's own default steps."""

FOLLOWS: dict[str, dict[str, str]] = {
    "handling_started.v1": {"issue_order": "before"},
    "leg_excused.v1": {"confirm_withdrawal": "before", "divert_matter": "before"},
    "order_cancelled.v1": {"confirm_withdrawal": "before", "divert_matter": "before"},
    "order_settled.v1": {
        "confirm_withdrawal": "before", "divert_matter": "before", "accept_leg": "after", "decline_leg": "after",
        "excuse_leg": "after", "decide_return": "after", "adjudicate_dispute": "after", "answer_call": "after",
    },
    "lead_changed.v1": {"decide_return": "after", "adjudicate_dispute": "after"},
    "order_authorised.v1": {"draft_order": "after"},
    "matter_reopened.v1": {"split_matter": "after"},
    "data_locked.v1": {"archive_matter": "before"},
}  # fmt: skip
"""Events that come along with another one of the same act, which is the one judged; before it, or after it."""

# -- clocks ----------------------------------------------------------------------------------------------------------


def _clock(stage: str, of: str, **more: Any) -> dict[str, Any]:
    return {"stage": stage, "for": of, **more}


_OF_LEG = [
    _clock("acknowledge", "order", carried=True),
    _clock("contact", "order", only="checks_in", carried=True),
    _clock("check_in", "order", only="checks_in", due="joint", carried=True),
    _clock("finish", "order", carried=True),
    _clock("answer", "order", only="call", carried=True),
]

STARTS: dict[str, list[dict[str, Any]]] = {
    "matter_registered.v1": [_clock("accept", "first"), _clock("onsite", "any", only="emergency")],
    "matter_taken_over.v1": [_clock("triage", "demand")],
    "matter_accepted.v1": [_clock("triage", "first")],
    "matter_triaged.v1": [_clock("finish", "grade"), _clock("onsite", "graded", only="first_urgent")],
    "matter_retriaged.v1": [
        _clock("finish", "grade", only="regraded", due="regraded", carried=True),
        _clock("onsite", "graded", only="first_urgent_regraded"),
    ],
    "matter_deferred.v1": [_clock("review", "free", due="review_by")],
    "review_held.v1": [_clock("review", "free", due="review_by")],
    "matter_resumed.v1": [_clock("finish", "free", only="carried", due="paused", carried=True)],
    "result_submitted.v1": [_clock("callback", "demand")],
    "callback_done.v1": [_clock("close", "demand", only="complete")],
    "matter_reopened.v1": [_clock("finish", "again", only="asked_again")],
    "matter_absorbed.v1": [_clock("finish", "free", only="carried", due="given", carried=True)],
    "order_issued.v1": [_clock("confirm_authority", "order", only="emergency_whistle")],
    "leg_added.v1": _OF_LEG,
    "leg_reported.v1": [_clock("accept_result", "order", only="not_disputed")],
    "return_requested.v1": [_clock("decide_return", "order")],
    "dispute_opened.v1": [_clock("adjudicate", "order")],
    "dispute_adjudicated.v1": [_clock("accept_result", "order", only="reported_stays")],
    "extension_requested.v1": [_clock("decide_extension", "free", due="before_own")],
    "leg_supervised.v1": [_clock("supervise", "free", due="given")],
    "supervised_by_clock.v1": [_clock("supervise", "order", only="unsupervised")],
}
"""The clocks that an event starts, where the rulebook in force holds one of that stage and kind."""

STARTS_PER_LEG: dict[str, list[dict[str, Any]]] = {
    "order_issued.v1": [{**one, "carried": False} for one in _OF_LEG]
}
"""The same for each leg of a fresh order."""

NOT_CHECKABLE: list[dict[str, str]] = [
    {"what": "sealed_values",
     "zh": "证据、答复、现场证明等封存内容是否真实、是否齐备；叶子里只有加盐摘要。",
     "en": "Whether sealed values (evidence, replies, proofs of presence) are true or even there: leaves hold salted digests."},
    {"what": "truth",
     "zh": "所记是否属实；账本只证明何时由谁如此记录。",
     "en": "Whether what was recorded is true: the log proves when and by whom it was claimed."},
    {"what": "never_recorded",
     "zh": "从未登记的诉求；只有回执和监督组织自己的测试诉求能发现。",
     "en": "Requests that were never recorded: only receipts and the board's own test requests show them."},
    {"what": "duty_list",
     "zh": "吹哨对象是否在职责清单之列、会商是否指定；清单按事项与地点匹配，本检查不重算。",
     "en": "Whether a summoned body stands on the duty list for the matter and place, or a ruling names it: not matched again."},
    {"what": "admission",
     "zh": "社区工作事项准入是否具备；准入条件为文字，本检查不判断。",
     "en": "Whether a task given to a community was admitted: the conditions are words, not judged here."},
    {"what": "duty_roster",
     "zh": "应急哨发出时值班领导是否当班。",
     "en": "Whether the duty leader who blew an emergency whistle was on duty at that hour."},
    {"what": "grounds",
     "zh": "理由、依据编码是否恰当；只核对权力事项是否有效。",
     "en": "Whether a ground or legal basis is the right one: only power items are checked to be in force."},
    {"what": "same_human",
     "zh": "两个化名背后是否同一自然人；须由监督组织对照花名册。",
     "en": "Whether two pseudonyms are one human being: the board holds them against the roster itself."},
    {"what": "returns_and_reopenings_counted",
     "zh": "退单、重办次数与窗口期是否超出规则。",
     "en": "Whether returns and reopenings stayed within the rulebook's number and window."},
    {"what": "working_time_with_pauses",
     "zh": "有中止或延期的工作日时限的长度；只核对存储值前后一致。",
     "en": "The length of working-time clocks that were paused or extended: only stored values are held together."},
    {"what": "sampling",
     "zh": "抽样未回访的事项是否确应免于回访。",
     "en": "Whether a matter that the sample left out was rightly left out of the callbacks."},
]  # fmt: skip
"""What leaves alone cannot tell, or this law does not recompute; the report says so."""
