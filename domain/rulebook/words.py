"""The closed words of a rulebook: stages of clocks, acts, and what clocks are held for."""

from __future__ import annotations

from typing import Literal, get_args

Stage = Literal[
    "accept", "triage", "finish", "callback", "close", "review", "onsite",
    "acknowledge", "contact", "check_in", "answer",
    "decide_return", "decide_extension", "adjudicate", "confirm_authority", "accept_result",
    "supervise",
]  # fmt: skip
"""The first line are stages of a matter (`finish` also of a leg), the others of orders and their legs."""

Demand = Literal["consultation", "help", "complaint", "report", "suggestion"]
"""诉求类别: 咨询, 求助, 投诉, 举报, 建议."""

Source = Literal[
    "resident_app", "window", "phone", "grid", "duty_desk", "hotline_12345",
    "petition", "patrol", "inspection", "council", "import",
]  # fmt: skip
"""来源: where a matter came in."""

Kind = Literal["request", "dispute", "hazard", "petition", "project", "task"]
Scale = Literal["minor", "hard"]
Channel = Literal["online", "on_site", "hall"]

NAME = r"^[a-z][a-z0-9_-]{0,39}/[0-9A-Za-z][0-9A-Za-z.]{0,19}$"
"""A rulebook's name: a word and a version, such as `gulou/2026.1`."""

ANY = "*"
"""Stands for every kind in `of`."""

ORDERS = frozenset({
    "call", "whistle", "whistle.service", "whistle.enforcement", "whistle.project", "whistle.emergency",
    "call_out", "dispatch", "service", "visit", "agency", "rectification",
})  # fmt: skip
DEMANDS = frozenset(get_args(Demand))
MATTER = "matter"
"""Stands for the matter itself where an act is held for orders too: who extends its own clock."""
OF = ORDERS | DEMANDS | {MATTER} | {f"{demand}.urgent" for demand in DEMANDS} | {ANY}
"""All that a clock, an act or an authoriser may be held for; the most specific entry counts."""

ACTS = frozenset({
    # the matter
    "register_matter", "accept", "refuse", "confirm_refusal", "divert", "triage", "retriage", "escalate",
    "defer", "hold_review", "resume", "start_handling", "record_attempt", "submit_result", "review_result",
    "callback", "reopen", "close", "archive", "merge", "split", "withdraw", "confirm_withdrawal",
    "supplement", "join_requester", "take_over", "exclude_request", "exclude_decide", "disclose", "erase",
    "recuse",
    # orders and legs
    "draft_order", "authorise_order", "issue_order", "confirm_authority", "cancel_order", "add_leg",
    "excuse_leg", "change_lead", "change_summons_time", "answer_call", "acknowledge", "contact", "check_in",
    "note_work", "request_help", "report", "accept_result", "decline", "request_return", "decide_return",
    "open_dispute", "adjudicate", "request_extension", "decide_extension", "urge", "supervise",
    "confirm_word_of_mouth", "rate_leg",
})  # fmt: skip

REQUESTER = "requester"
"""Stands among the posts of an act for a requester, who holds none."""


def specific(of: str) -> tuple[str, ...]:
    """The names to try for `of`, the most specific first: `whistle.service`, `whistle`, `*`."""
    parts = of.split(".")
    return (*(".".join(parts[:n]) for n in range(len(parts), 0, -1)), ANY) if of != ANY else (ANY,)
