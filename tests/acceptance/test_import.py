"""`huiyin import`: every good row a matter, every bad row named, nothing twice, whatever happens on the way."""

from __future__ import annotations

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from adapters.views import Reader
from domain.event import decode
from domain.matter.events import MatterBackfilled
from tests.acceptance.world import Desk

OPENED = MatterBackfilled.TYPE
HEAD = ("id", "user", "title", "body", "asked", "answered", "reply", "type")
MAPPING = """
name = "ours"
zone = "Asia/Shanghai"
times = ["%Y/%m/%d %H:%M", "iso"]
[reference]
source = "board"
column = "id"
[requester]
column = "user"
[closed]
column = "answered"
[matter]
source = { value = "resident_app" }
opened_at = { column = "asked" }
closed_at = { column = "answered" }
code = { column = "type", map = { "路灯" = "SL-01" } }
[sealed]
name = { columns = ["user"] }
text = { columns = ["title", "body"] }
reply = { columns = ["reply"] }
"""


def row(number: int, **other: str) -> dict[str, str]:
    """A good row; `other` replaces some of its cells."""
    return {
        "id": str(number), "user": "用户七", "title": "桂花巷口太暗", "body": "\n\t入夜后\n看不见路\t",
        "asked": "2019/4/24 15:40", "answered": "2019/5/9 9:49", "reply": "已修复，请U7放心", "type": "路灯",
    } | other  # fmt: skip


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, HEAD)
        table.writeheader()
        table.writerows(rows)
    return path


@pytest.fixture
def importing(shell: Desk, tmp_path: Path) -> Any:
    """A function that imports a table and gives what was printed, with `exit`."""
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")

    def bring(table: Path, mapping: str = str(tmp_path / "map.toml"), *more: str) -> dict[str, Any]:
        result = shell.run(
            "import", str(table), "--mapping", mapping, "--as", shell.who("hotline", "intake_officer"),
            "--report", str(tmp_path / "report.csv"), "--json", *more,
        )  # fmt: skip
        assert result.stdout, result.output
        return json.loads(result.stdout.splitlines()[0]) | {"exit": result.exit_code}

    return bring


def backfilled(shell: Desk) -> list[MatterBackfilled]:
    with shell.engine() as engine:
        stored = engine.store.read(0, 200_000)
    return [decode(one.type, one.body).pub for one in stored if one.type == "matter_backfilled.v1"]


def test_a_row_becomes_one_matter_with_its_true_times_and_its_state(
    shell: Desk, tmp_path: Path, importing: Any
) -> None:
    answer = importing(written(tmp_path / "t.csv", [row(1), row(2, answered="", reply="")]))
    assert (answer["added"], answer["exit"]) == (2, 0)
    closed, open_one = backfilled(shell)
    assert closed.opened_at == datetime(2019, 4, 24, 7, 40, tzinfo=UTC)
    assert closed.closed_at == datetime(2019, 5, 9, 1, 49, tzinfo=UTC)
    assert (closed.status, closed.code, open_one.status, open_one.closed_at) == (
        "closed",
        "SL-01",
        "in_handling",
        None,
    )


def test_what_was_erased_is_not_brought_back_by_the_same_table(
    shell: Desk, tmp_path: Path, importing: Any
) -> None:
    table = written(tmp_path / "t.csv", [row(1), row(2)])
    importing(table)
    with shell.engine() as engine:
        first, other = (one.stream for one in engine.store.read(0, 200_000) if one.type == OPENED)
    shell.must("erase", first, "--ground", "purpose_achieved", by=shell.who("archive", "archivist"))

    answer = importing(table)

    with shell.engine() as engine:
        states = [{value.state for value in engine.vault.open(case)} for case in (first, other)]
    assert (answer["added"], answer["exit"], states) == (0, 0, [{"erased"}, {"open"}])


def test_the_same_user_is_another_requester_in_every_matter(
    shell: Desk, tmp_path: Path, importing: Any
) -> None:
    importing(written(tmp_path / "t.csv", [row(1), row(2), row(3, user="")]))
    requesters = [one.requesters for one in backfilled(shell)]
    assert [len(one) for one in requesters] == [1, 1, 0]
    assert requesters[0] != requesters[1]


def test_what_is_personal_is_sealed_and_can_be_opened_by_the_case(
    shell: Desk, tmp_path: Path, importing: Any
) -> None:
    importing(written(tmp_path / "t.csv", [row(1)]))
    with shell.engine() as engine:
        (stored,) = [one for one in engine.store.read(0, 10_000) if one.type == "matter_backfilled.v1"]
        opened = {one.name: one.value for one in engine.vault.open(stored.stream)}
        found = engine.handle.find("board", "1")
    assert opened == {"name": "用户七", "text": "桂花巷口太暗\n入夜后\n看不见路", "reply": "已修复，请U7放心"}
    assert found == stored.stream
    for file in shell.data.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not any(word.encode() in content for word in ("桂花巷口", "看不见路", "请U7放心")), (
                file.name
            )


