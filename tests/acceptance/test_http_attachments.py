"""Attachments: taken in sealed, of known kinds alone, shown by the rights of the act that names them, gone when erased."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.attachments.store import TABLES, attachments_of
from adapters.demo.district import SUBDISTRICT
from adapters.engine import now, open_engine
from adapters.store.tables import open_tables
from tests.acceptance.canary import files_in, search
from tests.acceptance.http_world import Api, api_over, told
from tests.acceptance.imports_world import workbook
from tests.acceptance.world import Desk

OFFICER, MOST = (SUBDISTRICT, "officer"), 1_500_000
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 3000
"""Three pieces long."""


@pytest.fixture(scope="module")
def api(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API of the module, with a small bound."""
    data = tmp_path_factory.mktemp("attachments") / "data"
    shutil.copytree(founded, data)
    with api_over(data, attachment_most_bytes=MOST) as found:
        yield found


def document(name: str, *more: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for each in ("[Content_Types].xml", name, *more):
            packed.writestr(each, "<x/>")
    return file.getvalue()


def attach(
    api: Api,
    case: str,
    file: bytes,
    by: tuple[str, str] | None = OFFICER,
    key: str | None = None,
    **asked: str,
) -> httpx.Response:
    return api.client.post(
        f"/api/v1/matters/{case}/attachments", files={"file": ("现场.exe", file, "text/html")}, params=asked,
        headers=api.headers(by, **{"Idempotency-Key": key or uuid4().hex}),
    )  # fmt: skip


def fetch(api: Api, case: str, digest: str, by: tuple[str, str] | None = OFFICER) -> httpx.Response:
    return api.get(f"/matters/{case}/attachments/{digest}", by=by, purpose="handling")


def named(api: Api, file: bytes = JPEG, **asked: str) -> tuple[str, str]:
    """A case whose result names this file as evidence: the case and the digest."""
    made, leg = api.whistled()
    case = str(made["case"])
    about = {"about": made["requesters"][0]} if asked else {}
    digest = attach(api, case, file, by=("dept-housing", "leader"), **about).json()["digest"]
    part = f"/matters/{case}/legs/{leg}"
    api.must(f"{part}/acknowledge", by=("dept-housing", "duty_officer"))
    api.must(f"{part}/contact", by=("dept-housing", "officer"))
    arrived = {"place": "com-01", "proof": "code", "sealed": {"proof": "现场码"}}
    api.must(f"{part}/check-in", arrived, by=("dept-housing", "officer"))
    api.must(f"{part}/note", {"sealed": {"note": "已排查"}}, by=("dept-housing", "officer"))
    report = {"outcome": "done", "sealed": {"result": "已修复", "evidence": [digest]}}
    api.must(f"{part}/report", report, by=("dept-housing", "leader"))
    return case, digest


def counted(api: Api, table: str) -> int:
    with closing(open_tables(api.engine.settings.attachments_url, "attachments", TABLES)) as tables:
        ((count,),) = tables.rows(f"SELECT count(*) FROM {table}")
    return int(count)


def test_a_file_that_an_act_names_comes_back_as_it_was_and_the_reading_is_on_record(api: Api) -> None:
    case, digest = named(api)

    answer = fetch(api, case, digest)

    assert (answer.status_code, answer.content) == (200, JPEG)
    assert digest == hashlib.sha256(JPEG).hexdigest()
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"] == f'attachment; filename="{digest[:16]}.jpg"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    reads = api.get(f"/matters/{case}/reads", by=OFFICER).json()["items"]
    assert "evidence" in str(reads[-1])


def test_how_long_a_file_is_can_be_asked_without_taking_it(api: Api) -> None:
    case, digest = named(api)

    answer = api.client.head(
        f"/api/v1/matters/{case}/attachments/{digest}",
        params={"purpose": "handling"},
        headers=api.headers(OFFICER),
    )

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(JPEG))
    assert fetch(api, case, digest).content == JPEG


def test_what_no_act_names_is_shown_to_nobody(api: Api) -> None:
    case = api.registered()["case"]
    digest = attach(api, case, JPEG, by=("hotline", "intake_officer")).json()["digest"]

    assert told(fetch(api, case, digest, by=("hotline", "intake_officer"))) == (404, "not_found")


def test_who_may_not_read_the_act_may_not_read_its_file_nor_attach_one(api: Api) -> None:
    case, digest = named(api)

    for by in (("dept-water", "officer"), ("dept-fire", "leader")):
        assert told(fetch(api, case, digest, by=by)) == (404, "not_found")
        assert told(attach(api, case, JPEG, by=by)) in ((403, "not_allowed"), (404, "not_found"))
    assert told(fetch(api, case, digest, by=None)) == (401, "sign_in")
    assert told(attach(api, str(uuid4()), JPEG)) == (404, "not_found")
    assert told(attach(api, case, JPEG, about=str(uuid4()))) == (422, "unknown_requester")


