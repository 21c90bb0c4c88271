"""The answers to acts: what was accepted, under which version, and the ids and texts that came of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from adapters.disclosure import disclosed
from adapters.duplicates.offering import Taken, offered_at_intake
from adapters.engine import Engine
from adapters.http.models import LikelyDuplicate
from adapters.http.problems import problem
from adapters.reading import look
from adapters.receipt.give import receipt_of
from domain.acting import Actor
from domain.matter.commands import DiscloseCase, RegisterMatter
from domain.refusal import NotFound, Refused
from workflows.rooms import STREAMS
from workflows.submission import Answer, Submission

Became = Literal["registered", "supplement", "urging", "reopening"]
REPLAYED = "Idempotency-Replayed"


class ReopeningRefused(BaseModel):
    """Why a message did not reopen its matter and was kept as a supplement."""

    code: str = Field(examples=["nobody_said_so"])
    detail: str


class Accepted(BaseModel):
    """An act that is on record. The same key gets this same answer again, however often it is sent."""

    outcome: Literal["accepted"] = "accepted"
    case: str = Field(examples=["0e1f4a3c-6a55-4a51-9d3e-0a6a0f9a1c52"])
    number: str | None = Field(default=None, examples=["450305-20261123-7KQ2MWX"])
    version: int = Field(description="The version that the case has now; also in ETag.", examples=[1])
    events: list[str] = Field(examples=[["matter_registered.v1"]])
    became: Became | None = Field(
        default=None,
        description="Of what was handed in: a new matter, or what it became of one that is known by this number.",
    )
    reopening_refused: ReopeningRefused | None = None
    order: str | None = Field(default=None, description="The id of the order that was drafted.")
    leg: str | None = Field(default=None, description="The id of the leg that was added.")
    legs: dict[str, str] | None = Field(default=None, description="The legs' ids by body.")
    child: str | None = Field(default=None, description="The case that was split off.")
    requester: str | None = None
    requesters: list[str] | None = Field(default=None, description="The requesters' ids, in the order given.")
    person: str | None = Field(default=None, description="The id of the person who was entered.")
    receipt: str | None = Field(
        default=None, description="The promise 回执承诺 that the requester takes home."
    )
    receipt_failed: str | None = Field(
        default=None, description="Why there is no receipt yet: ask for it later."
    )
    likely_duplicates: list[LikelyDuplicate] | None = Field(
        default=None,
        description="Of a new matter: open ones that are likely about the same. Null: none could be looked for.",
    )
    likely_duplicates_failed: str | None = Field(
        default=None,
        description="Why none could be looked for: ask for them later.",
        examples=["index_unavailable"],
    )
    disclosures: dict[str, Any] | None = Field(default=None, description="What was handed over to the board.")


def etag(version: int) -> str:
    """The tag of a version."""
    return f'"{version}"'


def respond(engine: Engine, submission: Submission, answer: Answer, **more: Any) -> Response:
    """The response to an answer. `more` are fields of Accepted."""
    if not answer.accepted:
        return refused(engine, submission, answer)
    said = Accepted(
        case=answer.case,
        version=answer.version,
        events=list(answer.events),
        **more,
        **_told(engine, submission, answer),
    )
    opened = isinstance(submission.command, RegisterMatter)
    headers = {"ETag": etag(answer.version)}
    if opened:
        headers["Location"] = f"/api/v1/matters/{answer.case}"
    if answer.repeated:
        headers[REPLAYED] = "true"
    body = said.model_dump(exclude_none=True)
    if said.likely_duplicates_failed is not None:
        body["likely_duplicates"] = None
    return JSONResponse(body, 201 if opened else 200, headers)


def refused(engine: Engine, submission: Submission, answer: Answer) -> Response:
    """A refusal, on record. Of a case that the actor may not see it says no more than of none (law 10)."""
    code, advice = answer.code or "refused", answer.advice or ""
    if answer.case not in STREAMS and not sees(engine, answer.case, submission.actor, submission):
        nothing = NotFound()
        return problem(nothing.code, nothing.advice)
    response = problem(code, advice)
    if answer.repeated:
        response.headers[REPLAYED] = "true"
    return response


def sees(engine: Engine, case: str, viewer: Actor, submission: Submission) -> bool:
    """Whether the case is there for the viewer; what was to become a new one is."""
    if isinstance(submission.command, RegisterMatter):
        return True
    try:
        return bool(look(engine, case, viewer))
    except NotFound:
        return False


def _number(engine: Engine, case: str) -> str | None:
    state = engine.handle.load(case)
    return state.number if state else None


def told_at_intake(engine: Engine, submission: Submission, taken: Taken) -> dict[str, Any]:
    """What is told of a new matter beside its answer: the receipt, and what is likely about the same."""
    found = dict[str, Any]()
    with engine.handle.standing.one_look():
        try:
            found["receipt"] = receipt_of(engine, taken.events[0])
        except Refused as error:
            found["receipt_failed"] = error.code
        return found | _likely(engine, submission, taken)


def _likely(engine: Engine, submission: Submission, taken: Taken) -> dict[str, Any]:
    offer = offered_at_intake(engine, taken.case, submission.command, submission.actor, taken)
    if offer is None:
        return {}
    if offer.matters is None:
        return {"likely_duplicates_failed": offer.reason}
    return {"likely_duplicates": [LikelyDuplicate(**one._asdict()) for one in offer.matters]}


def _told(engine: Engine, submission: Submission, answer: Answer) -> dict[str, Any]:
    command, found = submission.command, dict[str, Any]()
    if answer.case in STREAMS:
        return found
    if isinstance(command, RegisterMatter):
        return {"number": command.number}
    found["number"] = answer.number or _number(engine, answer.case)
    if isinstance(command, DiscloseCase):
        found["disclosures"] = asdict(disclosed(engine, answer.case, engine.handle.command_id(submission)))
    return found