def test_a_workbook_comes_in_like_the_same_table_as_csv(shell: Desk, tmp_path: Path, importing: Any) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for cells in (HEAD, [*row(1).values()], [*row(2, asked="=NOW()").values()]):
        sheet.append(list(cells))
    book.save(tmp_path / "t.xlsx")

    answer = importing(tmp_path / "t.xlsx")
    again = importing(written(tmp_path / "t.csv", [row(1)]))

    assert (answer["added"], answer["refused"], again["known"]) == (1, 1, 1)


def test_a_second_run_adds_nothing_at_all(shell: Desk, tmp_path: Path, importing: Any) -> None:
    table = written(tmp_path / "t.csv", [row(n) for n in range(1, 8)] + [row(9, asked="2030/1/1 0:00")])
    assert importing(table)["added"] == 7
    with shell.engine() as engine:
        before = engine.store.head()
    again = importing(table)
    with shell.engine() as engine:
        assert engine.store.head() == before
    assert (again["added"], again["known"], again["refused"]) == (0, 7, 1)


def test_a_row_that_has_changed_since_is_told_and_the_matter_stays(
    shell: Desk, tmp_path: Path, importing: Any
) -> None:
    importing(written(tmp_path / "t.csv", [row(1, answered="", reply="")]))
    answer = importing(written(tmp_path / "t.csv", [row(1)]))
    assert (answer["changed"], answer["exit"]) == (1, 1)
    assert [one.status for one in backfilled(shell)] == ["in_handling"]


BAD = {
    "an empty id": (row(2, id=""), "id_missing"),
    "no time": (row(2, asked=""), "time_missing"),
    "a time that is none": (row(2, asked="yesterday"), "bad_time"),
    "a time in the future": (row(2, asked="2090/1/1 0:00", answered=""), "future"),
    "closed before it was opened": (row(2, answered="2019/4/1 0:00"), "closed_before_opened"),
    "a value that the map does not know": (row(2, type="井盖"), "unknown_value"),
    "the id of an earlier row": (row(1, title="又一次"), "twice_in_file"),
}


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_bad_row_is_named_with_the_reason_and_the_rest_goes_on(
    bad: str, shell: Desk, tmp_path: Path, importing: Any
) -> None:
    cells, code = BAD[bad]
    answer = importing(written(tmp_path / "t.csv", [row(1), cells, row(3)]))
    assert (answer["added"], answer["refused"], answer["exit"]) == (2, 1, 1)
    assert [(one["number"], one["code"]) for one in answer["rows"]] == [(3, code)]
    report = (tmp_path / "report.csv").read_text(encoding="utf-8").splitlines()
    assert report[1].split(",")[3] == code
    assert "又一次" not in report[1]
    assert "用户七" not in report[1]


def test_rows_that_are_not_csv_or_not_utf8_are_named_by_row_and_line(
    shell: Desk, tmp_path: Path, importing: Any
) -> None:
    table = written(tmp_path / "t.csv", [row(1), row(4)])
    good = table.read_bytes().split(b"\r\n", 1)[1]
    lines = [
        b"2,short row",
        b'3,U,"a"b,c,d,e,f,g',
        b"5,U,\xff\xfe,b,2019/4/24 15:40,,,\xe8\xb7\xaf\xe7\x81\xaf",
    ]
    table.write_bytes(",".join(HEAD).encode() + b"\r\n" + b"\r\n".join(lines) + b"\r\n" + good)
    answer = importing(table)
    assert answer["added"] == 2
    assert [(one["number"], one["code"]) for one in answer["rows"]] == [
        (2, "not_readable"), (3, "not_readable"), (4, "invalid_text"),
    ]  # fmt: skip


def test_an_hour_that_the_clocks_left_out_is_no_time(shell: Desk, tmp_path: Path, importing: Any) -> None:
    mapping = tmp_path / "boston.toml"
    mapping.write_text(MAPPING.replace("Asia/Shanghai", "America/New_York"), encoding="utf-8")
    answer = importing(
        written(tmp_path / "t.csv", [row(1, asked="2015/3/8 2:30", answered="")]), str(mapping)
    )
    assert [one["code"] for one in answer["rows"]] == ["no_such_time"]