def test_the_file_lies_sealed_and_nowhere_in_clear(api: Api) -> None:
    mark = uuid4().hex
    named(api, JPEG[:100_000] + mark.encode() * 20_000)

    assert search([mark], files_in(api.engine.settings.data)) == set()


KINDS = {
    "jpeg": (JPEG, "image/jpeg"), "png": (b"\x89PNG\r\n\x1a\n....", "image/png"), "pdf": (b"%PDF-1.7", "application/pdf"),
    "mp4": (b"\0\0\0\x18ftypmp42", "video/mp4"), "mp3": (b"ID3\x03", "audio/mpeg"), "amr": (b"#!AMR\n", "audio/amr"),
    "docx": (document("word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "xlsx": (workbook([]), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}  # fmt: skip
NO_KINDS = {
    "a page": b"<html><script>", "a program": b"MZ\x90\0", "a picture with programs": b"<svg onload='x'>", "nothing": b"",
    "a packed file": document("any.txt"), "macros": document("word/document.xml", "word/vbaProject.bin"),
    "two documents": document("word/document.xml", "xl/workbook.xml"), "a broken packed file": b"PK\x03\x04xx",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_what_its_bytes_say_whatever_it_is_called(api: Api, kind: str) -> None:
    file, media_type = KINDS[kind]
    case = api.registered()["case"]

    answer = attach(api, case, file, by=("hotline", "intake_officer"))

    assert (answer.status_code, answer.json()["media_type"]) == (201, media_type)


@pytest.mark.parametrize("kind", NO_KINDS)
def test_other_files_are_refused_and_leave_nothing(api: Api, kind: str) -> None:
    case, before = api.registered()["case"], counted(api, "pieces")

    answer = attach(api, case, NO_KINDS[kind], by=("hotline", "intake_officer"))

    assert told(answer) == (415, "wrong_file_type")
    assert counted(api, "pieces") == before


def test_too_large_a_file_and_one_that_breaks_off_leave_nothing(api: Api) -> None:
    case, before = api.registered()["case"], counted(api, "pieces")
    by = ("hotline", "intake_officer")

    large = attach(api, case, JPEG * 2, by=by)
    broken = api.client.post(
        f"/api/v1/matters/{case}/attachments",
        content=b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + JPEG,
        headers=api.headers(by, **{"Idempotency-Key": "b", "Content-Type": "multipart/form-data; boundary=b"}),
    )  # fmt: skip

    assert told(large) == (413, "too_large_a_body")
    assert told(broken) == (400, "body_cut_short")
    assert counted(api, "pieces") == before


def test_the_same_key_gets_the_same_answer_and_another_file_under_it_is_refused(api: Api) -> None:
    case, by, key = api.registered()["case"], ("hotline", "intake_officer"), uuid4().hex
    first = attach(api, case, JPEG, by=by, key=key)
    before = counted(api, "pieces")

    again = attach(api, case, JPEG, by=by, key=key)
    other = attach(api, case, b"%PDF-1.7", by=by, key=key)

    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert told(other) == (422, "key_reused")
    assert counted(api, "pieces") == before


def test_what_no_act_has_named_in_a_day_is_swept_and_what_one_names_stays(api: Api) -> None:
    case, digest = named(api)
    attach(api, case, b"%PDF-1.7 never named", by=OFFICER)
    later = open_engine(api.engine.settings, lambda: now() + timedelta(hours=25))
    try:
        with attachments_of(later) as attachments:
            attachments.sweep()
            left = {row[0] for row in rows(api, "SELECT digest FROM attachments")}
            attachments.sweep()
    finally:
        later.close()

    assert digest in left
    assert hashlib.sha256(b"%PDF-1.7 never named").hexdigest() not in left
    assert fetch(api, case, digest).content == JPEG


def rows(api: Api, statement: str) -> list[Any]:
    with closing(open_tables(api.engine.settings.attachments_url, "attachments", TABLES)) as tables:
        return tables.rows(statement)


def test_erasing_the_requester_whom_a_file_concerns_makes_it_unreadable(
    founded: Path, tmp_path: Path
) -> None:
    shutil.copytree(founded, tmp_path / "data")
    with api_over(tmp_path / "data") as api:
        case, digest = named(api, about="requester")
        assert fetch(api, case, digest).status_code == 200
        (one,) = rows(api, "SELECT subject FROM attachments")

        api.engine.keys.destroy(case, one[0])

        assert told(fetch(api, case, digest)) == (404, "not_found")
        assert told(attach(api, case, JPEG, about=one[0])) == (409, "erased")


def test_a_backup_brings_the_files_back(shell: Desk, tmp_path: Path) -> None:
    with api_over(shell.data) as api:
        case, digest = named(api)
    assert shell.run("backup", str(tmp_path / "saved")).exit_code == 0
    (shell.data / "attachments.db").unlink()

    restored = shell.run("restore", str(tmp_path / "saved"), "--replace")

    assert restored.exit_code == 0, restored.output
    with api_over(shell.data) as api:
        assert fetch(api, case, digest).content == JPEG
