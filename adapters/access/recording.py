"""What is done about access goes on record first: who gave whom a way in, as what and on what ground (law 4)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

from domain.acting import Actor, Command
from domain.refusal import Refused
from workflows.handle import Handle
from workflows.rooms import REGISTER
from workflows.submission import Submission


class Giver(NamedTuple):
    """Who gives or takes a way in, and on what ground: a security administrator."""

    actor: Actor
    authority: str | None = None


def recorded(handle: Handle, by: Giver, command: Command) -> None:
    """Put it on record. Raises Refused where the register does not allow it; Unavailable."""
    answer = handle(Submission("access", uuid4().hex, REGISTER, command, by.actor, by.authority))
    if not answer.accepted:
        raise Refused(answer.code or "refused", answer.advice or "")
