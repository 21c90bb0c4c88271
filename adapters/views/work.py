"""Work lists: what is to be done next in a case, by which body, in which posts, until when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from domain.matter import Clock, Leg, Matter, Order
from domain.matter.words import ENDED_MATTER, LIVE_MATTER
from domain.rulebook.words import MATTER

ISSUER_OWES = frozenset({"accept_result"})
CENTRE_OWES = {"decide_return": "dispatch_centre", "adjudicate": "panel"}
_LOW_TIERS = frozenset({"building", "compound", "community"})


class WorkItem(NamedTuple):
    """One thing to do: `act` is the rulebook's word, `of` the kind of order it is held for.

    Either `body` owes it, or any body of `body_kind` does; `since` is None where it began with the case's last event.
    """

    act: str
    body: str | None
    body_kind: str | None = None
    of: str = "*"
    order: str | None = None
    leg: str | None = None
    due: datetime | None = None
    since: datetime | None = None
    about: str = ""

    @property
    def id(self) -> str:
        """Its name within the case."""
        return f"{self.act}/{self.leg or self.order or ''}/{self.about}"


def owes(state: Matter, clock: Clock) -> str | None:
    """The body that owes the act a clock waits for; None where a centre or a panel does."""
    leg = state.leg(clock.owner)
    if leg is None:
        order = state.orders.get(clock.owner)
        return order.issuer if order is not None else _office(state, clock.stage)
    if clock.stage in ISSUER_OWES:
        return state.orders[leg.order].issuer
    if clock.stage == "decide_extension":
        return state.orders[leg.order].issuer
    return None if clock.stage in CENTRE_OWES else leg.body


def _office(state: Matter, stage: str) -> str | None:
    """The office that owes a clock of the matter itself, whatever state it is in by now."""
    if stage in ("accept", "triage"):
        return state.host or state.subdistrict
    return carrier(state) if stage in ("finish", "onsite") else state.subdistrict or state.host


def carrier(state: Matter) -> str | None:
    """The office that carries the matter: its community while it is small and low, else its sub-district."""
    if state.status in ("registered", "accepted") or (not state.orders and state.tier in _LOW_TIERS):
        return state.host or state.subdistrict
    return state.subdistrict or state.host


def work_of(state: Matter, triage_kind: str) -> Iterator[WorkItem]:
    """Everything that waits for somebody; `triage_kind` is the kind of body that grades matters of this source."""
    if state.backfilled:
        return
    yield from _of_matter(state, triage_kind)
    if state.status not in ENDED_MATTER:
        for order in state.orders.values():
            yield from _of_order(state, order)
    yield from _asked_for(state)
    yield from _appraisals(state)


def _of_matter(state: Matter, triage_kind: str) -> Iterator[WorkItem]:
    here = carrier(state)
    match state.status:
        case "registered":
            yield WorkItem(
                "confirm_refusal" if state.refusal else "accept", here, due=_due(state, "", "accept")
            )
        case "accepted":
            body = {"community": state.host, "subdistrict": state.subdistrict}.get(triage_kind)
            kind = None if body else triage_kind
            yield WorkItem("triage", body, kind, due=_due(state, "", "triage"))
        case "triaged":
            yield WorkItem("start_handling", here, due=_due(state, "", "finish"))
        case "in_handling" if not _held_open(state):
            yield WorkItem("submit_result", here, due=_due(state, "", "finish"))
        case "deferred":
            yield WorkItem("hold_review", state.subdistrict or here, due=_due(state, "", "review"))
        case "completed":
            yield WorkItem("callback", state.subdistrict or here, due=_due(state, "", "callback"))
            if not state.reviewed:
                yield WorkItem("review_result", state.subdistrict or here)
        case "called_back":
            yield WorkItem("close", state.subdistrict or here, due=_due(state, "", "close"))


def _held_open(state: Matter) -> bool:
    legs = any(leg.live and leg.mandatory for leg in state.legs())
    drafts = any(order.status in ("drafted", "authorised") for order in state.orders.values())
    return legs or drafts or any(state.children[child] for child in state.mandatory_children)


def _of_order(state: Matter, order: Order) -> Iterator[WorkItem]:
    kind, at = order.full_kind, order.last_at
    if order.status == "drafted":
        act = "issue_order" if order.emergency else "authorise_order"
        yield WorkItem(act, order.issuer, of=kind, order=order.id, since=at)
    elif order.status == "authorised":
        yield WorkItem("issue_order", order.issuer, of=kind, order=order.id, since=at)
    confirming = _running(state, order.id, "confirm_authority")
    if confirming is not None:
        yield WorkItem(
            "confirm_authority", order.issuer, of=kind, order=order.id, due=confirming.due, since=at
        )
    for leg in order.legs.values():
        if leg.live:
            yield from _of_leg(state, order, leg)


def _of_leg(state: Matter, order: Order, leg: Leg) -> Iterator[WorkItem]:
    if leg.status == "return_requested":
        yield _leg_item(state, order, leg, "decide_return", "decide_return")
        return
    if leg.status == "disputed":
        yield _leg_item(state, order, leg, "adjudicate", "adjudicate")
    status = leg.under if leg.status == "disputed" else leg.status
    if status == "issued":
        yield _leg_item(state, order, leg, "acknowledge", "acknowledge")
    if _running(state, leg.id, "contact") is not None:
        yield _leg_item(state, order, leg, "contact", "contact")
    if order.kind == "call" and not order.answer:
        yield _leg_item(state, order, leg, "answer_call", "answer")
    elif status in ("issued", "acknowledged") and order.shape.checks_in:
        yield _leg_item(state, order, leg, "check_in", "check_in")
    elif status == "reported":
        yield _leg_item(state, order, leg, "accept_result", "accept_result")
    elif status != "issued":
        yield _leg_item(state, order, leg, "report", "finish")


def _leg_item(state: Matter, order: Order, leg: Leg, act: str, stage: str) -> WorkItem:
    kind = CENTRE_OWES.get(act)
    body = order.issuer if act in ISSUER_OWES else leg.body
    return WorkItem(
        act, None if kind else body, kind, order.full_kind, order.id, leg.id, _due(state, leg.id, stage), leg.last_at
    )  # fmt: skip


def _asked_for(state: Matter) -> Iterator[WorkItem]:
    for asked in state.extensions.values():
        leg = state.leg(asked.owner)
        order = state.orders[leg.order] if leg else None
        body = order.issuer if order else _above(state, asked.body)
        kind = None if body else "dispatch_centre"
        yield WorkItem(
            "decide_extension", body, kind, order.full_kind if order else MATTER, order.id if order else None,
            leg=asked.owner or None, due=_due(state, asked.owner, "decide_extension"), since=asked.asked_at,
        )  # fmt: skip
    if state.withdrawing and state.status in LIVE_MATTER:
        yield WorkItem("confirm_withdrawal", state.subdistrict or state.host)
    for body, granted in state.exclusions.items():
        if granted is None:
            yield WorkItem("exclude_decide", None, "dispatch_centre", about=body)


def _above(state: Matter, asked: str) -> str | None:
    """The office above the one that asked for the matter's extension; None where a centre decides."""
    return state.subdistrict if asked in state.communities else None


def _appraisals(state: Matter) -> Iterator[WorkItem]:
    missing = False
    for order in state.orders.values():
        if order.status != "settled":
            continue
        for leg in order.legs.values():
            owed = (
                set(order.shape.rated_by) - {"requester"} - leg.raters
                if leg.status == "discharged"
                else set()
            )
            for rater in sorted(owed):
                missing = True
                body = order.issuer if rater == "issuer" else state.host
                yield WorkItem("rate_leg", body, of=order.full_kind, order=order.id, leg=leg.id, about=rater)
    if state.status == "closed" and not missing:
        yield WorkItem("archive", None, "archive")


def _running(state: Matter, owner: str, stage: str) -> Clock | None:
    clock = state.clock(owner, stage)
    return clock if clock is not None and clock.stopped is None else None


def _due(state: Matter, owner: str, stage: str) -> datetime | None:
    clock = _running(state, owner, stage)
    return clock.due if clock is not None else None
