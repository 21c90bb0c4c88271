"""`huiyin rulebook`: check, due, template."""

import csv
import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.main import app
from adapters.rulebooks import template

BOOK = """name = "small/1"
use = "tables"
zone = "Asia/Shanghai"
[hours]
monday = ["09:00-17:00"]
tuesday = ["09:00-17:00"]
wednesday = ["09:00-17:00"]
thursday = ["09:00-17:00"]
friday = ["09:00-17:00"]
source = "test"
[[due_type]]
type = "lamp"
length = "2wd"
[[due_type]]
type = "dog, dead"
length = "24h"
"""


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["rulebook", *(str(argument) for argument in arguments)])


@pytest.fixture
def book(tmp_path: Path) -> Path:
    file = tmp_path / "book.toml"
    file.write_text(BOOK, encoding="utf-8")
    return file


def due(
    book: Path, table: str | bytes, *options: object, name: str = "in.csv"
) -> tuple[Result, list[list[str]]]:
    source, target = book.with_name(name), book.with_name("out.csv")
    source.write_bytes(table.encode() if isinstance(table, str) else table)
    result = run("due", book, source, target, *options)
    rows = list(csv.reader(target.read_text(encoding="utf-8").splitlines())) if target.exists() else []
    return result, rows


# -- check and template


def test_check_says_nothing_is_wrong_and_exits_0(book: Path) -> None:
    result = run("check", book)
    assert (result.exit_code, result.stdout) == (0, "small/1: nothing wrong (tables, Asia/Shanghai)\n")


def test_check_prints_line_key_and_sentence_and_exits_1(book: Path) -> None:
    book.write_text(BOOK.replace('"24h"', '"1 day"').replace("Asia/Shanghai", "Asia/Oz"), encoding="utf-8")
    result = run("check", book)
    assert result.exit_code == 1
    assert [line.split(":")[:2] for line in result.stdout.splitlines()] == [
        ["3", "zone"],
        ["16", "due_type[2].length"],
    ]


def test_check_speaks_json_to_programs(book: Path) -> None:
    assert json.loads(run("check", book, "--json").stdout)["ok"] is True
    book.write_text(BOOK + "x = 1\n", encoding="utf-8")
    result = run("check", "--json", book)
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)["problems"]
    assert (problem["line"], problem["key"]) == (17, "due_type[2].x")


