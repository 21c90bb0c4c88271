"""Imports 批量导入 over HTTP: a table is taken in, worked off by a process of its own, and every row is told of."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from adapters.engine import Engine
from adapters.http.acts import key_of
from adapters.http.answers import REPLAYED
from adapters.http.cursors import Cursors
from adapters.http.document import KEY_PARAMETER
from adapters.http.documented import problems
from adapters.http.models import Page
from adapters.http.models_of_imports import ImportRow, ImportView, Outcome, view_of
from adapters.http.multipart import read_form
from adapters.http.reading import Cursor
from adapters.http.who import Caller, Doors, caller_of
from adapters.imports.asking import Asked, asked_for
from adapters.imports.report import HEAD
from adapters.imports.store import ENDED, Import, Imports
from adapters.pieces import Incoming
from domain.refusal import NotFound, Refused

PATH = "/imports"
FIELDS = frozenset({"mapping", "mode", "authority", "rulebook", "dry_run"})
_PAGE = 1000
ImportId = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$", description="The import's id.")]
_FORM = {
    "type": "object", "required": ["file", "mapping", "mode"], "additionalProperties": False,
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "CSV (UTF-8, GB18030) or XLSX."},
        "mapping": {"type": "string", "maxLength": 65_536, "description": "A mapping as TOML, or the name of a packaged one."},
        "mode": {"type": "string", "enum": ["backfill", "register"]},
        "authority": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,119}$"},
        "rulebook": {"type": "string", "description": "The rulebook for backfill; else the one released last."},
        "dry_run": {"type": "string", "enum": ["true", "false"], "description": "Decide every row and keep none."},
    },
}  # fmt: skip
_ASKED = {
    "file": "messages.csv", "mapping": "messages", "mode": "backfill", "authority": "mandate:import", "dry_run": "true",
}  # fmt: skip


class Bulk:
    """What answers them."""

    def __init__(self, engine: Engine, doors: Doors, imports: Imports) -> None:
        self._engine, self._doors, self._imports = engine, doors, imports
        self._cursors = Cursors(engine.keys.pepper)

    async def start_import(self, request: Request) -> Response:
        """Take a table in: 202 when it is durable. Its process starts as soon as Temporal runs."""
        caller = await run_in_threadpool(self._caller, request)
        key = key_of(request)
        incoming = await run_in_threadpool(self._imports.incoming, self._engine.settings.import_most_bytes)
        try:
            fields = await read_form(request, FIELDS, "file", incoming)
            return await run_in_threadpool(self._accept, caller, key, fields, incoming)
        finally:
            await run_in_threadpool(self._imports.settle, incoming)

    def _accept(self, caller: Caller, key: str, fields: dict[str, str], incoming: Incoming) -> Response:
        incoming.end()
        said = hashlib.sha256(json.dumps([incoming.digest, sorted(fields.items())]).encode()).hexdigest()
        import_id = caller.ids("import", key).id("import")
        before = self._imports.get(import_id)
        if before is None:
            asked = Asked(
                import_id, said, caller.officer(), None if caller.key is None else caller.key.source or ""
            )
            one = asked_for(self._engine, self._imports, asked, fields, incoming, caller.may_hand_in)
            before = self._imports.add(one)
        if before.said != said:
            raise Refused(
                "key_reused", "This key was used for another import; give every import a key of its own."
            )
        kept = before.upload == incoming.upload
        headers = {"Location": f"/api/v1{PATH}/{before.id}"} | ({} if kept else {REPLAYED: "true"})
        return JSONResponse(self._view(before).model_dump(exclude_none=True), 202, headers)

    def read_import(self, request: Request, import_id: ImportId) -> ImportView:
        """How far it has come."""
        return self._view(self._mine(request, import_id))

    def read_import_report(
        self, request: Request, import_id: ImportId, outcome: Outcome | None = None, cursor: Cursor = None,
        limit: Annotated[int, Query(ge=1, le=_PAGE)] = 200,
    ) -> Page[ImportRow]:  # fmt: skip
        """What became of each row so far, in order; of one outcome alone where that is asked for."""
        one = self._mine(request, import_id)
        what = f"import/{one.id}/{outcome}"
        place = self._cursors.place(what, cursor)
        rows = self._imports.outcomes(one.id, int(place[0]) if place else 0, limit, outcome)
        more = self._cursors.at(what, [rows[-1].number]) if len(rows) == limit else None
        return Page[ImportRow](items=[ImportRow.of(row) for row in rows], next=more)

    def read_import_report_csv(self, request: Request, import_id: ImportId) -> Response:
        """The same, whole, as CSV for a spreadsheet."""
        one = self._mine(request, import_id)
        name = f"import-{one.id}.csv"
        return StreamingResponse(
            self._lines(one), media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )  # fmt: skip

    def cancel_import(self, request: Request, import_id: ImportId) -> ImportView:
        """Let the rows that are left be. What is in stays in. Of one that has ended nothing changes."""
        one = self._mine(request, import_id)
        key_of(request)
        if one.state not in ENDED:
            self._imports.end(one, "cancelled")
        return self._view(self._mine(request, import_id))

    def _lines(self, one: Import) -> Iterator[str]:
        yield "\ufeff" + _csv([HEAD])  # a spreadsheet knows by the mark that it is UTF-8
        after = 0
        while rows := self._imports.outcomes(one.id, after, _PAGE):
            yield _csv(rows)
            after = rows[-1].number

    def _caller(self, request: Request) -> Caller:
        caller = caller_of(request, self._engine, self._doors)
        if caller.resident:
            raise Refused("no_post", "Imports are for those who hold a post.")
        caller.officer()
        return caller

    def _mine(self, request: Request, import_id: str) -> Import:
        """The import, for the person who asked for it: to everybody else there is none."""
        caller = self._caller(request)
        one = self._imports.get(import_id)
        if one is None or one.person != caller.person or one.body != caller.officer().body:
            raise NotFound("Check the id: you have no import of this id.")
        return one

    def _view(self, one: Import) -> ImportView:
        return view_of(one, self._imports.counts(one.id), self._engine.handle.clock())


def _csv(rows: Any) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(rows)
    return file.getvalue()


def router(engine: Engine, doors: Doors, imports: Imports) -> APIRouter:
    """The imports, under their paths."""
    made, of = APIRouter(prefix=PATH, tags=["imports"]), Bulk(engine, doors, imports)
    key = {"parameters": [KEY_PARAMETER]}
    content = {"multipart/form-data": {"schema": _FORM, "example": _ASKED}}
    form = key | {"requestBody": {"required": True, "content": content}}
    reading, writing = problems(400, 500), problems(400, 413, 415, 500)
    made.add_api_route(
        "", of.start_import, methods=["POST"], status_code=202, response_model=ImportView, responses=writing,
        operation_id="start_import", summary="Import a table 批量导入", openapi_extra=form,
    )  # fmt: skip
    made.add_api_route(
        "/{import_id}/cancel", of.cancel_import, methods=["POST"], response_model_exclude_none=True, responses=writing,
        operation_id="cancel_import", summary="Cancel 取消", openapi_extra=key,
    )  # fmt: skip
    for path, answered, summary in (
        ("/{import_id}", of.read_import, "How far it is 进度"),
        ("/{import_id}/report", of.read_import_report, "Every row 逐行结果"),
    ):
        made.add_api_route(
            path, answered, response_model_exclude_none=True, responses=reading, operation_id=answered.__name__,
            summary=summary,
        )  # fmt: skip
    made.add_api_route(
        "/{import_id}/report.csv", of.read_import_report_csv, response_class=StreamingResponse,
        operation_id="read_import_report_csv", summary="Every row as CSV 逐行结果",
        responses={**reading, 200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    return made
