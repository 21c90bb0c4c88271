"""Routing: which notices an event gives rise to, as rows of the outbox. Nothing is opened here: rows hold ids alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from adapters.deliveries.folding import folded
from adapters.deliveries.ports import Row, event_id
from adapters.deliveries.subscriptions import Subscriptions
from adapters.notices.wording import Texts
from domain.event import Recorded
from domain.matter import Matter
from domain.matter.telling import SPEAKING, TO_REQUESTER, Moment, Told, requesters_of, staff_of, told
from workflows.ports import EventStore, Stored
from workflows.standing import Standing, StandingViews

CHANNEL = "notice"
SUBSCRIPTION = "notices"
"""The one subscription under which all notices are queued: it begins when the office first has a way to send them."""


def what_of(moment: Moment, person: str) -> str:
    """How a row says what it is: the moment, and the random id of who is told."""
    return f"{moment}:{person}"


def said_by(what: str) -> tuple[Moment, str]:
    """Moment and person of such a row."""
    moment, _, person = what.partition(":")
    return cast("Moment", moment), person


class NoticeRouter:
    """The outbox's router for notices."""

    def __init__(
        self, store: EventStore, standing: StandingViews, subscriptions: Subscriptions, texts: Texts
    ) -> None:
        self._store, self._standing, self._subscriptions, self._texts = store, standing, subscriptions, texts

    def rows(self, batch: Sequence[Stored]) -> list[Row]:
        """A row for everybody who is to be told. Raises Unavailable.

        Of a case that cannot be read one for the event itself: who is told, is asked when it is sent.
        """
        since = next(
            (one.since for one in self._subscriptions.hearing(CHANNEL) if one.id == SUBSCRIPTION), None
        )
        if since is None:
            return []
        standing = self._standing.caught_up()
        rows = list[Row]()
        for stored, known in folded(self._store, batch, SPEAKING, since):
            row = Row(
                SUBSCRIPTION, stored.stream, stored.version, stored.position, event_id(stored.body), stored.type,
                lane=stored.stream,
            )  # fmt: skip
            rows += (
                [row]
                if known is None
                else shared_out(row, known.state, known.recorded, standing, self._texts)
            )
        return rows


def shared_out(
    row: Row, state: Matter, recorded: Recorded[Any], standing: Standing, texts: Texts
) -> Iterator[Row]:
    """For the row of an event one for each of those whom it tells; `state` is its case just after it."""
    for moment, person in reached(state, recorded, standing):
        if texts.sends(moment):
            yield row._replace(what=what_of(moment, person), lane=person)


def reached(state: Matter, recorded: Recorded[Any], standing: Standing) -> Iterator[tuple[Moment, str]]:
    """Moment and person of every message that an event sends, each once; `state` is its case just after it."""
    found: dict[tuple[Moment, str], None] = {}
    for one in told(recorded.pub, state):
        if one.moment is not None:
            found |= dict.fromkeys((one.moment, who) for who in _persons(state, one, recorded, standing))
    yield from found


def _persons(state: Matter, one: Told, recorded: Recorded[Any], standing: Standing) -> list[str]:
    if one.moment in TO_REQUESTER:
        return requesters_of(state, one)
    book = standing.laws[recorded.basis.rulebook].book
    return staff_of(state, one, recorded.pub, standing.register, book, recorded.recorded_at)
