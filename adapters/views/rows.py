"""Rows: a folded case and its events as the tables hold them. Pure; moments become microseconds here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from adapters.store.moment import as_microseconds
from adapters.views.folded import Folded, LegTimes
from adapters.views.work import CENTRE_OWES, ISSUER_OWES, owes, work_of
from domain.context import Law
from domain.matter import Leg, Matter
from domain.matter.state import Clock
from domain.refusal import Refused
from domain.rulebook import Rulebook
from workflows.ports import Stored

Row = tuple[Any, ...]
_OTHERS_OWE = ISSUER_OWES | set(CENTRE_OWES) | {"decide_extension"}


def micro(moment: datetime | None) -> int | None:
    """Microseconds since 1970, or None."""
    return None if moment is None else as_microseconds(moment)


def read_micro(text: str | None) -> int | None:
    """The same of a stored RFC 3339 moment."""
    return None if text is None else as_microseconds(datetime.fromisoformat(text))


def fact(stored: Stored, envelope: dict[str, Any], case: str | None, matter: Matter | None) -> Row:
    """The row of one event; `envelope` is its parsed body, `matter` its case just after it, if it has one."""
    pub = envelope["pub"]
    basis = envelope["basis"]
    order_id, kind, leg_id, body = _place(pub, matter)
    return (
        stored.position, stored.stream, stored.version, stored.type, case,
        read_micro(envelope["recorded_at"]), read_micro(envelope["occurred_at"]), int(envelope["backfill"]),
        envelope["person"], envelope["capacity"], envelope["post"], envelope["authority"], envelope["rule"],
        basis["rulebook"], basis["calendar"], basis["register"], envelope["command"], envelope["correlation"],
        envelope["causation"], order_id, kind, leg_id, body, pub.get("stage"),
        read_micro(pub.get("due") or pub.get("review_by")), len(envelope["_sd"]),
        json.dumps(pub, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
    )  # fmt: skip


def _place(
    pub: dict[str, Any], matter: Matter | None
) -> tuple[str | None, str | None, str | None, str | None]:
    """Order, its kind, leg and body that an event concerns."""
    leg_id, order_id, owner = pub.get("leg"), pub.get("order"), pub.get("owner")
    if matter is None:
        return order_id, None, leg_id, pub.get("body")
    leg = matter.leg(leg_id or owner or "")
    order = matter.orders.get(leg.order if leg else order_id or owner or "")
    body = pub.get("body") or (leg.body if leg else pub.get("by"))
    return order.id if order else None, order.full_kind if order else None, leg.id if leg else None, body


def case_row(folded: Folded) -> Row:
    """The row of `cases`."""
    m = folded.matter
    finish, coming = m.clock("", "finish"), _next(m)
    return (
        m.id, m.number, m.source, m.kind, m.code, m.demand, m.scale, int(m.urgent), m.channel, m.status, m.tier, m.host,
        m.subdistrict, m.subject, int(m.emergency), int(folded.proactive), int(m.backfilled), folded.department,
        m.parent, m.master, folded.repeat_of, m.disposition, m.reopened, len(m.requesters), micro(folded.opened),
        micro(folded.registered), micro(folded.accepted), micro(folded.completed), micro(folded.ended),
        micro(finish.first_due if finish else folded.given_due), micro(finish.due if finish else folded.given_due),
        micro(coming.due) if coming else None, coming.stage if coming else None, m.version, micro(folded.updated),
    )  # fmt: skip


def _next(matter: Matter) -> Clock | None:
    running = [clock for clock in matter.clocks.values() if clock.stopped is None]
    return min(running, key=lambda clock: clock.due, default=None)


def _all_clocks(matter: Matter) -> Iterator[Clock]:
    yield from matter.past_clocks
    yield from matter.clocks.values()


def clock_rows(matter: Matter) -> Iterator[Row]:
    """The rows of `clocks`."""
    for c in _all_clocks(matter):
        leg = matter.leg(c.owner)
        order = leg.order if leg else c.owner if c.owner in matter.orders else None
        yield (
            matter.id, c.key, c.owner, c.stage, c.n, c.of, owes(matter, c), order, leg.id if leg else None, c.rulebook,
            micro(c.started), micro(c.first_due), micro(c.due), int(c.provisional), micro(c.stopped), int(c.cancelled),
            c.extensions,
        )  # fmt: skip


def leg_rows(folded: Folded) -> Iterator[Row]:
    """The rows of `legs`."""
    m = folded.matter
    for leg in m.legs():
        order, times = m.orders[leg.order], folded.legs.get(leg.id, LegTimes())
        late = _late(m, leg)
        dues = (m.clock(leg.id, stage) for stage in ("acknowledge", "contact", "check_in", "finish"))
        yield (
            leg.id, m.id, order.id, order.full_kind, order.status, order.issuer, order.call, leg.body, leg.role,
            int(leg.mandatory), leg.measured_as, leg.status, micro(leg.issued_at), micro(times.acknowledged),
            micro(times.contacted), micro(times.checked_in), micro(times.reported), micro(times.ended),
            *(micro(clock.due) if clock else None for clock in dues), len(late), max(late, default=0),
            len(leg.returns), times.speed, times.result,
        )  # fmt: skip


def _late(matter: Matter, leg: Leg) -> list[int]:
    """By how much each stopped clock of the body's own duties was late, in microseconds."""
    return [
        as_microseconds(c.stopped) - as_microseconds(c.due)
        for c in _all_clocks(matter)
        if c.owner == leg.id and c.stage not in _OTHERS_OWE and c.stopped is not None and c.stopped > c.due
    ]


def _triage_kind(book: Rulebook, matter: Matter) -> str:
    """The kind of body that grades the matter; the community where a later rulebook no longer names its source."""
    try:
        return book.triage_body(matter.source) if matter.status == "accepted" else ""
    except Refused:
        return "community"


def work_rows(folded: Folded, law: Callable[[str], Law]) -> Iterator[Row]:
    """The rows of `work`; the posts are those of the rulebook under which the case was last acted on."""
    m = folded.matter
    if not folded.rulebook or m.backfilled:
        return
    book = law(folded.rulebook).book
    for item in work_of(m, _triage_kind(book, m)):
        posts = book.posts(item.act, item.of)
        yield (
            m.id, item.id, item.act, item.body, item.body_kind, f",{','.join(sorted(posts))},", m.number, item.order,
            item.leg, micro(item.due), micro(item.since or folded.updated),
        )  # fmt: skip
