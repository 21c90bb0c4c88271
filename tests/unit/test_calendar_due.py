"""Due moments, case by case, as `domain.calendar` specifies them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.calendar import Calendar, Hours, Length, Notice
from tests.unit.calendar_world import NEW_YORK, NOTICE_2026, OFFICE, SHANGHAI, WEEK, at, due, office


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        # natural time runs through nights and rest days
        ("2026-07-03 17:59", "30min", "2026-07-03 18:29"),
        ("2026-07-03 17:59", "24h", "2026-07-04 17:59"),
        ("2026-07-03 17:59", "15d", "2026-07-18 17:59"),
        # working days: same wall time
        ("2026-07-02 10:15", "1wd", "2026-07-03 10:15"),
        ("2026-07-03 10:15", "1wd", "2026-07-06 10:15"),
        ("2026-07-03 10:15", "5wd", "2026-07-10 10:15"),
        # opened outside working time: from the next opening
        ("2026-07-03 08:00", "1wd", "2026-07-06 09:00"),
        ("2026-07-03 12:30", "1wd", "2026-07-06 14:00"),
        ("2026-07-03 18:00", "1wd", "2026-07-07 09:00"),
        ("2026-07-04 10:00", "3wd", "2026-07-09 09:00"),
        # the closing belongs to the break, the opening to the work
        ("2026-07-02 12:00", "1wd", "2026-07-03 14:00"),
        ("2026-07-02 14:00", "1wd", "2026-07-03 14:00"),
        # zero
        ("2026-07-04 10:00", "0s", "2026-07-04 10:00"),
        ("2026-07-04 10:00", "0d", "2026-07-04 10:00"),
        ("2026-07-04 10:00", "0wh", "2026-07-04 10:00"),
        ("2026-07-04 10:00", "0wd", "2026-07-06 09:00"),
        ("2026-07-03 10:00", "0wd", "2026-07-03 10:00"),
        # elapsed working time skips the break, the night and the week-end
        ("2026-07-03 11:00", "2wh", "2026-07-03 15:00"),
        ("2026-07-03 17:30", "60wmin", "2026-07-06 09:30"),
        ("2026-07-03 12:30", "1wh", "2026-07-03 15:00"),
        ("2026-07-03 09:00", "3wh", "2026-07-03 12:00"),
        ("2026-07-03 09:00", "7wh", "2026-07-03 18:00"),
        ("2026-07-03 09:00", "70wh", "2026-07-16 18:00"),
        # National Day: off Oct 1 to 7, made up for on Sep 20 and Oct 10
        ("2026-09-30 10:00", "1wd", "2026-10-08 10:00"),
        ("2026-10-09 10:00", "1wd", "2026-10-10 10:00"),
        ("2026-10-10 10:00", "1wd", "2026-10-12 10:00"),
        ("2026-09-19 10:00", "1wd", "2026-09-21 09:00"),
        ("2026-09-30 17:00", "2wh", "2026-10-08 10:00"),
    ],
)
def test_due_in_shanghai_office_hours(start: str, length: str, expected: str) -> None:
    assert due(office(), start, length) == expected


def test_where_the_last_day_is_closed_at_that_time_the_next_opening_counts() -> None:
    short_friday = Hours(**dict.fromkeys(WEEK, OFFICE) | {"friday": ["09:00-12:00"]})  # type: ignore[arg-type]
    assert due(Calendar(SHANGHAI, short_friday), "2026-07-02 15:00", "1wd") == "2026-07-06 09:00"


def test_night_shifts_are_two_spans() -> None:
    nights = Hours(**dict.fromkeys(WEEK, ("00:00-06:00", "22:00-24:00")))  # type: ignore[arg-type]
    assert due(Calendar(SHANGHAI, nights), "2026-07-06 23:00", "2wh") == "2026-07-07 01:00"


# -- changes of the clocks (New York: 2026-03-08 02:00 is skipped, 2026-11-01 01:00 comes twice)


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        ("2026-03-07 10:00", "1d", "2026-03-08 10:00"),
        ("2026-03-07 10:00", "24h", "2026-03-08 11:00"),
        ("2026-03-07 02:30", "1d", "2026-03-08 03:30"),
        ("2026-10-31 10:00", "1d", "2026-11-01 10:00"),
        ("2026-10-31 10:00", "24h", "2026-11-01 09:00"),
        ("2026-03-06 10:00", "1wd", "2026-03-09 10:00"),
    ],
)
def test_due_across_a_change_of_the_clocks(start: str, length: str, expected: str) -> None:
    assert due(office(NEW_YORK), start, length) == expected


def test_a_wall_time_that_comes_twice_means_the_first() -> None:
    calendar = office(NEW_YORK)
    found = calendar.due(at("2026-10-31 01:30", NEW_YORK), Length.parse("1d"))
    assert found.at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_due_never_falls_before_its_start_in_the_second_pass() -> None:
    always = Calendar(NEW_YORK, Hours(**dict.fromkeys((*WEEK, "saturday", "sunday"), ("00:00-24:00",))))  # type: ignore[arg-type]
    second_pass = at("2026-11-01 01:30", NEW_YORK, fold=1)
    assert always.due(second_pass, Length.parse("10wmin")).at == second_pass.astimezone(UTC) + timedelta(
        minutes=10
    )
    assert always.due(second_pass, Length.parse("0wd")).at == second_pass.astimezone(UTC)


# -- pauses


@pytest.mark.parametrize(
    ("length", "pauses", "expected"),
    [
        ("3h", [("2026-07-03 11:00", "2026-07-03 11:45")], "2026-07-03 13:45"),
        ("1d", [("2026-07-03 11:00", "2026-07-05 11:00")], "2026-07-06 10:00"),
        ("1wd", [("2026-07-03 11:00", "2026-07-03 15:00")], "2026-07-06 12:00"),
        ("1wd", [("2026-07-04 00:00", "2026-07-05 23:00")], "2026-07-06 10:00"),
        ("2wh", [("2026-07-03 11:00", "2026-07-06 11:00")], "2026-07-06 12:00"),
        # overlapping pauses count once; the order in which they are given does not matter
        ("3h", [("2026-07-03 12:00", "2026-07-03 12:30"), ("2026-07-03 11:00", "2026-07-03 12:10")], "2026-07-03 14:30"),
        # one that begins in the time that another gave back counts too
        ("1h", [("2026-07-03 10:30", "2026-07-03 11:00"), ("2026-07-03 11:15", "2026-07-03 11:25")], "2026-07-03 11:40"),
        # before the start, or from the due moment on: nothing
        ("1h", [("2026-07-03 08:00", "2026-07-03 09:00")], "2026-07-03 11:00"),
        ("1h", [("2026-07-03 09:00", "2026-07-03 10:10")], "2026-07-03 11:10"),
        ("1h", [("2026-07-03 11:00", "2026-07-03 12:00")], "2026-07-03 11:00"),
    ],
)  # fmt: skip
def test_a_pause_gives_its_time_back(length: str, pauses: list[tuple[str, str]], expected: str) -> None:
    assert due(office(), "2026-07-03 10:00", length, *pauses) == expected


def test_an_open_pause_stops_the_clock() -> None:
    calendar, start = office(), at("2026-07-03 10:00")
    for length in ("3h", "1wd"):
        plain = calendar.due(start, Length.parse(length))
        held = calendar.due(start, Length.parse(length), [(at("2026-07-03 10:30"), None)])
        assert held.standing
        assert held.at == plain.at
        late = calendar.due(start, Length.parse(length), [(plain.at, None)])
        assert not late.standing


@pytest.mark.parametrize("length", ["1h", "1wd"])
def test_a_pause_that_ends_before_it_begins_is_refused(length: str) -> None:
    with pytest.raises(ValueError, match="ends before it begins"):
        office().due(
            at("2026-07-03 10:00"), Length.parse(length), [(at("2026-07-03 12:00"), at("2026-07-03 11:00"))]
        )


# -- provisional


@pytest.mark.parametrize(
    ("start", "length", "provisional"),
    [
        ("2026-12-30 10:00", "1wd", False),
        ("2026-12-31 10:00", "1wd", True),
        ("2026-12-31 17:00", "2wh", True),
        ("2026-12-31 10:00", "1wh", False),
        ("2026-12-31 10:00", "15d", False),
        ("2027-03-01 10:00", "1wd", True),
        ("2025-12-31 10:00", "1wd", True),
    ],
)
def test_what_counts_days_past_the_notices_is_provisional(start: str, length: str, provisional: bool) -> None:
    assert office().due(at(start), Length.parse(length)).provisional is provisional


def test_entering_the_missing_notice_settles_the_due_moment() -> None:
    notice = Notice(id="n-2027", years=(2027,), off=("2027-01-01..2027-01-03",), source="test")  # type: ignore[arg-type]
    before, after = office(), office(notices=(NOTICE_2026, notice))
    assert due(before, "2026-12-31 10:00", "1wd") == "2027-01-01 10:00"
    assert due(after, "2026-12-31 10:00", "1wd") == "2027-01-04 10:00"
    assert not after.due(at("2026-12-31 10:00"), Length.parse("1wd")).provisional
    assert before.version != after.version


def test_a_later_notice_overrides_an_earlier_one() -> None:
    change = Notice(id="change", years=(2026,), off=("2026-10-10",), makeup=("2026-10-07",), source="test")  # type: ignore[arg-type]
    calendar = office(notices=(NOTICE_2026, change))
    assert not calendar.is_working_day(date(2026, 10, 10))
    assert calendar.is_working_day(date(2026, 10, 7))
    assert not calendar.is_working_day(date(2026, 10, 6))


# -- other questions


def test_working_time_between_counts_open_time_only() -> None:
    calendar = office()
    assert calendar.working_time_between(at("2026-07-03 11:00"), at("2026-07-06 10:00")) == timedelta(hours=6)
    assert calendar.working_time_between(at("2026-07-06 10:00"), at("2026-07-03 11:00")) == timedelta(0)
    assert calendar.working_time_between(at("2025-12-31 17:00"), at("2027-01-01 10:00")).days > 60


def test_the_version_says_what_the_calendar_stands_on() -> None:
    assert office().version.startswith("n-2026+1+")
    assert office().version == office().version
    assert office().version != office(NEW_YORK).version
    assert office(notices=()).version.startswith("no-notice+0+")


def test_a_start_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        office().due(datetime(2026, 7, 3, 10), Length.parse("1h"))  # noqa: DTZ001 (refused on purpose)


@pytest.mark.parametrize("length", ["100000000d", "100000000wd", "100000000wh", "100000000h"])
def test_an_end_past_the_calendar_is_refused(length: str) -> None:
    with pytest.raises(ValueError, match="ends after"):
        office().due(at("2026-07-03 10:00"), Length.parse(length))
