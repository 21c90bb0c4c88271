"""The words of the matter room: closed sets of values, from the glossary (domain.md C)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from domain.codes import Word as Word

Source = Literal[
    "resident_app", "window", "phone", "grid", "duty_desk", "hotline_12345",
    "petition", "patrol", "inspection", "council", "import",
]  # fmt: skip
"""Where a matter came in (来源)."""

Kind = Literal["request", "dispute", "hazard", "petition", "project", "task"]
Demand = Literal["consultation", "help", "complaint", "report", "suggestion"]
"""诉求类别 咨询, 求助, 投诉, 举报, 建议: chooses the clocks."""

Scale = Literal["minor", "hard"]
Channel = Literal["online", "on_site", "hall"]
Disposition = Literal["solved", "explained", "aided", "unfounded", "beyond_duty"]

Id = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]
"""A random UUID in lower case: it says nothing about anybody."""

Body = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$")]
"""A body's public id in the register."""

Count = Annotated[int, Field(ge=0, le=1000)]
"""How many sealed proofs came along."""

Number = Annotated[str, StringConstraints(pattern=r"^[0-9A-Z]{2,12}-[0-9]{8}-[0-9A-Z]{7}$")]
"""A matter's number: district code, date, six signs and a check sign (DESIGN.md §9); no telephone number fits."""

Score = Annotated[int, Field(ge=0, le=100)]
"""A mark; the scale itself is a policy of the appraisal (domain.md D.6)."""

NEVER_A_GROUND = frozenset({"skipped_level", "level_skipped", "skipping_a_level", "wrong_tier"})
"""越级: no ground to refuse a request or to return an order (domain.md A.1b)."""

MatterStatus = Literal[
    "registered", "accepted", "triaged", "in_handling", "deferred", "completed",
    "called_back", "closed", "archived", "refused", "merged", "withdrawn",
]  # fmt: skip
OrderStatus = Literal["drafted", "authorised", "issued", "settled", "cancelled"]
LegStatus = Literal[
    "issued", "acknowledged", "checked_in", "working", "reported", "discharged",
    "return_requested", "disputed", "returned", "excused", "rejected", "cancelled",
]  # fmt: skip

LIVE_MATTER = frozenset({"registered", "accepted", "triaged", "in_handling", "deferred"})
"""Before the handler claims completion."""
ENDED_MATTER = frozenset({"closed", "archived", "refused", "merged", "withdrawn"})
HANDLING = frozenset({"triaged", "in_handling"})
"""States in which orders may be drafted."""
LIVE_LEG = frozenset(
    {"issued", "acknowledged", "checked_in", "working", "reported", "return_requested", "disputed"}
)

ErasureGround = Literal["purpose_achieved", "term_over", "consent_withdrawn", "unlawful", "other_law"]
"""删除的情形, PIPL Art. 47: the purpose is achieved or cannot be, the time of keeping is over, consent was withdrawn,
the processing broke the law or an agreement, or another law asks for it."""

LiftGround = Literal["request_withdrawn", "locked_in_error", "other_law"]
"""解除封存的情形: whoever asked for the erasure takes that back, the lock was an error, or another law asks for the data."""

RecusalGround = Literal["kin", "interest", "prior_part", "other"]
"""回避的情形: kinship, an interest in the matter, an earlier part in it, or another ground."""

OrderName = Literal["call", "whistle", "call_out", "dispatch", "service", "visit", "agency", "rectification"]
WhistleKind = Literal["service", "enforcement", "project", "emergency"]
Role = Literal["lead", "assist"]


@dataclass(frozen=True, slots=True)
class OrderKind:
    """What an order of one kind is made of (domain.md D.2, second table).

    `issuers` are the kinds of body that may issue it; `receivers` those that may be summoned; `checks_in` whether its
    legs have a check-in; `takes_up` whether a receiver may decline (nobody is assigned by force); `power` the power
    that the issuer must hold in the register; `releases` who must sign a leg off, in any order; `rated_by` who appraises.
    """

    name: OrderName
    issuers: frozenset[str]
    receivers: frozenset[str]
    checks_in: bool = False
    takes_up: bool = False
    power: Literal["whistle", "call_out"] | None = None
    releases: tuple[str, ...] = ("issuer",)
    rated_by: tuple[str, ...] = ("issuer",)


_RESPONDERS = frozenset({"department", "organ"})
_OFFICES = frozenset({"subdistrict", "department", "organ", "community"})

ORDER_KINDS: dict[str, OrderKind] = {
    kind.name: kind
    for kind in (
        OrderKind("call", frozenset({"community"}), frozenset({"subdistrict"})),
        OrderKind(
            "whistle", frozenset({"subdistrict"}), _RESPONDERS,
            checks_in=True, power="whistle", rated_by=("issuer", "community"),
        ),
        OrderKind(
            "call_out", frozenset({"subdistrict"}), frozenset({"organ"}),
            checks_in=True, power="call_out", rated_by=("issuer", "community"),
        ),
        OrderKind(
            "dispatch", frozenset({"hotline", "dispatch_centre", "district", "subdistrict", "department"}), _OFFICES,
            rated_by=("requester",),
        ),
        OrderKind("service", frozenset({"community"}), frozenset({"team"}), takes_up=True, rated_by=("requester",)),
        OrderKind("visit", frozenset({"community", "subdistrict"}), frozenset({"community", "team"}), rated_by=()),
        OrderKind("agency", frozenset({"community"}), frozenset({"community", "team"}), releases=("requester",)),
        OrderKind("rectification", frozenset({"district", "supervisory_board", "subdistrict"}), _OFFICES),
    )
}  # fmt: skip

RULED = "adjudication"
"""The ground of a change of lead that a panel ruled."""


def full_kind(kind: str, whistle: str | None) -> str:
    """The name under which the rulebook holds an order's clocks: `whistle.service`, `call`, …"""
    return f"{kind}.{whistle}" if whistle else kind
