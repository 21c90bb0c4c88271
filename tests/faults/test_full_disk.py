"""The disk is full while an attachment comes in: the caller is told so, nothing is half there, and later it works."""

from __future__ import annotations

import hashlib
import resource
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest

from adapters.attachments.store import TABLES
from adapters.pieces import PIECE
from adapters.store.tables import Tables, open_tables
from tests.acceptance.http_world import Api, told
from tests.acceptance.imports_world import ask, order, table
from tests.faults.import_office import Office, office_on

pytestmark = [pytest.mark.faults]

BY = ("hotline", "intake_officer")
PHOTOGRAPH = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 60_000
"""15 MB: some sixty pieces."""
ROOM = 3_000_000
"""Bytes by which a file may grow until the disk is full."""


def attach(api: Api, case: str, key: str) -> httpx.Response:
    return api.client.post(
        f"/api/v1/matters/{case}/attachments", files={"file": ("photo.jpg", PHOTOGRAPH, "image/jpeg")},
        headers=api.headers(BY, **{"Idempotency-Key": key}),
    )  # fmt: skip


@contextmanager
def tables(at: Office) -> Iterator[Tables]:
    with closing(open_tables(at.engine.settings.attachments_url, "attachments", TABLES)) as found:
        yield found


def held(at: Office) -> tuple[int, int]:
    """How many files, and how many pieces, are kept."""
    with tables(at) as opened:
        ((files,),) = opened.rows("SELECT count(*) FROM attachments")
        ((pieces,),) = opened.rows("SELECT count(*) FROM pieces")
    return int(files), int(pieces)


def limited(at: Office, most: int) -> None:
    """The API's files may not grow beyond so many bytes, as on a full disk."""
    process = at.roles["api"].running()
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def files(at: Office) -> set[str]:
    """What lies in the data folder, but for locks: they hold nothing."""
    data = at.engine.settings.data
    return {str(path.relative_to(data)) for path in data.rglob("*") if path.suffix != ".lock"}


def refused_and_taken_later(at: Office, full: Callable[[], None], empty: Callable[[], None]) -> None:
    """What must hold, whatever fills the disk and makes room on it."""
    case, key = at.api.registered()["case"], uuid4().hex
    head, there = at.engine.store.head(), files(at)
    full()
    refused = attach(at.api, case, key)

    assert told(refused) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert at.api.client.get("/healthz").status_code == 200
    assert held(at)[0] == 0
    assert (at.engine.store.head(), files(at)) == (head, there)

    empty()
    taken = attach(at.api, case, key)

    assert (taken.status_code, taken.json()["size"]) == (201, len(PHOTOGRAPH))
    assert taken.json()["digest"] == hashlib.sha256(PHOTOGRAPH).hexdigest()
    assert held(at) == (1, -(-len(PHOTOGRAPH) // PIECE)), "something of the first try is left"
    assert attach(at.api, case, key).content == taken.content
    assert files(at) == there


def test_files_that_cannot_grow_refuse_an_upload_and_take_it_later(tmp_path: Path) -> None:
    with office_on("sqlite", tmp_path) as at:
        at.start("api")
        most = max(path.stat().st_size for path in at.engine.settings.data.rglob("*.db*")) + ROOM
        refused_and_taken_later(at, lambda: limited(at, most), lambda: limited(at, resource.RLIM_INFINITY))


def test_an_api_that_dies_on_a_full_disk_leaves_nothing_of_a_refused_upload_once_it_is_back(
    tmp_path: Path,
) -> None:
    with office_on("sqlite", tmp_path) as at:
        at.start("api")
        case = at.api.registered()["case"]
        most = max(path.stat().st_size for path in at.engine.settings.data.rglob("*.db*")) + ROOM
        limited(at, most)
        assert told(attach(at.api, case, uuid4().hex)) == (503, "unavailable")
        assert held(at)[1] > 0, "the disk was not full enough to leave anything"

        at.kill("api")

        assert held(at) == (0, 0)


def test_a_refused_table_goes_before_the_next_one_comes(tmp_path: Path) -> None:
    with office_on("sqlite", tmp_path) as at:
        at.start("api")
        rows = table([order(n, 内容="电梯坏了两天没有人修，" * 10) for n in range(50_000)])
        most = max(path.stat().st_size for path in at.engine.settings.data.rglob("*.db*")) + ROOM
        limited(at, most)
        assert told(ask(at.api, rows)) == (503, "unavailable")
        limited(at, resource.RLIM_INFINITY)

        assert ask(at.api, rows).status_code == 202

        with closing(open_tables(at.engine.settings.imports_url, "imports", ())) as opened:
            ((pieces,),) = opened.rows("SELECT count(*) FROM pieces")
        assert pieces == -(-len(rows) // PIECE), "something of the first try is left"


def test_a_full_postgres_refuses_an_upload_and_takes_it_later(tmp_path: Path) -> None:
    with (
        office_on("postgres", tmp_path) as at,
        psycopg.connect(at.engine.settings.attachments_url) as operator,
    ):
        operator.autocommit = True

        def full() -> None:
            operator.execute(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
                " $$BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END$$"
            )
            operator.execute(
                "CREATE TRIGGER full_disk BEFORE INSERT ON attachments.pieces FOR EACH ROW WHEN (NEW.n >= 20)"
                " EXECUTE FUNCTION full_disk()"
            )

        def empty() -> None:
            operator.execute("DROP TRIGGER full_disk ON attachments.pieces")

        at.start("api")
        refused_and_taken_later(at, full, empty)
