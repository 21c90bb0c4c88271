"""Working days and working time on the wall clock: pure counting, without zones, moments or pauses.

A wall time is a pair of the day's ordinal and the microseconds since midnight: it compares in order of the clock
and costs little. Each year's working days are tabled once, when first asked for, and kept: they never change.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from domain.calendar.hours import Hours, Span
from domain.calendar.notice import Notice

LAST_YEAR = 9998

Wall = tuple[int, int]
"""The day's ordinal, and microseconds since midnight."""


class Year(NamedTuple):
    """A year's working days: ordinals, spans of each, working time before each, and working time in all."""

    days: tuple[int, ...]
    spans: tuple[tuple[Span, ...], ...]
    before: tuple[int, ...]
    total: int


class WorkDays:
    """Which days are worked and when, by hours per weekday and notices in order (later ones override)."""

    __slots__ = ("_covered", "_makeup", "_named", "_week", "_years")

    def __init__(self, hours: Hours, notices: Iterable[Notice]) -> None:
        self._week = hours.week
        self._makeup = hours.on_makeup
        self._named: dict[int, bool] = {}
        self._years: dict[int, Year] = {}
        covered: set[int] = set()
        for notice in notices:
            self._named.update({day.toordinal(): False for day in notice.off})
            self._named.update({day.toordinal(): True for day in notice.makeup})
            covered.update(notice.years)
        self._covered = frozenset(covered)

    def spans(self, day: int) -> tuple[Span, ...]:
        """The working spans of a day; none for a rest day."""
        named = self._named.get(day)
        if named is None:
            return self._week[(day - 1) % 7]
        return self._makeup if named else ()

    def settled(self, first: int, last: int) -> bool:
        """Whether notices cover every year from one day to another."""
        begin, end = date.fromordinal(first).year, date.fromordinal(last).year
        if begin == end:
            return begin in self._covered
        return self._covered.issuperset(range(begin, end + 1))

    def later(self, wall: Wall, amount: int) -> Wall:
        """The same wall time so many working days later, or the next opening where that is closed."""
        opening = self._opening(wall)
        return self._opening((self._nth(opening[0], amount), opening[1])) if amount else opening

    def _opening(self, wall: Wall) -> Wall:
        """This wall time where it is working time, or else the next opening."""
        day, time = wall
        for opens, closes in self.spans(day):
            if time < closes:
                return (day, max(opens, time))
        day = self._nth(day + 1, 0)
        return (day, self.spans(day)[0].opens)

    def _nth(self, day: int, amount: int) -> int:
        """The working day `amount` working days after the first one on or after `day`."""
        number = date.fromordinal(day).year
        year = self._year(number)
        index = bisect_left(year.days, day) + amount
        while index >= len(year.days):
            index -= len(year.days)
            number += 1
            year = self._year(number)
        return year.days[index]

    def on(self, wall: Wall, worked: int) -> Wall:
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

    def between(self, a: Wall, b: Wall) -> int:
        """Working time from `a` to `b` in microseconds; negative when `b` comes first."""
        first, last = date.fromordinal(a[0]).year, date.fromordinal(b[0]).year
        if last < first:
            return -self.between(b, a)
        whole_years = sum(self._year(number).total for number in range(first, last))
        return whole_years + self._before(b) - self._before(a)

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

    def _year(self, number: int) -> Year:
        year = self._years.get(number)
        if year is None:
            year = self._years[number] = self._table(number)
        return year

    def _table(self, number: int) -> Year:
        if number > LAST_YEAR:
            raise OverflowError
        first, last = date(number, 1, 1).toordinal(), date(number, 12, 31).toordinal()
        worked = [(day, spans) for day in range(first, last + 1) if (spans := self.spans(day))]
        before: list[int] = []
        total = 0
        for _, spans in worked:
            before.append(total)
            total += sum(closes - opens for opens, closes in spans)
        return Year(
            tuple(day for day, _ in worked), tuple(spans for _, spans in worked), tuple(before), total
        )
