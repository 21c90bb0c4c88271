"""Attachments 附件 over HTTP: a file is taken in for a case, and shown to whoever may read the act that names it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response, StreamingResponse

from adapters.acts import EVIDENCE
from adapters.attachments import KINDS, Attachments
from adapters.attachments.store import NO_FILE
from adapters.engine import Engine
from adapters.finding import case_of
from adapters.http.acts import key_of
from adapters.http.answers import REPLAYED
from adapters.http.document import KEY_PARAMETER
from adapters.http.documented import problems
from adapters.http.multipart import read_form
from adapters.http.reading import CaseName
from adapters.http.who import Caller, Doors, caller_of
from adapters.pieces import PIECE, Incoming
from adapters.reading import Seen, look, open_case
from domain.acting import Actor
from domain.refusal import NotFound, Refused

PATH = "/matters/{case}/attachments"
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="The file's SHA-256, in hex.")]
About = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9a-f-]{36}$", description="The requester whom it concerns; else it is the caller's own."
    ),
]
_FORM = {
    "type": "object", "required": ["file"], "additionalProperties": False,
    "properties": {"file": {"type": "string", "format": "binary", "description": f"One of {', '.join(sorted(KINDS))}."}},
}  # fmt: skip


class AttachmentView(BaseModel):
    """A file that was taken in. Name its digest as evidence in an act; what no act names within a day is let go."""

    digest: str = Field(pattern="^[0-9a-f]{64}$")
    media_type: str = Field(examples=["image/jpeg"])
    size: int


class Attaching:
    """What answers them."""

    def __init__(self, engine: Engine, doors: Doors, attachments: Attachments) -> None:
        self._engine, self._doors, self._attachments = engine, doors, attachments

    async def attach_file(self, request: Request, case: CaseName, about: About = None) -> Response:
        """Take a file in for a case whose sealed values the caller may read. It counts once an act names its digest."""
        key = key_of(request)
        caller, seen, viewer = await run_in_threadpool(self._seen, request, case)
        subject = _subject(seen, viewer, about)
        coming = await run_in_threadpool(self._attachments.incoming, seen.matter, subject)
        try:
            await read_form(request, frozenset(), "file", coming)
            return await run_in_threadpool(self._keep, caller, key, seen, subject, coming)
        finally:
            await run_in_threadpool(self._attachments.settle, coming)

    def read_attachment(
        self, request: Request, case: CaseName, digest: Digest,
        purpose: Annotated[str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,79}$", examples=["handling"])],
    ) -> Response:  # fmt: skip
        """A file that an act names as evidence, for whoever may read that. That it was read goes on record first."""
        _, seen, viewer = self._seen(request, case)
        shown = open_case(self._engine, seen.matter.id, viewer, purpose)
        named = any(one.name == EVIDENCE and one.value == digest for one in shown.values)
        for one in self._attachments.of(seen.matter.id, digest) if named else ():
            if not seen.sight.opens(one.subject, EVIDENCE) or seen.matter.shut(one.subject) is not None:
                continue
            kind, file = KINDS[one.kind], self._attachments.opened(seen.matter, one)
            headers = {
                "Content-Disposition": f'attachment; filename="{digest[:16]}.{kind.ending}"',
                "Content-Length": str(one.size), "Content-Security-Policy": "default-src 'none'; sandbox",
            }  # fmt: skip
            return StreamingResponse(_parts(file), headers=headers, media_type=kind.media_type)
        raise NotFound(NO_FILE)

    def _seen(self, request: Request, case: str) -> tuple[Caller, Seen, Actor]:
        caller = caller_of(request, self._engine, self._doors)
        found = case_of(self._engine, case, None if caller.resident else caller.officer())
        viewer = caller.actor(found)
        return caller, look(self._engine, found, viewer), viewer

    def _keep(self, caller: Caller, key: str, seen: Seen, subject: str, coming: Incoming) -> Response:
        asked = caller.ids("attachment", key).id("file")
        one, before = self._attachments.keep(seen.matter, subject, coming, asked)
        said = AttachmentView(digest=one.digest, media_type=KINDS[one.kind].media_type, size=one.size)
        return JSONResponse(said.model_dump(), 201, {REPLAYED: "true"} if before else None)


def _subject(seen: Seen, viewer: Actor, about: str | None) -> str:
    """Whom the file concerns. Raises Refused where the caller may not add to that person's data."""
    subject = about or viewer.person
    if about is not None and about not in seen.matter.requesters:
        raise Refused("unknown_requester", "Name one of the case's requesters by their id, or nobody.")
    if not seen.sight.opens(subject, EVIDENCE):
        raise Refused("not_allowed", "Files are attached by those who may read the case's sealed values.")
    return subject


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while part := file.read(PIECE):
            yield part


def router(engine: Engine, doors: Doors, attachments: Attachments) -> APIRouter:
    """The attachments, under their paths."""
    made, of = APIRouter(prefix=PATH, tags=["matters"]), Attaching(engine, doors, attachments)
    content = {"multipart/form-data": {"schema": _FORM, "example": {"file": "photo.jpg"}}}
    form = {"required": True, "content": content}
    made.add_api_route(
        "", of.attach_file, methods=["POST"], status_code=201, response_model=AttachmentView,
        responses=problems(400, 413, 415, 500), operation_id="attach_file", summary="Attach a file 附件",
        openapi_extra={"parameters": [KEY_PARAMETER], "requestBody": form},
    )  # fmt: skip
    binary = {kind.media_type: {"schema": {"type": "string", "format": "binary"}} for kind in KINDS.values()}
    made.add_api_route(
        "/{digest}", of.read_attachment, response_class=StreamingResponse, operation_id="read_attachment",
        summary="A file 附件", responses={**problems(400, 500), 200: {"content": binary}},
    )  # fmt: skip
    return made
