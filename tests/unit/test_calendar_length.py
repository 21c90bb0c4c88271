"""Lengths, hours and notices: what can be written, and what is refused with a sentence."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from domain.calendar import Hours, Length, Notice, in_order
from domain.calendar.length import MOST

UNITS = ("s", "min", "h", "d", "wd", "wh", "wmin")


@given(st.integers(0, MOST), st.sampled_from(UNITS))
def test_a_length_reads_what_it_wrote(amount: int, unit: str) -> None:
    length = Length.parse(f"{amount}{unit}")
    assert (length.amount, length.unit) == (amount, unit)
    assert str(length) == f"{amount}{unit}"


@pytest.mark.parametrize(
    "text",
    ["", "3", "d", "-3d", "3 d", "3.5h", "3D", "3w", "1d2h", "３d", "100000001s", "9999999999s", "3d\n"],
)
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no length|is too long"):
        Length.parse(text)


def test_a_length_knows_its_exact_time_only_where_it_has_one() -> None:
    assert Length.parse("90min").elapsed == timedelta(hours=1, minutes=30)
    assert Length.parse("1d").elapsed is None
    assert Length.parse("2wh").worked == timedelta(hours=2)
    assert Length.parse("3wd").worked is None


@pytest.mark.parametrize(
    ("text", "working"), [("1s", False), ("1d", False), ("1wd", True), ("1wh", True), ("1wmin", True)]
)
def test_working_lengths_are_told_from_natural_ones(text: str, working: bool) -> None:
    assert Length.parse(text).working is working


class Holder(BaseModel):
    length: Length


def test_as_a_field_it_keeps_its_short_form() -> None:
    held = Holder(length="3wd")  # type: ignore[arg-type]
    assert held.length == Length(3, "wd")
    assert held.model_dump_json() == '{"length":"3wd"}'
    assert Holder.model_validate_json('{"length":"3wd"}') == held
    assert Holder(length=Length(3, "wd")) == held


@pytest.mark.parametrize(
    "spans",
    [
        ["9:00-12:00"], ["12:00-09:00"], ["09:00-09:00"], ["09:00-24:01"], ["14:00-18:00", "09:00-12:00"],
        ["09:00-12:00", "11:00-13:00"], "09:00-12:00", [7],
    ],
)  # fmt: skip
def test_hours_out_of_order_are_refused(spans: object) -> None:
    with pytest.raises(ValidationError):
        Hours(monday=spans)  # type: ignore[arg-type]


def test_a_week_without_working_hours_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least one weekday"):
        Hours()


def test_spans_that_touch_are_one() -> None:
    assert [str(span) for span in Hours(monday=["09:00-12:00", "12:00-18:00"]).monday] == ["09:00-18:00"]  # type: ignore[arg-type]


def test_a_makeup_day_works_like_the_first_working_weekday_unless_hours_are_given() -> None:
    plain = Hours(tuesday=["08:00-16:00"])  # type: ignore[arg-type]
    given_hours = Hours(tuesday=["08:00-16:00"], makeup=["09:00-12:00"])  # type: ignore[arg-type]
    assert [str(span) for span in plain.on_makeup] == ["08:00-16:00"]
    assert [str(span) for span in given_hours.on_makeup] == ["09:00-12:00"]


def notice(**fields: object) -> Notice:
    return Notice.model_validate({"id": "n", "years": [2026], "source": "test"} | fields)


def test_a_notice_takes_days_and_ranges_and_keeps_each_day_once() -> None:
    found = notice(off=["2026-10-02", "2026-10-01..2026-10-03"])
    assert found.off == (date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3))


@pytest.mark.parametrize(
    "fields",
    [
        {"off": ["2026-13-01"]},
        {"off": ["2026-10-03..2026-10-01"]},
        {"off": ["2026-01-01..2028-01-01"]},
        {"off": "2026-10-01"},
        {"off": ["2026-10-01"], "makeup": ["2026-10-01"]},
        {"years": []},
        {"id": "二"},
        {"days": []},
    ],
)
def test_a_notice_that_makes_no_sense_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        notice(**fields)


def test_the_digest_of_a_notice_follows_its_content() -> None:
    assert notice(off=["2026-10-01"]).digest == notice(off=["2026-10-01..2026-10-01"]).digest
    assert notice(off=["2026-10-01"]).digest != notice(off=["2026-10-02"]).digest


def test_notices_are_ordered_by_issue_and_an_undated_one_by_its_year() -> None:
    late = notice(id="late", dated="2026-02-01")
    early = notice(id="early", dated="2025-11-04")
    undated = notice(id="undated", years=[2027])
    assert [one.id for one in in_order([undated, late, early])] == ["early", "late", "undated"]
