"""Labels: how codes are called on a screen, Chinese first (DESIGN.md §10). Unknown codes are shown as they are.

The command line says both languages at once, `受理 accept`, and has no switch between them: the code is the English
word of the glossary and stands beside the Chinese one in every table, headings are in both, and so an office and its
auditor read the same screen, and a screenshot means the same to either. A catalogue for gettext would have to hold
every label, heading, help text and refusal twice, and would be half done for as long as one of them is missing;
tests/unit/test_labels.py holds that nothing is said in Chinese alone.
"""

from __future__ import annotations

EVENTS = {
    "matter_registered": "登记", "matter_backfilled": "历史补录", "matter_taken_over": "接管", "matter_supplemented": "补充",
    "requester_joined": "诉求人加入", "matter_accepted": "受理", "refusal_proposed": "拟不予受理", "matter_refused": "不予受理",
    "matter_diverted": "移送纪检", "matter_triaged": "研判分级", "matter_retriaged": "重新分级", "attempt_recorded": "尝试处置",
    "matter_escalated": "上交", "handling_started": "开始办理", "matter_deferred": "挂账", "review_held": "挂账复核",
    "matter_resumed": "恢复办理", "result_submitted": "办结", "result_reviewed": "审核通过", "result_sent_back": "审核退回",
    "callback_tried": "回访未通", "callback_done": "回访", "matter_reopened": "重办", "matter_closed": "结案",
    "matter_archived": "归档", "withdrawal_requested": "申请撤回", "withdrawal_denied": "否认撤回",
    "requester_withdrew": "诉求人撤回", "matter_withdrawn": "撤回", "notice_wish_stated": "通知意愿",
    "notice_delivered": "通知送达", "notice_failed": "通知未送达",
    "matter_merged": "并案", "matter_absorbed": "并入他案", "merge_reversed": "撤销并案", "absorption_reversed": "分出并案",
    "child_opened": "拆出子项", "child_ended": "子项结束", "child_reopened": "子项重办", "exclusion_requested": "申请剔除",
    "exclusion_decided": "剔除裁定", "reminded": "提醒", "due_missed": "超期", "breach_escalated": "超期上报",
    "person_recused": "回避", "case_disclosed": "调卷·移交监督", "data_erased": "删除个人信息", "data_locked": "封存个人信息",
    "data_unlocked": "解除封存",
    "clock_reset": "时限重置", "order_drafted": "拟单", "order_authorised": "签批", "order_issued": "发单·吹哨",
    "leg_added": "加派", "leg_excused": "免除", "lead_changed": "变更主办", "summons_time_changed": "变更集合时间",
    "leg_acknowledged": "签收", "leg_contacted": "首次联系", "leg_checked_in": "报到", "word_of_mouth_confirmed": "口头确认",
    "work_noted": "办理记录", "help_requested": "求助", "leg_reported": "反馈结果", "result_accepted": "撤哨·认可",
    "result_rejected": "退回重办", "leg_declined": "不接单", "return_requested": "申请退单", "return_decided": "退单裁定",
    "dispute_opened": "争议", "dispute_adjudicated": "会商裁定", "extension_requested": "申请延期",
    "extension_decided": "延期审批",
    "leg_urged": "催办", "urged_by_clock": "到期催办", "leg_supervised": "督办", "supervised_by_clock": "到期督办",
    "order_cancelled": "撤单", "order_settled": "全部结束", "call_answered": "应呼", "authority_confirmed": "补批",
    "authority_lapsed": "补批逾期", "leg_rated": "评单", "command_refused": "操作被拒", "sealed_read": "查阅封存内容",
    "bundle_taken": "领取审计包", "matters_indexed": "重复件比对编目",
    "log_opened": "日志启用", "policy_adopted": "采纳见证规则", "witness_silent": "见证方失联",
    "witness_returned": "见证方恢复", "claim_set_aside": "搁置无据之称", "log_key_changed": "更换日志密钥",
    "rules_published": "公布流程规则", "census_taken": "月度清点",
    "system_key_issued": "签发系统密钥", "system_key_ended": "终止系统密钥", "signin_linked": "关联登录",
    "signin_unlinked": "取消登录关联", "contact_changed": "变更联系方式",
    "subscription_made": "建立订阅", "subscription_secret_changed": "更换订阅密钥", "subscription_paused": "暂停订阅",
    "subscription_resumed": "恢复订阅", "subscription_ended": "终止订阅",
    "map_released": "发布网格图",
}  # fmt: skip

