"""Questions 1 and 2: who decided what on what authority, and could they."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from adapters.history.trail import Fact, Trail
from adapters.labels import EVENTS, POSTS, label
from domain.acting import RESIDENT
from domain.instant import written
from domain.matter import events as mev
from domain.matter import order_events as oev

if TYPE_CHECKING:
    from adapters.history.questions import Figures, Row

_ISSUED = (oev.OrderDrafted, oev.OrderAuthorised, oev.OrderIssued, oev.LegAdded, oev.AuthorityConfirmed)
_PERFORMED = (
    oev.LegAcknowledged, oev.LegContacted, oev.LegCheckedIn, oev.WorkNoted, oev.HelpRequested, oev.LegReported,
    oev.ReturnRequested,
)  # fmt: skip
_RULED = (oev.ResultAccepted, oev.ResultRejected, oev.ReturnDecided, oev.DisputeAdjudicated)
_JUDGED = (mev.ResultReviewed, mev.ResultSentBack, mev.CallbackDone, mev.CallbackTried, mev.MatterClosed)
_PARTS = {
    "issued": _ISSUED, "performed": _PERFORMED, "handled": (mev.ResultSubmitted, mev.HandlingStarted),
    "verified": (*_RULED, *_JUDGED),
}  # fmt: skip
"""What a person did in the case, in the words of the separation rule (domain.md D.0, G4)."""


def by(trail: Trail, fact: Fact) -> str:
    """Who did it: post, body, and the beginning of the person's pseudonym."""
    recorded = fact.recorded
    post = label(POSTS, recorded.post) if recorded.post else ""
    return " ".join(filter(None, (trail.body(recorded.capacity), post, recorded.person[:8])))


def decided(trail: Trail, figures: Figures | None) -> tuple[list[Row], list[str]]:
    """Question 1: every act of a person, with capacity, authority and both times."""
    rows, flags = list[Any](), list[str]()
    for fact in (one for one in trail.facts if one.human):
        recorded = fact.recorded
        force = _in_force(trail, fact)
        rows.append(
            {
                "act": label(EVENTS, fact.stored.type), "person": recorded.person, "post": recorded.post,
                "body": trail.body(recorded.capacity), "authority": recorded.authority, "authority_in_force": force,
                "rule": recorded.rule, "rulebook": recorded.basis.rulebook,
                "occurred_at": written(recorded.occurred_at), "recorded_at": written(recorded.recorded_at),
                "events": [fact.stored.position],
            }
        )  # fmt: skip
        if recorded.authority is None and recorded.capacity != RESIDENT:
            flags.append(f"no_authority: {fact.stored.type} at {fact.stored.position}")
        if force is False:
            flags.append(f"authority_not_in_force: {recorded.authority} at {fact.stored.position}")
    return rows, flags


def _in_force(trail: Trail, fact: Fact) -> bool | None:
    """Whether a cited power item was in force that day; None where the ground is no power item of the register."""
    recorded = fact.recorded
    register = trail.registers(recorded.basis.register_)
    if recorded.authority is None or not register.power_history.get(recorded.authority, ()):
        return None
    return register.power(recorded.authority, recorded.occurred_at) is not None


def entitled(trail: Trail, figures: Figures | None) -> tuple[list[Row], list[str]]:
    """Question 2: each officer's post on that day, and the parts they took: issued, performed, verified.

    Kinship and recusal are not in the record of a matter; whether a person held the post is.
    """
    taken: dict[str, list[Fact]] = defaultdict(list)
    for fact in trail.facts:
        if fact.human and fact.recorded.capacity != RESIDENT:
            taken[fact.recorded.person].append(fact)
    rows, flags = list[Any](), list[str]()
    for person, facts in taken.items():
        parts = _parts(facts)
        lapsed = [fact.stored.position for fact in facts if not _held(trail, fact)]
        rows.append(
            {
                "person": person,
                "posts": sorted({f"{trail.body(f.recorded.capacity)} {f.recorded.post}" for f in facts}),
                "held_the_post": not lapsed, "parts": sorted(parts),
                "acts": [label(EVENTS, fact.stored.type) for fact in facts],
                "events": [fact.stored.position for fact in facts],
            }
        )  # fmt: skip
        if lapsed:
            flags.append(f"post_not_held: {person} at {lapsed}")
        if _not_separate(facts):
            flags.append(f"separation: {person} took the parts {', '.join(sorted(parts))}")
    return rows, flags


def _held(trail: Trail, fact: Fact) -> bool:
    recorded = fact.recorded
    register = trail.registers(recorded.basis.register_)
    return recorded.post is not None and register.holds(
        recorded.person, recorded.capacity, recorded.post, recorded.occurred_at
    )


def _parts(facts: list[Fact]) -> set[str]:
    done = _without_notes(facts)
    return {name for name, types in _PARTS.items() for fact in done if isinstance(fact.pub, types)}


def _without_notes(facts: list[Fact]) -> list[Fact]:
    """Without what the issuer noted beside a leg: that is nobody's work."""
    beside = (oev.WorkNoted, oev.HelpRequested)
    return [fact for fact in facts if not (isinstance(fact.pub, beside) and fact.pub.by == "issuer")]


def _not_separate(facts: list[Fact]) -> bool:
    """Whether one person issued and performed the same order, ruled on their own part, or judged what they handled."""

    def orders(types: tuple[type, ...]) -> set[str]:
        return {str(fact.pub.order) for fact in _without_notes(facts) if type(fact.pub) in types}

    performed = orders(_PERFORMED)
    handled = performed or any(isinstance(fact.pub, mev.ResultSubmitted) for fact in facts)
    judged = any(isinstance(fact.pub, _JUDGED) for fact in facts)
    return bool(performed & (orders(_ISSUED) | orders(_RULED))) or bool(handled and judged)
