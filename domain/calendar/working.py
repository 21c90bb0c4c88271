"""The calendar itself: due moments, working time, working days. Specified in `domain.calendar`."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.calendar.hours import Hours, Span
from domain.calendar.length import Length
from domain.calendar.notice import Notice
from domain.event import canonical
from domain.instant import as_utc

Pause = tuple[datetime, datetime | None]
"""From and until; None while it lasts. Aware datetimes."""

_MICROSECOND = timedelta(microseconds=1)
_LAST_YEAR = 9998


class Due(NamedTuple):
    """A due moment (UTC); if it rests on a year without notice; if an open pause holds the clock."""

    at: datetime
    provisional: bool
    standing: bool = False


class Year(NamedTuple):
    """A year's working days: ordinals, spans of each, working time before each, and working time in all."""

    days: tuple[int, ...]
    spans: tuple[tuple[Span, ...], ...]
    before: tuple[int, ...]
    total: int


Wall = tuple[int, int]
"""A wall time: the day's ordinal and microseconds since midnight, in order of the clock; plain for speed."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Working time in one zone: hours per weekday, and the notices in order (later ones override)."""

    zone: ZoneInfo
    hours: Hours
    notices: tuple[Notice, ...] = ()
    version: str = field(init=False)
    _named: dict[int, bool] = field(init=False, repr=False, compare=False)
    _covered: frozenset[int] = field(init=False, repr=False, compare=False)
    _years: dict[int, Year] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        named: dict[int, bool] = {}
        for notice in self.notices:
            named.update({day.toordinal(): False for day in notice.off})
            named.update({day.toordinal(): True for day in notice.makeup})
        covered = frozenset(year for notice in self.notices for year in notice.years)
        object.__setattr__(self, "_named", named)
        object.__setattr__(self, "_covered", covered)
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
        try:
            return (
                self._working(start, length, pauses)
                if length.working
                else self._natural(start, length, pauses)
            )
        except OverflowError:
            raise ValueError(f"{length} from {start.year} ends after the year {_LAST_YEAR}") from None

    def working_time_between(self, a: datetime, b: datetime) -> timedelta:
        """The working time from `a` to `b` (aware) on the wall clock; zero when `b` is not later."""
        a, b = as_utc(a), as_utc(b)
        if b <= a:
            return timedelta(0)
        return (
            max(0, self._between(_split(a.astimezone(self.zone)), _split(b.astimezone(self.zone))))
            * _MICROSECOND
        )

    def is_working_day(self, day: date) -> bool:
        """Whether the date is worked, by the notices or else by its weekday."""
        return bool(self._spans(day.toordinal()))

    def is_covered(self, day: date) -> bool:
        """Whether a notice settles the date's year; due moments counted past that are provisional."""
        return day.year in self._covered

    # -- natural time

    def _natural(self, start: datetime, length: Length, pauses: Sequence[Pause]) -> Due:
        elapsed = length.elapsed
        if elapsed is not None or length.amount == 0:
            end = start + (elapsed or timedelta(0))
        else:
            end = self.moment(self.wall(start).replace(fold=0) + timedelta(days=length.amount))
        if not pauses:
            return Due(end, provisional=False)
        standing = False
        for begin, until in _merged(pauses, start):
            if begin >= end:
                break
            if until is None:
                standing = True
                break
            end += until - begin
        return Due(end, provisional=False, standing=standing)

    # -- working time

    def _working(self, start: datetime, length: Length, pauses: Sequence[Pause]) -> Due:
        first = _split(start.astimezone(self.zone))
        worked = length.worked
        end = (
            self._days_on(first, length.amount) if worked is None else self._on(first, worked // _MICROSECOND)
        )
        standing = False
        for begin, until in _merged(pauses, start) if pauses else ():
            paused = _split(begin.astimezone(self.zone))
            if paused >= end:
                break
            if until is None:
                standing = True
                break
            end = self._on(end, self._between(paused, _split(until.astimezone(self.zone))))
        at = self._utc(end, start)
        return Due(at, self._unsettled(first[0], end[0]), standing)

    def _days_on(self, wall: Wall, amount: int) -> Wall:
        """The same wall time so many working days later, or the next opening where that is closed."""
        opening = self._opening(wall)
        return self._opening((self._nth_day(opening[0], amount), opening[1])) if amount else opening

    def _opening(self, wall: Wall) -> Wall:
        """This wall time where it is working time, or else the next opening."""
        day, time = wall
        for opens, closes in self._spans(day):
            if time < closes:
                return (day, max(opens, time))
        day = self._nth_day(day + 1, 0)
        return (day, self._spans(day)[0].opens)

    def _nth_day(self, day: int, amount: int) -> int:
        """The working day `amount` working days after the first one on or after `day`."""
        number = date.fromordinal(day).year
        year = self._year(number)
        index = bisect_left(year.days, day) + amount
        while index >= len(year.days):
            index -= len(year.days)
            number += 1
            year = self._year(number)
        return year.days[index]

    def _on(self, wall: Wall, worked: int) -> Wall:
        """The first wall time by which so much working time (microseconds) has passed since `wall`."""
        if worked <= 0:
            return wall
        number = date.fromordinal(wall[0]).year
        year = self._year(number)
        goal = self._before(wall) + worked
        while goal > year.total:
            goal -= year.total
            number += 1
            year = self._year(number)
        index = bisect_left(year.before, goal) - 1
        rest = goal - year.before[index]
        for opens, closes in year.spans[index]:
            if rest <= closes - opens:
                return (year.days[index], opens + rest)
            rest -= closes - opens
        raise AssertionError("a day holds its own working time")

    def _between(self, a: Wall, b: Wall) -> int:
        """Working time from `a` to `b` in microseconds; negative when `b` comes first."""
        first, last = date.fromordinal(a[0]).year, date.fromordinal(b[0]).year
        if last < first:
            return -self._between(b, a)
        return (
            sum(self._year(number).total for number in range(first, last)) + self._before(b) - self._before(a)
        )

    def _before(self, wall: Wall) -> int:
        """Working time from the beginning of its year up to `wall`, in microseconds."""
        day, time = wall
        year = self._year(date.fromordinal(day).year)
        index = bisect_right(year.days, day) - 1
        if index < 0:
            return 0
        spans = year.spans[index]
        if year.days[index] != day:
            return year.before[index] + sum(closes - opens for opens, closes in spans)
        return year.before[index] + sum(min(closes, time) - opens for opens, closes in spans if opens < time)

    def _utc(self, wall: Wall, start: datetime) -> datetime:
        """The moment of a wall time on or after `start`: in a repeated hour the second pass if need be."""
        local = datetime.fromordinal(wall[0]) + timedelta(microseconds=wall[1])
        at = self.moment(local)
        return self.moment(local.replace(fold=1)) if at < start else at

    def _unsettled(self, first: int, last: int) -> bool:
        """Whether a day was counted in a year that no notice covers."""
        begin, end = date.fromordinal(first).year, date.fromordinal(last).year
        if begin == end:
            return begin not in self._covered
        return not self._covered.issuperset(range(begin, end + 1))

    # -- the table of a year, made once and kept: the same for ever, as a calendar never changes

    def _spans(self, day: int) -> tuple[Span, ...]:
        named = self._named.get(day)
        if named is None:
            return self.hours.week[(day - 1) % 7]
        return self.hours.on_makeup if named else ()

    def _year(self, number: int) -> Year:
        year = self._years.get(number)
        if year is None:
            year = self._years[number] = self._table(number)
        return year

    def _table(self, number: int) -> Year:
        if number > _LAST_YEAR:
            raise OverflowError
        first, last = date(number, 1, 1).toordinal(), date(number, 12, 31).toordinal()
        worked = [(day, spans) for day in range(first, last + 1) if (spans := self._spans(day))]
        before: list[int] = []
        total = 0
        for _, spans in worked:
            before.append(total)
            total += sum(closes - opens for opens, closes in spans)
        return Year(
            tuple(day for day, _ in worked), tuple(spans for _, spans in worked), tuple(before), total
        )


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
