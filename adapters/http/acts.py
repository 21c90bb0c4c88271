"""The acts over HTTP: who, the key, the body, then the one path by which anything changes (`workflows.handle`)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from adapters.derived import Derived
from adapters.engine import Engine
from adapters.finding import case_or_nobodys
from adapters.http import registering
from adapters.http.answers import refused, respond
from adapters.http.aside import aside
from adapters.http.bodies import Given
from adapters.http.building import Building
from adapters.http.if_match import expected_of
from adapters.http.limits import read_json
from adapters.http.operations import Operation
from adapters.http.who import Caller, Doors, caller_of
from domain.acting import Command
from domain.matter.commands import RegisterMatter
from domain.refusal import Refused
from workflows.rooms import REGISTER
from workflows.submission import OutsideNumber, Submission

KEY = "Idempotency-Key"
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}")


@dataclass(frozen=True, slots=True)
class Acting:
    """One request to act: read, and not yet decided."""

    engine: Engine
    caller: Caller
    operation: Operation
    given: Given
    key: str
    expected: int | tuple[int, ...] | None
    where: dict[str, str]
    message: tuple[OutsideNumber, ...] = ()
    """The sender's own id of this very message, where it has one: one more number of the case, by which it is known."""

    def building(self, case: str) -> Building:
        """What makes the command of it, on this case."""
        actor = self.caller.actor(case)
        where = {name: value for name, value in self.where.items() if name in self.operation.where}
        return Building(self.engine, self.operation, self.given, where, actor, self.ids, case)

    @property
    def ids(self) -> Derived:
        """The ids of this act: the same again under the same key."""
        return self.caller.ids("api", self.key)

    def submission(self, made: Building, command: Command, *, part: str = "", **more: Any) -> Submission:
        """The command with all that belongs to it; `part` tells several commands of one request apart."""
        return Submission(
            client=self.caller.client(made.actor), key=f"{self.key}{part}", case=made.case, command=command,
            actor=made.actor, authority=self.given.authority, occurred_at=self.given.occurred_at,
            expected=self.expected, **more,
        )  # fmt: skip


def endpoint(
    engine: Engine, doors: Doors, operation: Operation, body: type[Given]
) -> Callable[[Request], Awaitable[Response]]:
    """What answers an operation."""

    async def act(request: Request) -> Response:
        raw = await read_json(request)
        return await aside(_act, request, raw)

    def _act(request: Request, raw: bytes) -> Response:
        with engine.handle.standing.one_look():
            caller = caller_of(request, engine, doors)
            acting = Acting(
                engine, caller, operation, body.model_validate_json(raw), key_of(request),
                expected_of(request.headers.getlist("If-Match")), dict(request.path_params),
            )  # fmt: skip
            return registering.register(acting) if operation.command is RegisterMatter else perform(acting)

    act.__name__ = operation.name
    return act


def perform(acting: Acting) -> Response:
    """An act on a case or on the register."""
    case = _about_which(acting)
    made = acting.building(case)
    command = made.command()
    submission = acting.submission(made, command, sealed=made.sealed(command), outside=_outside(acting))
    answer = acting.engine.handle(submission)
    if not answer.accepted:
        return refused(acting.engine, submission, answer)
    return respond(acting.engine, submission, answer, **made.made)


def _about_which(acting: Acting) -> str:
    if acting.operation.act.noun == "register":
        return REGISTER
    named = acting.where["case"]
    # A resident is somebody else in every case, so theirs is asked for once the case is known.
    return case_or_nobodys(acting.engine, named, None if acting.caller.resident else acting.caller.officer())


def _outside(acting: Acting) -> tuple[OutsideNumber, ...]:
    """The outside numbers that came along."""
    given = getattr(acting.given, "outside", ())
    for one in given:
        acting.caller.may_hand_in(one.source)
    return tuple(OutsideNumber(one.source, one.number) for one in given)


def key_of(request: Request) -> str:
    """The key of a write. Raises Refused "idempotency_key_missing"."""
    key = request.headers.get(KEY, "")
    if not _KEY.fullmatch(key):
        raise Refused(
            "idempotency_key_missing",
            f"Send {KEY} with a key of your own for this act: up to 100 letters, digits and ._:/#- signs.",
        )
    return key
