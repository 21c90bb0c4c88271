"""Notices: who was to be told what, read off the events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from adapters.views.rows import Row, micro
from domain.event import Event, Recorded
from domain.matter import Matter
from domain.matter import events as mev
from domain.matter import order_events as oev
from workflows.ports import Stored

_REQUESTERS = (
    mev.MatterRegistered, mev.MatterAccepted, mev.MatterRefused, mev.MatterDeferred, mev.ResultSubmitted,
    mev.MatterReopened, mev.MatterClosed, mev.MatterWithdrawn, mev.MatterMerged,
)  # fmt: skip
"""What every requester hears of (事事有回音)."""


class Told(NamedTuple):
    """One addressee of one event."""

    audience: str
    body: str | None = None
    leg: str | None = None


def notice_rows(stored: Stored, recorded: Recorded[Any], matter: Matter) -> Iterator[Row]:
    """The rows of `notices` for one event."""
    event = recorded.pub
    for n, told in enumerate(_told(event, matter)):
        stage, due = getattr(event, "stage", None), getattr(event, "due", None)
        yield (
            stored.position, n, matter.id, matter.number, micro(recorded.recorded_at), stored.type.partition(".")[0],
            told.audience, told.body, told.leg, stage, micro(due),
        )  # fmt: skip


def _told(event: Event, matter: Matter) -> Iterator[Told]:
    if isinstance(event, _REQUESTERS):
        yield Told("requesters")
    elif isinstance(event, mev.DueItem):
        yield from _due_item(event, matter)
    elif isinstance(event, oev.OrderIssued):
        for leg in matter.orders[event.order].legs.values():
            yield Told("body", leg.body, leg.id)
    elif isinstance(event, oev.ExtensionDecided):
        yield from _extension(event, matter)
    elif isinstance(event, oev.LegEvent):
        yield from _leg_event(event, matter)


def _due_item(event: mev.DueItem, matter: Matter) -> Iterator[Told]:
    leg = event.owner if matter.leg(event.owner) is not None else None
    if isinstance(event, oev.AuthorityLapsed):
        yield Told("body", matter.orders[event.owner].issuer)
        return
    body, level = getattr(event, "body", None), getattr(event, "level", None)
    if body is not None or level is None:
        yield Told("body", body, leg)
    if level is not None:
        yield Told("level", level, leg)


def _extension(event: oev.ExtensionDecided, matter: Matter) -> Iterator[Told]:
    leg = matter.leg(event.owner)
    if leg is not None:
        yield Told("body", leg.body, leg.id)
    yield Told("requesters")  # an extension is told to the requester (domain.md D.2)


_TO_RECEIVER = (
    oev.LegAdded, oev.LegUrged, oev.LegSupervised, oev.ResultRejected, oev.ResultAccepted, oev.ReturnDecided,
    oev.DisputeAdjudicated, oev.LegExcused, oev.SummonsTimeChanged,
)  # fmt: skip
_TO_ISSUER = (
    oev.LegCheckedIn, oev.LegReported, oev.HelpRequested, oev.LegDeclined, oev.DisputeOpened,
)  # fmt: skip


def _leg_event(event: oev.LegEvent, matter: Matter) -> Iterator[Told]:
    leg = matter.orders[event.order].legs[event.leg]
    by_issuer = isinstance(event, oev.HelpRequested) and event.by == "issuer"
    if by_issuer or isinstance(event, _TO_RECEIVER):
        yield Told("body", leg.body, leg.id)
    elif isinstance(event, _TO_ISSUER):
        yield Told("body", matter.orders[event.order].issuer, leg.id)
    elif isinstance(event, oev.ReturnRequested):
        yield Told("body_kind", "dispatch_centre", leg.id)
