"""Questions 11 to 14: who came late, who blew the whistle, who was released by whom, what was returned."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from adapters.history.trail import Fact, Trail
from adapters.history.who import by
from adapters.labels import EVENTS, ORDERS, STAGES, STATUSES, label
from domain.instant import written
from domain.matter import Clock, Leg, Order
from domain.matter import events as mev
from domain.matter import order_events as oev

if TYPE_CHECKING:
    from adapters.history.questions import Figures, Row

_OWN_STAGES = ("acknowledge", "contact", "check_in", "answer", "finish")
NOBODYS = timedelta(days=1)
"""How long a matter may lie with nobody after a return before an auditor is told."""


def late_by(clock: Clock, trail: Trail) -> float:
    """Seconds by which a clock was missed as known then; 0 where it was kept."""
    return max(0.0, ((clock.stopped or trail.at) - clock.due).total_seconds())


def late(trail: Trail, figures: Figures | None) -> tuple[list[Row], list[str]]:
    """Question 11: every summons, stage by stage: due, done, late by how much."""
    rows, flags = list[Any](), list[str]()
    for order in trail.matter.orders.values():
        for leg in order.legs.values():
            mine = [clock for clock in trail.clocks() if clock.owner == leg.id and clock.stage in _OWN_STAGES]
            rows += [_stage(trail, order, leg, clock) for clock in mine]
            overdue = [clock for clock in mine if late_by(clock, trail)]
            if overdue and leg.status in ("cancelled", "excused", "returned"):
                flags.append(f"{leg.status}_after_lateness: {trail.body(leg.body)}")
            if overdue and figures is not None:
                quarter = figures.late_of(leg.body)
                rows.append({"body": trail.body(leg.body), "missed_this_quarter": quarter, "events": []})
    return rows, flags


def _stage(trail: Trail, order: Order, leg: Leg, clock: Clock) -> Row:
    by_how_much = late_by(clock, trail)
    state = "open" if clock.stopped is None else "let_off" if clock.cancelled else "done"
    return {
        "body": trail.body(leg.body), "order": order.id, "kind": label(ORDERS, order.full_kind), "role": leg.role,
        "stage": label(STAGES, clock.stage), "first_due": written(clock.first_due), "due": written(clock.due),
        "done_at": written(clock.stopped) if clock.stopped else None, "state": state, "late": by_how_much > 0,
        "late_by_seconds": by_how_much, "events": _leg_events(trail, leg),
    }  # fmt: skip


def _leg_events(trail: Trail, leg: Leg) -> list[int]:
    return [
        fact.stored.position
        for fact in trail.facts
        if getattr(fact.pub, "leg", None) == leg.id or getattr(fact.pub, "owner", None) == leg.id
    ]


def blown(trail: Trail, figures: Figures | None) -> tuple[list[Row], list[str]]:
    """Question 12: who drafted, authorised and issued each whistle, the call it answers, what was tried before."""
    rows, flags = list[Any](), list[str]()
    for drafted in trail.of(oev.OrderDrafted):
        if drafted.pub.kind not in ("whistle", "call_out"):
            continue
        order, row = drafted.pub.order, _blown(trail, drafted)
        rows.append(row)
        if not row["authorised_by"]:
            flags.append(f"nobody_authorised: {order}")
        if not row["call"] and not row["tried_before"]:
            flags.append(f"neither_call_nor_attempt: {order}")
    return rows, flags


def _blown(trail: Trail, drafted: Fact) -> Row:
    order, before = drafted.pub.order, drafted.stored.position
    signed = [f for f in trail.of(oev.OrderAuthorised, oev.AuthorityConfirmed) if f.pub.order == order]
    issued = [f for f in trail.of(oev.OrderIssued) if f.pub.order == order]
    call = [f for f in trail.of(oev.OrderIssued) if drafted.pub.call and f.pub.order == drafted.pub.call]
    tried = [f for f in trail.of(mev.AttemptRecorded, mev.MatterEscalated) if f.stored.position < before]
    proof = [drafted, *signed, *issued, *call, *tried]
    full = f"{drafted.pub.kind}.{drafted.pub.whistle}" if drafted.pub.whistle else drafted.pub.kind
    return {
        "order": order, "kind": label(ORDERS, full), "to": [trail.body(one.body) for one in drafted.pub.receivers],
        "drafted_by": by(trail, drafted), "authorised_by": [_signed(trail, fact) for fact in signed],
        "issued_by": [f"{by(trail, fact)} {written(fact.recorded.recorded_at)}" for fact in issued],
        "call": [f"{by(trail, fact)} {written(fact.recorded.recorded_at)}" for fact in call],
        "tried_before": [f"{label(EVENTS, f.stored.type)} {f.pub.tier} {by(trail, f)}" for f in tried],
        "reason": "sealed" if drafted.recorded.sd else None, "events": sorted(fact.stored.position for fact in proof),
    }  # fmt: skip


def _signed(trail: Trail, fact: Fact) -> str:
    return f"{by(trail, fact)} {fact.recorded.authority or '-'} {written(fact.recorded.recorded_at)}"


def released(trail: Trail, figures: Figures | None) -> tuple[list[Row], list[str]]:
    """Question 13: who let each body go, on what evidence, and what the requester said afterwards."""
    rows, flags = list[Any](), list[str]()
    for order in trail.matter.orders.values():
        for leg in order.legs.values():
            rows.append(_released(trail, order, leg, flags))
    for fact in trail.of(mev.CallbackDone, mev.CallbackTried):
        rows.append(_callback(trail, fact))
    finished = [fact.pub for fact in trail.of(mev.CallbackDone)]
    if trail.of(mev.MatterClosed) and not any(one.solved for one in finished[-1:]):
        flags.append("closed_without_cure: the last callback did not say that it was solved")
    for again in figures.again(trail.matter.id) if figures is not None else ():
        flags.append(f"same_again: {again['number']}")
    return rows, flags


def _released(trail: Trail, order: Order, leg: Leg, flags: list[str]) -> Row:
    accepted = [f for f in trail.of(oev.ResultAccepted) if f.pub.leg == leg.id]
    reports = [f for f in trail.of(oev.LegReported) if f.pub.leg == leg.id]
    let_off = [
        f for f in trail.of(oev.LegExcused, oev.ReturnDecided, oev.DisputeAdjudicated) if f.pub.leg == leg.id
    ]
    if any(fact.recorded.capacity == leg.body for fact in accepted):
        flags.append(f"self_release: {trail.body(leg.body)}")
    if leg.status == "discharged" and order.shape.checks_in and not leg.checked_in:
        flags.append(f"never_checked_in: {trail.body(leg.body)}")
    return {
        "body": trail.body(leg.body), "kind": label(ORDERS, order.full_kind), "status": label(STATUSES, leg.status),
        "checked_in": leg.checked_in, "reported": [f"{f.pub.outcome}, {f.pub.evidence} proofs" for f in reports],
        "released_by": [f"{by(trail, f)} {written(f.recorded.recorded_at)}" for f in accepted],
        "let_off_by": [by(trail, f) for f in let_off],
        "events": sorted(f.stored.position for f in (*accepted, *reports, *let_off)),
    }  # fmt: skip


def _callback(trail: Trail, fact: Fact) -> Row:
    pub = fact.pub
    tried = isinstance(pub, mev.CallbackTried)
    return {
        "callback": "nobody reached" if tried else pub.how, "by": by(trail, fact),
        "at": written(fact.recorded.recorded_at), "solved": None if tried else pub.solved,
        "satisfaction": None if tried else pub.satisfaction, "events": [fact.stored.position],
    }  # fmt: skip


def returned(trail: Trail, figures: Figures | None) -> tuple[list[Row], list[str]]:
    """Question 14: each return with its ground and ruling, and who carried the matter meanwhile."""
    rows, flags, grounds = list[Any](), list[str](), set[tuple[str, str]]()
    for asked in trail.of(oev.ReturnRequested):
        leg = trail.matter.leg(asked.pub.leg)
        assert leg is not None, "a return is asked for by a leg"
        if (leg.body, asked.pub.ground) in grounds:
            flags.append(f"same_ground_twice: {trail.body(leg.body)} {asked.pub.ground}")
        grounds.add((leg.body, asked.pub.ground))
        rows.append(_return(trail, leg, asked, flags))
    return rows, flags


def _return(trail: Trail, leg: Leg, asked: Fact, flags: list[str]) -> Row:
    after = asked.stored.position
    ruled = next(
        (f for f in trail.of(oev.ReturnDecided) if f.pub.leg == leg.id and f.stored.position > after), None
    )
    heirs = _heirs(trail, leg, ruled) if ruled is not None and ruled.pub.granted else []
    if ruled is not None and ruled.pub.granted and not heirs and leg.role == "lead":
        since = trail.at - ruled.recorded.recorded_at
        if since > NOBODYS:
            flags.append(f"nobodys: with no other body for {since.days} days after the return")
    return {
        "body": trail.body(leg.body), "ground": asked.pub.ground, "basis": asked.pub.basis, "asked_by": by(trail, asked),
        "asked_at": written(asked.recorded.recorded_at), "granted": ruled.pub.granted if ruled else None,
        "ruled_by": by(trail, ruled) if ruled else None, "ruling": ruled.pub.ground if ruled else None,
        "ruled_at": written(ruled.recorded.recorded_at) if ruled else None,
        "carried_meanwhile": trail.body(leg.body), "carried_then": heirs or [trail.body(leg.body)],
        "events": [fact.stored.position for fact in (asked, ruled) if fact is not None],
    }  # fmt: skip


def _heirs(trail: Trail, leg: Leg, ruled: Fact) -> list[str]:
    """The bodies that were still summoned when a leg was given back, or were summoned after it."""
    moment = ruled.recorded.recorded_at
    ended = {f.pub.leg: f.recorded.recorded_at for f in trail.facts if _ends(f)}
    return [
        trail.body(other.body)
        for other in trail.matter.legs()
        if other.id != leg.id
        and trail.matter.orders[other.order].kind != "call"
        and ended.get(other.id, trail.at) > moment
    ]


def _ends(fact: Fact) -> bool:
    pub = fact.pub
    match pub:
        case oev.ResultAccepted():
            return pub.discharged
        case oev.ReturnDecided():
            return pub.granted
        case oev.LegExcused() | oev.LegDeclined():
            return True
    return False
