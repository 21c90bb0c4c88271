"""The words that a roster may use: the code words, and what offices call them in Chinese."""

from __future__ import annotations

from typing import Final

SECTIONS: Final[dict[str, str]] = {
    "bodies": "单位",
    "posts": "岗位",
    "powers": "权力",
    "duties": "职责",
    "admissions": "准入",
    "shifts": "值班",
}

COLUMNS: Final[dict[str, str]] = {
    "id": "编号",
    "kind": "类型",
    "parent": "上级",
    "name_zh": "名称",
    "name_en": "英文名称",
    "district": "区划代码",
    "person": "工号",
    "name": "姓名",
    "contact": "联系方式",
    "body": "单位",
    "post": "岗位",
    "from": "起",
    "until": "止",
    "holder": "权力主体",
    "over": "对象",
    "basis": "依据",
    "limits": "限制",
    "steps": "步骤",
    "disclosure": "公开方式",
    "approved_by": "批准单位",
    "code": "事项编码",
    "place": "地域",
    "list": "清单",
    "department": "部门",
    "conditions": "条件",
    "deputies": "替班",
    "begins": "开始",
    "ends": "结束",
}

VALUES: Final[dict[str, dict[str, str]]] = {
    "bodies.kind": {
        "楼栋": "building",
        "小区": "compound",
        "网格": "grid",
        "社区": "community",
        "部门": "department",
        "派驻队伍": "organ",
        "服务队": "team",
        "街道": "subdistrict",
        "热线": "hotline",
        "派单中心": "dispatch_centre",
        "会商组": "panel",
        "区": "district",
        "县": "district",
        "监事会": "supervisory_board",
        "纪检监察": "discipline_inspection",
        "档案馆": "archive",
    },
    "posts.post": {
        "受理员": "intake_officer",
        "值班员": "duty_officer",
        "值班领导": "duty_leader",
        "社区书记": "community_secretary",
        "班子成员": "leadership_member",
        "书记": "secretary",
        "主任": "director",
        "工作人员": "officer",
        "负责人": "leader",
        "派单员": "dispatcher",
        "回访员": "callback_officer",
        "审核员": "reviewer",
        "督办员": "supervisor",
        "裁决员": "adjudicator",
        "区领导": "district_leader",
        "网格员": "grid_officer",
        "网格长": "grid_chief",
        "楼栋长": "building_chief",
        "档案员": "archivist",
        "纪检员": "discipline_officer",
        "监事": "board_member",
        "财务": "finance_officer",
        "系统管理员": "system_admin",
        "安全管理员": "security_admin",
        "审计管理员": "audit_admin",
    },
    "shifts.post": {"值班员": "duty_officer", "值班领导": "duty_leader"},
    "powers.kind": {
        "吹哨": "whistle",
        "调用": "call_out",
        "派单": "dispatch",
        "授权": "authorise",
        "挂账": "defer",
        "督办": "supervise",
        "裁决": "adjudicate",
    },
    "admissions.list": {
        "依法履职": "statutory_duty",
        "协助办理": "assist_duty",
        "负面清单": "negative_class",
    },
}
"""Chinese words by section and column; a code word itself is always understood."""


def section_word(title: str) -> str:
    """The section that a sheet or a `[title]` line opens; the title itself where it is none."""
    wanted = title.strip()
    return next((word for word, chinese in SECTIONS.items() if wanted in (word, chinese)), wanted)


def column_word(title: str) -> str:
    """The column that a heading names; the heading itself where it is none."""
    wanted = title.strip()
    return next((word for word, chinese in COLUMNS.items() if wanted in (word, chinese)), wanted)


def value_word(section: str, column: str, value: str) -> str:
    """The code word for a Chinese value of a column; the value itself where there is none."""
    return VALUES.get(f"{section}.{column}", {}).get(value, value)
