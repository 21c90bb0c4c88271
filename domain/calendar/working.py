"""The calendar itself: due moments, working time, working days. Specified in `domain.calendar`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.calendar.hours import Hours
from domain.calendar.length import Length
from domain.calendar.notice import Notice
from domain.calendar.workdays import LAST_YEAR, Wall, WorkDays
from domain.event import canonical
from domain.instant import as_utc

Pause = tuple[datetime, datetime | None]
"""From and until; None while it lasts. Aware datetimes."""

_MICROSECOND = timedelta(microseconds=1)


class Due(NamedTuple):
    """A due moment (UTC); if it rests on a year without notice; if an open pause holds the clock."""

    at: datetime
    provisional: bool
    standing: bool = False


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working time in one zone: hours per weekday, and the notices in order (later ones override).

    `version` names what it stands on: the newest notice, how many there are, a digest of everything.
    """

    zone: ZoneInfo
    hours: Hours
    notices: tuple[Notice, ...] = ()
    version: str = field(init=False)
    _days: WorkDays = field(init=False, repr=False, compare=False)
    _shifts: dict[int, frozenset[int]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_days", WorkDays(self.hours, self.notices))
        object.__setattr__(self, "version", _version(self.zone, self.hours, self.notices))

    # -- wall time and moments

    def wall(self, moment: datetime) -> datetime:
        """The naive wall time of an aware moment in this zone (`fold` kept)."""
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def moment(self, wall: datetime) -> datetime:
        """The UTC moment of a naive wall time: skipped, it moves on by the gap; repeated, it is the first."""
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    # -- what others ask

    def due(self, start: datetime, length: Length, pauses: Sequence[Pause] = ()) -> Due:
        """When `length`, counted from `start` (aware), has passed, the time of the pauses given back.

        Raises ValueError for a naive datetime, a pause that ends before it begins, or an end after 9998.
        """
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware datetime")
        start = as_utc(start)  # datetimes of one zone compare by wall time, which comes twice in autumn
        count = self._working if length.working else self._natural
        try:
            return count(start, length, pauses)
        except OverflowError:
            raise ValueError(f"{length} from {start.year} ends after the year {LAST_YEAR}") from None

    def due_on_wall(self, start: datetime, length: Length) -> tuple[datetime, bool]:
        """The due wall time for a naive start, and whether it is provisional: what `due` says, made for tables.

        Days without a change of the clocks need no zone, which makes it several times faster there.
        Raises ValueError for a start or an end outside the years 2 to 9998.
        """
        try:
            found = self._by_days(start, length)
        except OverflowError:
            raise ValueError(f"{length} from {start.year} ends after the year {LAST_YEAR}") from None
        if found is not None and not self._shifted(found[0]):
            return found
        due = self.due(self.moment(start), length)
        return self.wall(due.at), due.provisional

    def _by_days(self, start: datetime, length: Length) -> tuple[datetime, bool] | None:
        """The answer by the wall clock alone; None for elapsed time and for days on which the clocks change."""
        if length.elapsed is not None or not length.amount or self._shifted(start):
            return None
        if not length.working:
            return start + timedelta(days=length.amount), False
        first = _split(start)
        last = self._counted(first, length)
        return _joined(last), not self._days.settled(first[0], last[0])

    def working_time_between(self, a: datetime, b: datetime) -> timedelta:
        """The working time from `a` to `b` (aware) on the wall clock; zero when `b` is not later."""
        a, b = as_utc(a), as_utc(b)
        if b <= a:
            return timedelta(0)
        return max(0, self._days.between(self._split(a), self._split(b))) * _MICROSECOND

    def is_working_day(self, day: date) -> bool:
        """Whether the date is worked, by the notices or else by its weekday."""
        return bool(self._days.spans(day.toordinal()))

    def is_covered(self, day: date) -> bool:
        """Whether a notice settles the date's year; due moments counted past that are provisional."""
        return self._days.settled(day.toordinal(), day.toordinal())

    # -- natural time

    def _natural(self, start: datetime, length: Length, pauses: Sequence[Pause]) -> Due:
        elapsed = length.elapsed
        if elapsed is not None or length.amount == 0:
            end = start + (elapsed or timedelta(0))
        else:
            end = self.moment(self.wall(start).replace(fold=0) + timedelta(days=length.amount))
        standing = False
        for begin, until in _merged(pauses, start) if pauses else ():
            if begin >= end:
                break
            if until is None:
                standing = True
                break
            end += until - begin
        return Due(end, provisional=False, standing=standing)

    # -- working time

    def _working(self, start: datetime, length: Length, pauses: Sequence[Pause]) -> Due:
        first = self._split(start)
        end = self._counted(first, length)
        standing = False
        for begin, until in _merged(pauses, start) if pauses else ():
            paused = self._split(begin)
            if paused >= end:
                break
            if until is None:
                standing = True
                break
            end = self._days.on(end, self._days.between(paused, self._split(until)))
        return Due(self._utc(end, start), not self._days.settled(first[0], end[0]), standing)

    def _counted(self, first: Wall, length: Length) -> Wall:
        worked = length.worked
        if worked is None:
            return self._days.later(first, length.amount)
        return self._days.on(first, worked // _MICROSECOND)

    def _split(self, moment: datetime) -> Wall:
        return _split(moment.astimezone(self.zone))

    def _utc(self, wall: Wall, start: datetime) -> datetime:
        """The moment of a wall time on or after `start`: in a repeated hour the second pass if need be."""
        local = _joined(wall)
        at = self.moment(local)
        return self.moment(local.replace(fold=1)) if at < start else at

    def _shifted(self, wall: datetime) -> bool:
        """Whether the clocks change on the day of this wall time, or at either end of it."""
        days = self._shifts.get(wall.year)
        if days is None:
            days = self._shifts[wall.year] = self._changes(wall.year)
        return wall.toordinal() in days

    def _changes(self, year: int) -> frozenset[int]:
        if not 1 < year <= LAST_YEAR:
            raise ValueError(f"the calendar goes from the year 2 to {LAST_YEAR}")
        first = date(year, 1, 1).toordinal()
        midnights = [datetime.fromordinal(first + n).replace(tzinfo=self.zone) for n in range(-1, 368)]
        offsets = [midnight.utcoffset() for midnight in midnights]
        found = {first - 1 + n for n in range(len(offsets) - 1) if offsets[n] != offsets[n + 1]}
        return frozenset(found | {day + 1 for day in found} | {day - 1 for day in found})


def _joined(wall: Wall) -> datetime:
    return datetime.fromordinal(wall[0]) + timedelta(microseconds=wall[1])


def _split(wall: datetime) -> Wall:
    time = ((wall.hour * 60 + wall.minute) * 60 + wall.second) * 1_000_000 + wall.microsecond
    return (wall.toordinal(), time)


def _merged(pauses: Iterable[Pause], start: datetime) -> Iterator[Pause]:
    """The pauses from `start` on in UTC, in order, overlapping ones as one."""
    known = [(as_utc(begin), None if until is None else as_utc(until)) for begin, until in pauses]
    if any(until is not None and until < begin for begin, until in known):
        raise ValueError("a pause ends before it begins")
    held: Pause | None = None
    for begin, until in sorted(known, key=lambda pause: pause[0]):
        if until is not None and until <= start:
            continue
        if held is None:
            held = (max(begin, start), until)
        elif held[1] is None:
            break
        elif begin <= held[1]:
            held = (held[0], None if until is None else max(held[1], until))
        else:
            yield held
            held = (begin, until)
    if held is not None:
        yield held


def _version(zone: ZoneInfo, hours: Hours, notices: tuple[Notice, ...]) -> str:
    """Readable and exact: the newest notice, how many there are, the beginning of a digest of everything."""
    content = [zone.key, hours.model_dump(mode="json"), [notice.digest for notice in notices]]
    digest = hashlib.sha256(canonical(content)).hexdigest()
    last = notices[-1].id if notices else "no-notice"
    return f"{last}+{len(notices)}+{digest[:12]}"
