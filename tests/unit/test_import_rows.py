"""Reading a row of another system's table: times, codes, states, and what is said of a row that is none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.imports.mapping import Mapping, packaged, read_mapping
from adapters.imports.rows import OF_THE_CASE, Plan, Rows, as_code
from adapters.imports.table import opened
from adapters.numbers import is_number
from domain.matter.commands import BackfillMatter
from domain.refusal import Refused

NOW = datetime(2026, 11, 23, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")
HEAD = ["id", "user", "asked", "closed", "type", "words"]


def mapping(**other: object) -> Mapping:
    fields: dict[str, object] = {
        "name": "ours", "zone": "America/New_York", "reference": {"source": "board", "column": "id"},
        "requester": {"column": "user"}, "closed": {"column": "closed"},
        "matter": {
            "source": {"value": "phone"}, "opened_at": {"column": "asked"}, "closed_at": {"column": "closed"},
            "code": {"column": "type"},
        },
        "sealed": {"text": {"columns": ["words"]}},
    }  # fmt: skip
    return Mapping.model_validate(fields | other)


def plan(cells: list[str], rules: Mapping | None = None) -> Plan:
    reading = Rows(rules or mapping(), HEAD, "450305", NOW)
    return reading.plan(cells, reading.reference(cells))


def refusal(cells: list[str], rules: Mapping | None = None) -> str:
    with pytest.raises(Refused) as refused:
        plan(cells, rules)
    return refused.value.code


def test_every_packaged_mapping_can_be_read() -> None:
    assert packaged() == ("boston311", "messages")
    assert [read_mapping(name).name for name in packaged()] == ["boston311", "messages"]


def test_wall_time_is_read_in_the_mappings_zone() -> None:
    read = plan(["1", "", "2015-03-07 23:30:00", "", "", "x"])
    assert read.command.opened_at == datetime(2015, 3, 8, 4, 30, tzinfo=UTC)


def test_a_time_with_offset_is_taken_at_its_word() -> None:
    read = plan(["1", "", "2015-03-07T23:30:00+08:00", "", "", "x"])
    assert read.command.opened_at == datetime(2015, 3, 7, 15, 30, tzinfo=UTC)


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    read = plan(["1", "", "2015-11-01 01:30:00", "", "", "x"])
    assert read.command.opened_at == datetime(2015, 11, 1, 5, 30, tzinfo=UTC)


def test_an_hour_that_never_was_is_no_time() -> None:
    assert refusal(["1", "", "2015-03-08 02:30:00", "", "", "x"]) == "no_such_time"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2026, 11, 20)))  # noqa: DTZ001 - wall times are meant
def test_a_wall_time_read_is_that_wall_time_or_none(wall: datetime) -> None:
    try:
        read = plan(["1", "", wall.isoformat(" "), "", "", "x"])
    except Refused as refused:
        found = refused.code
    else:
        found = (
            "read" if read.command.opened_at.astimezone(NEW_YORK).replace(tzinfo=None) == wall else "moved"
        )
    assert found in ("read", "no_such_time")


def test_the_number_bears_the_local_date_of_intake() -> None:
    number = plan(["1", "", "2015-03-07 23:30:00", "", "", "x"]).command.number
    assert number.startswith("450305-20150307-")
    assert is_number(number)


def test_a_filled_cell_of_the_requester_makes_one_under_a_fresh_id() -> None:
    first, second = (plan(["1", "caller U7", "2015-01-01 10:00", "", "", "x"]) for _ in range(2))
    assert first.command.requesters != second.command.requesters
    assert "caller U7" not in first.command.model_dump_json()
    assert first.sealed[0].subject == first.command.requesters[0]


def test_without_a_requester_what_is_sealed_belongs_to_the_case() -> None:
    assert plan(["1", " ", "2015-01-01 10:00", "", "", "x"]).sealed[0].subject == OF_THE_CASE


def test_closed_is_a_filled_cell_or_one_of_the_words_given() -> None:
    words = mapping(closed={"column": "type", "equals": ["done"]})
    row = ["1", "", "2015-01-01 10:00", "2015-01-02 10:00"]
    assert plan([*row, "", "x"]).command.status == "closed"
    assert [plan([*row, kind, "x"], words).command.status for kind in ("done", "open")] == [
        "closed",
        "in_handling",
    ]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["", "", "2015-01-01", "", "", "x"], "id_missing"),
        (["1", "", "", "", "", "x"], "time_missing"),
        (["1", "", "soon", "", "", "x"], "bad_time"),
        (["1", "", "0015-01-01 00:00", "", "", "x"], "bad_time"),
        (["1", "", "9999-12-31 23:00", "", "", "x"], "bad_time"),
        (["1", "", "2026-12-01", "", "", "x"], "future"),
        (["1", "", "2015-01-02", "2015-01-01", "", "x"], "closed_before_opened"),
        (["1", "", "2015-01-01", "", "路灯", "x"], "malformed"),
        (["1", "", "2015-01-01", "", "", "\udcff"], "invalid_text"),
    ],
)
def test_a_bad_row_is_refused_with_a_reason_that_quotes_nothing(cells: list[str], code: str) -> None:
    with pytest.raises(Refused) as refused:
        plan(cells)
    assert refused.value.code == code
    assert "路灯" not in refused.value.advice


def coded(code: str) -> BackfillMatter:
    opened_at = NOW - timedelta(days=1)
    return BackfillMatter(
        number="450305-20261122-0000000", source="phone", opened_at=opened_at, status="closed", code=code, host=code
    )  # fmt: skip


@given(st.text(st.characters(codec="ascii"), min_size=1))
@example("Street Lights")
def test_a_code_made_of_words_is_one_or_empty(text: str) -> None:
    made = as_code(text)
    assume(not re.search(r"[0-9]{7}", made))
    assert made == "" or coded(made).code == made


@given(st.from_regex(r"[A-Za-z ]{0,9}[0-9]{7,11}[a-z]{0,9}", fullmatch=True))
def test_words_with_a_telephone_number_in_them_never_become_a_code(text: str) -> None:
    with pytest.raises(ValidationError):
        coded(as_code(text))


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"zone": "Nowhere"}, "zone"),
        ({"matter": {"source": {"value": "phone"}}}, "opened_at"),
        ({"matter": {"source": {}, "opened_at": {"column": "asked"}}}, "source"),
        ({"sealed": {"text": {"columns": []}}}, "text"),
        ({"more": 1}, "more"),
    ],
)
def test_a_wrong_mapping_is_refused_by_its_key(wrong: dict[str, object], key: str) -> None:
    with pytest.raises(ValueError, match=key):
        mapping(**wrong)


def test_rows_are_counted_as_a_spreadsheet_does_and_lines_as_an_editor_does(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbfa,b\n1,"two\nlines"\n\n3,four\n5\n')
    with opened(path) as table:
        rows = list(table)
    assert table.head == ["a", "b"]
    assert [(row.number, row.line, row.cells) for row in rows] == [
        (2, 2, ["1", "two\nlines"]), (3, 5, ["3", "four"]), (4, 6, None),
    ]  # fmt: skip


def test_a_quote_that_is_never_closed_is_a_bad_row_and_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n1,2\n3,"four\n5,6\n', encoding="utf-8")
    with opened(path) as table:
        assert [row.cells for row in table] == [["1", "2"], None]
