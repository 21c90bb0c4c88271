"""Telling: who must hear of what happened in a matter (事事有回音), which moment of theirs it is, and who that is by name.

A requester hears that it was written down, accepted or not (and which other channel there is), handed on, extended,
put off, answered, closed; an office hears of tasks, due moments and what the other side did. Of an accusation nobody
hears by message: the competent body tells its informant itself. Of imported history nobody does, either (DESIGN.md §9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from domain.matter import events as mev
from domain.matter import order_events as oev

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from domain.event import Event
    from domain.matter.state import Matter
    from domain.register import Register
    from domain.rulebook import Rulebook

ToRequester = Literal[
    "registered", "joined", "accepted", "not_accepted", "handed_on", "extended", "deferred", "resumed", "answered",
    "callback_missed", "reopened", "merged", "withdrawn", "closed",
]  # fmt: skip
ToStaff = Literal["task_arrived", "due_soon", "due_missed", "urged", "supervised", "escalated"]
Moment = ToRequester | ToStaff
"""What a message is about."""

TO_REQUESTER = frozenset(get_args(ToRequester))
TO_STAFF = frozenset(get_args(ToStaff))

_REQUESTERS: dict[type[Event], ToRequester] = {
    mev.MatterRegistered: "registered",
    mev.MatterAccepted: "accepted",
    mev.MatterRefused: "not_accepted",
    mev.MatterDeferred: "deferred",
    mev.MatterResumed: "resumed",
    mev.ResultSubmitted: "answered",
    mev.MatterReopened: "reopened",
    mev.MatterClosed: "closed",
    mev.MatterWithdrawn: "withdrawn",
    mev.MatterMerged: "merged",
}
"""What every requester hears of."""

_ONE: dict[type[Event], ToRequester] = {
    mev.RequesterJoined: "joined",
    mev.CallbackTried: "callback_missed",
    mev.RequesterWithdrew: "withdrawn",
}
"""What the requester hears of whom it concerns."""

_HANDED_ON = frozenset({"call", "whistle", "call_out", "dispatch"})
"""Orders by which another body takes the matter up; a visit or a service is arranged with the requester anyhow."""


@dataclass(frozen=True, slots=True)
class Told:
    """One audience of one event.

    `requesters`: all of them; `requester`: the one of that id; `body`: a body; `level`: a tier, such as subdistrict;
    `body_kind`: every body of that kind. `moment` None: it stands on their list, and no message goes out.
    """

    audience: Literal["requesters", "requester", "body", "level", "body_kind"]
    name: str | None = None
    leg: str | None = None
    moment: Moment | None = None


def told(event: Event, matter: Matter) -> Iterator[Told]:
    """Who hears of an event; `matter` is its case just after it."""
    if matter.confidential or matter.backfilled:
        return
    if (moment := _REQUESTERS.get(type(event))) is not None:
        yield Told("requesters", moment=moment)
    elif (moment := _ONE.get(type(event))) is not None:
        yield Told("requester", event.requester, moment=moment)  # type: ignore[attr-defined]
    elif isinstance(event, mev.DueItem):
        yield from _due_item(event, matter)
    elif isinstance(event, oev.OrderIssued):
        yield from _issued(event, matter)
    elif isinstance(event, oev.OrderCancelled):
        yield from (Told("body", leg.body, leg.id) for leg in matter.orders[event.order].legs.values())
    elif isinstance(event, oev.ExtensionDecided):
        yield from _extension(event, matter)
    elif isinstance(event, oev.LegEvent):
        yield from _leg_event(event, matter)


_DUE_MOMENTS: dict[type[Event], ToStaff] = {
    mev.Reminded: "due_soon", mev.DueMissed: "due_missed", mev.BreachEscalated: "escalated",
    oev.UrgedByClock: "urged", oev.SupervisedByClock: "supervised",
}  # fmt: skip


def _due_item(event: mev.DueItem, matter: Matter) -> Iterator[Told]:
    leg = event.owner if matter.leg(event.owner) is not None else None
    if isinstance(event, oev.AuthorityLapsed):
        yield Told("body", matter.orders[event.owner].issuer, moment="due_missed")
        return
    body, level = getattr(event, "body", None), getattr(event, "level", None)
    moment = _DUE_MOMENTS.get(type(event))
    if body is not None or level is None:
        yield Told("body", body, leg, moment)
    if level is not None:
        yield Told("level", level, leg, "escalated")


def _issued(event: oev.OrderIssued, matter: Matter) -> Iterator[Told]:
    order = matter.orders[event.order]
    for leg in order.legs.values():
        yield Told("body", leg.body, leg.id, "task_arrived")
    if order.kind in _HANDED_ON:
        yield Told("requesters", moment="handed_on")


def _extension(event: oev.ExtensionDecided, matter: Matter) -> Iterator[Told]:
    leg = matter.leg(event.owner)
    if leg is not None:
        yield Told("body", leg.body, leg.id)
    if event.granted and event.due is not None:
        yield Told("requesters", moment="extended")  # an extension is told to the requester (domain.md D.2)


_TO_RECEIVER: dict[type[Event], ToStaff | None] = {
    oev.LegAdded: "task_arrived", oev.LegUrged: "urged", oev.LegSupervised: "supervised", oev.ResultRejected: None,
    oev.ResultAccepted: None, oev.ReturnDecided: None, oev.DisputeAdjudicated: None, oev.LegExcused: None,
    oev.SummonsTimeChanged: None,
}  # fmt: skip
_TO_ISSUER = (
    oev.LegCheckedIn, oev.LegReported, oev.HelpRequested, oev.LegDeclined, oev.DisputeOpened,
)  # fmt: skip


def _leg_event(event: oev.LegEvent, matter: Matter) -> Iterator[Told]:
    order = matter.orders[event.order]
    leg = order.legs[event.leg]
    by_issuer = isinstance(event, oev.HelpRequested) and event.by == "issuer"
    if by_issuer or type(event) in _TO_RECEIVER:
        yield Told("body", leg.body, leg.id, _TO_RECEIVER.get(type(event)))
        if isinstance(event, oev.LegAdded) and order.kind in _HANDED_ON:
            yield Told("requesters", moment="handed_on")
    elif isinstance(event, _TO_ISSUER):
        yield Told("body", order.issuer, leg.id)
    elif isinstance(event, oev.ReturnRequested):
        yield Told("body_kind", "dispatch_centre", leg.id)


_SPEAKING: tuple[type[Event], ...] = (
    *_REQUESTERS, *_ONE, *_DUE_MOMENTS, *_TO_RECEIVER, *_TO_ISSUER, oev.AuthorityLapsed, oev.OrderIssued,
    oev.OrderCancelled, oev.ExtensionDecided, oev.ReturnRequested,
)  # fmt: skip
SPEAKING = frozenset(event.TYPE for event in _SPEAKING)
"""The events that somebody hears of."""

# --- who that is -------------------------------------------------------------------------------------------------


def requesters_of(matter: Matter, one: Told) -> list[str]:
    """The requesters whom this reaches by message: not those whose data were erased, nor who want no messages."""
    if one.audience not in ("requesters", "requester"):
        return []
    named = [one.name] if one.audience == "requester" else [*matter.requesters]
    found = (matter.requesters[name] for name in named if name in matter.requesters)
    left = one.moment != "withdrawn"
    return [r.id for r in found if not (r.quiet or r.erased or matter.shut(r.id) or (left and r.withdrawn))]


_OWED_OF_MATTER = {
    "accept": "accept", "triage": "triage", "finish": "submit_result", "callback": "callback", "close": "close",
    "review": "hold_review", "onsite": "record_attempt",
}  # fmt: skip
_OWED_OF_LEG = {
    "acknowledge": "acknowledge", "contact": "contact", "check_in": "check_in", "answer": "answer_call",
    "finish": "report", "supervise": "report", "decide_return": "decide_return", "adjudicate": "adjudicate",
    "decide_extension": "decide_extension", "confirm_authority": "confirm_authority", "accept_result": "accept_result",
}  # fmt: skip
"""The act, in the rulebook's words, that a clock of this stage waits for."""


