"""The desk: hands an import's commands to `handle`, each by the administrator whose task it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from adapters.roster.run import Outcome
from domain.acting import Actor
from domain.register.decide import ADMINISTRATOR
from domain.register.words import SYSTEM
from workflows.standing import REGISTER
from workflows.submission import Answer, Sealing, Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.acting import Command


class Desk(NamedTuple):
    """What an import needs: where commands go, and how staff references become person ids."""

    submit: Callable[[Command, Mapping[str, tuple[str, str]]], Outcome]
    identify: Callable[[str], str]


def desk(
    handle: Callable[[Submission], Answer],
    identify: Callable[[str], str],
    *,
    system_admin: str,
    security_admin: str,
    authority: str,
) -> Desk:
    """A desk for two administrators, each named by staff reference or person id; `authority` is what they cite.

    A command of `ADMINISTRATOR` is given by the one named there, all others by the security administrator.
    """
    persons = {"system_admin": identify(system_admin), "security_admin": identify(security_admin)}

    def submit(command: Command, sealed: Mapping[str, tuple[str, str]]) -> Outcome:
        post = ADMINISTRATOR.get(type(command), "security_admin")
        answer = handle(
            Submission(
                client="roster",
                key=str(uuid4()),
                case=REGISTER,
                command=command,
                actor=Actor(person=persons[post], body=SYSTEM, post=post),
                authority=authority,
                sealed=tuple(Sealing(name, subject, value) for name, (subject, value) in sealed.items()),
            )
        )
        return Outcome(answer.code, answer.advice or "")

    return Desk(submit, identify)
