"""The census of every month that is over, put on record by the clock in the role `seal` (domain.log.events.CensusTaken).

It binds the office: whoever takes events out of the record or the log later meets the number that stands in a leaf.
A month is counted when an event stands more than a second past its end, since the store then refuses whatever would be
recorded in it; in a store where nothing happens any more the census waits for the next event. After a pause each month
that is missing is counted, in order, from that of the store's first event on. The command's key is the month and how many
refusals are on record: one that is handed in again, by a role that was killed or by two at once, stays one, and after
a refusal, which is kept under its key for ever, the next look asks under a fresh one. Each cause is put on record once a
month, whatever else is refused meanwhile; the looks come later and later, and `huiyin doctor` tells of it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from domain.acting import CLOCK
from domain.event import decode
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
LONGEST_SECONDS = 3600.0
"""The same after a census was refused, at most: each look counts the whole month again."""

OPENING = ("matter_registered.v1", "matter_backfilled.v1")
"""What a case begins with."""

_NOTHING = TakeCensus(month="1000-01", events=0, cases=0, registrations=())
_PAGE, _REST = 512, 2.0
"""Events read at once, and how long, in times what they took, is left to the sealer in this process before the next."""
_log = structlog.get_logger("census")


class Round(NamedTuple):
    """What became of one look: the months whose census was taken, and the code of the refusal that ended it, if one did."""

    taken: tuple[str, ...]
    refused: str | None = None


class Owed(NamedTuple):
    """A month whose census is due: since when (UTC) it could be taken, and the newest cause for which it was refused, if it
    was."""

    month: str
    since: datetime
    refused: str | None


async def keep_counting(handle: Handle, stop: asyncio.Event) -> None:
    """Take every census when it is due, until told to stop; whatever is out of reach is tried again."""
    pause = ROUND_SECONDS
    while not stop.is_set():
        refused = False
        try:
            refused = (await asyncio.to_thread(take_censuses, handle, stop.is_set)).refused is not None
        except Exception as error:  # noqa: BLE001 - sealing goes on, whatever becomes of the counting
            _log.error("census_failed", error=type(error).__name__, again_in=ROUND_SECONDS)
        pause = next_pause(pause, refused)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


def next_pause(pause: float, refused: bool) -> float:
    """The seconds until the next look: twice as many after each refusal."""
    return min(2 * pause, LONGEST_SECONDS) if refused else ROUND_SECONDS


def take_censuses(handle: Handle, stopped: Callable[[], bool] = lambda: False) -> Round:
    """Take every census that is due, the oldest month first, and begin none once `stopped`. Raises Unavailable."""
    taken: list[str] = []
    while not stopped() and (month := _due(handle)) is not None:
        code = _take(handle, month)
        if code is not None:
            _log.warning("census_refused", month=month, code=code)
            return Round(tuple(taken), code)
        _log.info("census_taken", month=month)
        taken.append(month)
    return Round(tuple(taken))


def owed(handle: Handle) -> Owed | None:
    """The census that is due and was not taken yet, None where there is none. Raises Unavailable."""
    month = _due(handle)
    if month is None:
        return None
    (settling,) = handle.store.read(handle.store.known_at(end_of(month) + SETTLED_AFTER), 1)
    since = datetime.fromisoformat(json.loads(settling.body)["recorded_at"])
    return Owed(month, since, next(reversed(_causes(handle, month)), None))


def _take(handle: Handle, month: str) -> str | None:
    """Take it, or put its refusal on record; the code of a refusal. For a cause on record nothing more is written."""
    (refusals,) = handle.store.versions((refusals_of(LOG),))
    submission = _submission(month, refusals, counted(handle.store, month))
    foreseen = handle.preview(submission).code
    told = foreseen is not None and foreseen in _causes(handle, month)
    return foreseen if told else handle(submission).code


def _causes(handle: Handle, month: str) -> list[str]:
    """The codes by which this month's census was refused so far, in order. Others' refusals may stand in between."""
    stored = handle.store.load(refusals_of(LOG))
    asked = {handle.command_id(_submission(month, number, _NOTHING)) for number in range(len(stored))}
    found = (decode(one.type, one.body) for one in stored)
    return [one.pub.code for one in found if one.command in asked]


def _submission(month: str, refusals: int, command: TakeCensus) -> Submission:
    return Submission("seal", f"census:{month}:{refusals}", LOG, command, CLOCK)


def counted(store: EventStore, month: str) -> TakeCensus:
    """What the store holds of a month of which nothing more can come. Raises Unavailable.

    A row that cannot be read any more counts for nothing: the leaf that it was sealed as tells of it.
    """
    kinds, channels = Counter[bool](), Counter[str]()
    after = store.known_at(begin_of(month) - timedelta.resolution)
    for stored in events_between(store, after, store.known_at(end_of(month) + SETTLED_AFTER), _REST):
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


def events_between(store: EventStore, after: int, upto: int, rest: float = 0.0) -> Iterator[Stored]:
    """The events at the positions above `after` up to `upto`, page by page. Raises Unavailable.

    After each page this thread rests for `rest` times as long as it took.
    """
    while after < upto:
        begun = time.monotonic()
        page = store.read(after, _PAGE)
        for stored in page:
            if stored.position > upto:
                return
            yield stored
        if not page:
            return
        after = page[-1].position
        time.sleep(rest * (time.monotonic() - begun))


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
