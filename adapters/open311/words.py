"""What Open311 says in words, Chinese first and English beside it."""

from __future__ import annotations

STATUS = {
    "registered": "已登记 registered", "accepted": "已受理 accepted", "triaged": "已分级 graded",
    "in_handling": "办理中 being handled", "deferred": "暂缓办理 put off, with a plan",
    "completed": "已办结，待回访 done, its requester is to be asked", "called_back": "已回访 its requester was asked",
    "closed": "已结案 closed", "archived": "已归档 closed and archived", "refused": "不予受理 not accepted",
    "merged": "已并入他件 merged into another request", "withdrawn": "诉求人已撤回 withdrawn by its requester",
}  # fmt: skip
"""How a request stands, by the matter's status."""

DISPOSITION = {
    "solved": "已解决 solved", "explained": "已解释说明 explained", "aided": "已帮扶 aided",
    "unfounded": "反映不实 unfounded", "beyond_duty": "超出职责 beyond the office's duty",
}  # fmt: skip

STEP = STATUS | {
    "taken_over": "接续办理 taken up again", "supplemented": "收到补充或催办 more was said about it",
    "passed_on": "已派至承办单位 passed on to who handles it", "resumed": "恢复办理 taken up again",
    "reopened": "重新办理 reopened", "merge_reversed": "撤销并件，单独办理 handled by itself again",
}  # fmt: skip
"""What happened, by `adapters.views.published.STEPS`."""

KIND = {"request": "诉求 request", "hazard": "隐患 hazard"}

DATATYPE = {
    "string": "一行文字 one line", "number": "数字 a number", "text": "文字 text",
    "datetime": "带时区的时间 a time with its offset, such as 2026-11-23T09:30:00+08:00",
    "singlevaluelist": "选一项 choose one", "multivaluelist": "可选多项 choose one or more",
}  # fmt: skip

BECAME = {
    "supplement": "已作为补充记入 kept as a supplement to this request",
    "urging": "已记为催办 kept as an urging of this request",
    "reopening": "已据此重新办理 this request was reopened",
}

CONTACT = "请与本服务所属单位联系 Ask the office that runs this service"
KEY_SERVICE = (
    "由该单位安全管理员发放 A key is given by the office's security administrator (huiyin key create)"
)


def status_notes(status: str, disposition: str | None) -> str:
    """How a request stands, and what came of it once it has ended."""
    said = STATUS.get(status, status)
    return f"{said}：{DISPOSITION[disposition]}" if disposition in DISPOSITION else said
