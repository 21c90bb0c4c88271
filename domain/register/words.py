"""The words of the register, and what the words alone exclude.

`Kind` and `Post` are closed lists: a new word is a decision of the house, not of a file that is imported.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

Kind = Literal[
    "building",
    "compound",
    "grid",
    "community",
    "department",
    "organ",
    "team",
    "subdistrict",
    "hotline",
    "dispatch_centre",
    "panel",
    "district",
    "supervisory_board",
    "discipline_inspection",
    "archive",
    "system",
]
"""What a body 单位 is. `organ` is a squad that a department has stationed in a sub-district (派驻, A11); `team` a
service team or volunteers (服务队), who take orders of service up and hold nothing below them."""

Post = Literal[
    "intake_officer",
    "duty_officer",
    "duty_leader",
    "community_secretary",
    "leadership_member",
    "secretary",
    "director",
    "officer",
    "leader",
    "dispatcher",
    "callback_officer",
    "reviewer",
    "supervisor",
    "adjudicator",
    "district_leader",
    "grid_officer",
    "grid_chief",
    "building_chief",
    "archivist",
    "discipline_officer",
    "board_member",
    "finance_officer",
    "system_admin",
    "security_admin",
    "audit_admin",
]
"""What a person holds in a body; one person may hold several (A60), unless `incompatible`."""

DutyPost = Literal["duty_officer", "duty_leader"]
"""The two seats of a duty roster 值班; the duty leader authorises an emergency whistle."""

PowerKind = Literal["whistle", "call_out", "dispatch", "authorise", "defer", "supervise", "adjudicate"]
"""What a power item 权力事项 allows its holder to do."""

AdmissionList = Literal["statutory_duty", "assist_duty", "negative_class"]
"""The three lists of work-item admission 工作事项准入 (A26)."""

Channel = Literal["webhook", "dispatch"]
"""How a system outside is told of events: of its own matters, or of what concerns its own legs alone."""

OFFICE_NOTICES: Final = "notices"
"""The one subscription that nobody makes: the office's own messages to residents and staff, there from the beginning."""

SYSTEM: Final = "system"
"""The one body that is there from the beginning: it holds the three administrators (B9.3)."""

EVERYWHERE: Final = "*"
"""In place of a body: the whole district. In place of a code: every code."""

POSTS: Final[tuple[Post, ...]] = get_args(Post)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

RANK: Final[dict[Kind, int]] = {
    "archive": 0,
    "supervisory_board": 0,
    "team": 0,
    "building": 1,
    "compound": 2,
    "grid": 3,
    "organ": 4,
    "panel": 4,
    "hotline": 4,
    "dispatch_centre": 4,
    "discipline_inspection": 4,
    "community": 5,
    "department": 6,
    "subdistrict": 7,
    "district": 8,
    "system": 9,
}
"""A body lies only under one of higher rank, so that no circle can arise, whatever the dates."""

ADMINS: Final[frozenset[Post]] = frozenset({"system_admin", "security_admin", "audit_admin"})
"""三员分立: system, security and audit administrator exclude each other (B9.3)."""

LEADING: Final[frozenset[Post]] = frozenset(
    {
        "community_secretary",
        "leadership_member",
        "secretary",
        "director",
        "leader",
        "duty_leader",
        "grid_chief",
    }
)
"""Posts that may draw up the duty roster of their own body."""

HANDLING: Final[frozenset[Post]] = frozenset(
    {
        "officer",
        "leader",
        "intake_officer",
        "duty_officer",
        "dispatcher",
        "grid_officer",
        "grid_chief",
        "building_chief",
    }
)
"""Posts that handle matters; who keeps the money does not handle (B8, 不相容岗位)."""

SUPERVISED: Final[frozenset[Kind]] = frozenset(
    set(KINDS) - {"supervisory_board", "discipline_inspection", "archive", "system"}
)
"""Bodies whose work a supervisory board looks at: a member of the board holds no post in any of them."""

ONLY_IN: Final[dict[Post, Kind]] = {
    "system_admin": "system",
    "security_admin": "system",
    "audit_admin": "system",
    "board_member": "supervisory_board",
    "discipline_officer": "discipline_inspection",
    "district_leader": "district",
    "community_secretary": "community",
}
"""Posts that exist in one kind of body only."""


def incompatible(post: Post, kind: Kind, other: Post, other_kind: Kind) -> bool:
    """Whether nobody may hold both at once: `post` in a body of `kind`, `other` in one of `other_kind`."""
    return _excludes(post, kind, other, other_kind) or _excludes(other, other_kind, post, kind)


def _excludes(post: Post, kind: Kind, other: Post, other_kind: Kind) -> bool:
    return (
        (post in ADMINS and other in ADMINS and post != other)
        or (post == "audit_admin" and other != "audit_admin")
        or (kind == "supervisory_board" and other_kind in SUPERVISED)
        or (post == "finance_officer" and other in HANDLING)
    )
