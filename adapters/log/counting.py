"""The census of every month that is over, put on record by the clock in the role `seal` (domain.log.events.CensusTaken).

It binds the office: whoever takes events out of the record or the log later meets the number that stands in a leaf.
A month is counted when an event stands more than a second past its end, since the store then refuses whatever would be
recorded in it; in a store where nothing happens any more the census waits for the next event. After a pause each month
that is missing is counted, in order, from that of the store's first event on. The command's key is the month and how many
refusals are on record: one that is handed in again, by a role that was killed or by two at once, stays one, and after
a refusal, which is kept under its key for ever, the next look asks under a fresh one.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import structlog

from domain.acting import CLOCK
from domain.log.commands import TakeCensus
from domain.log.events import ChannelCount
from domain.log.months import SETTLED_AFTER, begin_of, end_of, month_after
from domain.log.words import LOG
from workflows.handle import Handle
from workflows.ports import EventStore, Stored
from workflows.records import refusals_of
from workflows.submission import Submission

ROUND_SECONDS = 30.0
"""Between two looks whether a month is over."""

OPENING = ("matter_registered.v1", "matter_backfilled.v1")
"""What a case begins with."""

_PAGE = 4096
_log = structlog.get_logger("census")


async def keep_counting(handle: Handle, stop: asyncio.Event) -> None:
    """Take every census when it is due, until told to stop; whatever is out of reach is tried again."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(take_censuses, handle)
        except Exception as error:  # noqa: BLE001 - sealing goes on, whatever becomes of the counting
            _log.error("census_failed", error=type(error).__name__, again_in=ROUND_SECONDS)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), ROUND_SECONDS)


def take_censuses(handle: Handle) -> list[str]:
    """Take every census that is due, the oldest month first; the months taken. Raises Unavailable."""
    taken: list[str] = []
    while (month := _due(handle)) is not None:
        (refusals,) = handle.store.versions((refusals_of(LOG),))
        key = f"census:{month}:{refusals}"
        answer = handle(Submission("seal", key, LOG, counted(handle.store, month), CLOCK))
        if not answer.accepted:
            _log.warning("census_refused", month=month, code=answer.code)
            break
        _log.info("census_taken", month=month)
        taken.append(month)
    return taken


def counted(store: EventStore, month: str) -> TakeCensus:
    """What the store holds of a month of which nothing more can come. Raises Unavailable.

    A row that cannot be read any more counts for nothing: the leaf that it was sealed as tells of it.
    """
    kinds, channels = Counter[bool](), Counter[str]()
    after = store.known_at(begin_of(month) - timedelta.resolution)
    for stored in events_between(store, after, store.known_at(end_of(month) + SETTLED_AFTER)):
        try:
            told = json.loads(stored.body)
            if not told["recorded_at"].startswith(f"{month}-"):
                continue
            if stored.type == OPENING[0]:
                channels[told["pub"]["source"]] += 1
        except (ValueError, LookupError, TypeError, AttributeError):
            _log.error("row_unreadable", position=stored.position)
            continue
        kinds[stored.type in OPENING] += 1
    registrations = tuple(ChannelCount(channel=name, registered=n) for name, n in sorted(channels.items()))
    return TakeCensus(month=month, events=kinds.total(), cases=kinds[True], registrations=registrations)


def events_between(store: EventStore, after: int, upto: int) -> Iterator[Stored]:
    """The events at the positions above `after` up to `upto`, page by page. Raises Unavailable."""
    while after < upto and (page := store.read(after, _PAGE)):
        for stored in page:
            if stored.position > upto:
                return
            yield stored
        after = page[-1].position


def _due(handle: Handle) -> str | None:
    """The month whose census is to be taken next, None as long as none is over and settled."""
    last = handle.standing.caught_up().cosigning.census
    month = _first(handle.store) if last is None else month_after(last)
    if month is None:
        return None
    settled = end_of(month) + SETTLED_AFTER
    over = handle.clock() > settled and handle.store.known_at(settled) < handle.store.head()
    return month if over else None


def _first(store: EventStore) -> str | None:
    """The month of the store's first event."""
    first = store.read(0, 1)
    return json.loads(first[0].body)["recorded_at"][: len("2026-11")] if first else None
