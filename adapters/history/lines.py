"""Lines: every event of a trail in plain words and plain values: when, who, as what, on what ground, by which rule."""

from __future__ import annotations

from typing import Any

from adapters.history.trail import Fact, Trail
from adapters.labels import EVENTS, STAGES, label
from domain.instant import written


def lines(trail: Trail) -> list[dict[str, Any]]:
    """Every event of the case, in store order, with both times and its whole public body."""
    return [line(trail, fact) for fact in trail.facts]


def line(trail: Trail, fact: Fact) -> dict[str, Any]:
    """One event. Moments are RFC 3339 in UTC."""
    recorded, stored = fact.recorded, fact.stored
    return {
        "position": stored.position, "version": stored.version, "type": stored.type,
        "what": label(EVENTS, stored.type), "occurred_at": written(recorded.occurred_at),
        "recorded_at": written(recorded.recorded_at), "backfill": recorded.backfill, "person": recorded.person,
        "post": recorded.post, "body": recorded.capacity, "body_name": trail.body(recorded.capacity),
        "authority": recorded.authority, "rule": recorded.rule, "rulebook": recorded.basis.rulebook,
        "calendar": recorded.basis.calendar, "register": recorded.basis.register_, "code": recorded.basis.code,
        "command": recorded.command, "correlation": recorded.correlation, "causation": recorded.causation,
        "about": about(trail, fact), "sealed": len(recorded.sd), "pub": recorded.pub.model_dump(mode="json"),
    }  # fmt: skip


def about(trail: Trail, fact: Fact) -> str:
    """What the event says beside its name, in a few words."""
    pub, said = fact.pub, list[str]()
    leg = trail.matter.leg(getattr(pub, "leg", None) or getattr(pub, "owner", None) or "")
    if leg is not None:
        said.append(trail.body(leg.body))
    for name in _SAID:
        value = getattr(pub, name, None)
        if value is not None and value != "" and value != ():
            said.append(_word(name, value))
    if fact.stored.type == "person_recused.v1":
        said.append(pub.person[:8])
    if fact.stored.type == "case_disclosed.v1":
        said.append(f"{trail.body(pub.to)}, {len(pub.digests)} values")
    if fact.stored.type == "order_issued.v1":
        said.extend(trail.body(one.body) for one in trail.matter.orders[pub.order].drafted)
    return " · ".join(said)


_SAID = (
    "number", "what", "stage", "kind", "whistle", "scale", "urgent", "channel", "tier", "disposition", "outcome", "how",
    "granted", "in_time", "ground", "basis", "reason", "settled", "solved", "satisfaction", "level", "by", "until", "due",
    "review_by", "count", "code", "name", "retention", "moment",
)  # fmt: skip


def _word(name: str, value: Any) -> str:
    if name == "stage":
        return label(STAGES, value)
    if isinstance(value, bool):
        return f"{name}={'yes' if value else 'no'}"
    return f"{name}={written(value) if hasattr(value, 'isoformat') else value}"
