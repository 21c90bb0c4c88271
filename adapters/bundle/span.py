"""Which part of the log a bundle holds: from one signed head to another.

The head at the beginning of a month is the first cosigned one that holds every event recorded before it; it ends the
bundle of the month before, so that the months of a board follow one another without a gap.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from adapters.log.store import Head, LogStore
from domain.refusal import Refused
from workflows.ports import EventStore
from workflows.standing import Standing

DEFAULT_ZONE: Final = "Asia/Shanghai"
SPARE: Final = 0.9
"""The heads between are chosen with a tenth of the promised delay to spare: the boards' clocks are not the office's."""
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_PAGE: Final = 1000


class Span(NamedTuple):
    """The head that the board has seen, None for a bundle since genesis, and the one that it is shown."""

    old: Head | None
    new: Head

    @property
    def start(self) -> int:
        """The index of the first new leaf."""
        return self.old.size if self.old else 0


def zone_of(standing: Standing, at: datetime) -> ZoneInfo:
    """The time zone of the rulebook in force, which is that of months; China's before the first rulebook."""
    release = standing.releases.in_force(at)
    return ZoneInfo(release.zone if release else DEFAULT_ZONE)


def month_bounds(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a month such as 2026-11 begins and ends there (UTC). Raises Refused "malformed"."""
    found = _MONTH.fullmatch(month)
    if found is None or not 2000 <= int(found[1]) < 9999:
        raise Refused("malformed", "Give the month as 2026-11.")
    year, number = int(found[1]), int(found[2])
    begins = datetime(year, number, 1, tzinfo=zone)
    ends = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return begins.astimezone(UTC), ends.astimezone(UTC)


def since_genesis(log: LogStore) -> Span:
    """Everything up to the newest head. Raises Refused "no_head"."""
    return Span(None, _newest(log))


def of_month(log: LogStore, store: EventStore, begins: datetime, ends: datetime) -> Span:
    """One month's part. Raises Refused "no_head", or "empty_month" where the log does not reach into it."""
    old, new = _at(log, store, begins), _at(log, store, ends)
    if new is None or (old is not None and old.size >= new.size):
        raise Refused("empty_month", "Choose a later month: nothing of that one stands under a signed head.")
    return Span(old, new)


def _at(log: LogStore, store: EventStore, moment: datetime) -> Head | None:
    """The first head that holds every event recorded by this moment, or the newest there is; None before the first."""
    newest = _newest(log)
    position = store.known_at(moment)
    if position == 0:
        return None
    index = log.index_of(position)
    covering = None if index is None else log.covering(index, cosigned=newest.cosigned_at is not None)
    return covering if covering is not None and covering.size < newest.size else newest


def _newest(log: LogStore) -> Head:
    """The newest cosigned head; the newest signed one in a log that no board cosigns yet."""
    head = log.cosigned() or log.head()
    if head is None:
        raise Refused("no_head", "Let the role seal run first: nothing of this log has been signed yet.")
    return head


def heads_between(log: LogStore, span: Span, delay: timedelta) -> Iterator[Head]:
    """So many of the cosigned heads between as it takes to show that no leaf waited for one longer than promised."""
    wait = delay * SPARE
    deadline = _recorded(log, span.start) + wait
    held: Head | None = None
    for head in _cosigned(log, span):
        if head.cosigned_at is None:
            continue
        if head.cosigned_at > deadline and held is not None:
            yield held
            deadline, held = _recorded(log, held.size) + wait, None
        if head.cosigned_at > deadline and head.size < span.new.size:
            yield head  # late, and the first that holds these leaves
            deadline = _recorded(log, head.size) + wait
        elif head.size < span.new.size:
            held = head


def _cosigned(log: LogStore, span: Span) -> Iterator[Head]:
    """The cosigned heads between the two, smallest first, and the new one."""
    after = span.start
    while page := log.heads(after, _PAGE):
        for head in page:
            if head.size >= span.new.size:
                break
            if head.cosigned_at is not None:
                yield head
        after = page[-1].size
        if after >= span.new.size:
            break
    yield span.new


def _recorded(log: LogStore, index: int) -> datetime:
    """When the event of a leaf was recorded."""
    return datetime.fromisoformat(json.loads(log.leaf(index))["recorded_at"])
