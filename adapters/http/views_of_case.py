"""A case file as the readings tell it."""

from __future__ import annotations

from adapters.history.trail import Trail
from adapters.http.models import Case, Clock, Leg, Order
from adapters.labels import STATUSES
from adapters.reading import Seen
from adapters.views.work import owes
from domain.instant import written


def case_view(seen: Seen, trail: Trail) -> Case:
    """The case as of the trail's moment."""
    m = trail.matter
    return Case(
        case=m.id, number=m.number, version=m.version, status=m.status, status_zh=STATUSES.get(m.status, m.status),
        source=m.source, kind=m.kind, code=m.code, demand=m.demand, scale=m.scale, urgent=m.urgent,
        emergency=m.emergency, channel=m.channel, tier=m.tier, communities=list(m.communities), host=m.host,
        subdistrict=m.subdistrict, subject=m.subject, requesters=len(m.requesters), disposition=m.disposition,
        reopened=m.reopened, parent=m.parent, children=list(m.children), master=m.master, handed_to=m.diverted_to,
        opened_at=written(m.opened_at or trail.at), sight="sealed" if seen.sight.level == "sealed" else "public",
        orders=_orders(trail), clocks=_clocks(trail),
    )  # fmt: skip


def _orders(trail: Trail) -> list[Order]:
    return [
        Order(
            id=order.id, kind=order.full_kind, status=order.status, issuer=order.issuer,
            legs=[
                Leg(id=leg.id, body=leg.body, role=leg.role, mandatory=leg.mandatory, status=leg.status)
                for leg in order.legs.values()
            ],
        )
        for order in trail.matter.orders.values()
    ]  # fmt: skip


def _clocks(trail: Trail) -> list[Clock]:
    return [
        Clock(
            key=clock.key, stage=clock.stage, owner=clock.owner, body=owes(trail.matter, clock),
            rulebook=clock.rulebook, started=written(clock.started), due=written(clock.due),
            done_at=None if clock.stopped is None else written(clock.stopped), late=clock.late(trail.at),
            provisional=clock.provisional, extensions=clock.extensions,
        )
        for clock in trail.clocks()
    ]  # fmt: skip
