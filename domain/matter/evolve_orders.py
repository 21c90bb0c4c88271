"""The fold of order and leg events. It accepts every event that was ever stored; guards live in `decide`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.matter import order_events as ev
from domain.matter.folding import cancel, end_leg, met, performed, revive, start, stop, touched
from domain.matter.state import Extension, Leg, Matter, Order
from domain.matter.words import RULED

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.event import Event, Recorded


def _of(state: Matter, event: Any) -> tuple[Order, Leg]:
    order = state.orders[event.order]
    return order, order.legs[event.leg]


def _drafted(state: Matter, e: ev.OrderDrafted, rec: Recorded[Any]) -> None:
    state.orders[e.order] = Order(
        id=e.order, kind=e.kind, whistle=e.whistle, issuer=e.issuer, drafted=e.receivers, call=e.call,
        summoned_at=e.summoned_at, joint_blowers=e.joint_blowers, issuers={rec.person}, drafter=rec.person,
        last_at=rec.occurred_at,
    )  # fmt: skip


def _authorised(state: Matter, e: ev.OrderAuthorised, rec: Recorded[Any]) -> None:
    order = state.orders[e.order]
    order.issuers.add(rec.person)
    order.signed[e.signed_as] = rec.person
    order.authorised = order.authorised or e.complete
    if e.complete and order.status == "drafted":
        order.status = "authorised"
    touched(order, None, rec)


def _issued(state: Matter, e: ev.OrderIssued, rec: Recorded[Any]) -> None:
    order = state.orders[e.order]
    order.status = "issued"
    order.issuers.add(rec.person)
    touched(order, None, rec)
    clocks = {given.leg: given.clocks for given in e.legs}
    for given in order.drafted:
        _new_leg(
            order, given.leg, given.body, given.role, given.mandatory, rec
        ).measured_as = given.measured_as
        start(state, given.leg, clocks.get(given.leg, ()), rec)
    start(state, order.id, e.clocks, rec)


def _new_leg(order: Order, leg: str, body: str, role: str, mandatory: bool, rec: Recorded[Any]) -> Leg:
    order.legs[leg] = Leg(
        leg, order.id, body, role, mandatory, issued_at=rec.recorded_at, summoned_at=rec.occurred_at,
        last_at=rec.occurred_at,
    )  # fmt: skip
    if role == "lead":
        order.lead = leg
    return order.legs[leg]


def _leg_added(state: Matter, e: ev.LegAdded, rec: Recorded[Any]) -> None:
    order = state.orders[e.order]
    order.issuers.add(rec.person)
    _new_leg(order, e.leg, e.body, e.role, e.mandatory, rec).measured_as = e.measured_as
    start(state, e.leg, e.clocks, rec)


def _leg_excused(state: Matter, e: ev.LegExcused, rec: Recorded[Any]) -> None:
    _, leg = _of(state, e)
    end_leg(state, leg, "excused", rec)


def _lead_changed(state: Matter, e: ev.LeadChanged, rec: Recorded[Any]) -> None:
    order = state.orders[e.order]
    for leg in order.legs.values():
        leg.role = "lead" if leg.id == e.leg else "assist"
    order.lead = e.leg
    order.ruled = order.ruled or e.ground == RULED


def _time_changed(state: Matter, e: ev.SummonsTimeChanged, rec: Recorded[Any]) -> None:
    for given in e.clocks:
        clock = state.clock(e.leg, given.stage)
        if clock is not None:
            clock.due, clock.provisional = given.due, given.provisional


def _acknowledged(state: Matter, e: ev.LegAcknowledged, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    leg.status = "acknowledged"
    _act(state, order, leg, rec, "acknowledge")


def _act(state: Matter, order: Order, leg: Leg, rec: Recorded[Any], *stops: str) -> None:
    performed(state, leg, rec)
    touched(order, leg, rec)
    stop(state, leg.id, *stops, at=rec.recorded_at)


def _contacted(state: Matter, e: ev.LegContacted, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    _act(state, order, leg, rec, "contact")


def _move(leg: Leg, to: str) -> None:
    """A disputed leg keeps acting underneath its dispute."""
    if leg.status == "disputed":
        leg.under = to
    else:
        leg.status = to


def _checked_in(state: Matter, e: ev.LegCheckedIn, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    _move(leg, "checked_in")
    leg.checked_in = True
    if e.proof == "word_of_mouth":
        leg.spoken_at = e.arrived_at
    _act(state, order, leg, rec, "acknowledge", "contact", "check_in")
    met(state, rec)


def _spoken(state: Matter, e: ev.WordOfMouthConfirmed, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    clock = state.clock(e.leg, e.stage)
    if clock is not None:
        clock.stopped = e.at
    if e.stage == "check_in":
        leg.spoken_at = None
    touched(order, leg, rec)


def _worked(state: Matter, e: ev.WorkNoted | ev.HelpRequested, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    if e.by == "issuer":
        touched(order, leg, rec)
        return
    _move(leg, "working")
    _act(state, order, leg, rec)
    met(state, rec)


def _reported(state: Matter, e: ev.LegReported, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    _move(leg, "reported")
    _act(state, order, leg, rec, "finish", "contact", "supervise")
    met(state, rec)
    start(state, leg.id, e.clocks, rec)


def _result_accepted(state: Matter, e: ev.ResultAccepted, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    leg.signed[e.signed_as] = rec.person
    state.releasers.add(rec.person)
    touched(order, leg, rec)
    if e.discharged:
        stop(state, leg.id, "accept_result", at=rec.recorded_at)
        end_leg(state, leg, "discharged", rec)


def _result_rejected(state: Matter, e: ev.ResultRejected, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    leg.status = "working"
    leg.signed.clear()
    stop(state, leg.id, "accept_result", at=rec.recorded_at)
    revive(state, leg.id, "finish")
    revive(state, leg.id, "supervise")
    touched(order, leg, rec)


def _declined(state: Matter, e: ev.LegDeclined, rec: Recorded[Any]) -> None:
    _, leg = _of(state, e)
    end_leg(state, leg, "rejected", rec)


def _return_requested(state: Matter, e: ev.ReturnRequested, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    leg.under, leg.status, leg.asked_return = leg.status, "return_requested", e.ground
    _act(state, order, leg, rec)
    start(state, leg.id, e.clocks, rec)


def _return_decided(state: Matter, e: ev.ReturnDecided, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    stop(state, leg.id, "decide_return", at=rec.recorded_at)
    leg.returns.add(leg.asked_return)
    touched(order, leg, rec)
    if e.granted:
        _ruling(state, e.ground, e.given_to)
        end_leg(state, leg, "returned", rec)
    else:
        leg.status = "acknowledged"
        stop(state, leg.id, "acknowledge", at=rec.recorded_at)


def _ruling(state: Matter, word: str, *bodies: str | None) -> None:
    state.rulings.setdefault(word, set()).update(body for body in bodies if body)


def _disputed(state: Matter, e: ev.DisputeOpened, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    leg.under, leg.status, leg.asked_dispute = leg.status, "disputed", e.ground
    touched(order, leg, rec)
    start(state, leg.id, e.clocks, rec)


def _adjudicated(state: Matter, e: ev.DisputeAdjudicated, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    stop(state, leg.id, "adjudicate", at=rec.recorded_at)
    touched(order, leg, rec)
    order.ruled = order.ruled or order.lead == leg.id
    leg.disputes.add(leg.asked_dispute)
    _ruling(state, e.basis, e.given_to, leg.body if e.outcome == "stays" else None)
    if e.outcome == "excused":
        end_leg(state, leg, "excused", rec)
    else:
        leg.status = leg.under
        start(state, leg.id, e.clocks, rec)


def _extension_requested(state: Matter, e: ev.ExtensionRequested, rec: Recorded[Any]) -> None:
    state.extensions[f"{e.owner}/{e.stage}"] = Extension(
        e.owner, e.stage, e.until, rec.recorded_at, rec.person, rec.capacity
    )
    start(state, e.owner, e.clocks, rec)


def _extension_decided(state: Matter, e: ev.ExtensionDecided, rec: Recorded[Any]) -> None:
    state.extensions.pop(f"{e.owner}/{e.stage}", None)
    stop(state, e.owner, "decide_extension", at=rec.recorded_at)
    clock = state.clock(e.owner, e.stage)
    if clock is not None and e.granted and e.in_time and e.due is not None:
        clock.due, clock.provisional = e.due, False
        clock.extensions += 1


def _supervised(state: Matter, e: ev.LegSupervised, rec: Recorded[Any]) -> None:
    start(state, e.leg, e.clocks, rec)


def _supervised_by_clock(state: Matter, e: ev.SupervisedByClock, rec: Recorded[Any]) -> None:
    _item(state, e, rec)
    start(state, e.owner, e.clocks, rec)


def _cancelled(state: Matter, e: ev.OrderCancelled, rec: Recorded[Any]) -> None:
    order = state.orders[e.order]
    order.status = "cancelled"
    for leg in order.legs.values():
        if leg.live:
            end_leg(state, leg, "cancelled", rec)
    cancel(state, order.id, rec.recorded_at)


def _settled(state: Matter, e: ev.OrderSettled, rec: Recorded[Any]) -> None:
    state.orders[e.order].status = "settled"


def _answered(state: Matter, e: ev.CallAnswered, rec: Recorded[Any]) -> None:
    order, leg = _of(state, e)
    order.answer = e.how
    _act(state, order, leg, rec, "answer")
    if e.how == "returned":
        end_leg(state, leg, "returned", rec)
    elif leg.status in ("issued", "acknowledged"):
        stop(state, leg.id, "acknowledge", at=rec.recorded_at)
        leg.status = "working"


def _authority_confirmed(state: Matter, e: ev.AuthorityConfirmed, rec: Recorded[Any]) -> None:
    order = state.orders[e.order]
    order.authorised = True
    order.issuers.add(rec.person)
    stop(state, e.order, "confirm_authority", at=rec.recorded_at)


def _rated(state: Matter, e: ev.LegRated, rec: Recorded[Any]) -> None:
    _, leg = _of(state, e)
    leg.raters.add(e.rater)


def _item(state: Matter, e: Any, rec: Recorded[Any]) -> None:
    state.done.add(e.item)


def _lapsed(state: Matter, e: ev.AuthorityLapsed, rec: Recorded[Any]) -> None:
    _item(state, e, rec)
    if e.owner in state.orders:
        state.orders[e.owner].lapsed = True


def _nothing(state: Matter, e: Any, rec: Recorded[Any]) -> None:
    """Kept for the record; no decision depends on it."""


ORDER_FOLDS: dict[type[Event], Callable[[Matter, Any, Recorded[Any]], None]] = {
    ev.OrderDrafted: _drafted,
    ev.OrderAuthorised: _authorised,
    ev.OrderIssued: _issued,
    ev.LegAdded: _leg_added,
    ev.LegExcused: _leg_excused,
    ev.LeadChanged: _lead_changed,
    ev.SummonsTimeChanged: _time_changed,
    ev.LegAcknowledged: _acknowledged,
    ev.LegContacted: _contacted,
    ev.LegCheckedIn: _checked_in,
    ev.WordOfMouthConfirmed: _spoken,
    ev.WorkNoted: _worked,
    ev.HelpRequested: _worked,
    ev.LegReported: _reported,
    ev.ResultAccepted: _result_accepted,
    ev.ResultRejected: _result_rejected,
    ev.LegDeclined: _declined,
    ev.ReturnRequested: _return_requested,
    ev.ReturnDecided: _return_decided,
    ev.DisputeOpened: _disputed,
    ev.DisputeAdjudicated: _adjudicated,
    ev.ExtensionRequested: _extension_requested,
    ev.ExtensionDecided: _extension_decided,
    ev.LegUrged: _nothing,
    ev.UrgedByClock: _item,
    ev.LegSupervised: _supervised,
    ev.SupervisedByClock: _supervised_by_clock,
    ev.OrderCancelled: _cancelled,
    ev.OrderSettled: _settled,
    ev.CallAnswered: _answered,
    ev.AuthorityConfirmed: _authority_confirmed,
    ev.AuthorityLapsed: _lapsed,
    ev.LegRated: _rated,
}
