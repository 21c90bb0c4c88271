"""Imports over HTTP: every row is told of, nothing twice, no table is believed, and nothing of one is left behind."""

from __future__ import annotations

import csv
import io
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.imports.store import TABLES
from adapters.store.tables import open_tables
from tests.acceptance.canary import files_in, fresh_mark, search
from tests.acceptance.http_world import HOTLINE, Api, api_over, told
from tests.acceptance.imports_world import (
    BY,
    HEAD,
    HISTORY,
    REGISTER,
    ask,
    imported,
    moment,
    order,
    read,
    report,
    table,
    with_part,
    workbook,
    worked_off,
)


@pytest.fixture(scope="module")
def api(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API of the module; each test imports numbers of its own. Nobody else is at work, so nobody is waited for."""
    data = tmp_path_factory.mktemp("imports") / "data"
    shutil.copytree(founded, data)
    with api_over(data, import_share=1.0, import_most_bytes=3_000_000) as found:
        yield found


def outcomes(rows: list[dict[str, Any]]) -> list[str]:
    return [row["outcome"] for row in rows]


def case_of(api: Api, number: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/matters/{HOTLINE}:{number}", by=BY).json()
    return found


def test_each_row_becomes_a_matter_like_one_that_was_handed_in(api: Api) -> None:
    ended, rows = imported(api, table([order(10), order(11)]))

    assert (ended["state"], ended["counts"], ended["done"]) == ("done", {"added": 2}, 2)
    assert [(row["row"], row["outcome"]) for row in rows] == [(2, "added"), (3, "added")]
    case = case_of(api, "GL-10")
    assert (case["number"], case["status"], case["host"], case["source"]) == (
        rows[0]["matter"], "registered", "com-01", HOTLINE,
    )  # fmt: skip
    assert [clock["stage"] for clock in case["clocks"]] == ["accept"]
    sealed = api.engine.vault.open(case["case"])
    assert {one.name: one.value for one in sealed if one.name != "outside_number"} == {
        "text": "第10件，3栋电梯坏了", "name": "王某某", "contact": "13800000000",
    }  # fmt: skip


def test_the_same_table_again_finds_every_row_known(api: Api) -> None:
    rows = table([order(20), order(21)])
    imported(api, rows)
    before = api.engine.store.head()

    ended, again = imported(api, rows)

    assert ended["counts"] == {"known": 2}
    assert api.engine.store.head() == before
    assert again[0]["matter"] == case_of(api, "GL-20")["number"]


def test_another_message_under_a_known_number_follows_its_matter_up(api: Api) -> None:
    known = api.registered("GL-30")

    _, rows = imported(api, table([order(30, 内容="还是没人来"), order(31), order(31, 内容="又漏水了")]))

    assert outcomes(rows) == ["supplement", "added", "supplement"]
    assert rows[0]["matter"] == known["number"]


def test_a_message_id_tells_messages_apart_where_the_system_has_one(api: Api) -> None:
    mapping = REGISTER.replace('column = "编号"\n', 'column = "编号"\nmessage = "类别"\n', 1).replace(
        'code = { column = "类别" }', 'code = { value = "FW-01" }'
    )

    _, rows = imported(
        api,
        table([order(40, 类别="m1"), order(40, 类别="m1", 内容="改了字"), order(40, 类别="m2")]),
        mapping=mapping,
    )

    assert outcomes(rows) == ["added", "known", "supplement"]


def test_of_an_answered_matter_it_asks_to_reopen(api: Api) -> None:
    made = api.called_back(solved=False)
    number = f"GL-{uuid4().hex[:8]}"
    api.must(
        f"/matters/{made['case']}/supplement",
        {"what": "supplement", "source": HOTLINE, "outside": [{"source": HOTLINE, "number": number}]}, by=BY,
    )  # fmt: skip

    again = table([order(0, 编号=number, 内容="还是坏的")])
    _, foreseen = imported(api, again, by=("hotline", "callback_officer"), dry_run="true")
    _, rows = imported(api, again, by=("hotline", "callback_officer"))

    assert outcomes(foreseen) == outcomes(rows) == ["reopening"]


def test_where_it_may_not_reopen_its_words_are_kept_and_the_report_says_why(api: Api) -> None:
    made = api.called_back(solved=False)
    number = f"GL-{uuid4().hex[:8]}"
    api.must(
        f"/matters/{made['case']}/supplement",
        {"what": "supplement", "source": HOTLINE, "outside": [{"source": HOTLINE, "number": number}]}, by=BY,
    )  # fmt: skip

    _, rows = imported(api, table([order(0, 编号=number, 内容="还是坏的")]))

    assert (rows[0]["outcome"], rows[0]["code"]) == ("supplement", "not_your_post")


def test_history_comes_in_as_it_was_and_starts_no_clock(api: Api) -> None:
    rows = [order(50, 时间="2019/4/24 15:40", 类别="closed"), order(51, 时间="2019/4/24 15:40", 姓名="")]

    ended, told_of = imported(api, table(rows), mapping=HISTORY, mode="backfill")

    assert ended["counts"] == {"added": 2}
    case = case_of(api, "GL-50")
    assert (case["number"], case["status"], case["clocks"]) == (told_of[0]["matter"], "closed", [])
    assert case_of(api, "GL-51")["requesters"] == 0


def test_history_twice_in_a_table_and_changed_since_is_told(api: Api) -> None:
    imported(api, table([order(60)]), mapping=HISTORY, mode="backfill")

    _, rows = imported(
        api, table([order(60, 类别="closed"), order(61), order(61)]), mapping=HISTORY, mode="backfill"
    )

    assert [(row["outcome"], row.get("code")) for row in rows] == [
        ("changed", "changed"), ("added", None), ("refused", "twice_in_file"),
    ]  # fmt: skip


def test_a_bad_row_is_named_by_number_and_code_and_quotes_nobody(api: Api) -> None:
    bad = [
        order(70, 编号=""), order(71, 时间="昨天"), order(72, 社区="com-none"), order(73, 内容=""),
        order(74, 时间="2090-01-01 00:00"), order(75, 姓名="", 电话=""), order(76),
    ]  # fmt: skip

    ended, rows = imported(api, table(bad))

    assert [row.get("code") for row in rows] == [
        "id_missing", "bad_time", "unknown_body", "text_missing", "future", "requester_missing", None,
    ]  # fmt: skip
    assert ended["counts"] == {"added": 1, "refused": 6}
    assert not any(word in str(rows) for word in ("王某某", "13800000000", "昨天", "电梯"))


def test_a_dry_run_says_what_would_become_of_each_and_keeps_nothing(api: Api) -> None:
    api.registered("GL-80")
    before = api.engine.store.head()

    ended, rows = imported(api, table([order(80), order(81), order(82, 社区="x")]), dry_run="true")

    assert outcomes(rows) == ["supplement", "added", "refused"]
    assert (ended["dry_run"], api.engine.store.head()) == (True, before)


@pytest.mark.parametrize("written", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_may_be_written_in_any_of_the_usual_ways(api: Api, written: str) -> None:
    number = f"E-{written}"

    _, rows = imported(api, table([order(0, 编号=number)], written))

    assert outcomes(rows) == ["added"]
    opened = api.engine.vault.open(case_of(api, number)["case"])
    assert "王某某" in [one.value for one in opened]


def test_a_workbook_is_read_with_its_times_and_numbers_as_a_spreadsheet_holds_them(api: Api) -> None:
    first = order(0) | {"编号": "X-1", "电话": 13800000000, "时间": moment()}
    second = order(0) | {"编号": 20261123, "时间": "=NOW()"}
    third = order(0) | {"编号": "X-3", "姓名": None}

    _, rows = imported(api, workbook([first, {}, second, third]))

    assert [(row["row"], row["line"], row["outcome"], row.get("code")) for row in rows] == [
        (2, 2, "added", None), (3, 4, "refused", "not_readable"), (4, 5, "added", None),
    ]  # fmt: skip
    assert "formula" in rows[1]["detail"]
    assert "13800000000" in [one.value for one in api.engine.vault.open(case_of(api, "X-1")["case"])]


def test_lines_of_another_encoding_and_odd_rows_are_named(api: Api) -> None:
    lines = table([order(90), order(91), order(92)]).splitlines(keepends=True)
    lines[2] = lines[2].replace("王".encode(), b"\xff")
    lines[3:3] = [b"short,row\r\n", b'GL-x,"a"b,c,d,e,f,g\r\n']
    lines.append(b'GL-93,"never closed,c,d,e,f,g\r\nGL-94,a,b,c,d,e,f\r\n')

    _, rows = imported(api, b"".join(lines))

    assert [row.get("code") for row in rows] == [
        None, "invalid_text", "not_readable", "not_readable", None, "not_readable",
    ]  # fmt: skip
    assert "never closed" in rows[-1]["detail"]


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><sst>&a;</sst>'
UNUSABLE: dict[str, tuple[bytes, tuple[int, str]]] = {
    "an empty file": (b"", (422, "bad_table")),
    "only a mark": (b"\xef\xbb\xbf", (422, "bad_table")),
    "a missing column": (b"a,b\r\n1,2\r\n", (422, "bad_table")),
    "a column twice": (",".join((*HEAD, HEAD[0])).encode(), (422, "bad_table")),
    "a hundred columns": (",".join(f"c{n}" for n in range(100)).encode(), (422, "bad_table")),
    "a head with an open quote": (('"' + ",".join(HEAD)).encode(), (422, "bad_table")),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", (415, "wrong_file_type")),
    "UTF-16": (table([order(1)], "utf-16"), (415, "wrong_file_type")),
    "no workbook": (b"PK\x03\x04" + b"x" * 100, (422, "unreadable_file")),
    "a workbook with entities": (
        with_part(workbook([order(1)]), "xl/sharedStrings.xml", ENTITIES), (422, "unreadable_file"),
    ),
    "texts larger than memory": (
        with_part(workbook([order(1)]), "xl/sharedStrings.xml", b"<sst>" + b" " * 40_000_000 + b"</sst>"),
        (422, "unreadable_file"),
    ),
    "an empty sheet": (workbook([], ()), (422, "bad_table")),
    "a wide sheet": (workbook([], [f"c{n}" for n in range(100)]), (422, "bad_table")),
    "too many bytes": (b"x" * 3_000_001, (413, "too_large_a_body")),
}  # fmt: skip


@pytest.mark.parametrize("what", UNUSABLE, ids=str)
def test_a_table_that_cannot_be_used_is_refused_by_name_and_leaves_nothing(api: Api, what: str) -> None:
    file, refusal = UNUSABLE[what]

    answer = ask(api, file)

    assert told(answer) == refusal
    assert pieces(api) == 0


def pieces(api: Api) -> int:
    """How many pieces of files and rows the spool holds."""
    with spool_of(api) as tables:
        ((count,),) = tables.rows("SELECT count(*) FROM pieces")
    return int(count)


def spool_of(api: Api) -> Any:
    return closing(open_tables(api.engine.settings.imports_url, "imports", TABLES))


ASKED: dict[str, tuple[dict[str, str], tuple[int, str]]] = {
    "no mapping": ({"mapping": " "}, (422, "bad_mapping")),
    "a mapping of no name": ({"mapping": "nobody"}, (422, "bad_mapping")),
    "a mapping that is no TOML": ({"mapping": "= x"}, (422, "bad_mapping")),
    "a mapping of the machine": ({"mapping": "/etc/passwd"}, (422, "bad_mapping")),
    "history without states": ({"mode": "backfill"}, (422, "bad_mapping")),
    "another mode": ({"mode": "both"}, (422, "malformed")),
    "a dry run of another word": ({"dry_run": "perhaps"}, (422, "malformed")),
    "an authority with a number": ({"authority": "call 13800000000"}, (422, "malformed")),
    "another part": ({"extra": "x"}, (422, "malformed")),
    "a long field": ({"rulebook": "x" * 70_000}, (413, "too_large_a_body")),
    "a rulebook for cases": (
        {"mode": "backfill", "mapping": HISTORY, "rulebook": "demo/2026.1"}, (409, "not_for_backfill"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ASKED, ids=str)
def test_what_cannot_be_asked_for_is_refused_by_name_and_leaves_nothing(api: Api, what: str) -> None:
    fields, refusal = ASKED[what]

    answer = ask(api, table([order(1000)]), **{"mapping": REGISTER, "mode": "register", **fields})  # type: ignore[arg-type]

    assert told(answer) == refusal
    assert pieces(api) == 0


def test_a_form_that_is_none_or_breaks_off_is_refused(api: Api) -> None:
    headers = api.headers(BY, **{"Idempotency-Key": "form"})
    form = {"Content-Type": "multipart/form-data; boundary=b"}

    def send(content: bytes, **more: str) -> httpx.Response:
        return api.client.post("/api/v1/imports", content=content, headers={**headers, **more})

    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
    assert told(send(b"{}", **{"Content-Type": "application/json"})) == (415, "wrong_media_type")
    assert told(send(b"{}", **form)) == (422, "malformed")
    assert told(send(part + b"x", **form)) == (400, "body_cut_short")
    assert told(send(part + b"x\r\n" + part + b"x\r\n--b--\r\n", **form)) == (422, "malformed")
    assert told(send(b'--b\r\nContent-Disposition: form-data; name="mode"\r\n\r\nx\r\n--b--\r\n', **form)) == (
        422, "file_missing",
    )  # fmt: skip
    assert pieces(api) == 0


def test_without_a_key_of_its_own_no_import_is_taken(api: Api) -> None:
    headers = api.headers(BY)
    answer = api.client.post("/api/v1/imports", files={"file": b"x"}, headers=headers)

    assert told(answer) == (400, "idempotency_key_missing")


def test_the_same_key_gets_the_same_import_and_another_table_under_it_is_refused(api: Api) -> None:
    file, key = table([order(1100)]), uuid4().hex
    first = ask(api, file, key=key)

    again = ask(api, file, key=key)
    other = ask(api, table([order(1101)]), key=key)

    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert again.headers["location"] == first.headers["location"] == f"/api/v1/imports/{first.json()['id']}"
    assert told(other) == (422, "key_reused")
    worked_off(api, first.json()["id"])
    assert pieces(api) == 0
    assert ask(api, file, key=key).json()["state"] == "done"
    assert pieces(api) == 0


def test_who_may_not_register_may_not_import_and_is_told_at_once(api: Api) -> None:
    officer = ask(api, table([order(1200)]), by=("com-01", "officer"))
    history = ask(api, table([order(1200)]), by=("com-01", "officer"), mapping=HISTORY, mode="backfill")
    nobody = ask(api, table([order(1200)]), by=None)
    other = ask(api, table([order(1200)]), mapping=REGISTER.replace(HOTLINE, "window"))

    assert told(officer) == (403, "out_of_scope")
    assert told(history) == (403, "out_of_scope")
    assert told(nobody) == (401, "sign_in")
    assert told(other) == (403, "out_of_scope")
    assert pieces(api) == 0


def test_to_everybody_else_there_is_no_such_import(api: Api) -> None:
    made = ask(api, table([order(1300)])).json()["id"]

    for path in ("", "/report", "/report.csv"):
        assert told(api.get(f"/imports/{made}{path}", by=("sd-01", "officer"))) == (404, "not_found")
        assert told(api.get(f"/imports/{uuid4()}{path}", by=BY)) == (404, "not_found")
    cancelled = api.post(f"/imports/{made}/cancel", by=("sd-01", "officer"), authority=None)
    assert told(cancelled) == (404, "not_found")
    worked_off(api, made)


def test_a_cancelled_import_leaves_what_is_in_and_nothing_of_the_rest(api: Api) -> None:
    made = ask(api, table([order(n) for n in range(1400, 1410)])).json()["id"]

    answer = api.post(f"/imports/{made}/cancel", by=BY, authority=None)
    ended = worked_off(api, made)

    assert (answer.json()["state"], ended["state"], ended["done"]) == ("cancelled", "cancelled", 0)
    assert pieces(api) == 0
    again = api.post(f"/imports/{made}/cancel", by=BY, authority=None)
    assert again.json()["ended_at"] == ended["ended_at"]


def test_the_report_is_told_in_pages_by_outcome_and_as_csv(api: Api) -> None:
    ended, rows = imported(
        api, table([order(n, **({"社区": "x"} if n % 3 else {})) for n in range(1500, 1530)])
    )

    some = api.get(f"/imports/{ended['id']}/report", by=BY, limit=7).json()
    assert (len(some["items"]), some["next"] is not None) == (7, True)
    assert report(api, ended["id"], limit=7) == rows
    refused = report(api, ended["id"], outcome="refused", limit=6)
    assert [row["row"] for row in refused] == [row["row"] for row in rows if row["outcome"] == "refused"]
    file = api.get(f"/imports/{ended['id']}/report.csv", by=BY)
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    told_of = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert Counter(row["verdict"] for row in told_of) == Counter(outcomes(rows))
    foreign = api.get(f"/imports/{ended['id']}/report", by=BY, outcome="refused", cursor=some["next"])
    assert told(foreign) == (422, "malformed")


def test_while_it_waits_its_rows_lie_sealed_and_afterwards_nowhere(api: Api) -> None:
    mark = fresh_mark()
    made = ask(api, table([order(1600, 姓名=mark, 内容=mark, 编号=mark)])).json()["id"]
    waiting = search([mark], files_in(api.engine.settings.data))

    ended = worked_off(api, made)

    assert (waiting, ended["counts"]) == (set(), {"added": 1})
    assert search([mark], files_in(api.engine.settings.data)) == set()
    assert mark not in str(read(api, made)) + str(report(api, made))
    with spool_of(api) as tables:
        ((upload,),) = tables.rows("SELECT upload FROM imports WHERE id = ?", made)
    assert api.engine.keys.key(upload, "import") is None
