"""Wording: how a process looks in Temporal's UI, Chinese first. Codes and ids only, never a person's words."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from workflows.messages import Snapshot

NUMBER = SearchAttributeKey.for_keyword("HuiyinNumber")
PLACE = SearchAttributeKey.for_keyword("HuiyinSubdistrict")
STATE = SearchAttributeKey.for_keyword("HuiyinState")
DUE = SearchAttributeKey.for_datetime("HuiyinDue")
"""Search attributes: by these an operator finds a case; state and due moment are those of the last wake-up."""

STATES = {
    "registered": "待受理 to be accepted",
    "accepted": "已受理 accepted",
    "triaged": "已分级 triaged",
    "in_handling": "办理中 in handling",
    "deferred": "挂账 deferred",
    "completed": "已办结 completed",
    "called_back": "已回访 called back",
    "closed": "已结案 closed",
    "archived": "已归档 archived",
    "refused": "不予受理 refused",
    "merged": "已并案 merged",
    "withdrawn": "已撤回 withdrawn",
    "issued": "已送达 delivered",
    "acknowledged": "已签收 acknowledged",
    "checked_in": "已报到 checked in",
    "working": "办理中 at work",
    "reported": "已回告 reported",
    "return_requested": "申请退单 return asked for",
    "disputed": "争议中 disputed",
    "discharged": "已撤哨 discharged",
    "returned": "已退单 returned",
    "excused": "已免除 excused",
    "rejected": "未承接 declined",
    "cancelled": "已取消 cancelled",
}

_STAGES = {
    "accept": "受理 accepting",
    "triage": "分级 triage",
    "onsite": "到场 going there",
    "finish": "办理 handling",
    "callback": "回访 callback",
    "close": "结案 closing",
    "review": "挂账复核 review",
    "acknowledge": "签收 acknowledgement",
    "contact": "首次联系 first contact",
    "check_in": "报到 check-in",
    "accept_result": "验收 release",
    "answer": "答复呼叫 answering the call",
    "decide_return": "退单裁定 ruling on a return",
    "decide_extension": "延期审批 ruling on an extension",
    "adjudicate": "争议裁定 adjudication",
    "confirm_authority": "补签 confirming the authority",
    "supervise": "督办 supervised",
    "retention": "保管期 term of keeping",
}

_STEPS = {
    "remind": "提醒 remind",
    "notify": "通知 notify",
    "miss": "到期 due",
    "urge": "催办 urge",
    "supervise": "督办 supervise",
    "escalate": "升级 escalate",
    "lapse": "失效 lapse",
    "skip_callback": "免访 no callback",
    "erase": "删除 erase",
}


def step(seen: Snapshot) -> str:
    """The next step in words, for a timer or an activity: `报到 check-in: 到期 due`."""
    does, _, stage = seen.step.partition("/")
    if not does:
        return "复看 look again"
    return f"{_STAGES.get(stage, stage)}: {_STEPS.get(does, does)}"


def summary(seen: Snapshot) -> str:
    """One line for a list of processes (at most 200 bytes)."""
    if seen.owner:
        return f"应哨 summons {seen.body}".rstrip()
    return f"事项 matter {seen.number}".rstrip()


def details(seen: Snapshot) -> str:
    """What stood in the record at the last wake-up."""
    lines = [f"**{STATES.get(seen.phase, seen.phase)}** (version {seen.version})"]
    if seen.due is not None:
        lines.append(f"下一步 next: {step(seen)}, {seen.due:%Y-%m-%d %H:%M:%S} UTC")
    lines += [f"- {leg.body or leg.owner}: {STATES.get(leg.phase, leg.phase)}" for leg in seen.legs]
    return "\n\n".join(lines[:2]) + "".join(f"\n{line}" for line in lines[2:])


def attributes(seen: Snapshot) -> TypedSearchAttributes:
    """The search attributes of a process."""
    pairs = [
        SearchAttributePair(key, value)
        for key, value in ((NUMBER, seen.number), (PLACE, seen.place), (STATE, seen.phase))
        if value
    ]
    if seen.due is None:
        return TypedSearchAttributes(pairs)
    return TypedSearchAttributes([*pairs, SearchAttributePair(DUE, seen.due)])
