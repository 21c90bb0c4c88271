"""China's working days, held against two independent records of the State Council's notices."""

import json
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest

from adapters.rulebooks import packaged_notices
from domain.calendar import Notice, from_holiday_cn, in_order
from tests.unit.calendar_world import office

HOLIDAYS = Path(__file__).resolve().parents[3] / "shared" / "data" / "holidays"
needs_data = pytest.mark.skipif(not HOLIDAYS.is_dir(), reason="the holiday files are not beside the project")


def from_files() -> tuple[Notice, ...]:
    return in_order(from_holiday_cn(json.loads(file.read_text("utf-8"))) for file in HOLIDAYS.glob("*.json"))


def days_of(*years: int) -> list[date]:
    first, last = date(years[0], 1, 1), date(years[-1], 12, 31)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@needs_data
def test_the_files_of_2007_to_2022_agree_with_chinesecalendar_day_for_day() -> None:
    calendar = office(notices=from_files())
    days = days_of(*range(2007, 2023))
    differ = [day for day in days if calendar.is_working_day(day) != chinese_calendar.is_workday(day)]
    assert len(days) == 5844
    assert differ == []


@needs_data
def test_the_last_days_of_december_stand_in_the_next_years_file() -> None:
    notices = from_files()
    outside = [
        day for notice in notices for day in (*notice.off, *notice.makeup) if day.year not in notice.years
    ]
    assert outside, "merging matters only if some file names days of another year"
    assert all(day.month == 12 and day.year + 1 in years(notices) for day in outside)


def years(notices: tuple[Notice, ...]) -> set[int]:
    return {year for notice in notices for year in notice.years}


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_packaged_notices_agree_with_chinesecalendar(year: int) -> None:
    calendar = office(notices=packaged_notices())
    differ = [
        day for day in days_of(year) if calendar.is_working_day(day) != chinese_calendar.is_workday(day)
    ]
    assert differ == []
    assert calendar.is_covered(date(year, 12, 31))


def test_nobody_claims_to_know_2027() -> None:
    calendar = office(notices=packaged_notices())
    assert not calendar.is_covered(date(2027, 1, 1))
    with pytest.raises(NotImplementedError):
        chinese_calendar.is_workday(date(2027, 1, 4))
