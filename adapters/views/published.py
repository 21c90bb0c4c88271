"""The matters that everybody may see, and what happened to them: the rows behind Open311.

Whether a matter may be seen is the domain's to say (`domain.visibility.in_public`). The rows of a case are written anew
whenever it changed, so that one which may be seen no longer leaves both tables with that change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.context import Law
from domain.matter import Matter
from domain.matter import events as mev
from domain.matter import order_events as oev
from domain.matter.words import ENDED_MATTER
from domain.visibility import in_public

if TYPE_CHECKING:
    from adapters.views.folded import Folded
    from domain.event import Event

STEPS: dict[type[Event], str] = {
    mev.MatterRegistered: "registered", mev.MatterTakenOver: "taken_over", mev.MatterSupplemented: "supplemented",
    mev.MatterAccepted: "accepted", mev.MatterRefused: "refused", mev.MatterTriaged: "triaged",
    mev.HandlingStarted: "in_handling", oev.OrderIssued: "passed_on", mev.MatterDeferred: "deferred",
    mev.MatterResumed: "resumed", mev.ResultSubmitted: "completed", mev.MatterReopened: "reopened",
    mev.MatterClosed: "closed", mev.MatterMerged: "merged", mev.MergeReversed: "merge_reversed",
    mev.MatterWithdrawn: "withdrawn",
}  # fmt: skip
"""What a requester hears of in public, by the event; all else is the office's own business."""


class Step(NamedTuple):
    """One public step: the case's version after it, when it was recorded (microseconds), what, and whether it was open."""

    version: int
    at: int
    what: str
    open: int


def step_of(event: Any, matter: Matter, at: int) -> Step | None:
    """The step that an event is, `matter` being the case just after it."""
    what = STEPS.get(type(event))
    return None if what is None else Step(matter.version, at, what, is_open(matter))


def is_open(matter: Matter) -> int:
    """1 until the matter has ended; a result that nobody has confirmed is none."""
    return int(matter.status not in ENDED_MATTER)


def agency(matter: Matter) -> str | None:
    """The body that has it in hand: who leads the newest order that is out, else the community that hosts it."""
    for order in reversed(matter.orders.values()):
        leg = order.legs.get(order.lead)
        if order.status == "issued" and leg is not None and leg.live:
            return leg.body
    return matter.host


def shown(folded: Folded, law: Callable[[str], Law]) -> bool:
    """Whether everybody may see it, by the catalogue of the rulebook that it stands under."""
    if not folded.rulebook or folded.matter.code is None:
        return False
    return in_public(folded.matter, law(folded.rulebook).book.item(folded.matter.code))


def request_row(folded: Folded, micro: Callable[[Any], int | None]) -> tuple[Any, ...]:
    """The row of `requests`."""
    m = folded.matter
    finish = m.clock("", "finish")
    updated = folded.updated if is_open(m) else folded.ended
    return (
        m.id, m.number, m.code, is_open(m), m.status, m.disposition, m.host, folded.grid, agency(m), folded.rulebook,
        micro(folded.opened), micro(updated), micro(finish.due) if finish else None,
    )  # fmt: skip


def step_rows(folded: Folded) -> Iterator[tuple[Any, ...]]:
    """The rows of `request_steps`."""
    m = folded.matter
    for step in folded.steps:
        yield (m.id, step.version, m.number, m.code, step.at, step.what, step.open)