def staff_of(
    matter: Matter, one: Told, event: Any, register: Register, book: Rulebook, at: datetime
) -> list[str]:
    """The officers whom this reaches by message: on duty `at` (UTC), else all who may do what is owed."""
    if one.moment not in TO_STAFF or one.name is None:
        return []
    act, of = owed(matter, one, event)
    posts = book.posts(act, of)
    found: list[str] = []
    for body in _bodies(matter, one, register, at):
        on_seat = register.on_duty(body, at, "duty_officer") if "duty_officer" in posts else []
        found += on_seat or [who for post in sorted(posts) for who in register.holders(body, post, at)]
    return [who for who in dict.fromkeys(found) if who not in matter.recused]


def _bodies(matter: Matter, one: Told, register: Register, at: datetime) -> list[str]:
    if one.audience == "body":
        return [str(one.name)]
    if one.audience == "level" and one.name == "subdistrict":
        return [matter.subdistrict] if matter.subdistrict else []
    if one.audience == "level" and one.name == "district":
        return [body.id for body in register.bodies("district", at)]
    return []


def owed(matter: Matter, one: Told, event: Any) -> tuple[str, str]:
    """What is to be done about it, in the rulebook's words, and for what kind of order (`*`: none)."""
    leg = matter.leg(one.leg) if one.leg else None
    order = matter.orders.get(leg.order if leg else getattr(event, "owner", ""))
    of = order.full_kind if order is not None else "*"
    if one.moment == "escalated":
        return "supervise", of
    stage = getattr(event, "stage", None)
    if stage is not None:
        return (_OWED_OF_LEG if order is not None else _OWED_OF_MATTER).get(stage, "supervise"), of
    return ("acknowledge" if leg is None or leg.status == "issued" else "report"), of