@pytest.mark.parametrize("content", [None, b"name = \xff"])
def test_check_of_an_unreadable_file_exits_2(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "book.toml"
    if content is not None:
        file.write_bytes(content)
    assert run("check", file).exit_code == 2


def test_a_printed_template_passes_the_check(tmp_path: Path) -> None:
    result = run("template", "gulou")
    assert result.stdout == template("gulou")
    assert run("template", "beijing").exit_code == 2


# -- due


def test_due_writes_one_row_for_each_with_wall_times(book: Path) -> None:
    table = 'id,type,opened\n1,lamp,2026-07-03 10:15:30\n2,"dog, dead",2026-07-03 10:15:30\n'
    result, rows = due(book, table, "--notices", "cn-2026")
    assert result.exit_code == 0
    assert rows == [
        ["id", "due", "provisional"],
        ["1", "2026-07-07 10:15:30", "false"],
        ["2", "2026-07-04 10:15:30", "false"],
    ]


def test_without_a_notice_working_days_are_provisional(book: Path) -> None:
    _, rows = due(book, "id,type,opened\n1,lamp,2026-09-30 10:00\n")
    assert rows[1] == ["1", "2026-10-02 10:00:00", "true"]


def test_notices_come_from_files_too(book: Path) -> None:
    days = [{"name": "国庆节", "date": f"2026-10-0{day}", "isOffDay": True} for day in (1, 2)]
    file = book.with_name("2026.json")
    file.write_text(json.dumps({"year": 2026, "papers": [], "days": days}), encoding="utf-8")
    _, rows = due(book, "id,type,opened\n1,lamp,2026-09-30 10:00\n", "--notices", file)
    assert rows[1] == ["1", "2026-10-06 10:00:00", "false"]


def test_holidays_in_the_rulebook_itself_count(book: Path) -> None:
    book.write_text(
        BOOK + '[[holiday]]\nid = "own"\nyears = [2026]\noff = ["2026-07-06"]\nsource = "test"\n',
        encoding="utf-8",
    )
    _, rows = due(book, "id,type,opened\n1,lamp,2026-07-03 10:00\n")
    assert rows[1] == ["1", "2026-07-08 10:00:00", "false"]


def test_columns_may_stand_in_any_order_beside_others_and_the_time_keeps_its_shape(book: Path) -> None:
    _, rows = due(book, "\ufeffOpened,note,Type,id\n2026-07-03T10:00:00,x,lamp,7\n\n")
    assert rows[1:] == [["7", "2026-07-07T10:00:00", "true"]]


def test_a_packed_table_is_unpacked(book: Path) -> None:
    _, rows = due(book, gzip.compress(b"id,type,opened\n1,lamp,2026-07-03 10:00\n"), name="in.csv.gz")
    assert rows[1][0] == "1"


def test_bad_rows_are_left_out_reported_by_line_and_counted(book: Path) -> None:
    table = (
        b"id,type,opened\n1,lamp,2026-07-03 10:00\n2,lam\xffp,2026-07-03 10:00\n3,lamp,yesterday\n"
        b"4,lamp,2026-07-03 10:00+08:00\n5,lamp\n6,lamp,9999-12-31 10:00\n7\xfe,lamp,2026-07-03 10:00\n"
    )
    source = book.with_name("in.csv")
    source.write_bytes(table)
    result = run("due", book, source, book.with_name("out.csv"))
    assert result.exit_code == 1
    told = result.stderr.splitlines()
    assert [line.split(":")[0] for line in told[:-1]] == ["line 3", "line 4", "line 5", "line 6", "line 7"]
    assert told[-1] == "2 rows written, 5 left out"
    assert book.with_name("out.csv").read_bytes().splitlines()[1:] == [
        b"1,2026-07-07 10:00:00,true",
        b"7\xfe,2026-07-07 10:00:00,true",
    ]


def test_a_flood_of_bad_rows_is_counted_not_shown(book: Path) -> None:
    result, rows = due(book, "id,type,opened\n" + "1,cat,2026-07-03 10:00\n" * 500)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 102
    assert result.stderr.splitlines()[-1] == "0 rows written, 500 left out"
    assert rows == [["id", "due", "provisional"]]


@pytest.mark.parametrize(
    ("table", "name"),
    [("", "in.csv"), ("id,type\n1,lamp\n", "in.csv"), (b"\x1f\x8bnot packed", "in.csv.gz")],
)
def test_an_input_that_cannot_be_used_exits_2_and_writes_nothing(
    book: Path, table: str | bytes, name: str
) -> None:
    result, rows = due(book, table, name=name)
    assert result.exit_code == 2
    assert result.stderr.startswith("bad_table: ")
    assert rows == []
    assert list(book.parent.glob("*.part")) == list(book.parent.glob(".*.part")) == []


def test_a_bad_rulebook_a_missing_table_and_a_bad_notice_exit_2(book: Path) -> None:
    source, target = book.with_name("in.csv"), book.with_name("out.csv")
    assert run("due", book, source, target).exit_code == 2
    source.write_text("id,type,opened\n", encoding="utf-8")
    assert run("due", book, source, target, "--notices", "nowhere.json").exit_code == 2
    assert run("due", book, source, book.parent / "no" / "out.csv").exit_code == 2
    book.write_text("name = 1\n", encoding="utf-8")
    result = run("due", book, source, target)
    assert result.exit_code == 2
    assert "1:name: " in result.stderr


def test_a_table_may_take_its_own_place(book: Path) -> None:
    source = book.with_name("in.csv")
    source.write_text("id,type,opened\n1,lamp,2026-07-03 10:00\n", encoding="utf-8")
    assert run("due", book, source, source).exit_code == 0
    assert source.read_text(encoding="utf-8").splitlines()[0] == "id,due,provisional"