def test_who_may_not_import_is_told_once_and_nothing_is_imported(shell: Desk, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    table = written(tmp_path / "t.csv", [row(n) for n in range(50)])
    result = shell.run(
        "import", str(table), "--mapping", str(tmp_path / "map.toml"), "--as", shell.who("com-01", "officer")
    )
    assert (result.exit_code, result.stderr.count("not_your_post")) == (1, 1)
    assert backfilled(shell) == []


def test_a_rulebook_for_cases_takes_no_history(shell: Desk, tmp_path: Path, importing: Any) -> None:
    table = written(tmp_path / "t.csv", [row(1)])
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    result = shell.run(
        "import", str(table), "--mapping", str(tmp_path / "map.toml"), "--rulebook", "demo/2026.1",
        "--as", shell.who("hotline", "intake_officer"),
    )  # fmt: skip
    assert (result.exit_code, "not_for_backfill" in result.stderr) == (1, True)


def test_a_mapping_or_a_table_that_cannot_be_used_ends_with_2(shell: Desk, tmp_path: Path) -> None:
    who, table = shell.who("hotline", "intake_officer"), written(tmp_path / "t.csv", [row(1)])
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(MAPPING + "\n[extra]\n", encoding="utf-8")
    assert shell.run("import", str(table), "--mapping", str(wrong), "--as", who).exit_code == 2
    assert shell.run("import", str(table), "--mapping", "no-such", "--as", who).exit_code == 2
    missing = shell.run("import", str(table), "--mapping", "boston311", "--as", who)
    assert (missing.exit_code, "case_enquiry_id" in missing.stderr) == (2, True)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(table.read_bytes() * 100)[:-20])
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    assert shell.run("import", str(cut), "--mapping", str(tmp_path / "map.toml"), "--as", who).exit_code == 2


def test_an_imported_matter_starts_no_clock_and_stands_in_the_read_models(
    shell: Desk, tmp_path: Path, importing: Any
) -> None:
    importing(written(tmp_path / "t.csv", [row(1)]))
    with shell.engine() as engine:
        state = engine.handle.load(engine.handle.find("board", "1") or "")
        reader = Reader(engine.settings.views_url)
        try:
            shown = reader.case_of(state.number) if state else None
        finally:
            reader.close()
    assert state is not None
    assert (state.backfilled, state.clocks, shown) == (True, {}, state.id)


@pytest.mark.faults
def test_an_import_that_is_killed_is_finished_by_another_without_doubles(
    shell: Desk, tmp_path: Path, importing: Any
) -> None:
    table = written(tmp_path / "t.csv", [row(n) for n in range(3000)])
    typed = [
        sys.executable, "-c", "from adapters.cli.main import main; main()", "import", str(table),
        "--mapping", str(tmp_path / "map.toml"), "--as", shell.who("hotline", "intake_officer"),
    ]  # fmt: skip
    for at_least in (400, 1200):
        with (tmp_path / "child.log").open("ab") as log:
            child = subprocess.Popen(
                typed,
                env={**os.environ, "HUIYIN_DATA": str(shell.data)},
                stdout=log,
                stderr=log,
                cwd=tmp_path,
            )
        with shell.engine() as engine:
            until = time.monotonic() + 100
            while engine.store.head() < at_least and child.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
        assert child.poll() is None, (tmp_path / "child.log").read_text()
        child.send_signal(signal.SIGKILL)
        assert child.wait(60) == -signal.SIGKILL
    answer = importing(table)
    assert answer["added"] + answer["known"] == 3000
    assert answer["added"] > 0
    assert answer["known"] > 0
    assert len(backfilled(shell)) == 3000
    with shell.engine() as engine:
        cases = Counter(engine.handle.find("board", str(n)) for n in range(3000))
    assert None not in cases
    assert len(cases) == 3000


def test_the_public_messages_come_in_whole(shell: Desk, importing: Any, shared_data: Path) -> None:
    answer = importing(shared_data / "messages" / "messages_with_replies.csv.gz", "messages")
    assert (answer["added"], answer["refused"], answer["exit"]) == (1403, 0, 0)
    again = importing(shared_data / "messages" / "messages_with_replies.csv.gz", "messages")
    assert (again["added"], again["known"]) == (0, 1403)


def test_a_slice_of_a_citys_half_year_comes_in(
    shell: Desk, tmp_path: Path, importing: Any, shared_data: Path
) -> None:
    lines = gzip.decompress((shared_data / "boston311" / "requests_2015_H1.csv.gz").read_bytes()).splitlines(
        True
    )
    table = tmp_path / "slice.csv"
    table.write_bytes(b"".join(lines[:2001]))
    answer = importing(table, "boston311")
    assert answer["added"] + answer["refused"] == 2000
    assert {one["code"] for one in answer["rows"]} <= {"closed_before_opened", "no_such_time"}
    closed = Counter(one.status for one in backfilled(shell))
    assert closed["closed"] > 1000
