"""Calendars for tests, and a slow second opinion on working time that steps minute by minute."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.calendar import Calendar, Hours, Length, Notice

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
OFFICE = ["09:00-12:00", "14:00-18:00"]
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")

NOTICE_2026 = Notice(
    id="n-2026",
    years=(2026,),
    dated=date(2025, 11, 4),
    off=("2026-10-01..2026-10-07",),
    makeup=("2026-09-20", "2026-10-10"),
    source="test",
)


def office(zone: ZoneInfo = SHANGHAI, notices: tuple[Notice, ...] = (NOTICE_2026,)) -> Calendar:
    """Monday to Friday with a break at noon."""
    return Calendar(zone, Hours(**dict.fromkeys(WEEK, OFFICE)), notices)


def at(text: str, zone: ZoneInfo = SHANGHAI, fold: int = 0) -> datetime:
    """A moment from its wall time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def due(calendar: Calendar, start: str, length: str, *pauses: tuple[str, str | None]) -> str:
    """The due wall time, to read in a table."""
    given = [(at(a, calendar.zone), None if b is None else at(b, calendar.zone)) for a, b in pauses]
    found = calendar.due(at(start, calendar.zone), Length.parse(length), given)
    return calendar.wall(found.at).isoformat(" ", "minutes")


def is_open(calendar: Calendar, minute: datetime) -> bool:
    """Whether a minute of wall time is worked, from the notice and the hours alone."""
    named: dict[date, bool] = {}
    for notice in calendar.notices:
        named.update(dict.fromkeys(notice.off, False) | dict.fromkeys(notice.makeup, True))
    spans = calendar.hours.week[minute.weekday()]
    if (said := named.get(minute.date())) is not None:
        spans = calendar.hours.on_makeup if said else ()
    since = (minute.hour * 60 + minute.minute) * 60_000_000
    return any(span.opens <= since < span.closes for span in spans)


def worked_minutes(calendar: Calendar, a: datetime, b: datetime) -> int:
    """Working minutes between two wall times, counted one by one."""
    return sum(is_open(calendar, a + timedelta(minutes=n)) for n in range(int((b - a).total_seconds() // 60)))


def next_open(calendar: Calendar, wall: datetime) -> datetime:
    """The wall time itself or the next open minute after it."""
    while not is_open(calendar, wall):
        wall += timedelta(minutes=1)
    return wall
