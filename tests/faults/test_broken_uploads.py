"""An API is killed while files come in: what it has taken in goes at the next start, and what comes in elsewhere stays."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from adapters.attachments.store import attachments_of
from adapters.imports.role import imports_of
from adapters.pieces import PIECE
from adapters.store.tables import open_tables
from domain.refusal import Unavailable
from tests.acceptance.http_world import Api
from tests.acceptance.imports_world import REGISTER, order, table
from tests.faults.import_office import Office, holds, office_on
from tests.faults.role import Role
from tests.servers import free_port

pytestmark = [pytest.mark.faults]

BY = ("hotline", "intake_officer")
PHOTOGRAPH = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8_000
TABLE = table([order(n) for n in range(20_000)])
HALF = 4 * PIECE
"""What comes of a file before it stands still; both are longer."""


@dataclass(frozen=True)
class Sent:
    """A kind of file: where it goes, and how."""

    schema: str
    file: bytes
    fields: tuple[tuple[str, str], ...]
    taken: int

    def path(self, case: str) -> str:
        return "/api/v1/imports" if self.schema == "imports" else f"/api/v1/matters/{case}/attachments"

    def form(self) -> bytes:
        said = "".join(
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in self.fields
        )
        head = f'{said}--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
        return head.encode() + self.file + b"\r\n--b--\r\n"


KINDS = {
    "attachment": Sent("attachments", PHOTOGRAPH, (), 201),
    "table": Sent("imports", TABLE, (("mapping", REGISTER), ("mode", "register")), 202),
}


def standing_still(url: str, api: Api, path: str, form: bytes, on: Event) -> httpx.Response:
    """Send half of it, and the rest when told to go on."""

    def parts() -> Iterator[bytes]:
        yield form[: HALF + 20_000]
        on.wait(120)
        yield form[HALF + 20_000 :]

    headers = api.headers(BY, **{
        "Idempotency-Key": uuid4().hex, "Content-Type": "multipart/form-data; boundary=b",
    })  # fmt: skip
    with httpx.Client(base_url=url, timeout=100) as client:
        return client.post(path, content=parts(), headers=headers)


def uploads(at: Office, schema: str) -> dict[str, int]:
    """How many pieces of a file there are of each upload."""
    settings = at.engine.settings
    url = settings.imports_url if schema == "imports" else settings.attachments_url
    with closing(open_tables(url, schema, ())) as tables:
        found: list[Any] = tables.rows(
            "SELECT upload, count(*) FROM pieces WHERE what = 'file' GROUP BY upload"
        )
    return {str(upload): int(count) for upload, count in found}


@contextmanager
def another_api(at: Office, folder: Path) -> Iterator[str]:
    """A second API over the same stores; yields its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {**at.roles["api"].environment, "HUIYIN_API_PORT": str(port)}
    second = Role("second", ("worker", "api"), environment, folder)
    second.start()
    try:
        with httpx.Client(base_url=url, timeout=100) as client:
            holds(lambda: _answers(client))
        yield url
    finally:
        second.end()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    ("store", "kind"),
    [
        ("sqlite", "attachment"), ("postgres", "table"),
        pytest.param("sqlite", "table", marks=pytest.mark.long),
        pytest.param("postgres", "attachment", marks=pytest.mark.long),
    ],
)  # fmt: skip
def test_what_a_killed_api_took_in_goes_at_the_next_start_and_what_comes_in_elsewhere_stays(
    store: str, kind: str, tmp_path: Path
) -> None:
    sent = KINDS[kind]
    with (
        office_on(store, tmp_path) as at, another_api(at, tmp_path) as elsewhere, ThreadPoolExecutor(2) as threads,
    ):  # fmt: skip
        at.start("api")
        path, on = sent.path(at.api.registered()["case"]), Event()

        def half_sent(url: str) -> tuple[str, Future[httpx.Response]]:
            before = uploads(at, sent.schema)
            sending = threads.submit(standing_still, url, at.api, path, sent.form(), on)
            holds(
                lambda: (
                    max((n for one, n in uploads(at, sent.schema).items() if one not in before), default=0)
                    >= 4
                )
            )
            (new,) = {*uploads(at, sent.schema)} - {*before}
            return new, sending

        try:
            living, kept = half_sent(elsewhere)
            dead, cut = half_sent(at.api.url)
            at.kill("api")

            assert uploads(at, sent.schema) == {living: 4}
            assert at.engine.keys.key(dead, "import") is None
        finally:
            on.set()
        assert kept.result().status_code == sent.taken
        assert isinstance(cut.exception(), httpx.TransportError)
        assert {*uploads(at, sent.schema)} == {living}
        at.kill("api")
        assert {*uploads(at, sent.schema)} == {living}, "what was kept is nobody's to let go of"


def test_who_was_taken_for_gone_learns_that_its_upload_is_lost_and_keeps_no_part_of_it(
    tmp_path: Path,
) -> None:
    with office_on("sqlite", tmp_path) as at, attachments_of(at.engine) as attachments:
        at.start("api")
        matter = at.engine.handle.load(at.api.registered()["case"])
        assert matter is not None
        coming = attachments.incoming(matter, next(iter(matter.requesters)))
        coming.write(PHOTOGRAPH)
        for lock in at.engine.settings.data.glob("attachments.holder-*.lock"):
            lock.unlink()  # as when the connection that holds it is cut

        with attachments_of(at.engine):
            assert uploads(at, "attachments") == {}

        with pytest.raises(Unavailable):
            attachments.keep(matter, next(iter(matter.requesters)), coming, "asked")
        attachments.settle(coming)
        assert attachments.of(matter.id, coming.digest) == []


def test_a_table_for_which_no_key_can_be_kept_leaves_nothing(tmp_path: Path) -> None:
    with (
        office_on("postgres", tmp_path) as at, imports_of(at.engine) as imports,
        psycopg.connect(at.engine.settings.imports_url, autocommit=True) as operator,
    ):  # fmt: skip
        operator.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END$$"
        )
        operator.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON keys.data_keys FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )

        with pytest.raises(Unavailable):
            imports.incoming(1000)

        assert operator.execute("SELECT count(*) FROM imports.pieces").fetchone() == (0,)


def test_an_office_at_rest_leaves_no_lock_of_a_process_behind(tmp_path: Path) -> None:
    with office_on("sqlite", tmp_path) as at:
        with imports_of(at.engine) as imports:
            imports.settle(imports.incoming(1000))
            assert [*at.engine.settings.data.glob("imports.holder-*.lock")] != []

        assert [*at.engine.settings.data.glob("imports.holder-*.lock")] == []
