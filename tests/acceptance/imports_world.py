"""Tables to import, and an office that imports them by the API."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
from openpyxl import Workbook

from adapters.imports.role import turns_of
from tests.acceptance.http_world import HOTLINE, Api
from workflows.import_process import ImportTurn

BY = ("hotline", "intake_officer")
HEAD = ("编号", "姓名", "电话", "内容", "时间", "社区", "类别")
REGISTER = f"""
name = "orders"
zone = "Asia/Shanghai"
[reference]
source = "{HOTLINE}"
column = "编号"
[matter]
source = {{ value = "{HOTLINE}" }}
opened_at = {{ column = "时间" }}
host = {{ column = "社区" }}
code = {{ column = "类别" }}
demand = {{ value = "help" }}
kind = {{ value = "hazard" }}
[sealed]
text = {{ columns = ["内容"] }}
name = {{ columns = ["姓名"] }}
contact = {{ columns = ["电话"] }}
"""
HISTORY = f"""
name = "history"
zone = "Asia/Shanghai"
times = ["%Y/%m/%d %H:%M", "iso"]
[reference]
source = "{HOTLINE}"
column = "编号"
[closed]
column = "类别"
equals = ["closed"]
[requester]
column = "姓名"
[matter]
source = {{ value = "phone" }}
opened_at = {{ column = "时间" }}
[sealed]
text = {{ columns = ["内容"] }}
name = {{ columns = ["姓名"] }}
"""


def order(number: int, **other: str) -> dict[str, str]:
    """A good row; `other` replaces some of its cells."""
    return dict(zip(HEAD, (
        f"GL-{number}", "王某某", "13800000000", f"第{number}件，3栋电梯坏了", "2026-11-20 09:30", "com-01", "FW-01",
    ), strict=True)) | other  # fmt: skip


def table(rows: Sequence[dict[str, str]], encoding: str = "utf-8") -> bytes:
    """The rows as CSV."""
    file = io.StringIO()
    made = csv.DictWriter(file, HEAD)
    made.writeheader()
    made.writerows(rows)
    return file.getvalue().encode(encoding)


def workbook(rows: Sequence[dict[str, Any]], head: Sequence[str] = HEAD) -> bytes:
    """The rows as XLSX."""
    book, file = Workbook(), io.BytesIO()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(head))
    for row in rows:
        sheet.append(list(row.values()))
    book.save(file)
    return file.getvalue()


def with_part(content: bytes, name: str, said: bytes) -> bytes:
    """A workbook with one part more, or another one."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            if each != name:
                new.writestr(each, old.read(each))
        new.writestr(name, said)
    return file.getvalue()


def ask(
    api: Api, file: bytes, *, mapping: str = REGISTER, mode: str = "register", key: str | None = None,
    by: tuple[str, str] | None = BY, **fields: str,
) -> httpx.Response:  # fmt: skip
    """Ask for an import."""
    return api.client.post(
        "/api/v1/imports", files={"file": ("名单.csv", file)}, data={"mapping": mapping, "mode": mode, **fields},
        headers=api.headers(by, **{"Idempotency-Key": key or uuid4().hex}),
    )  # fmt: skip


def worked_off(api: Api, import_id: str, by: tuple[str, str] = BY, turns: int = 10_000) -> dict[str, Any]:
    """Take turns as the worker does, without Temporal, until it is over or so many were taken; how it stands then."""
    api.caught_up()
    with turns_of(api.engine) as taking:
        turn = ImportTurn(import_id)
        while turns and not turn.over:
            turn, turns = taking.take(turn), turns - 1
    return read(api, import_id, by)


def read(api: Api, import_id: str, by: tuple[str, str] = BY) -> dict[str, Any]:
    """How an import stands."""
    answer = api.get(f"/imports/{import_id}", by=by)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def imported(
    api: Api, file: bytes, *, by: tuple[str, str] = BY, **how: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Ask for an import and work it off; how it ended, and its report."""
    answer = ask(api, file, by=by, **how)
    assert answer.status_code == 202, answer.text
    ended = worked_off(api, answer.json()["id"], by)
    return ended, report(api, ended["id"], by)


def report(api: Api, import_id: str, by: tuple[str, str] = BY, **more: Any) -> list[dict[str, Any]]:
    """Every row, page by page."""
    rows, cursor = list[dict[str, Any]](), None
    while True:
        asked = {**more, **({"cursor": cursor} if cursor else {})}
        page = api.get(f"/imports/{import_id}/report", by=by, **asked).json()
        rows += page["items"]
        cursor = page.get("next")
        if cursor is None:
            return rows


def moment() -> datetime:
    """A time as a spreadsheet holds one."""
    return datetime(2026, 11, 20, 9, 30)  # noqa: DTZ001 - a cell's wall time
