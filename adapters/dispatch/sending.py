"""Sending: the sender of the channel `dispatch`: a webhook whose data say what is to be done, by when and where."""

from __future__ import annotations

from typing import Any

from adapters.deliveries.envelope import Case, Disclosing, cloud_event
from adapters.deliveries.ports import Queued
from adapters.deliveries.subscriptions import Subscription
from adapters.deliveries.webhook import WebhookSender
from adapters.dispatch.routing import legs_told
from domain.event import decode
from domain.instant import written
from domain.matter import Leg, Matter, Order, replay
from workflows.ports import Stored

TEXTS = frozenset({"text", "place", "reason"})
"""What a department is told of a matter's words when it is summoned, where the subscription names the ground: what is
the matter, where, and why it is called. Whoever needs a name or a contact reads the case, on record."""
_ARRIVALS = frozenset({"order_issued.v1", "leg_added.v1"})
_OPENING = frozenset({"matter_registered.v1", "matter_taken_over.v1"})
_NEXT = {
    "issued": ("acknowledge", "request-return"), "acknowledged": ("contact", "check-in", "request-return"),
    "checked_in": ("note", "report", "open-dispute"), "working": ("note", "report", "request-help"), "reported": (),
}  # fmt: skip
"""What the department may do next, as the API calls it."""


class DispatchSender(WebhookSender):
    """The sender of the channel `dispatch`."""

    def _content(self, to: Subscription, case: Case, stored: Stored, queued: Queued) -> bytes | None:
        """The event, with the department's legs as they stood just after it; None where it tells of none of them."""
        history = [decode(one.type, one.body) for one in case.events[: stored.version]]
        state = replay(history)
        assert state is not None
        legs = legs_told(history[-1].pub, state).get(to.body)
        if legs is None:
            return None
        base = f"{self._engine.settings.api_address}/api/v1/matters/{stored.stream}/legs"
        told = [_leg(state, leg, base) for leg in legs]
        sealed = self._opened(to, case, _sealed(case, stored, state, legs), queued)
        return cloud_event(self._engine, case, stored, sealed, matter=_matter(state), legs=told)


def _sealed(case: Case, stored: Stored, state: Matter, legs: list[str]) -> Disclosing:
    """When it is summoned: what the matter is, and why; later: what comes with the event itself."""
    if stored.type not in _ARRIVALS:
        return Disclosing(stored)
    orders = {leg.order for leg in map(state.leg, legs) if leg is not None}
    beside = [one for one in case.events if one.type in _OPENING]
    beside += [one for one in case.events if one.type == "order_drafted.v1" and _order_of(one) in orders]
    return Disclosing(stored, tuple(beside), TEXTS)


def _order_of(stored: Stored) -> str:
    order: str = decode(stored.type, stored.body).pub.order
    return order


def _matter(state: Matter) -> dict[str, Any]:
    """The matter's public facts."""
    return {
        "number": state.number, "status": state.status, "kind": state.kind, "code": state.code, "demand": state.demand,
        "scale": state.scale, "urgent": state.urgent, "host": state.host, "subdistrict": state.subdistrict,
    }  # fmt: skip


def _leg(state: Matter, leg_id: str, base: str) -> dict[str, Any]:
    leg = state.leg(leg_id)
    assert leg is not None
    order = state.orders[leg.order]
    return {
        "leg": leg.id, "order": order.id, "order_kind": order.full_kind, "issuer": order.issuer, "role": leg.role,
        "mandatory": leg.mandatory, "status": leg.status, "due": _due(state, leg),
        "summoned_at": written(order.summoned_at) if order.summoned_at else None,
        "link": f"{base}/{leg.id}", "next": list(_next(order, leg)),
    }  # fmt: skip


def _next(order: Order, leg: Leg) -> tuple[str, ...]:
    there = leg.status == "acknowledged" and not order.shape.checks_in  # nobody has to come first
    return _NEXT.get("working" if there else leg.status, ())


def _due(state: Matter, leg: Leg) -> dict[str, str]:
    """When each thing that the leg waits for is due."""
    running = [c for c in state.clocks.values() if c.owner == leg.id and c.stopped is None]
    return {clock.stage: written(clock.due) for clock in sorted(running, key=lambda clock: clock.due)}