STATUSES = {
    "registered": "已登记", "accepted": "已受理", "triaged": "已分级", "in_handling": "办理中", "deferred": "挂账",
    "completed": "已办结", "called_back": "已回访", "closed": "已结案", "archived": "已归档", "refused": "不予受理",
    "merged": "已并案", "withdrawn": "已撤回", "issued": "已发", "acknowledged": "已签收", "checked_in": "已报到",
    "working": "办理中", "reported": "已反馈", "discharged": "已撤哨", "return_requested": "申请退单", "disputed": "争议中",
    "returned": "已退单", "excused": "已免除", "rejected": "未接单", "cancelled": "已撤销",
}  # fmt: skip

LIKENESS = {
    "text": "内容",
    "address": "地址",
    "other_address": "地址不符",
    "grid": "同网格",
    "code": "同事项",
}

VALUES = {"open": "可读", "erased": "已删除", "locked": "已封存", "damaged": "已损坏"}

STAGES = {
    "accept": "受理", "triage": "分级", "finish": "办结", "callback": "回访", "close": "结案", "review": "挂账复核",
    "onsite": "到场", "acknowledge": "签收", "contact": "首次联系", "check_in": "报到", "answer": "应呼",
    "decide_return": "退单裁定", "decide_extension": "延期审批", "adjudicate": "会商", "confirm_authority": "补批",
    "accept_result": "认可结果", "supervise": "督办",
}  # fmt: skip

ACTS = {
    "accept": "受理", "confirm_refusal": "复核不予受理", "triage": "分级", "start_handling": "开始办理",
    "submit_result": "提交结果", "hold_review": "挂账复核", "callback": "回访", "review_result": "审核", "close": "结案",
    "authorise_order": "签批", "issue_order": "发单·吹哨", "confirm_authority": "补批", "acknowledge": "签收",
    "contact": "首次联系", "check_in": "报到", "report": "反馈结果", "accept_result": "认可·撤哨", "answer_call": "应呼",
    "decide_return": "退单裁定", "adjudicate": "会商裁定", "decide_extension": "延期审批",
    "confirm_withdrawal": "核实撤回", "exclude_decide": "剔除裁定", "rate_leg": "评单", "archive": "归档",
}  # fmt: skip

POSTS = {
    "intake_officer": "受理员", "duty_officer": "值班员", "duty_leader": "值班领导", "community_secretary": "社区书记",
    "leadership_member": "分管领导", "secretary": "书记", "director": "主任", "officer": "经办人", "leader": "负责人",
    "dispatcher": "派单员", "callback_officer": "回访员", "reviewer": "审核员", "supervisor": "督办员",
    "adjudicator": "会商成员", "district_leader": "区领导", "grid_officer": "网格员", "grid_chief": "网格长",
    "building_chief": "楼栋长", "archivist": "档案员", "discipline_officer": "纪检人员", "board_member": "监事会成员",
    "finance_officer": "财务", "system_admin": "系统管理员", "security_admin": "安全管理员", "audit_admin": "审计管理员",
}  # fmt: skip

ORDERS = {
    "call": "呼叫", "whistle.service": "群众诉求哨", "whistle.enforcement": "综合执法哨", "whistle.project": "重点工程哨",
    "whistle.emergency": "应急哨", "call_out": "调用", "dispatch": "派单", "service": "点单", "visit": "走访",
    "agency": "代办", "rectification": "整改",
}  # fmt: skip


def label(words: dict[str, str], code: str | None) -> str:
    """The Chinese word with its code, or the code alone; `-` for none. A version (`.v1`) is left out."""
    if code is None:
        return "-"
    word = words.get(code.partition(".v")[0], words.get(code))
    return f"{word} {code.partition('.v')[0]}" if word else code
