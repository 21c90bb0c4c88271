"""The calendar: when something is due, in natural or working time (DESIGN.md law 7).

This page is the specification; local time exists in this room only.

**Zone.** A calendar has one IANA zone. Moments come in as aware datetimes and go out in UTC. A wall time
that daylight saving skips is read with the offset from before the gap, so it lies later by the length of
the gap; one that comes twice means its first pass. (Hence the only case in which a later start can be due
earlier: within the hour around a change of the clocks.)

**Working days.** A date works if the last notice that names it says so; a date that no notice names works
if its weekday has hours. A make-up workday (调休) works the hours given for make-up days, or else those of
the first weekday that has any. Hours are spans of wall time, `09:00-12:00`, each with its opening and
without its closing; `24:00` ends a day, and a night shift is two spans.

**Lengths**, counted from a start:

- `s`, `min`, `h`: exact elapsed time, through nights, rest days and changes of the clocks.
- `d`, natural days: the same wall time so many days later.
- `wd`, working days: opened inside working time, due at the same wall time so many working days later;
  opened outside it, the clock starts at the next opening. Where the day of the end is closed at that wall
  time, the next opening counts. `0wd` is due at the start, or at the next opening.
- `wh`, `wmin`, elapsed working time on the wall clock: due at the first moment by which that much has
  passed, so a length that ends with the day is due at closing, not at the next opening.
- A natural length of zero is due at its start; so is a zero `wh` or `wmin`.

**Pauses** give exactly their time back: elapsed time for natural lengths, working time for working ones. A
pause counts from the start of the clock at the earliest, and only if it begins before the moment otherwise
due; overlapping pauses count once. A pause without an end that begins before the due moment stops the
clock: the answer is then the due moment as if it had taken no time, marked `standing`.

**Provisional** is a due moment for which a day was counted in a year that no notice covers; for such years
only the weekday rule is known. Natural lengths are never provisional. (A notice may
still name the last days of the December before its year; entering it sets such due moments anew, too.)
"""

from domain.calendar.hours import DayHours, Hours, Span
from domain.calendar.length import Length, LengthUnit
from domain.calendar.notice import Notice, from_holiday_cn, in_order
from domain.calendar.working import Calendar, Due, Pause

__all__ = [
    "Calendar",
    "DayHours",
    "Due",
    "Hours",
    "Length",
    "LengthUnit",
    "Notice",
    "Pause",
    "Span",
    "from_holiday_cn",
    "in_order",
]
