"""What holds for every calendar, start, length and pause."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.calendar import Calendar, Hours, Length
from tests.unit.calendar_world import (
    NEW_YORK,
    NOTICE_2026,
    SHANGHAI,
    is_open,
    next_open,
    office,
    worked_minutes,
)  # fmt: skip

FROM, UNTIL = datetime(2026, 8, 1), datetime(2026, 11, 30)  # noqa: DTZ001 (wall time)
walls = st.datetimes(FROM, UNTIL).map(lambda wall: wall.replace(second=0, microsecond=0))
moments = walls.map(lambda wall: wall.replace(tzinfo=SHANGHAI))
exact_moments = st.datetimes(FROM, UNTIL).map(lambda wall: wall.replace(tzinfo=SHANGHAI))
units = st.sampled_from(("s", "min", "h", "d", "wd", "wh", "wmin"))
lengths = st.builds(Length, st.integers(0, 200), units)
working = st.builds(Length, st.integers(0, 40), st.sampled_from(("wd", "wh", "wmin")))
natural = st.builds(Length, st.integers(0, 200), st.sampled_from(("s", "min", "h", "d")))
gaps = st.timedeltas(timedelta(0), timedelta(days=9))


@st.composite
def day_spans(draw: st.DrawFn) -> list[str]:
    edges = sorted(draw(st.sets(st.integers(0, 96), max_size=6)))
    times = [f"{edge // 4:02}:{edge % 4 * 15:02}" for edge in edges]
    return [f"{a}-{b}" for a, b in zip(times[::2], times[1::2], strict=False)]


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "makeup")
    week = {name: draw(day_spans()) for name in names}
    if not any(week[name] for name in names[:7]):
        week["wednesday"] = ["10:00-16:00"]
    return Calendar(SHANGHAI, Hours.model_validate(week), (NOTICE_2026,))


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)), lengths)  # noqa: DTZ001 (wall time)
def test_tables_are_computed_as_cases_are(start: datetime, length: Length) -> None:
    calendar = office(NEW_YORK)
    due = calendar.due(calendar.moment(start), length)
    assert calendar.due_on_wall(start, length) == (calendar.wall(due.at), due.provisional)


@given(
    st.sampled_from((datetime(2026, 3, 8), datetime(2026, 11, 1))),  # noqa: DTZ001 (wall time)
    st.timedeltas(timedelta(days=-3), timedelta(days=3)),
    lengths,
)
def test_tables_are_computed_as_cases_are_when_the_clocks_change(
    change: datetime, apart: timedelta, length: Length
) -> None:
    calendar, start = office(NEW_YORK), change + apart
    due = calendar.due(calendar.moment(start), length)
    assert calendar.due_on_wall(start, length) == (calendar.wall(due.at), due.provisional)


@given(calendars(), exact_moments, st.integers(0, 7 * 24 * 3600), lengths)
def test_a_later_start_is_never_due_earlier(
    calendar: Calendar, start: datetime, by: int, length: Length
) -> None:
    assert calendar.due(start, length).at <= calendar.due(start + timedelta(seconds=by), length).at


@given(calendars(), exact_moments, lengths)
def test_nothing_is_due_before_it_starts(calendar: Calendar, start: datetime, length: Length) -> None:
    assert calendar.due(start, length).at >= start


@given(calendars(), exact_moments, lengths)
def test_a_longer_length_is_never_due_earlier(calendar: Calendar, start: datetime, length: Length) -> None:
    longer = Length(length.amount + 1, length.unit)
    assert calendar.due(start, length).at <= calendar.due(start, longer).at


@given(calendars(), exact_moments, working, gaps, gaps)
def test_a_pause_moves_a_working_due_moment_by_the_working_time_paused(
    calendar: Calendar, start: datetime, length: Length, until_pause: timedelta, lasting: timedelta
) -> None:
    plain = calendar.due(start, length).at
    begin = start + until_pause
    paused = calendar.due(start, length, [(begin, begin + lasting)]).at
    given_back = calendar.working_time_between(begin, begin + lasting) if begin < plain else timedelta(0)
    assert calendar.working_time_between(plain, paused) == given_back


@given(exact_moments, natural, gaps, gaps)
def test_a_pause_moves_a_natural_due_moment_by_the_time_paused(
    start: datetime, length: Length, until_pause: timedelta, lasting: timedelta
) -> None:
    calendar = office()
    plain = calendar.due(start, length).at
    begin = start + until_pause
    paused = calendar.due(start, length, [(begin, begin + lasting)]).at
    assert paused - plain == (lasting if begin < plain else timedelta(0))


@given(calendars(), exact_moments, lengths, st.lists(st.tuples(gaps, gaps), max_size=4), st.randoms())
def test_the_order_and_the_doubling_of_pauses_do_not_matter(
    calendar: Calendar,
    start: datetime,
    length: Length,
    given_pauses: list[tuple[timedelta, timedelta]],
    chance: object,
) -> None:
    pauses = [(start + a, start + a + b) for a, b in given_pauses]
    shuffled = pauses * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert calendar.due(start, length, pauses) == calendar.due(start, length, shuffled)


@given(calendars(), exact_moments, gaps, gaps)
def test_working_time_adds_up(calendar: Calendar, a: datetime, first: timedelta, second: timedelta) -> None:
    b, c = a + first, a + first + second
    whole = calendar.working_time_between(a, c)
    assert whole == calendar.working_time_between(a, b) + calendar.working_time_between(b, c)


@given(calendars(), exact_moments, st.integers(0, 3000))
def test_so_much_working_time_has_passed_when_it_is_due(
    calendar: Calendar, start: datetime, amount: int
) -> None:
    found = calendar.due(start, Length(amount, "wmin")).at
    assert calendar.working_time_between(start, found) == timedelta(minutes=amount)


@settings(max_examples=40, deadline=None)
@given(calendars(), walls, st.integers(0, 6 * 24 * 60))
def test_working_time_agrees_with_counting_minutes(calendar: Calendar, a: datetime, minutes: int) -> None:
    b = a + timedelta(minutes=minutes)
    found = calendar.working_time_between(calendar.moment(a), calendar.moment(b))
    assert found == timedelta(minutes=worked_minutes(calendar, a, b))


@settings(max_examples=60, deadline=None)
@given(walls, st.integers(1, 15))
def test_working_days_agree_with_counting_them(start: datetime, amount: int) -> None:
    calendar = office()
    opened = next_open(calendar, start)
    day, left = opened, amount
    while left:
        day += timedelta(days=1)
        left -= any(is_open(calendar, day.replace(hour=hour, minute=0)) for hour in range(24))
    found = calendar.due(calendar.moment(start), Length(amount, "wd")).at
    assert calendar.wall(found) == next_open(calendar, day)
